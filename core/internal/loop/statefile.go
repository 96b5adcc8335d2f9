package loop

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// maxStateFile bounds what is read: 1,000,000 PEs take about 100 MB.
const maxStateFile = 1 << 30

// errNoFile: opening a pipe or a device may take for ever, and replacing it
// would destroy it.
var errNoFile = errors.New("it is no regular file")

// isFile says whether there is something that may be replaced, or nothing.
func isFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !info.Mode().IsRegular():
		return errNoFile
	}
	return err
}

// lockState keeps other registrars from a state file as long as what it returns
// is open. The file itself is replaced again and again, so that a file beside it
// is locked, which stays.
func lockState(name string) (io.Closer, error) {
	f, err := os.OpenFile(name+".lock", os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errStateInUse
		}
		return nil, err
	}
	return f, nil
}

var errStateInUse = errors.New("another registrar keeps its state in this file; give each its own")

// readState reads what the registrar before this one left. A file that does
// not exist is no error.
func readState(name string, at time.Time) ([]enrp.PoolEntry, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	switch info, err := f.Stat(); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errNoFile
	case info.Size() > maxStateFile:
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxStateFile)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxStateFile)) // it may grow meanwhile
	if err != nil {
		return nil, err
	}
	return snapshot.Decode(b, at)
}

// setAside renames a file so that it is not replaced, and returns its new name.
func setAside(name string) (kept string, err error) {
	kept = name + ".unusable"
	return kept, os.Rename(name, kept)
}

// writeState replaces a state file as a whole: whoever reads it finds the old
// one or the new one, also after a crash.
func writeState(name string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
