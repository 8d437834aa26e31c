package options

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// lineBits is how many bits of yaml.Node.Line hold the line; the bits above
// them hold the number of the file, so that a node keeps its origin when
// `extends` merges it into a module of another file.
const lineBits = 24

// A Position says where in the configuration something stands.
type Position struct {
	File   string
	Line   int // 1 is the first; 0 where there is no line to name
	Column int // 1 is the first
}

// String returns file:line:column, or the file alone where there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// stamp writes the number of the file into the line of every node below n.
func stamp(n *yaml.Node, file int) {
	n.Line |= file << lineBits
	for _, child := range n.Content {
		stamp(child, file)
	}
}
