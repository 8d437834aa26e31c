package fetch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// pages says how an answer leads to the next one:
//
//	next: EXPR                the URL of the next page, null at the end
//	next: EXPR, param: NAME   the value of a parameter for the next page
//	link: header              the Link header with rel="next" (RFC 8288)
//	param: NAME               a parameter that counts pages from start, until one is empty
//
// The items of all pages are the document, one array.
type pages struct {
	next  *query.Query
	link  string // header, or ""
	param string
	start int
	items *query.Query // an array on each page; nil: the page itself
	limit int
}

const defaultPages = 100

func (p *pages) decode(d *options.Decoder, n *yaml.Node) {
	*p = pages{start: 1, limit: defaultPages}
	d.Mapping(n, "pages", options.Fields{
		"next":  query.Option(d, &p.next),
		"link":  d.Enum(&p.link, "header"),
		"param": d.Text(&p.param),
		"start": d.Int(&p.start, 0, 1_000_000),
		"items": query.Option(d, &p.items),
		"limit": d.Int(&p.limit, 1, 100_000),
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	next, _ := options.Get(n, "next")
	link, _ := options.Get(n, "link")
	param, _ := options.Get(n, "param")
	start, _ := options.Get(n, "start")
	switch {
	case next == nil && link == nil && param == nil:
		d.Errorf(n, "pages does not say how to find the next page, expected next, link or param")
	case link != nil && next != nil:
		d.Errorf(next, "pages has both link and next, expected one of them")
	case link != nil && param != nil:
		d.Errorf(param, "pages has both link and param, expected one of them")
	case start != nil && (next != nil || link != nil):
		d.Errorf(start, "start is where param counts from, which does not count beside next or link")
	}
}

// counts tells whether the pages are numbered.
func (p *pages) counts() bool { return p.next == nil && p.link == "" }

// pages asks for page after page and returns the items of all.
func (f *fetch) pages(ctx context.Context, c *call) (any, *document.Failure) {
	p := f.options.pages
	if p.counts() {
		c = c.at(withParam(c.url, p.param, strconv.Itoa(p.start)))
	}
	first, trusted := c.url, true
	all, seen := []any{}, map[[sha256.Size]byte]bool{fingerprint(c.url): true}
	for number := 1; ; number++ {
		page, failure := f.document(ctx, c, trusted)
		if failure != nil {
			return nil, failure
		}
		items, failure := f.items(ctx, page, c)
		if failure != nil {
			return nil, failure
		}
		all = append(all, items...)
		if p.counts() && len(items) == 0 {
			return all, nil
		}
		next, failure := f.nextPage(ctx, page, c.url, number)
		if failure != nil {
			return nil, failure
		}
		if next == nil {
			return all, nil
		}
		switch key := fingerprint(next); {
		case number == p.limit:
			return nil, document.Failf(document.ReasonLimit, "asking %s: there are more than %d pages (limit under pages)", quoted(first), p.limit)
		case seen[key]:
			return nil, document.Failf(document.ReasonLimit, "asking %s: the pages lead in a circle, back to %s", quoted(first), quoted(next))
		default:
			seen[key] = true
		}
		// What another host names gets no credentials, even where it is the target.
		same := sameParty(c.url, next) && (f.own || p.counts())
		if c.body != "" && !same {
			return nil, document.Failf(document.ReasonRedirect, "asking %s: the next page is at another host, or named by one (%s), which is not sent the body", quoted(first), quoted(next))
		}
		c = c.at(next)
		if !same {
			c.header, c.host = anonymous(c.header), ""
		}
		trusted = trusted && same
	}
}

// at returns the same call to another URL.
func (c *call) at(u *url.URL) *call {
	other := *c
	other.url = u
	return &other
}

// items returns what a page holds.
func (f *fetch) items(ctx context.Context, page any, c *call) ([]any, *document.Failure) {
	found, what := page, "the page"
	if q := f.options.pages.items; q != nil {
		what = "items " + q.String()
		var err error
		if found, _, err = q.One(ctx, &f.env, page); err != nil {
			return nil, document.AsFailure(ctx, document.ReasonDecode, fmt.Errorf("asking %s: %s: %w", quoted(c.url), what, err))
		}
	}
	items, ok := tree.Go(found).([]any)
	if !ok {
		return nil, document.Failf(document.ReasonDecode, "asking %s: %s is not an array; items says where the page has one", quoted(c.url), what)
	}
	return items, nil
}

// fingerprint tells URLs apart, which a target may make as long as a header.
func fingerprint(u *url.URL) [sha256.Size]byte { return sha256.Sum256([]byte(u.String())) }

// nextPage returns the URL of the page after the one at u, or nil at the end.
func (f *fetch) nextPage(ctx context.Context, page any, u *url.URL, number int) (*url.URL, *document.Failure) {
	p := f.options.pages
	if p.counts() {
		return withParam(u, p.param, strconv.Itoa(p.start+number)), nil
	}
	link := ""
	if p.link != "" {
		link = nextLink(f.doc.Header.Values("Link"))
	} else {
		found, _, err := p.next.One(ctx, &f.env, page)
		if err != nil {
			return nil, document.AsFailure(ctx, document.ReasonDecode, fmt.Errorf("asking %s: next %s: %w", quoted(u), p.next, err))
		}
		switch found := tree.Go(found).(type) {
		case nil, bool:
		case string:
			link = found
		default:
			link = fmt.Sprint(found)
		}
	}
	if link == "" {
		return nil, nil
	}
	if p.param != "" {
		return withParam(u, p.param, link), nil
	}
	next, wrong := location(f.last, link)
	if wrong != "" {
		return nil, document.Failf(document.ReasonRedirect, "asking %s: the next page cannot be asked for, %s", quoted(u), strings.TrimPrefix(wrong, "and "))
	}
	return next, nil
}

// withParam returns u with a parameter set.
func withParam(u *url.URL, name, value string) *url.URL {
	other := *u
	rest := ""
	if u.RawQuery != "" {
		rest = withoutNames(u.RawQuery, url.Values{name: nil})
	}
	other.RawQuery = joinQuery(rest, url.QueryEscape(name)+"="+url.QueryEscape(value))
	return &other
}

// nextLink returns the target of the link with the relation next (RFC 8288
// section 3), or "".
func nextLink(headers []string) string {
	for _, rest := range headers {
		for {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			target, after, ok := strings.Cut(after, ">")
			if !ok {
				break
			}
			end := unquotedComma(after)
			if isNext(after[:end]) {
				return target
			}
			rest = after[end:]
		}
	}
	return ""
}

// unquotedComma returns where the first comma outside quotes stands in s, or its
// end.
func unquotedComma(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case ',':
			if !quoted {
				return i
			}
		}
	}
	return len(s)
}

// isNext tells whether the parameters of a link hold the relation next.
func isNext(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for relation := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
	}
	return false
}
