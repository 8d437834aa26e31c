package document

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"status_exporter/collector/tree"
	"status_exporter/config/options"
)

// csvDecoder decodes comma-separated values (RFC 4180).
type csvDecoder struct {
	delimiter    rune
	header       bool     // the first line names the columns
	names        []string // of the columns of a document without a header line
	headerPrefix string   // stands before the first column name
	comment      rune     // begins lines that are skipped; 0 for none
	lazyQuotes   bool
	tables       bool // several tables in one document
}

func newCSV(d *options.Decoder, n *yaml.Node) Decoder {
	c := csvDecoder{delimiter: ',', header: true}
	d.Mapping(n, "csv", options.Fields{
		"delimiter":     character(d, "delimiter", &c.delimiter),
		"header":        c.decodeHeader(d),
		"header_prefix": d.Text(&c.headerPrefix),
		"comment":       character(d, "comment", &c.comment),
		"lazy_quotes":   d.Bool(&c.lazyQuotes),
		"tables":        d.Bool(&c.tables),
	})
	if c.delimiter == c.comment {
		d.Errorf(n, "delimiter and comment are both %q, expected two characters", string(c.comment))
	}
	if c.headerPrefix != "" && !c.header {
		d.Errorf(n, "header_prefix needs a header line, expected header: true")
	}
	if c.comment != 0 && strings.HasPrefix(c.headerPrefix, string(c.comment)) {
		d.Errorf(n, "the header begins with %q and would be skipped as a comment, expected either header_prefix or comment", c.headerPrefix)
	}
	return c
}

func (c *csvDecoder) decodeHeader(d *options.Decoder) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
			c.header = false
			d.Texts(&c.names)(n)
			return
		}
		if n.ShortTag() != "!!bool" {
			d.Errorf(n, "header: found %s, expected true, false or a list of column names", options.Describe(n))
			return
		}
		d.Bool(&c.header)(n)
	}
}

// character decodes the value of a key that is one character.
func character(d *options.Decoder, key string, into *rune) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r, size := utf8.DecodeRuneInString(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode:
			d.Errorf(n, "%s: found %s, expected one character", key, options.Describe(n))
		case n.Value == `\t`:
			*into = '\t'
		case size == 0, r == 0, size != len(n.Value), r == utf8.RuneError, strings.ContainsRune("\"\r\n", r):
			d.Errorf(n, `%s: found %s, expected one character such as ";" or "\t", neither a quote nor a line break`, key, options.Describe(n))
		default:
			*into = r
		}
	}
}

func (c csvDecoder) Decode(ctx context.Context, body []byte, contentType string, limits Limits) (any, error) {
	return c.build(ctx, body, contentType, limits, new(tree.Builder))
}

func (c csvDecoder) build(ctx context.Context, body []byte, contentType string, limits Limits, b *tree.Builder) (any, error) {
	text := decodeText(body, declaredEncoding(contentType))
	if err := wrongKind(text, "CSV"); err != nil {
		return nil, err
	}
	p := csvParser{meter: newMeter(ctx, limits), csvDecoder: c, text: text, Builder: b}
	if err := p.foresee(text, string(c.delimiter)); err != nil { // the parser holds a whole row before it can be counted
		return nil, err
	}
	p.records = csv.NewReader(&reader{ctx, text})
	p.records.Comma = c.delimiter
	p.records.Comment = c.comment
	p.records.LazyQuotes = c.lazyQuotes
	p.records.FieldsPerRecord = -1
	p.records.ReuseRecord = true
	if err := p.document(); err != nil {
		return nil, p.explain(err)
	}
	return b.Root(), nil
}

type csvParser struct {
	meter
	csvDecoder
	*tree.Builder
	text    string
	records *csv.Reader
}

func (p *csvParser) document() error {
	tables := 0
	all := p.Mark()
	rows := p.Mark()
	columns := p.names
	for first := true; ; first = false {
		empty := p.atEmptyLine()
		record, err := p.records.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.count(1 + len(record)); err != nil {
			return err
		}
		if p.tables && !first && (empty || p.headerPrefix != "" && strings.HasPrefix(record[0], p.headerPrefix)) {
			p.CloseArray(rows)
			tables++
			rows, columns = p.Mark(), p.names
		}
		if p.header && columns == nil {
			if err := p.members(len(record)); err != nil {
				return err
			}
			columns = p.columns(record)
			continue
		}
		p.row(columns, record)
	}
	p.CloseArray(rows)
	if p.tables {
		p.CloseArray(all)
		return p.count(2 + tables)
	}
	return p.count(1)
}

// atEmptyLine tells whether an empty line stands before the next row.
func (p *csvParser) atEmptyLine() bool {
	if !p.tables {
		return false
	}
	for line := range strings.Lines(p.text[p.records.InputOffset():]) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return true
		}
		if p.comment == 0 || !strings.HasPrefix(line, string(p.comment)) {
			return false
		}
	}
	return false
}

// columns returns the names in a header line.
func (p *csvParser) columns(record []string) []string {
	names := make([]string, len(record))
	for i, name := range record {
		if i == 0 {
			name = strings.TrimPrefix(name, p.headerPrefix)
		}
		names[i] = strings.TrimSpace(name)
	}
	return names
}

// row adds a row as an object, or as an array where the columns have no names.
func (p *csvParser) row(columns, record []string) {
	begin := p.Mark()
	if columns == nil {
		for _, text := range record {
			p.cell(text)
		}
		p.CloseArray(begin)
		return
	}
	for i, text := range record[:min(len(record), len(columns))] {
		if columns[i] != "" {
			p.Key(columns[i])
			p.cell(text)
		}
	}
	p.CloseObject(begin)
}

func (p *csvParser) cell(text string) {
	if text == "" {
		p.Null()
	} else {
		p.String(text)
	}
}

// explain puts an error of the parser into our words.
func (p *csvParser) explain(err error) error {
	var parse *csv.ParseError
	switch {
	case p.ctx.Err() != nil:
		return p.givenUp()
	case !errors.As(err, &parse):
		return err
	case errors.Is(err, csv.ErrBareQuote):
		return fmt.Errorf("line %d, column %d: found a quote within a cell that does not begin with one, expected CSV (lazy_quotes: true accepts it)", parse.Line, parse.Column)
	case int(p.records.InputOffset()) == len(p.text):
		return fmt.Errorf("the answer ends within the quoted cell that begins in line %d, expected a closing quote", parse.StartLine)
	}
	return fmt.Errorf("line %d, column %d: found more text after the closing quote of a cell, expected CSV (lazy_quotes: true accepts it)", parse.Line, parse.Column)
}
