package collector

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	"status_exporter/collector/document"
	"status_exporter/collector/fetch"
	"status_exporter/config/options"
)

// shortestSecret is how many bytes a secret, or what is left of one, must have to be
// searched for: shorter ones stand in any text by chance.
const shortestSecret = options.ShortestSecret

// mostLines is how many lines of a secret are searched for one by one.
const mostLines = 100

// A mask replaces the secrets that were sent for the documents of a probe, however
// they are spelled, and what is left of them where a text was shortened: the target
// may have sent them back. What the exporter and the configuration's author say by
// themselves is left as it is: a word that is missing there would tell the secret.
type mask struct {
	secrets []string // none twice
	names   []string // that are replaced in the paths of URLs alone
	own     []string // words and names that tell nothing
	socket  string   // that is asked; "" for none
}

// mask returns the mask of all texts about the probe.
func (r *Result) mask() mask {
	var secrets, names []string
	if r.Probe != nil {
		secrets, names = r.Probe.secrets, r.Probe.names
	}
	for _, doc := range r.Documents {
		secrets, names = slices.Concat(secrets, doc.Secrets), slices.Concat(names, doc.Names)
	}
	if len(secrets)+len(names) == 0 {
		return mask{}
	}
	own := r.names()
	for _, name := range names {
		if len(name) >= shortestName && !slices.ContainsFunc(own, func(word string) bool { return strings.Contains(word, name) }) {
			secrets = append(slices.Clip(secrets), name)
		}
	}
	m := mask{secrets: searched(secrets), names: searched(names), own: append(own, r.words()...)}
	if r.Probe != nil {
		m.own = append(m.own, r.Probe.asked()...)
		if origin, _ := r.Probe.split(); strings.HasPrefix(origin, "unix:") {
			m.socket = origin
		}
	}
	return m
}

// shortestName is how many bytes a user's name or a part of a path must have to be
// searched for outside of URLs: shorter ones are mostly words that others say as well.
const shortestName = 8

// names returns what the configuration's author named.
func (r *Result) names() []string {
	var names []string
	for _, doc := range r.Documents {
		names = append(names, doc.Name)
	}
	if r.Probe == nil || r.Probe.Module == nil {
		return names
	}
	names = append(names, r.Probe.Module.Name)
	if rules := r.Probe.Module.Rules; rules != nil {
		for _, f := range rules.Families() {
			names = append(names, f.Name)
		}
	}
	for _, l := range r.Probe.Labels {
		names = append(names, l.Value)
	}
	return names
}

// words returns what else the author and the exporter wrote, as far as it is known.
func (r *Result) words() []string {
	var words []string
	for _, f := range r.Failures {
		words = append(words, document.Words(f.Err)...)
		if refused := (*fetch.RefusedError)(nil); errors.As(f.Err, &refused) {
			words = append(words, refused.Rule)
		}
	}
	if r.Mapping != nil {
		for _, f := range r.Mapping.Findings {
			words = append(words, f.Expression)
		}
	}
	return words
}

// split returns who is asked, and the path and query.
func (p *Probe) split() (origin, path string) {
	end := len(p.Target)
	if file, ok := strings.CutPrefix(p.Target, "unix:"); ok {
		if i := strings.Index(file, ":/"); i >= 0 {
			end = len("unix:") + i
		}
	} else if begin := strings.Index(p.Target, "://"); begin >= 0 {
		begin += len("://")
		if i := strings.IndexAny(p.Target[begin:], "/?"); i >= 0 {
			end = begin + i
		}
	}
	return p.Target[:end], p.Target[end:]
}

