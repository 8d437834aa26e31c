package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/document"
	"status_exporter/collector/query"
	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// A text is a value of a request: fixed, a secret, or with \(…) in it as in a
// jq string, filled from $vars and $target for each probe.
type text struct {
	fixed    string         // where neither value nor parts is set
	value    *options.Value // a secret
	plain    bool           // the secret stands there as if it were none
	parts    []part         // a template
	variable bool           // fixed or parts hold a ${NAME}, which makes them a secret
}

// A part of a template is text, or an expression whose result stands there.
type part struct {
	text string
	expr *query.Query
}

func (t *text) isFixed() bool  { return t.value == nil && t.parts == nil }
func (t *text) isSecret() bool { return t.variable || t.value != nil && t.value.IsSecret() }

// render returns the text for one probe. escape is applied to what expressions
// yield, nil leaves it as it is.
func (t *text) render(ctx context.Context, env *query.Env, escape func(string) (string, error)) (string, error) {
	if t.value != nil {
		s, err := t.value.Get()
		if err != nil {
			return "", &document.Failure{Reason: document.ReasonLogin, Err: err}
		}
		return s, nil
	}
	if t.parts == nil {
		return t.fixed, nil
	}
	var out strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			out.WriteString(p.text)
			continue
		}
		s, err := evaluate(ctx, p.expr, env)
		if err == nil && escape != nil {
			s, err = escape(s)
		}
		if err != nil {
			return "", fmt.Errorf(`\(%s): %w`, p.expr, err)
		}
		out.WriteString(s)
	}
	return out.String(), nil
}

var errNothing = errors.New("found nothing to put into the request")

// evaluate returns the one result of an expression as text: a string as it is,
// anything else as JSON.
func evaluate(ctx context.Context, expr *query.Query, env *query.Env) (string, error) {
	for result, err := range expr.All(ctx, env, nil) {
		if err != nil {
			return "", err
		}
		switch result := tree.Go(result).(type) {
		case nil:
			return "", errNothing
		case string:
			return result, nil
		default:
			b, err := json.Marshal(result)
			return string(b), err
		}
	}
	return "", errNothing
}

// escapePath makes s one part of a path, as jq's @uri does. It refuses . and ..,
// which would lead elsewhere even when they are escaped (RFC 3986 section 5.2.4).
func escapePath(s string) (string, error) {
	if s == "." || s == ".." {
		return "", fmt.Errorf("%q cannot stand in a path", s)
	}
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), nil
}

// decodePlain decodes a text that is no secret; \(…) makes it a template.
func (t *text) decodePlain(d *options.Decoder, n *yaml.Node) {
	d.Text(&t.fixed)(n)
	t.compile(d, n, false)
}

// decodeSecret decodes {secret: TEXT} or {secret_file: FILE}.
func (t *text) decodeSecret(d *options.Decoder, n *yaml.Node) {
	d.Value(&t.value)(n)
}

// decode decodes a text, {secret: TEXT} or {secret_file: FILE}.
func (t *text) decode(d *options.Decoder, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		t.decodeSecret(d, n)
		return
	}
	t.decodePlain(d, n)
}

// decodeHeader does the same and expands ${NAME}, which makes the text a secret. hide
// says that the name of the header does: then the text is hidden.
func (t *text) decodeHeader(d *options.Decoder, n *yaml.Node, hide bool) {
	if n.Kind == yaml.MappingNode {
		t.decodeSecret(d, n)
		return
	}
	d.Text(&t.fixed)(n)
	hide = hide || options.Refers(t.fixed)
	if hide {
		d.Hide(n)
	}
	t.compile(d, n, hide)
	expand := func(s *string) {
		t.variable = t.variable || options.Refers(*s)
		*s = d.Expand(n, *s)
	}
	if t.parts == nil {
		expand(&t.fixed)
	}
	for i := range t.parts { // what a variable holds is never an expression
		expand(&t.parts[i].text)
	}
}

// decodeHidden decodes what is a secret however it is written.
func (t *text) decodeHidden(d *options.Decoder, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		t.decodeSecret(d, n)
		return
	}
	d.Text(&t.fixed)(n)
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		return
	}
	d.Hide(n)
	t.compile(d, n, true)
	if t.parts == nil {
		t.value, t.fixed, t.plain = options.Secret(t.fixed), "", true
	}
}

// compile splits a text at its \(…). The shortest text up to a closing
// parenthesis that is an expression is the expression, so that parentheses and
// strings within it need no counting. A hidden text is not quoted in errors.
func (t *text) compile(d *options.Decoder, n *yaml.Node, hidden bool) {
	rest := t.fixed
	for {
		before, after, found := strings.Cut(rest, `\(`)
		if !found {
			break
		}
		expr, end, err := firstExpression(after)
		if err != nil {
			why := ""
			if !hidden {
				why = ": " + err.Error()
			}
			d.Errorf(n, `the text has a \( that begins no expression%s; expected an expression and a closing parenthesis`, why)
			return
		}
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		t.parts = append(t.parts, part{expr: expr})
		rest = after[end:]
	}
	if t.parts != nil && rest != "" {
		t.parts = append(t.parts, part{text: rest})
	}
}

func firstExpression(s string) (expr *query.Query, end int, err error) {
	err = errors.New("not closed")
	for i := range len(s) {
		if s[i] != ')' {
			continue
		}
		if expr, err = query.Compile(s[:i]); err == nil {
			return expr, i + 1, nil
		}
	}
	return nil, 0, err
}
