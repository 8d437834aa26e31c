package query

import (
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// jq's own functions for regular expressions take the square of the length of
// a text. These give the same results in linear time, one match after the
// other, and end with the evaluation's context even within one match.
const matchDefinitions = `
def match($re; $flags): _matches($__meter; $re; $flags; "match");
def match($re): if ($re | type) == "array" then match($re[0]; $re[1]) else match($re; null) end;
def test($re; $flags): _test($__meter; $re; $flags);
def test($re): if ($re | type) == "array" then test($re[0]; $re[1]) else test($re; null) end;
def capture($re; $flags): _matches($__meter; $re; $flags; "capture");
def capture($re): if ($re | type) == "array" then capture($re[0]; $re[1]) else capture($re; null) end;
def scan($re; $flags): _matches($__meter; $re; $flags + "g"; "scan");
def scan($re): scan($re; null);
def splits($re; $flags): _matches($__meter; $re; $flags + "g"; "split");
def splits($re): splits($re; null);
def split($re; $flags): [splits($re; $flags)];
def sub($re; f; $flags):
  reduce _matches($__meter; $re; $flags; "sub") as $m (_replace_begin; _replace($m; [$m[2] | f])) |
  _replace_end[];
def sub($re; f): sub($re; f; null);
def gsub($re; f; $flags): sub($re; f; $flags + "g");
def gsub($re; f): gsub($re; f; null);
`

func matchFunctions() []gojq.CompilerOption {
	known := &patterns{}
	return []gojq.CompilerOption{
		gojq.WithFunction("_test", 3, 3, func(v any, args []any) any {
			s, err := known.search("test", v, args)
			if err != nil {
				return err
			}
			_, found, err := s.next()
			if err != nil {
				return err
			}
			return found
		}),
		gojq.WithIterFunction("_matches", 4, 4, func(v any, args []any) gojq.Iter {
			form := args[3].(string)
			s, err := known.search(form, v, args)
			if err != nil {
				return gojq.NewIter(err)
			}
			if form == "split" {
				return &pieces{search: s}
			}
			return &matches{search: s, form: forms[form]}
		}),
		gojq.WithFunction("_replace_begin", 0, 0, func(v any, _ []any) any { return newReplacement(v) }),
		gojq.WithFunction("_replace", 2, 2, func(v any, args []any) any {
			return v.(*replacement).replace(args[0].([]any), args[1].([]any))
		}),
		gojq.WithFunction("_replace_end", 0, 0, func(v any, _ []any) any { return v.(*replacement).results() }),
	}
}

// A pattern is a compiled regular expression.
type pattern struct {
	first  *regexp.Regexp // searches from the beginning of a text
	later  *regexp.Regexp // searches from one letter after the beginning: group 1 is the match
	global bool
	size   int // instructions of the compiled expression
}

// patterns keeps the patterns of one expression. A pattern may come from the
// target, so few are kept.
type patterns struct {
	mu       sync.Mutex
	compiled map[[2]string]*pattern
}

const mostPatterns = 32

func (p *patterns) compile(text, flags string) (*pattern, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := [2]string{text, flags}
	if known, ok := p.compiled[id]; ok {
		return known, nil
	}
	compiled, err := compilePattern(text, flags)
	if err != nil {
		return nil, err
	}
	if p.compiled == nil || len(p.compiled) == mostPatterns {
		p.compiled = make(map[[2]string]*pattern)
	}
	p.compiled[id] = compiled
	return compiled, nil
}

func compilePattern(text, flags string) (*pattern, error) {
	p := &pattern{}
	for _, flag := range flags {
		switch flag {
		case 'g':
			p.global = true
		case 'i':
			text = "(?i)" + text
		case 'm': // as jq names it: a dot is a newline, too
			text = "(?s)" + text
		default:
			return nil, fmt.Errorf("the flag %q of a regular expression is not known, expected g, i or m", flag)
		}
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %s is not right: %s", quote(text), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if p.first, err = regexp.Compile(text); err != nil {
		return nil, err
	}
	canonical := parsed.String() // closes what is open, \Q for example
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	p.size = len(program.Inst)
	if looksBack(parsed) {
		p.later, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + canonical + `)`)
	}
	return p, err
}

// looksBack tells whether a match depends on what stands before it.
func looksBack(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, sub := range re.Sub {
		if looksBack(sub) {
			return true
		}
	}
	return false
}

// A search finds the matches of a pattern in a text, each after the one before.
type search struct {
	*pattern
	meter *meter
	text  string
	at    int // where the next search begins; beyond the text when it is over
}

func (p *patterns) search(function string, v any, args []any) (*search, error) {
	text, isText := v.(string)
	re, isPattern := args[1].(string)
	flags, isFlags := args[2].(string)
	if !isText || !isPattern || !isFlags && args[2] != nil {
		return nil, fmt.Errorf("%s(%s; %s) cannot be applied to: %s (%s)", function, gojq.Preview(args[1]), gojq.Preview(args[2]), gojq.TypeOf(v), gojq.Preview(v))
	}
	compiled, err := p.compile(re, flags)
	if err != nil {
		return nil, err
	}
	return &search{compiled, args[0].(*meter), text, 0}, nil
}

// next returns where the next match and its groups begin and end, as
// regexp.FindStringSubmatchIndex does.
func (s *search) next() (at []int, found bool, err error) {
	if err := s.meter.check(); err != nil {
		return nil, false, err
	}
	if s.at > len(s.text) {
		return nil, false, nil
	}
	start, re, skip := s.at, s.first, 0
	if s.at > 0 && s.later != nil {
		_, width := utf8.DecodeLastRuneInString(s.text[:s.at])
		start, re, skip = s.at-width, s.later, 2
	}
	at, err = s.find(re, s.text[start:])
	if at == nil || err != nil {
		s.at = len(s.text) + 1
		return nil, false, err
	}
	at = at[skip:]
	for i := range at {
		if at[i] >= 0 {
			at[i] += start
		}
	}
	s.at = at[1]
	if at[0] == at[1] {
		_, width := utf8.DecodeRuneInString(s.text[s.at:])
		s.at += max(width, 1)
	}
	if !s.global {
		s.at = len(s.text) + 1
	}
	return at, true, nil
}

// find searches once. Where that may take long the text is read through a
// reader that looks at the meter, which itself is slower.
func (s *search) find(re *regexp.Regexp, text string) ([]int, error) {
	const quick = 1 << 23 // steps of about 10 ns at most
	if len(text)*s.size < quick {
		return re.FindStringSubmatchIndex(text), nil
	}
	r := meteredReader{meter: s.meter, cost: s.size}
	r.Reset(text)
	at := re.FindReaderSubmatchIndex(&r)
	return at, r.err
}

// A meteredReader ends with the evaluation.
type meteredReader struct {
	strings.Reader
	meter *meter
	cost  int // of a letter, in steps
	steps int
	err   error
}

func (r *meteredReader) ReadRune() (rune, int, error) {
	const often = 1 << 20
	if r.steps += r.cost; r.steps > often {
		r.steps = 0
		if r.err = r.meter.check(); r.err != nil {
			return 0, 0, io.EOF
		}
	}
	return r.Reader.ReadRune()
}
