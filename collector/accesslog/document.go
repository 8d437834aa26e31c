package accesslog

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// value returns the document's value, or an error where there is nothing that
// can be or was read.
func (s *Source) value() (any, error) {
	var unread int64
	var failed error
	readable := s.lines > 0
	files := []any{}
	rotations := struct{ rename, truncate, missing uint64 }{}
	for _, path := range slices.Sorted(maps.Keys(s.logs)) {
		l := s.logs[path]
		file := map[string]any{"path": path, "readable": l.err == nil, "error": nil, "unread_bytes": number(l.unread())}
		if l.err != nil {
			file["error"] = l.err.Error()
			failed = errors.Join(failed, fmt.Errorf("%s: %w", path, l.err))
		}
		files = append(files, file)
		readable = readable || len(l.segments) > 0
		unread += l.unread()
		rotations.rename += l.renamed
		rotations.truncate += l.truncated
		rotations.missing += l.copiesMissing
	}
	if !readable {
		return nil, cmp.Or(failed, fmt.Errorf("no file matches %s", strings.Join(s.options.Paths, ", ")))
	}
	return map[string]any{
		"since":          float(float64(s.since.UnixMilli()) / 1000),
		"lines":          number(s.lines),
		"unmatched":      number(s.unmatched),
		"last_unmatched": strings.ToValidUTF8(string(s.lastUnmatched), "\uFFFD"),
		"limited":        number(s.limited),
		"unread_bytes":   number(unread),
		"requests":       s.requestValues(),
		"duration":       s.histogramValues(s.duration, s.options.Buckets),
		"upstream":       s.histogramValues(s.upstream, s.options.UpstreamBuckets),
		"rotations": map[string]any{
			"rename":         number(rotations.rename),
			"truncate":       number(rotations.truncate),
			"missing_copies": number(rotations.missing),
		},
		"files": files,
	}, nil
}

func (c *counter) requestValues() []any {
	values := make([]any, 0, len(c.requests))
	for l, r := range c.requests {
		value := c.labelValues(l)
		value["count"], value["bytes"] = number(r.count), number(r.bytes)
		values = append(values, value)
	}
	return values
}

func (c *counter) histogramValues(histograms map[labels]*histogram, bounds []float64) []any {
	values := make([]any, 0, len(histograms))
	for l, h := range histograms {
		buckets := make(map[string]any, len(h.counts))
		var total uint64
		for i, count := range h.counts {
			total += count
			le := "+Inf"
			if i < len(bounds) {
				le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
			}
			buckets[le] = number(total)
		}
		value := c.labelValues(l)
		delete(value, "code")
		value["buckets"], value["sum"], value["count"] = buckets, float(h.sum), number(total)
		values = append(values, value)
	}
	return values
}

// labelValues returns the labels as texts; null for what there is not.
func (c *counter) labelValues(l labels) map[string]any {
	values := map[string]any{"code": nil, "method": nil, "vhost": nil, "path": nil}
	switch {
	case l.code() == otherCode:
		values["code"] = otherName
	case l.code() != 0:
		values["code"] = fmt.Sprintf("%03d", l.code()-1)
	}
	if l.method() != 0 {
		values["method"] = methodNames[l.method()-1]
	}
	if l.vhost() != 0 {
		values["vhost"] = c.vhosts[l.vhost()]
	}
	if l.path() != 0 {
		values["path"] = c.paths[l.path()]
	}
	return values
}

func number[T uint64 | int64](n T) json.Number {
	return json.Number(fmt.Sprint(n))
}

func float(f float64) json.Number {
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}
