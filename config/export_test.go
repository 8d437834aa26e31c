package config

// LoadAlone loads one file as Load does, but with app as the only built-in
// module: the others take most of the time.
func LoadAlone(name string, text []byte, getenv func(string) (string, bool)) (*Config, error) {
	l := newLoader(getenv)
	l.readBuiltin("app.yml")
	l.readFile(name, text)
	return l.finish(Input{Files: []string{name}})
}
