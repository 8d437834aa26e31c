package config

// LoadAlone loads one file as Load does, but without the built-in modules, which
// take most of the time.
func LoadAlone(name string, text []byte, getenv func(string) (string, bool)) (*Config, error) {
	l := newLoader(getenv)
	l.readFile(name, text)
	return l.finish(Input{Files: []string{name}})
}
