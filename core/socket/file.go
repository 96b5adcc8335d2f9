package socket

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxFile is more than a file of settings, or one with a key, can need.
const maxFile = 1 << 16

// ahead are the files that Preload has read, or missed, by their names.
var ahead struct {
	sync.Mutex
	files map[string]file
}

type file struct {
	text string
	err  error
}

// Preload reads now what is read at the first use otherwise, the configuration file
// and that of a pool key, for a program that is about to give up its rights or to
// change its root directory. What it has read holds for all sockets from then on, as
// long as the environment names the same files. Its errors are those of
// ConfigFromEnv.
func Preload() error {
	_ = time.Now().Local().String() // the time zone is a file as well
	setAhead(map[string]file{})
	_, err := ConfigFromEnv()
	if err != nil {
		setAhead(nil)
	}
	return err
}

func setAhead(files map[string]file) {
	ahead.Lock()
	ahead.files = files
	ahead.Unlock()
}

// readFile returns the content of a file of settings, as Preload found it if that was
// called.
func readFile(name string) (string, error) {
	ahead.Lock()
	defer ahead.Unlock()
	f, known := ahead.files[name]
	if !known {
		f.text, f.err = readRegular(name)
	}
	if ahead.files != nil && (f.err == nil || os.IsNotExist(f.err)) {
		ahead.files[name] = f
	}
	return f.text, f.err
}

// readRegular returns the content of a file. What is no file, and so might
// have no end or be long in coming, is refused, and never waited for; but the null
// device is an empty file.
func readRegular(name string) (string, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) {
		return "", nil
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file (its mode is %v); put its content into one", name, info.Mode())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes; name the right file", name, maxFile)
	}
	return string(text), err
}
