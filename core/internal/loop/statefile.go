package loop

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// maxStateFile bounds what is read: 1,000,000 PEs take about 100 MB.
const maxStateFile = 1 << 30

// readState reads what the registrar before this one left. A file that does
// not exist is no error.
func readState(name string, at time.Time) ([]enrp.PoolEntry, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxStateFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxStateFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxStateFile)
	}
	return snapshot.Decode(b, at)
}

// setAside renames a file so that it is not replaced, and returns its new name.
// What is no file, a directory for one, is never replaced.
func setAside(name string) (kept string, err error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
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
