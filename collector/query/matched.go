package query

import (
	"fmt"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// matches gives the machine one match after the other, in a form.
type matches struct {
	search  *searching
	form    func(*matches, []int) any
	bytes   int // of the text that were counted
	letters int // that these bytes are
}

// forms are what the functions of jq make of a match.
var forms = map[string]func(*matches, []int) any{
	"match":   (*matches).object,
	"capture": func(m *matches, at []int) any { return m.captures(at) },
	"scan":    (*matches).scanned,
	"sub":     func(m *matches, at []int) any { return []any{at[0], at[1], m.captures(at)} },
}

// Next returns the next match, or the error that ends the search.
func (m *matches) Next() (any, bool) {
	at, found, err := m.search.next()
	if err != nil {
		return err, true
	}
	if !found {
		return nil, false
	}
	return m.form(m, at), true
}

// object is what jq's match gives. Offsets and lengths count letters.
func (m *matches) object(at []int) any {
	text, names := m.search.text, m.search.Names()
	m.letters += utf8.RuneCountInString(text[m.bytes:at[0]])
	m.bytes = at[0]
	captures := make([]any, 0, len(names)-1)
	for i, name := range names[1:] {
		capture := map[string]any{"name": nil, "offset": -1, "length": 0, "string": nil}
		if name != "" {
			capture["name"] = name
		}
		if start, end := at[2*i+2], at[2*i+3]; start >= 0 {
			capture["offset"] = m.letters + utf8.RuneCountInString(text[at[0]:start])
			capture["length"] = utf8.RuneCountInString(text[start:end])
			capture["string"] = text[start:end]
		}
		captures = append(captures, capture)
	}
	return map[string]any{
		"offset":   m.letters,
		"length":   utf8.RuneCountInString(text[at[0]:at[1]]),
		"string":   text[at[0]:at[1]],
		"captures": captures,
	}
}

// captures returns the texts of the groups that have a name.
func (m *matches) captures(at []int) map[string]any {
	captures := make(map[string]any)
	for i, name := range m.search.Names() {
		if name != "" {
			captures[name] = m.group(at, i)
		}
	}
	return captures
}

// scanned returns the match, or the texts of all groups if there are any.
func (m *matches) scanned(at []int) any {
	if len(at) == 2 {
		return m.group(at, 0)
	}
	groups := make([]any, len(at)/2-1)
	for i := range groups {
		groups[i] = m.group(at, i+1)
	}
	return groups
}

func (m *matches) group(at []int, i int) any {
	if at[2*i] < 0 {
		return nil
	}
	return m.search.text[at[2*i]:at[2*i+1]]
}

// pieces gives the machine what stands between the matches.
type pieces struct {
	search *searching
	next   int // where the next piece begins; beyond the text after the last
}

// Next returns the next piece, or the error that ends the search.
func (p *pieces) Next() (any, bool) {
	text, start := p.search.text, p.next
	if start > len(text) {
		return nil, false
	}
	at, found, err := p.search.next()
	if err != nil {
		return err, true
	}
	if !found {
		p.next = len(text) + 1
		return text[start:], true
	}
	p.next = at[1]
	return text[start:at[0]], true
}

// A replacement is a text while its matches are replaced. Where there are
// several values for a match, there are several results.
type replacement struct {
	text string
	next int // up to where the results have the text
	made [][]byte
}

func newReplacement(v any) any {
	text, _ := v.(string)
	return &replacement{text: text}
}

// replace puts the values for one match into the results.
func (r *replacement) replace(m *meter, match, values []any) any {
	start, end := match[0].(int), match[1].(int)
	for i, v := range values {
		text, ok := v.(string)
		if !ok && v != nil {
			return fmt.Errorf("sub and gsub cannot insert %s, expected a text", gojq.Preview(v))
		}
		if i == len(r.made) {
			r.made = append(r.made, nil)
		}
		if length := len(r.made[i]) + start - r.next + len(text); length > cap(r.made[i]) {
			if err := m.room(2 * length); err != nil { // it grows by more than it must, and is copied in the end
				return err
			}
		}
		r.made[i] = append(append(r.made[i], r.text[r.next:start]...), text...)
	}
	r.next = end
	return r
}

// results returns the texts; there is one if nothing matched.
func (r *replacement) results() any {
	if len(r.made) == 0 {
		return []any{r.text}
	}
	texts := make([]any, len(r.made))
	for i, made := range r.made {
		texts[i] = string(append(made, r.text[r.next:]...))
	}
	return texts
}
