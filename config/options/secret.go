package options

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// A Value is a text that may be a secret: written in place, as {secret: …}, or
// as {secret_file: …}. A file is read again when it changed. It is shared and
// safe for concurrent use.
type Value struct {
	text   string
	file   string
	secret bool

	mu       sync.Mutex
	read     fs.FileInfo // of what was read last; nil: nothing
	contents string
}

// ShortestSecret is how many bytes what only looks like a secret must have to be one:
// shorter texts stand in any other by chance.
const ShortestSecret = 4

var plain = regexp.MustCompile(`(?i)^(true|false|none|null|nil|[-+]?[0-9]{1,3})$`)

// IsPlain tells whether a text cannot be a credential, whatever name it has: it is too
// short, or a word that switches something on or off.
func IsPlain(text string) bool { return len(text) < ShortestSecret || plain.MatchString(text) }

// Secret returns a secret text.
func Secret(text string) *Value { return &Value{text: text, secret: true} }

// IsSecret tells whether the text may be shown to nobody.
func (v *Value) IsSecret() bool { return v.secret }

// Get returns the text. It fails only for a file that cannot be read; line
// breaks at the end of a file are not part of the text.
func (v *Value) Get() (string, error) {
	if v.file == "" {
		return v.text, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	info, err := os.Stat(v.file)
	if err != nil {
		return "", v.unreadable(err)
	}
	if unchanged(v.read, info) {
		return v.contents, nil
	}
	b, info, err := ReadShort(v.file)
	if err != nil {
		return "", v.unreadable(err)
	}
	v.read, v.contents = info, strings.TrimRight(string(b), "\r\n")
	return v.contents, nil
}

// unchanged tells whether a file is what it was before. Whoever replaces one may keep
// its size and the time of its last change.
func unchanged(before, now fs.FileInfo) bool {
	return before != nil && os.SameFile(before, now) && before.Size() == now.Size() &&
		before.ModTime().Equal(now.ModTime()) && statusChanged(before).Equal(statusChanged(now))
}

func (v *Value) unreadable(err error) error {
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("the secret file %s cannot be read: %w", v.file, err)
}

// String never returns a secret.
func (v *Value) String() string {
	if v.secret {
		return "<secret>"
	}
	return v.text
}

// Value decodes a text, {secret: TEXT} or {secret_file: FILE}; ${NAME} is expanded.
// A secret file that cannot be read is an error at once.
func (d *Decoder) Value(into **Value) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v := &Value{}
		if n.Kind != yaml.MappingNode {
			d.Expanded(&v.text)(n)
			*into = v
			return
		}
		v.secret = true
		d.SecretMapping(n, "a secret", Fields{
			"secret": func(n *yaml.Node) {
				d.Hide(n)
				d.Expanded(&v.text)(n)
			},
			"secret_file": func(n *yaml.Node) {
				d.File(&v.file)(n)
				if v.file != "" {
					if _, err := v.Get(); err != nil {
						d.Errorf(n, "%v", err)
					}
				}
			},
		})
		if len(n.Content) != 2 {
			d.Errorf(n, "a secret has one key, expected either secret or secret_file")
		}
		*into = v
	}
}
