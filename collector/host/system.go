package host

import (
	"context"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
)

func readLoad(ctx context.Context) (any, error) {
	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"1": number(l.Load1), "5": number(l.Load5), "15": number(l.Load15)}, nil
}

func readUptime(ctx context.Context) (any, error) {
	boot, err := host.BootTimeWithContext(ctx)
	if err != nil {
		return nil, err
	}
	up, err := host.UptimeWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"seconds": whole(up), "boot_time_seconds": whole(boot)}, nil
}
