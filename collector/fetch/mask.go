package fetch

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"status_exporter/config/options"
)

// A target may say again what it was sent: in a header, in its document, in the
// address of a redirect. So every document knows which secrets were sent for it,
// for those who show what was found to leave them out.

// secretsSent returns the secrets in a header as it was sent: the values of those
// that hold one or are named like it, and what they are made of.
func (c *Client) secretsSent(h http.Header) []string {
	var secrets []string
	for name, values := range h {
		secret := c.secretHeaders[name]
		if !secret && (usual[name] || !sensitive(name)) {
			continue
		}
		for _, value := range values {
			secrets = append(secrets, value)
			if _, credentials, ok := strings.Cut(value, " "); ok && strings.HasSuffix(name, "Authorization") {
				value = credentials // after Basic or Bearer
			}
			for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ';' }) {
				secrets = append(secrets, word)
				secrets = c.addUser(secrets, word)
				if _, id, ok := strings.Cut(word, ":"); ok {
					secrets = append(secrets, id) // as in ApiKey NAME:KEY
				}
			}
			secrets = addValues(secrets, value, secret || name == "Cookie")
		}
	}
	return secrets
}

// addUser adds what stands in the credentials of HTTP's basic authentication. The name
// is a secret where it is read from a file, or stands alone.
func (c *Client) addUser(secrets []string, credentials string) []string {
	user, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return secrets
	}
	name, password, _ := strings.Cut(string(user), ":")
	secrets = append(secrets, string(user), password)
	if c.secretUser || password == "" {
		secrets = append(secrets, name)
	}
	return secrets
}

// separators stand around values in headers, XML, forms and texts like these.
const separators = ",;&\"'<>\r\n \t"

// addValues adds the values that stand in a text: behind = or :, and alone between
// quotes, tags, commas and the like. Names, which stand before values, are words of a
// protocol. Unless all is set, it adds only what has a name that suggests a credential.
func addValues(secrets []string, text string, all bool) []string {
	name := ""
	for before := byte(','); ; {
		end := strings.IndexAny(text, separators)
		word, after := text, byte(',')
		if end >= 0 {
			word, after = text[:end], text[end]
		}
		rest := strings.TrimLeft(text[len(word):], "\"' \t")
		switch last := len(word) - 1; {
		case word == "" || word == ":" || word == "=":
			// What follows has the name that stood before.
		case before == '<' && word[0] == '/':
			name = ""
		case before == '<':
			name = word
		case word[last] == '=' || word[last] == ':':
			name = word[:last]
		case rest != "" && (rest[0] == ':' || rest[0] == '='):
			name = word
		default:
			alone := before != ' ' && before != '\t' && after != ' ' && after != '\t'
			secrets = addPair(secrets, name, word, all, alone)
			name = ""
		}
		if end < 0 {
			return secrets
		}
		before, text = after, text[end+1:]
	}
}

// addPair adds a word that has a name or stands alone, and what stands in it behind
// the first and the last = or :.
func addPair(secrets []string, name, word string, all, alone bool) []string {
	pair := strings.IndexAny(word, "=:")
	if name == "" && pair >= 0 {
		name = word[:pair]
	}
	if !sensitiveMember(name) && (!all || name == "" && !alone) {
		return secrets
	}
	secrets = append(secrets, word)
	if pair >= 0 {
		secrets = append(secrets, word[pair+1:], word[strings.LastIndexAny(word, "=:")+1:])
	}
	return secrets
}

// usual are headers of nearly all requests, whose names are not sensitive.
var usual = map[string]bool{"Accept": true, "Accept-Encoding": true, "User-Agent": true}

// secretTexts returns the secrets that stand in the params and bodies of requests.
func (c *Client) secretTexts() []text {
	var texts []text
	add := func(r *request) {
		texts = append(slices.AppendSeq(texts, maps.Values(r.params)), r.body)
	}
	for i := range c.documents {
		add(&c.documents[i].request)
	}
	if c.login != nil {
		add(&c.login.request)
	}
	return slices.DeleteFunc(texts, func(t text) bool { return !t.isSecret() })
}

// secretsWritten returns what variables hold, and what these secrets hold now: the
// whole texts, and the values that stand in them. Of one that is not said to be a
// secret, only the parts whose names say it are: the others are words of a protocol.
func (c *Client) secretsWritten() []string {
	secrets := slices.Clone(c.variables)
	for _, t := range c.texts {
		switch text, err := t.value.Get(); {
		case err != nil:
		case t.plain:
			secrets = addSensitive(append(secrets, text), text)
		default:
			secrets = addParts(secrets, text, 0)
		}
	}
	return secrets
}

// addSensitive adds what stands in JSON, XML or a form under a name that suggests a
// credential.
func addSensitive(secrets []string, text string) []string {
	if values, ok := jsonValues(text); ok {
		return addSensitiveMembers(secrets, values)
	}
	return addSensitivePairs(addValues(secrets, text, false), text)
}

// addSensitivePairs does the same for a form, or the query of a URL.
func addSensitivePairs(secrets []string, text string) []string {
	for _, value := range sensitivePairs(text) {
		secrets = append(secrets, value)
		if value, err := url.QueryUnescape(value); err == nil {
			secrets = addParts(secrets, value, 0)
		}
	}
	return secrets
}

// sensitivePairs yields the names and values of a query that are credentials.
func sensitivePairs(query string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if sensitiveMember(name) && !options.IsPlain(value) && !yield(name, value) {
				return
			}
		}
	}
}

// secretName returns the first name in a query that has a credential, "" for none.
func secretName(query string) string {
	for name := range sensitivePairs(query) {
		return name
	}
	return ""
}

func addSensitiveMembers(secrets []string, v any) []string {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			secrets = addSensitiveMembers(secrets, item)
		}
	case map[string]any:
		for name, member := range v {
			if sensitiveMember(name) {
				secrets = addMembers(secrets, member, 0)
			} else {
				secrets = addSensitiveMembers(secrets, member)
			}
		}
	}
	return secrets
}

// deepestText is how many texts in texts are looked into: JSON in a form is one.
const deepestText = 3

// addParts adds a text, and the texts and numbers that stand in it at any depth where
// it is JSON, or the values where it is a form. Each of these may be one again.
func addParts(secrets []string, text string, depth int) []string {
	secrets = append(secrets, text)
	if depth == deepestText {
		return secrets
	}
	if values, ok := jsonValues(text); ok {
		return addMembers(secrets, values, depth)
	}
	secrets = addValues(secrets, text, true)
	for pair := range strings.SplitSeq(text, "&") {
		if _, value, ok := strings.Cut(pair, "="); ok {
			secrets = append(secrets, value) // it may be escaped in a way of its own
			if value, err := url.QueryUnescape(value); err == nil {
				secrets = addParts(secrets, value, depth+1)
			}
		}
	}
	return secrets
}

// jsonValues decodes a text that is nothing but JSON; JSON lines are several values.
func jsonValues(text string) (values []any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		var v any
		if err := d.Decode(&v); err != nil {
			return values, errors.Is(err, io.EOF) && len(values) > 0
		}
		values = append(values, v)
	}
}

func addMembers(secrets []string, v any, depth int) []string {
	switch v := v.(type) {
	case string:
		return addParts(secrets, v, depth+1)
	case json.Number:
		return append(secrets, v.String())
	case []any:
		for _, item := range v {
			secrets = addMembers(secrets, item, depth)
		}
	case map[string]any:
		for _, member := range v {
			secrets = addMembers(secrets, member, depth)
		}
	}
	return secrets
}
