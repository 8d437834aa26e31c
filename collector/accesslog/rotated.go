package accesslog

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The names that a rotated file may have: access.log.1, access.log-20261101,
// access.log.old, access-20261101.log, access.1.log, each also with .gz; but not
// access-8080.log, which is another log.
var (
	rotatedBehind = regexp.MustCompile(`^(.+?)[-._](?:\d[-\d_.:T]*|old|bak)$`)
	rotatedWithin = regexp.MustCompile(`^(.+?)(?:[-._]\d{4}[-_]?\d{2}[-\d_:T]*|\.\d{1,3})(\.[A-Za-z]\w*)$`)
)

// rotatedFrom returns the names that a file may have had before it was rotated.
func rotatedFrom(name string) []string {
	name = strings.TrimSuffix(name, ".gz")
	var names []string
	if m := rotatedBehind.FindStringSubmatch(name); m != nil {
		names = append(names, m[1])
	}
	if m := rotatedWithin.FindStringSubmatch(name); m != nil {
		names = append(names, m[1]+m[2])
	}
	return names
}

// withoutRotated returns the names without those of files that were rotated
// from another of them, and without compressed ones.
func withoutRotated(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasSuffix(name, ".gz") ||
			slices.ContainsFunc(rotatedFrom(name), func(from string) bool { return slices.Contains(names, from) })
	})
}

// rotatedFiles opens the files beside path that were rotated from it, the oldest
// first. Those that cannot be read are passed over, and so is a compressed
// file beside the one that it is made of.
func rotatedFiles(path string) []*segment {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var names []string
	base := filepath.Base(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base)) // a quick look, for there may be many files
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stem) && slices.Contains(rotatedFrom(e.Name()), base) {
			names = append(names, e.Name())
		}
	}
	var files []*segment
	for _, name := range names {
		if plain, zipped := strings.CutSuffix(name, ".gz"); zipped && slices.Contains(names, plain) {
			continue
		}
		if s, err := openSegment(filepath.Join(filepath.Dir(path), name)); err == nil {
			files = append(files, s)
		}
	}
	slices.SortStableFunc(files, func(a, b *segment) int {
		return cmp.Compare(a.info.ModTime().UnixNano(), b.info.ModTime().UnixNano())
	})
	return files
}

// sameBeginning tells whether two files begin alike, as far as both are known.
func sameBeginning(a, b []byte) bool {
	return bytes.HasPrefix(a, b) || bytes.HasPrefix(b, a)
}
