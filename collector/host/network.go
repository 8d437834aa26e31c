package host

import (
	"cmp"
	"context"
	"regexp"
	"slices"

	"github.com/shirou/gopsutil/v4/net"
)

type networkReader struct {
	interfaces *regexp.Regexp // left out
}

func (r networkReader) read(ctx context.Context) (any, error) {
	counters, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(counters, func(a, b net.IOCountersStat) int { return cmp.Compare(a.Name, b.Name) })
	interfaces := []any{}
	for _, c := range counters {
		if r.interfaces.MatchString(c.Name) {
			continue
		}
		interfaces = append(interfaces, map[string]any{
			"interface": c.Name,
			"receive":   direction(c.BytesRecv, c.PacketsRecv, c.Errin, c.Dropin),
			"transmit":  direction(c.BytesSent, c.PacketsSent, c.Errout, c.Dropout),
		})
	}
	return interfaces, nil
}

func direction(bytes, packets, errors, drops uint64) map[string]any {
	return map[string]any{
		"bytes":   whole(bytes),
		"packets": whole(packets),
		"errors":  whole(errors),
		"drops":   whole(drops),
	}
}
