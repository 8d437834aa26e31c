package options_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"status_exporter/config/options"
)

func noEnv(string) (string, bool) { return "", false }

// shop is an option struct as a package would have it.
type shop struct {
	path   string
	port   int
	labels map[string]string
	names  []string
	client *shop
}

func (s *shop) decode(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d.Mapping(n, `"shop"`, options.Fields{
			"path": d.Text(&s.path),
			"port": d.Int(&s.port, 1, 65535),
			"labels": func(n *yaml.Node) {
				s.labels = make(map[string]string)
				d.Entries(n, `"labels"`, func(key, value *yaml.Node) {
					var text string
					d.Text(&text)(value)
					s.labels[key.Value] = text
				})
			},
			"names": func(n *yaml.Node) {
				d.Sequence(n, `"names"`, func(item *yaml.Node) {
					s.names = append(s.names, "")
					d.Text(&s.names[len(s.names)-1])(item)
				})
			},
			"client": func(n *yaml.Node) {
				s.client = &shop{}
				s.client.decode(d)(n)
			},
		})
	}
}

func decodeShop(text string) (shop, error) {
	d := options.NewDecoder(noEnv)
	var s shop
	if top := d.Parse("shop.yml", []byte(text)); top != nil {
		s.decode(d)(top)
	}
	return s, d.Err()
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       shop
	}{
		{"empty", "", shop{}},
		{"comments only", "# nothing\n", shop{}},
		{"null", "---\n", shop{}},
		{"byte order mark, CRLF", "\ufeffpath: /\r\nport: 80\r\n", shop{path: "/", port: 80}},
		{"nested", "client: {client: {path: /deep}}", shop{client: &shop{client: &shop{path: "/deep"}}}},
		{"quoted keys", `{"path": /a, 'port': 1}`, shop{path: "/a", port: 1}},
		{
			"alias", "labels: &l {a: b}\nclient: {labels: *l}",
			shop{labels: map[string]string{"a": "b"}, client: &shop{labels: map[string]string{"a": "b"}}},
		},
		{"alias as a key", "labels: {a: &a b}\nclient: {labels: {*a : c}}", shop{labels: map[string]string{"a": "b"}, client: &shop{labels: map[string]string{"b": "c"}}}},
		{"merge key", "client: &c {path: /a, port: 1}\n<<: *c\nport: 2", shop{path: "/a", port: 2, client: &shop{path: "/a", port: 1}}},
		{"merge key before", "<<: {path: /a, port: 1}\nport: 2", shop{path: "/a", port: 2}},
		{"merge list, the first wins", "<<: [{path: /a}, {path: /b, port: 2}]", shop{path: "/a", port: 2}},
		{"merge within merge", "<<: {<<: {path: /a, port: 1}, port: 2}", shop{path: "/a", port: 2}},
		{"two merge keys", "<<: {path: /a}\n<<: {path: /b, port: 2}", shop{path: "/a", port: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := decodeShop(test.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(shop{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{
			"unknown key",
			"pat: /status\nport: 80",
			`shop.yml:1:1: unknown key "pat" in "shop"; did you mean "path"? expected one of client, labels, names, path, port`,
		},
		{
			"unknown key, none near",
			"retries: 3",
			`shop.yml:1:1: unknown key "retries" in "shop"; expected one of client, labels, names, path, port`,
		},
		{
			"separators and case",
			"La-Bels: {}",
			`shop.yml:1:1: unknown key "La-Bels" in "shop"; did you mean "labels"? expected one of client, labels, names, path, port`,
		},
		{
			"key twice, and every other mistake",
			"path: /a\nport: 0\npath: /b\nport: 70000\nnames: x",
			"shop.yml:2:7: port: found the number 0, expected a whole number from 1 to 65535\n" +
				"shop.yml:3:1: key \"path\" stands twice in \"shop\", first at shop.yml:1:1\n" +
				"shop.yml:4:1: key \"port\" stands twice in \"shop\", first at shop.yml:2:1\n" +
				"shop.yml:5:8: \"names\" is a text, expected a list",
		},
		{
			"not a mapping",
			"- path: /a",
			`shop.yml:1:1: "shop" is a list, expected a mapping (key: value)`,
		},
		{
			"key without a value",
			"client: ~",
			`shop.yml:1:9: "shop" is an empty value, expected a mapping (key: value)`,
		},
		{
			"a list as a key",
			"? [a, b]\n: c",
			`shop.yml:1:3: a key in "shop" is a list, expected a word`,
		},
		{
			"a wrong item",
			"names: [a, {b: c}]",
			`shop.yml:1:12: names: found a mapping, expected a text`,
		},
		{
			"a wrong value under a free key",
			"labels:\n  team: [a]",
			`shop.yml:2:9: team: found a list, expected a text`,
		},
		{
			"two documents",
			"path: /a\n---\nprot: 1",
			`shop.yml:2:1: a second YAML document begins here, expected one document in a file`,
		},
		{
			"mistake behind an alias is told once, where it stands",
			"client: &c {prot: 1}\n<<: {client: *c}\nport: 80\nlabels: {a: b}",
			`shop.yml:1:13: unknown key "prot" in "shop"; did you mean "port"? expected one of client, labels, names, path, port`,
		},
		{
			"alias within itself",
			"client: &c {client: *c}",
			`shop.yml:1:21: the alias *c stands within what it names`,
		},
		{
			"merge of a text",
			"<<: base\nprot: 1",
			"shop.yml:1:5: found the text \"base\" under the merge key <<, expected a mapping or a list of mappings\n" +
				`shop.yml:2:1: unknown key "prot" in "shop"; did you mean "port"? expected one of client, labels, names, path, port`,
		},
		{
			"merge of a list with a text",
			"<<: [{port: 1}, base]",
			`shop.yml:1:5: found the text "base" under the merge key <<, expected a mapping or a list of mappings`,
		},
		{
			"tags",
			"client: !vault {path: !env HOME}",
			"shop.yml:1:9: found a tag, which means nothing here; a text that begins with ! stands in quotes\n" +
				"shop.yml:1:23: found a tag, which means nothing here; a text that begins with ! stands in quotes",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := decodeShop(test.yaml)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliasesAreBounded(t *testing.T) {
	text := "a: &a {k: v}\n"
	for name := 'b'; name <= 'z'; name++ {
		text += strings.NewReplacer("NEW", string(name), "OLD", string(name-1)).Replace("NEW: &NEW [*OLD, *OLD, *OLD, *OLD]\n")
	}
	d := options.NewDecoder(noEnv)
	if d.Parse("shop.yml", []byte(text)) != nil {
		t.Error("Parse returned a node")
	}
	if err, want := d.Err(), "the aliases stand for more than 1000000 values"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want …%s", err, want)
	}
}

func TestPositionsAcrossFiles(t *testing.T) {
	d := options.NewDecoder(noEnv)
	first := d.Parse("conf.d/b.yml", []byte("path: /a\n"))
	second := d.Parse("conf.d/a.yml", []byte("\nclient:\n  key: x\n"))
	_, client := options.Get(second, "client")
	d.Errorf(client, "second")
	d.Warnf(first, "warned")
	// A node keeps its place when it is merged into a tree of another file.
	first.Content = append(first.Content, client.Content...)
	var s shop
	s.decode(d)(first)

	wantErr := "conf.d/a.yml:3:3: second\n" +
		"conf.d/a.yml:3:3: unknown key \"key\" in \"shop\"; expected one of client, labels, names, path, port"
	if diff := cmp.Diff(wantErr, d.Err().Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("conf.d/b.yml:1:1: warned", d.Warnings().Error()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	var errs options.Errors
	if !errors.As(d.Err(), &errs) || errs[0].Position != (options.Position{File: "conf.d/a.yml", Line: 3, Column: 3}) {
		t.Errorf("errors %v, want the first at conf.d/a.yml:3:3", errs)
	}

	dir, err := filepath.Abs("conf.d")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "", "ca.pem": filepath.Join(dir, "ca.pem"), "../ca.pem": filepath.Join(filepath.Dir(dir), "ca.pem"), "/ca.pem": "/ca.pem"} {
		if got := d.Path(client, name); got != want {
			t.Errorf("Path(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestErrorsInReadingOrder(t *testing.T) {
	d := options.NewDecoder(noEnv)
	b := d.Parse("b.yml", []byte("x: 1\ny: {z: 2}\n"))
	a := d.Parse("a.yml", []byte("x: 1\n"))
	_, y := options.Get(b, "y")
	d.Errorf(a, "fourth")
	d.Errorf(y.Content[0], "third")
	d.Errorf(y, "second")
	d.Errorf(y, "second")
	d.Errorf(b, "first")
	if got := d.Failed(); got != 5 {
		t.Errorf("Failed() = %d, want 5", got)
	}
	want := "b.yml:1:1: first\nb.yml:2:4: second\nb.yml:2:5: third\na.yml:1:1: fourth"
	if diff := cmp.Diff(want, d.Err().Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"labels", "label", "value", "values", "const_labels", "map", "help"}
	for found, want := range map[string]string{
		"lables": "labels", "Labels": "labels", "valeu": "value", "constLabels": "const_labels", "const labels": "const_labels",
		"hlep": "help", "mpa": "map", "mapping": "", "": "", "x": "", "vlaues": "values", strings.Repeat("value", 100): "",
	} {
		if got := options.Nearest(found, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", found, got, want)
		}
	}
}
