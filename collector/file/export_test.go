package file

import (
	"io/fs"
	"os"
)

// OpenWith makes the source open its file by open.
func (s *Source) OpenWith(open func(name string) (*os.File, fs.FileInfo, error)) { s.open = open }
