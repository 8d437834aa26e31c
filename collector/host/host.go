// Package host is the source that reads the machine the exporter runs on: its
// processors, memory, file systems, disks and network interfaces. Options go in,
// one document comes out:
//
//	cpu:         {usage_percent: 12.5, seconds: [{cpu: "all", mode: user, seconds: 1.5}, …], guest_seconds: […]}
//	memory:      {usage_percent: 40.1, bytes: {total: …, available: …, …}}
//	swap:        {bytes: {total: …, free: …, used: …}, in_bytes: …, out_bytes: …}
//	load:        {"1": 0.5, "5": 0.4, "15": 0.3}
//	uptime:      {seconds: …, boot_time_seconds: …}
//	filesystems: [{device: …, mountpoint: …, fstype: …, size_bytes: …, …}, …]
//	disks:       [{device: …, reads: …, read_bytes: …, read_seconds: …, …}, …]
//	network:     [{interface: …, receive: {bytes: …, packets: …, errors: …, drops: …}, transmit: {…}}, …]
//	groups:      {cpu: true, disks: false, …}
//	errors:      {disks: "why it could not be read"}
//
// Each of the first eight is a group: one that cannot be read costs only itself.
// Seconds and bytes are what the system counted since it was started, except
// where it is a level. What a platform does not know is left out.
package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/common"

	"status_exporter/collector/document"
)

// A Source reads the machine. It is safe for concurrent use: every Read measures
// CPU usage on its own.
type Source struct {
	groups []*group
	root   string
}

// New returns a source of the groups that the options name.
func New(o *Options) (*Source, error) {
	s := &Source{root: o.Root}
	for _, g := range allGroups(o) {
		if slices.Contains(o.Groups, g.name) {
			s.groups = append(s.groups, g)
		}
	}
	return s, nil
}

// Close has nothing to release.
func (s *Source) Close() error { return nil }

// Read returns the document named document.Status. It fails with ReasonRead
// where no group could be read, with ReasonOverloaded, and with ReasonTimeout. A group
// that gives no answer by nine tenths of the time that is left is given up.
//
// It mostly waits, and needs no place for that among the probes that work.
func (s *Source) Read(ctx context.Context, share document.Share) []*document.Document {
	doc := &document.Document{Name: document.Status, Bytes: -1}
	start := time.Now()
	value, err := s.read(s.below(ctx))
	doc.Phases[document.PhaseProcessing] = time.Since(start)
	if err == nil {
		doc.Values = document.Count(value)
		if full := share.Decoded(doc.Values); full != nil {
			err = document.Failf(document.ReasonOverloaded, "%w", full)
		}
	}
	if err != nil {
		doc.Failure = document.AsFailure(ctx, document.ReasonRead, fmt.Errorf("reading the host: %w", err))
	} else {
		doc.Value = value
	}
	return []*document.Document{doc}
}

// below returns a context that tells the library where the machine's files are.
func (s *Source) below(ctx context.Context) context.Context {
	if s.root == "" {
		return ctx
	}
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: filepath.Join(s.root, "proc"),
		common.HostSysEnvKey:  filepath.Join(s.root, "sys"),
		common.HostEtcEnvKey:  filepath.Join(s.root, "etc"),
		common.HostRunEnvKey:  filepath.Join(s.root, "run"),
	})
}

func (s *Source) read(ctx context.Context) (map[string]any, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)*9/10)
		defer cancel()
	}
	results := make(chan result, len(s.groups))
	for _, g := range s.groups {
		go func() { results <- g.readOnce(ctx) }()
	}

	value := make(map[string]any)
	ok := make(map[string]any)
	failed := make(map[string]any)
	for _, g := range s.groups {
		ok[g.name] = false
		failed[g.name] = "no answer within the time of the scrape"
	}
	for range s.groups {
		select {
		case <-ctx.Done():
		case r := <-results:
			if r.err != nil {
				failed[r.name] = r.err.Error()
				continue
			}
			delete(failed, r.name)
			ok[r.name] = true
			value[r.name] = r.value
		}
	}
	if len(value) == 0 {
		return nil, allFailed(failed)
	}
	value["groups"], value["errors"] = ok, failed
	return value, nil
}

// allFailed returns one error that says what went wrong with every group.
func allFailed(failed map[string]any) error {
	var errs []string
	for name, text := range failed {
		errs = append(errs, fmt.Sprintf("%s: %s", name, text))
	}
	slices.SortFunc(errs, cmp.Compare[string])
	return errors.New(strings.Join(errs, "; "))
}
