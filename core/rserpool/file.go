package rserpool

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxFile is more than a file of settings, or one with a key, can need.
const maxFile = 1 << 16

// readFile returns the content of a file of settings. What is no file, and so might
// have no end or be long in coming, is refused, and never waited for; but the null
// device is an empty file.
func readFile(name string) (string, error) {
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
