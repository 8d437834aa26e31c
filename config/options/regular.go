package options

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// OpenRegular opens a regular file for reading. Anything else is an error, as it would
// keep its reader waiting: even to open a named pipe waits for its writer. The file may
// become one between two looks at it, which is why opening does not wait either. Errors
// are *fs.PathError.
func OpenRegular(name string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(name)
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, nil, notOpened(name, err)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, notOpened(name, err)
	}
	return f, info, nil
}

// shortFile is how long a file may be that is read in one piece, in bytes: anything
// longer is neither a secret nor a certificate.
const shortFile = 1 << 20

// shortTime is how long a file may keep its reader waiting where the system can tell:
// some in /proc are regular, and wait for something to happen.
const shortTime = time.Second

// ReadShort returns a secret or a certificate that stands in a regular file, and what
// the file was then. Errors are *fs.PathError.
func ReadShort(name string) ([]byte, fs.FileInfo, error) {
	f, info, err := OpenRegular(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(shortTime)) // most files know none
	b, err := io.ReadAll(io.LimitReader(f, shortFile+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(b) > shortFile:
		return nil, nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("it has %d bytes, expected at most %d", max(info.Size(), shortFile+1), shortFile)}
	}
	return b, info, nil
}

func notOpened(name string, err error) error {
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		err = failed.Err
	}
	return &fs.PathError{Op: "open", Path: name, Err: err}
}

func regular(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("found %s, expected a regular file", kindOf(info.Mode()))
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}
