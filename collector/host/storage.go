package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"
)

type filesystemReader struct {
	root               string
	mountpoints, types *regexp.Regexp // left out
}

func (r filesystemReader) read(ctx context.Context) (any, error) {
	partitions, err := disk.PartitionsWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	filesystems := []any{}
	shown := make(map[string]bool) // devices
	var failed error
	for _, p := range partitions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.leftOut(p, shown) {
			continue
		}
		u, err := disk.UsageWithContext(ctx, filepath.Join(r.root, p.Mountpoint))
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.Mountpoint, err))
			continue
		}
		// What holds no data (proc, sysfs, cgroup and the like) has no size.
		if u.Total > 0 {
			shown[p.Device] = true
			filesystems = append(filesystems, filesystem(p, u))
		}
	}
	if len(filesystems) == 0 && failed != nil {
		return nil, failed
	}
	return filesystems, nil
}

// leftOut tells whether p is excluded, or a part of what was shown, mounted once
// more elsewhere.
func (r filesystemReader) leftOut(p disk.PartitionStat, shown map[string]bool) bool {
	return r.mountpoints.MatchString(p.Mountpoint) || r.types.MatchString(p.Fstype) ||
		slices.Contains(p.Opts, "bind") && shown[p.Device]
}

func filesystem(p disk.PartitionStat, u *disk.UsageStat) map[string]any {
	value := map[string]any{
		"device":          p.Device,
		"mountpoint":      p.Mountpoint,
		"fstype":          p.Fstype,
		"read_only":       slices.Contains(p.Opts, "ro"),
		"size_bytes":      whole(u.Total),
		"available_bytes": whole(u.Free), // to others than root
		"used_bytes":      whole(u.Used),
	}
	if u.InodesTotal > 0 {
		value["files"], value["files_free"] = whole(u.InodesTotal), whole(u.InodesFree)
	}
	return value
}

type diskReader struct {
	devices *regexp.Regexp // left out
}

func (r diskReader) read(ctx context.Context) (any, error) {
	// Times are in milliseconds everywhere with this key, else not on Windows.
	ctx = context.WithValue(ctx, disk.WillBeDeletedOptInWindowsIOTimeMs, true) //nolint:staticcheck // the library's key is a string
	counters, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		return nil, err
	}
	disks := []any{}
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		if !r.devices.MatchString(name) {
			disks = append(disks, diskCounters(name, counters[name]))
		}
	}
	return disks, nil
}

func diskCounters(name string, c disk.IOCountersStat) map[string]any {
	value := map[string]any{
		"device":        name,
		"reads":         whole(c.ReadCount),
		"writes":        whole(c.WriteCount),
		"read_bytes":    whole(c.ReadBytes),
		"written_bytes": whole(c.WriteBytes),
		"read_seconds":  seconds(c.ReadTime),
		"write_seconds": seconds(c.WriteTime),
	}
	if runtime.GOOS == "linux" {
		value["io_seconds"] = seconds(c.IoTime)
		value["io_weighted_seconds"] = seconds(c.WeightedIO)
		value["io_now"] = whole(c.IopsInProgress)
	}
	return value
}
