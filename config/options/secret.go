package options

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

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
	modified time.Time
	size     int64
	contents string
}

// secretLimit is how long a secret file may be, in bytes: anything longer is
// another file.
const secretLimit = 1 << 20

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
	if info.ModTime().Equal(v.modified) && info.Size() == v.size {
		return v.contents, nil
	}
	if info.Size() > secretLimit {
		return "", v.unreadable(fmt.Errorf("it has %d bytes, expected at most %d", info.Size(), secretLimit))
	}
	b, err := os.ReadFile(v.file)
	if err != nil {
		return "", v.unreadable(err)
	}
	v.modified, v.size, v.contents = info.ModTime(), info.Size(), strings.TrimRight(string(b), "\r\n")
	return v.contents, nil
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
		d.Mapping(n, "a secret", Fields{
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
