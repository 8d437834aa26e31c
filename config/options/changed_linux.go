package options

import (
	"io/fs"
	"syscall"
	"time"
)

// statusChanged returns when a file, or what is said about it, was changed last:
// unlike the time of the last change of its contents, nobody can set it.
func statusChanged(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return time.Time{}
}
