package query

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"status_exporter/collector/search"
	"status_exporter/collector/spare"
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
  reduce _matches($__meter; $re; $flags; "sub") as $m (_replace_begin; _replace($__meter; $m; [$m[2] | f])) |
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
		gojq.WithFunction("_replace", 3, 3, func(v any, args []any) any {
			return v.(*replacement).replace(args[0].(*meter), args[1].([]any), args[2].([]any))
		}),
		gojq.WithFunction("_replace_end", 0, 0, func(v any, _ []any) any { return v.(*replacement).results() }),
	}
}

// A pattern is a compiled regular expression.
type pattern struct {
	*search.Pattern
	source string // as the expression has it, without its flags
	global bool
}

// patterns keeps the patterns of one expression. A pattern may come from the
// target, so few are kept.
type patterns struct{ spare.Map[[2]string, *pattern] }

const mostPatterns = 32

func (p *patterns) compile(text, flags string) (*pattern, error) {
	id := [2]string{text, flags}
	if known, ok := p.Get(id); ok {
		return known, nil
	}
	compiled, err := compilePattern(text, flags) // a large one takes long: others go on
	if err != nil {
		return nil, err
	}
	return p.Add(id, compiled, mostPatterns), nil
}

func compilePattern(source, flags string) (*pattern, error) {
	text, global := source, false
	for _, flag := range flags {
		switch flag {
		case 'g':
			global = true
		case 'i':
			text = "(?i)" + text
		case 'm': // as jq names it: a dot is a newline, too
			text = "(?s)" + text
		default:
			return nil, fmt.Errorf("the flag %q of a regular expression is not known, expected g, i or m", flag)
		}
	}
	compiled, err := search.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %s is not right: %s", quote(text), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return &pattern{compiled, source, global}, nil
}

// A searching finds the matches of a pattern in a text, each after the one before.
type searching struct {
	*pattern
	meter  *meter
	text   string
	search *search.Search
	at     int // where the next search begins; beyond the text when it is over
}

func (p *patterns) search(function string, v any, args []any) (*searching, error) {
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
	m := args[0].(*meter)
	return &searching{compiled, m, text, compiled.In(text, m.check), 0}, nil
}

// next returns where the next match and its groups begin and end, as
// regexp.FindStringSubmatchIndex does.
func (s *searching) next() (at []int, found bool, err error) {
	if err := s.meter.check(); err != nil {
		return nil, false, err
	}
	if s.at > len(s.text) {
		return nil, false, nil
	}
	at, err = s.search.From(s.at)
	if errors.Is(err, search.ErrAgain) {
		err = fmt.Errorf("the expression %s %w, expected one that does not search the rest of a text of %d bytes after each match", quote(s.source), err, len(s.text))
	}
	if at == nil || err != nil {
		s.at = len(s.text) + 1
		return nil, false, err
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
