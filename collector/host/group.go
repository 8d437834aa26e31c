package host

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// A group is one part of the document.
type group struct {
	name string
	read func(context.Context) (any, error)

	// readers bounds how many calls are under way: the system keeps a question
	// about a file system waiting where its server is gone, and takes no notice
	// of a context.
	readers chan struct{}
}

type result struct {
	name  string
	value any
	err   error
}

// maxReaders is far more than there are scrapers of one machine.
const maxReaders = 16

// allGroups returns every group that the platform knows.
func allGroups(o *Options) []*group {
	reads := map[string]func(context.Context) (any, error){
		"cpu":         cpuReader{o.Window, o.PerCPU}.read,
		"memory":      readMemory,
		"swap":        readSwap,
		"load":        readLoad,
		"uptime":      readUptime,
		"filesystems": filesystemReader{o.Root, o.ExcludeMountpoints, o.ExcludeFilesystemTypes}.read,
		"disks":       diskReader{o.ExcludeDisks}.read,
		"network":     networkReader{o.ExcludeInterfaces}.read,
	}
	var groups []*group
	for _, name := range groupNames() {
		groups = append(groups, &group{name, reads[name], make(chan struct{}, maxReaders)})
	}
	return groups
}

// groupNames returns the names of the groups that the platform knows. Windows
// has no load averages.
func groupNames() []string {
	if runtime.GOOS == "windows" {
		return []string{"cpu", "memory", "swap", "uptime", "filesystems", "disks", "network"}
	}
	return []string{"cpu", "memory", "swap", "load", "uptime", "filesystems", "disks", "network"}
}

// readOnce reads the group. A panic is an error of the group: it must never end the
// process.
func (g *group) readOnce(ctx context.Context) (r result) {
	r.name = g.name
	select {
	case <-ctx.Done():
		r.err = ctx.Err()
		return r
	case g.readers <- struct{}{}:
	}
	defer func() {
		<-g.readers
		if p := recover(); p != nil {
			r.err = fmt.Errorf("a defect of the exporter: %v\n%s", p, debug.Stack())
		}
	}()
	r.value, r.err = g.read(ctx)
	return r
}