// asked returns who is asked as errors name it.
func (p *Probe) asked() []string {
	origin, _ := p.split()
	if file, ok := strings.CutPrefix(origin, "unix:"); ok {
		return []string{origin, file}
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{origin, u.Host, u.Hostname()}
}

// searched returns the texts that are searched for where secrets were sent.
func searched(secrets []string) []string {
	var all []string
	known := make(map[string]bool)
	add := func(secret string) {
		if !known[secret] && len(secret) >= shortestSecret {
			known[secret] = true
			all = append(all, secret)
		}
	}
	for _, secret := range secrets {
		if known[secret] || options.IsPlain(strings.TrimSpace(secret)) {
			continue // words that switch something stand in many texts
		}
		add(secret)
		add(strings.TrimSpace(secret))
		for _, other := range misread(secret) {
			add(other)
		}
		for i, line := range strings.SplitN(secret, "\n", mostLines+1) {
			if line = strings.TrimSpace(line); i < mostLines && !options.IsPlain(line) {
				add(line) // messages quote one line
			}
		}
	}
	return all
}

func (m mask) text(s string) string { return replaced(s, m.find(s)) }

// beginning masks a text that was cut off without a sign of it.
func (m mask) beginning(s string) string {
	return strings.TrimSuffix(m.text(s+ellipsis), ellipsis)
}

// Masked returns a text about the probe without the secrets that were sent in it.
func (r *Result) Masked(text string) string { return r.mask().text(text) }

// Shown returns the target as it may be shown: without what variables brought into its
// path. Who is asked is always shown.
func (p *Probe) Shown() string {
	origin, path := p.split()
	return origin + mask{secrets: searched(slices.Concat(p.secrets, p.names))}.text(path)
}

// A span is a part of a text.
type span struct{ from, to int }

func replaced(s string, spans []span) string {
	if len(spans) == 0 {
		return s
	}
	var masked strings.Builder
	end := 0
	for _, found := range spans {
		masked.WriteString(s[end:found.from])
		masked.WriteString("<secret>")
		end = found.to
	}
	masked.WriteString(s[end:])
	return masked.String()
}

// find returns where secrets stand in a text, in order. Those that overlap are one:
// a secret may be the beginning of another.
func (m mask) find(s string) []span {
	found := search(s, m.secrets)
	paths := m.paths(s)
	if len(paths) > 0 {
		for _, name := range search(s, m.names) {
			if slices.ContainsFunc(paths, name.begins) {
				found = append(found, name)
			}
		}
	}
	if len(found) > 0 {
		own := m.ownWords(s, paths)
		found = slices.DeleteFunc(found, func(secret span) bool { return slices.ContainsFunc(own, secret.within) })
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	merged := found[:0]
	for _, next := range found {
		if last := len(merged) - 1; last >= 0 && next.from < merged[last].to {
			merged[last].to = max(merged[last].to, next.to)
		} else {
			merged = append(merged, next)
		}
	}
	return merged
}

func (s span) begins(in span) bool { return in.from <= s.from && s.from < in.to }

func (s span) within(other span) bool { return other.from <= s.from && s.to <= other.to }

// paths returns where the paths and queries of URLs stand in a text.
func (m mask) paths(s string) []span {
	var paths []span
	add := func(begin int) {
		end := len(s)
		if i := strings.IndexAny(s[begin:], " \t\r\n\"'`<>"); i >= 0 {
			end = begin + i
		}
		if i := strings.IndexAny(s[begin:end], "/?#"); i >= 0 {
			paths = append(paths, span{begin + i, end})
		}
	}
	each(s, "://", func(at int) { add(at + len("://")) })
	if m.socket != "" {
		each(s, m.socket+":/", func(at int) { add(at + len(m.socket)) })
	}
	return paths
}

// ownWords returns where own words stand in a text: nowhere in the path of a URL, which
// is shown without what variables brought into it, whatever else has that name.
func (m mask) ownWords(s string, paths []span) []span {
	var own []span
	for _, word := range m.own {
		each(s, word, func(at int) {
			found := span{at, at + len(word)}
			if !slices.ContainsFunc(paths, found.begins) {
				own = append(own, found)
			}
		})
	}
	return own
}

// each calls f with each place of a word in a text.
func each(text, word string, f func(at int)) {
	for from := 0; word != ""; from++ {
		next := strings.Index(text[from:], word)
		if next < 0 {
			return
		}
		from += next
		f(from)
	}
}

// search returns where secrets stand in a text.
func search(s string, secrets []string) []span {
	if len(secrets) == 0 {
		return nil
	}
	var found []span
	for _, r := range readings(s) {
		add := func(from, to int) {
			found = append(found, span{r.place(from), r.place(to)})
		}
		for _, secret := range secrets {
			findBeginnings(r.text, secret, add)
		}
		findEnds(r.text, secrets, add)
	}
	return found
}
