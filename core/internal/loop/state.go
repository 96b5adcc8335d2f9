package loop

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/snapshot"
)

// The state file is written soon after a change, and from time to time though
// nothing has changed, so that its age tells what in it may have ended.
const (
	statePeriod  = time.Second
	stateRefresh = 20 * time.Second
	// stateShare bounds the part of the time that writing takes, if there are
	// very many PEs.
	stateShare = 20
)

// stateWriter writes the state file.
type stateWriter struct {
	r       *Registrar
	file    string
	lock    io.Closer // nil if it could not be had, and nothing can be written either
	quit    chan struct{}
	done    chan struct{}
	written time.Time
	sum     [sha256.Size]byte // of the table that was written last
	failing bool
}

// newStateWriter reads what was there, and begins to write what will be. A file
// that cannot be used costs a warning, not the service; it is set aside, since it
// may be something else that is dear to somebody, and what is no file is left
// alone: then there is no stateWriter. The file of another registrar is an error: what
// each of the two wrote would be lost.
func (r *Registrar) newStateWriter(file string, m *registrar.Config) (*stateWriter, error) {
	if err := isFile(file); errors.Is(err, errNoFile) {
		r.log.Warn("the state file is not used: the registrar starts without what it knew, and keeps nothing", "file", file, "err", err)
		return nil, nil
	}
	lock, err := lockState(file)
	if errors.Is(err, errStateInUse) {
		return nil, fmt.Errorf("state file %s: %w", file, err)
	} else if err != nil {
		r.log.Warn("the state file cannot be locked: two registrars would spoil it", "file", file, "err", err)
	}
	entries, err := readState(file, now())
	if err != nil {
		r.log.Warn("the state file is not used: the registrar starts without what it knew", "file", file, "err", err)
		if kept, err := setAside(file); err != nil {
			r.log.Warn("the state file cannot be set aside", "file", file, "err", err)
		} else if kept != "" {
			r.log.Warn("the state file is kept under another name", "file", kept)
		}
	}
	m.Restored = entries
	return &stateWriter{r: r, file: file, lock: lock, quit: make(chan struct{}), done: make(chan struct{})}, nil
}

func (k *stateWriter) run() {
	defer close(k.done)
	pause := statePeriod
	for {
		select {
		case <-k.quit:
			return
		case <-time.After(pause):
		}
		began := time.Now()
		k.write(k.r.Snapshot())
		pause = max(statePeriod, stateShare*time.Since(began))
	}
}

// stop ends the writing; last is what is left in the file.
func (k *stateWriter) stop(last registrar.View) {
	close(k.quit)
	<-k.done
	k.written = time.Time{}
	k.write(last)
	k.unlock()
}

func (k *stateWriter) unlock() {
	if k != nil && k.lock != nil {
		k.lock.Close()
	}
}

// write writes what a registrar knows that serves; one that is still starting
// knows less than the file.
func (k *stateWriter) write(v registrar.View) {
	if !v.Serving {
		return
	}
	table, err := snapshot.EncodeTable(v)
	sum := sha256.Sum256(table)
	if err == nil {
		if sum == k.sum && !k.failing && time.Since(k.written) < stateRefresh {
			return
		}
		err = writeState(k.file, snapshot.Encode(table, now()))
	}
	if err != nil {
		if !k.failing {
			k.r.log.Warn("cannot write the state file: a restarted registrar would know what it had before", "file", k.file, "err", err)
		}
		k.failing = true
		return
	}
	if k.failing {
		k.r.log.Info("the state file can be written again", "file", k.file)
	}
	k.failing, k.sum, k.written = false, sum, time.Now()
}
