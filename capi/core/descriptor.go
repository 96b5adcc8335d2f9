package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// lingerLimit is how long rsp_close waits at most until what was sent has
// arrived and the registrar knows.
const lingerLimit = 3 * time.Second

// descriptor is a socket of the program. Hooks of the socket take mu, so no
// method of the socket is called with mu held.
type descriptor struct {
	sock   *socket.Socket
	sig    *signal
	domain int
	watch  int32 // key of the hang-up watch
	closed atomic.Bool
	stream // SOCK_STREAM

	ctx    context.Context // ends when the program closes the descriptor
	cancel context.CancelFunc

	dataOnly   atomic.Bool  // how the next registration is to be
	drainLimit atomic.Int32 // RSP_DRAIN_LIMIT
	life       atomic.Int64 // of the registration, as the program gave it
	setting    sync.Mutex   // held while options change

	mu         sync.Mutex
	sendable   bool          // as the socket says
	background int           // what goes on, and whose end the descriptor shows by POLLOUT
	last       string        // the latest failure, for rsp_errmsg
	leader     socket.Leader // the thread that waits for it and reads; nil: none

	slots [verbCount]slot // guarded by completions
}

func newDescriptor(domain int, oneToOne bool) (d *descriptor, fd int, err error) {
	network := "ip4"
	if domain == unix.AF_INET6 {
		network = "ip"
	}
	cfg, err := config()
	if err != nil {
		return nil, 0, err
	}
	sock, err := socket.NewSocket(cfg, network)
	if err != nil {
		return nil, 0, err
	}
	sig, err := newSignal()
	if err != nil {
		sock.Close()
		return nil, 0, err
	}
	fd = sig.app
	d = describe(sock, sig, domain)
	d.oneToOne = oneToOne
	sock.Hooks(sig.setReadable, d.setSendable)
	return d, fd, nil
}

func describe(sock *socket.Socket, sig *signal, domain int) *descriptor {
	d := &descriptor{sock: sock, sig: sig, domain: domain}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	for v := range d.slots {
		d.slots[v] = slot{d: d, verb: verb(v)}
	}
	return d
}

func (d *descriptor) setSendable(sendable bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sendable = sendable
	d.showWritable()
}

func (d *descriptor) addBackground(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.background += n
	d.showWritable()
}

// showWritable lets the descriptor show what mu guards.
func (d *descriptor) showWritable() {
	d.sig.setWritable(d.sendable && d.background == 0)
}

// note keeps the failure of a function for rsp_errmsg.
func (d *descriptor) note(function string, err error) {
	if err != nil && !transient(err) {
		d.mu.Lock()
		d.last = explain(function, err)
		d.mu.Unlock()
	}
}

// lastError says what went wrong last, in a call or on its own.
func (d *descriptor) lastError() string {
	d.mu.Lock()
	last := d.last
	d.mu.Unlock()
	if last != "" {
		return last
	}
	if err := d.sock.Status().LastError; err != nil {
		return err.Error()
	}
	return ""
}

// finishClose lets what was sent arrive, as far as time allows.
func (d *descriptor) finishClose(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lingerLimit)
	defer cancel()
	err := d.closeContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return failf(unix.ETIMEDOUT, "not everything that was sent was acknowledged within %v; the peer or the registrar does not answer", lingerLimit)
	}
	return err
}
