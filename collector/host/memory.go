package host

import (
	"context"
	"errors"
	"runtime"

	"github.com/shirou/gopsutil/v4/mem"
)

func readMemory(ctx context.Context) (any, error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	if m.Total == 0 {
		return nil, errors.New("the system tells no size of its memory")
	}
	used := m.Total - min(m.Available, m.Total)
	return map[string]any{
		"usage_percent": number(100 * float64(used) / float64(m.Total)),
		"bytes":         memoryKinds(m, used),
	}, nil
}

// memoryKinds returns bytes by kind. Kinds overlap: their sum means nothing.
func memoryKinds(m *mem.VirtualMemoryStat, used uint64) map[string]any {
	kinds := map[string]any{
		"total":     whole(m.Total),
		"available": whole(m.Available),
		"used":      whole(used),
		"free":      whole(m.Free),
	}
	switch runtime.GOOS {
	case "linux":
		kinds["buffers"] = whole(m.Buffers)
		// The library counts reclaimable slab as cached, /proc/meminfo does not.
		kinds["cached"] = whole(m.Cached - min(m.Sreclaimable, m.Cached))
		kinds["slab"] = whole(m.Slab)
		kinds["slab_reclaimable"] = whole(m.Sreclaimable)
		kinds["shared"] = whole(m.Shared)
		kinds["dirty"] = whole(m.Dirty)
		kinds["active"] = whole(m.Active)
		kinds["inactive"] = whole(m.Inactive)
	case "darwin":
		kinds["active"] = whole(m.Active)
		kinds["inactive"] = whole(m.Inactive)
		kinds["wired"] = whole(m.Wired)
	}
	return kinds
}

func readSwap(ctx context.Context) (any, error) {
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	value := map[string]any{"bytes": map[string]any{
		"total": whole(s.Total),
		"free":  whole(s.Free),
		"used":  whole(s.Used),
	}}
	if runtime.GOOS == "linux" {
		value["in_bytes"], value["out_bytes"] = whole(s.Sin), whole(s.Sout)
	}
	return value, nil
}
