package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/alecthomas/units"

	"status_exporter/config/options"
)

// nameFlags makes the errors about the values of all flags sentences that name the
// flag, what was found and what is expected: those of the parser name no flag.
func nameFlags(app *kingpin.Application) {
	model := app.Model()
	for _, flag := range model.Flags {
		nameFlag(app.GetFlag(flag.Name), flag)
	}
	for _, cmd := range model.Commands {
		for _, flag := range cmd.Flags {
			nameFlag(app.GetCommand(cmd.Name).GetFlag(flag.Name), flag)
		}
	}
}

func nameFlag(clause *kingpin.FlagClause, flag *kingpin.FlagModel) {
	value, ok := flag.Value.(kingpin.Getter)
	if !ok || flag.IsBoolFlag() {
		return
	}
	if _, text := value.Get().(string); !text { // any text will do, and --help quotes it
		clause.SetValue(&namedValue{value, flag.Name})
	}
}

// A namedValue is the value of a flag whose errors name it.
type namedValue struct {
	kingpin.Getter
	flag string
}

// Set implements kingpin.Value.
func (v *namedValue) Set(text string) error {
	err := v.Getter.Set(text)
	var expected string
	switch found := v.Get().(type) {
	case int:
		_, err = strconv.Atoi(text) // the parser cuts what is behind the point
		expected = "a whole number"
	case time.Duration:
		expected = "a duration such as 10s or 500ms"
	case units.Base2Bytes:
		expected = "a size such as 512MiB"
	case *url.URL:
		expected = "a URL such as https://monitoring.example/status"
	case map[string]string:
		expected = "NAME=VALUE"
	case choice:
		expected = "one of " + strings.Join(found.words, ", ")
	}
	if err != nil {
		return fmt.Errorf("--%s is %q, expected %s", v.flag, options.Printable(text), expected)
	}
	return nil
}

// IsCumulative tells whether the flag may be given several times.
func (v *namedValue) IsCumulative() bool {
	several, ok := v.Getter.(interface{ IsCumulative() bool })
	return ok && several.IsCumulative()
}

// A choice is the value of a flag that is one of a few words.
type choice struct {
	into  *string
	words []string
}

func (c choice) String() string { return *c.into }

// Get implements kingpin.Getter.
func (c choice) Get() any { return c }

// Set implements kingpin.Value.
func (c choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return strconv.ErrSyntax
	}
	*c.into = text
	return nil
}

// needlessValue returns an error where the arguments give a value to a flag that
// takes none, nil elsewhere: the parser takes the value for a command.
func needlessValue(app *kingpin.Application, args []string) error {
	model := app.Model()
	flags := model.Flags
	for _, cmd := range model.Commands {
		flags = append(flags, cmd.Flags...)
	}
	for _, arg := range args {
		name, value, given := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		isThis := func(f *kingpin.FlagModel) bool { return f.Name == name && f.IsBoolFlag() }
		if given && strings.HasPrefix(arg, "--") && slices.ContainsFunc(flags, isThis) {
			return fmt.Errorf("--%s is %q, expected --%s alone, or --no-%s", name, value, name, name)
		}
	}
	return nil
}
