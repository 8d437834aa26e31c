package config

import "status_exporter/config/options"

// LoadAlone loads one file as Load does, but with app as the only built-in
// module.
func LoadAlone(name string, text []byte, getenv func(string) (string, bool)) (*Config, error) {
	l := newLoader(getenv)
	l.builtinNames = []string{"app"}
	l.readFile(name, text)
	return l.finish(Input{Files: []string{name}})
}

// BuiltinWarnings returns what built-in modules would be warned of.
func BuiltinWarnings() options.Errors {
	l := newLoader(nil)
	for _, name := range l.builtinNames {
		l.find(name)
	}
	return l.d.Warnings()
}
