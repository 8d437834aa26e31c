package document

// YAMLTokens returns how many nodes and values are counted in a text of YAML, and how
// much of it is read.
func YAMLTokens(text string) (nodes, values, read int) {
	s := newYAMLTokens(text, 0, false, DefaultLimits.Depth)
	for s.next() {
	}
	return s.nodes, s.values, s.pos
}
