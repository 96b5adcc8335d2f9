package main

/*
#cgo CFLAGS: -std=c11 -Wall -Wextra
#include "abi.h"
*/
import "C"

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// headers is a hash of abi.h and rserpool.h, which the build sets; links to both lie
// in this directory, for the go command compiles anew only what changes there.
var headers string

//export rspgo_headers
func rspgo_headers() C.uint64_t {
	hash, _ := strconv.ParseUint(headers, 16, 64)
	return C.uint64_t(hash)
}

// put writes a sentence for rsp_errmsg.
func put(space *C.struct_rspgo_error, text string) {
	dst := unsafe.Slice((*byte)(unsafe.Pointer(&space.text[0])), len(space.text))
	dst[copy(dst[:len(dst)-1], text)] = 0
}

// report writes the sentence for rsp_errmsg and returns -errno.
func report(space *C.struct_rspgo_error, function string, err error) int64 {
	if err == socket.ErrWouldBlock { // the usual case costs nothing
		put(space, "it would have to wait")
		return -int64(unix.EAGAIN)
	}
	put(space, explain(function, err))
	return -int64(errnoOf(err))
}

// call runs the body of an export.
func call(space *C.struct_rspgo_error, function string, body func() (int64, error)) int64 {
	var result int64
	err := guarded(function, func() (err error) {
		result, err = body()
		return err
	})
	if err != nil {
		return report(space, function, err)
	}
	return result
}

// onSocket runs the body of an export for one socket.
func onSocket(ino C.uint64_t, space *C.struct_rspgo_error, function string, body func(*descriptor) (int64, error)) int64 {
	return call(space, function, func() (int64, error) {
		d, err := sockets.find(uint64(ino))
		if err != nil {
			return 0, err
		}
		result, err := body(d)
		if err != nil && err != socket.ErrWouldBlock {
			d.note(function, err)
		}
		return result, err
	})
}

//export rspgo_socket
func rspgo_socket(domain, stream C.int, space *C.struct_rspgo_error) C.int {
	return C.int(call(space, "rsp_socket", func() (int64, error) {
		d, fd, err := newDescriptor(int(domain), stream != 0)
		if err != nil {
			return 0, err
		}
		if err := sockets.add(d); err != nil {
			d.sock.Close()
			d.sig.close()
			unix.Close(fd)
			return 0, err
		}
		return int64(fd), nil
	}))
}

//export rspgo_bind
func rspgo_bind(ino C.uint64_t, addr unsafe.Pointer, n C.size_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_bind", func(d *descriptor) (int64, error) {
		a, err := parseAddress(unsafe.Slice((*byte)(addr), int(n)), d.domain)
		if err != nil {
			return 0, err
		}
		return 0, d.bind(a)
	}))
}

//export rspgo_start
func rspgo_start(fd C.int, ino C.uint64_t, what C.int, pool unsafe.Pointer, n C.size_t, info *C.struct_rspgo_loadinfo, background C.int, space *C.struct_rspgo_error) C.int {
	v := verb(what)
	return C.int(onSocket(ino, space, v.String(), func(d *descriptor) (int64, error) {
		d.sig.knownAs(int(fd))
		if v == verbClose {
			return startClose(d, background != 0)
		}
		args, run, err := d.prepare(v, handleOf(pool, n), info)
		if err != nil {
			return 0, err
		}
		return started(d.start(v, args, background != 0, run))
	}))
}

// prepare returns what tells one request of a verb from another, and how it is done.
func (d *descriptor) prepare(v verb, pool string, info *C.struct_rspgo_loadinfo) (args any, run func(context.Context) error, err error) {
	switch v {
	case verbConnect:
		return pool, func(ctx context.Context) error { return d.sock.Connect(ctx, pool) }, d.mayConnect()
	case verbRegister:
		return d.prepareRegister(pool, info)
	case verbDeregister:
		run = d.sock.Deregister
	case verbDrain:
		run = d.sock.Drain
	}
	if d.conn != nil {
		return nil, nil, errAccepted
	}
	return nil, run, nil
}

func (d *descriptor) prepareRegister(pool string, info *C.struct_rspgo_loadinfo) (args any, run func(context.Context) error, err error) {
	r, err := registration(info)
	if err != nil {
		return nil, nil, err
	}
	r.DataOnly = d.dataOnly.Load()
	run = func(ctx context.Context) error {
		err := d.sock.Register(ctx, pool, r)
		if err == nil {
			d.life.Store(int64(r.Life))
		}
		return err
	}
	return joining{pool, *info, r.DataOnly}, run, d.mayRegister()
}

// joining is what one call of rsp_register asks for.
type joining struct {
	pool     string
	as       C.struct_rspgo_loadinfo
	dataOnly bool
}

func started(event int, err error) (int64, error) {
	if err == errEnded {
		return C.RSPGO_ENDED, nil
	}
	return int64(event), err
}

func startClose(d *descriptor, background bool) (int64, error) {
	if !sockets.shut(d) {
		return 0, errShut
	}
	sockets.unwatch(d)
	finish := func(ctx context.Context) error {
		defer sockets.remove(d)
		return d.finishClose(ctx)
	}
	if event, err := d.start(verbClose, nil, background, finish); err == nil {
		return int64(event), nil
	} else if errnoOf(err) != unix.EINPROGRESS {
		go finish(context.Background()) // nobody can wait for it
	}
	return C.RSPGO_ENDED, nil
}

//export rspgo_quit
func rspgo_quit(space *C.struct_rspgo_error) C.int {
	return C.int(call(space, "", func() (int64, error) {
		event, err := newEvent()
		if err == nil {
			sockets.quit(func() { wake(event) })
		}
		return int64(event), err
	}))
}

//export rspgo_setload
func rspgo_setload(ino C.uint64_t, info *C.struct_rspgo_loadinfo, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_setload", func(d *descriptor) (int64, error) {
		r, err := registration(info)
		if err != nil {
			return 0, err
		}
		if d.conn != nil {
			return 0, errAccepted
		}
		name, err := d.sock.LocalName()
		if err != nil {
			return 0, err
		}
		if r.PE != 0 && r.PE != name.PE {
			return 0, failf(unix.EINVAL, "the PE identifier %v is not that of this element, %v; leave it 0", r.PE, name.PE)
		}
		if was := time.Duration(d.life.Load()); r.Life != 0 && r.Life != was {
			return 0, failf(unix.EINVAL, "the life differs from the one of rsp_register; leave it 0, or call that again")
		}
		return 0, d.sock.SetLoad(r.Policy)
	}))
}

func registration(info *C.struct_rspgo_loadinfo) (socket.Registration, error) {
	p := socket.Policy{
		Type:        socket.PolicyType(info.policy),
		Weight:      uint32(info.weight),
		Priority:    uint32(info.priority),
		Load:        uint32(info.load),
		Degradation: uint32(info.degradation),
	}
	if p.Type == 0 {
		p.Type = socket.RoundRobin
	}
	if !p.Type.Known() {
		return socket.Registration{}, failf(unix.EINVAL, "policy %#x is unknown; use one of RSP_ROUND_ROBIN to RSP_RANDOMIZED_LEAST_USED", uint32(p.Type))
	}
	if used := withUsed(p); p != used {
		return socket.Registration{}, failf(unix.EINVAL, "policy %v does not use all of weight %d, priority %d, load %d and degradation %d; leave the others 0", p.Type, p.Weight, p.Priority, p.Load, p.Degradation)
	}
	if info.life > math.MaxInt32 {
		return socket.Registration{}, failf(unix.EINVAL, "a life of %d seconds is too long; the limit is %d", uint32(info.life), math.MaxInt32)
	}
	return socket.Registration{
		Policy: p,
		Life:   time.Duration(info.life) * time.Second,
		PE:     socket.PEID(info.pe_id),
	}, nil
}

// withUsed returns a policy without the values that it does not use.
func withUsed(p socket.Policy) socket.Policy {
	out := socket.Policy{Type: p.Type}
	switch p.Type {
	case socket.WeightedRoundRobin, socket.WeightedRandom:
		out.Weight = p.Weight
	case socket.Priority:
		out.Priority = p.Priority
	case socket.LeastUsed, socket.RandomizedLeastUsed:
		out.Load = p.Load
	case socket.LeastUsedWithDegradation, socket.PriorityLeastUsed:
		out.Load, out.Degradation = p.Load, p.Degradation
	}
	return out
}

//export rspgo_send
func rspgo_send(fd C.int, ino C.uint64_t, buf unsafe.Pointer, n C.size_t, info *C.struct_rspgo_msginfo, space *C.struct_rspgo_error) C.int64_t {
	return C.int64_t(onSocket(ino, space, variant("rsp_sendmsg", info.pieces != 0, info.batch != 0), func(d *descriptor) (int64, error) {
		d.sig.knownAs(int(fd))
		sending := sendInfo(info)
		return int64(n), d.send(unsafe.Slice((*byte)(buf), int(n)), &sending)
	}))
}

func sendInfo(info *C.struct_rspgo_msginfo) socket.SendInfo {
	return socket.SendInfo{
		Session:   socket.SessionID(info.session),
		Stream:    uint16(info.stream),
		PPID:      uint32(info.ppid),
		Unordered: info.unordered != 0,
		Lifetime:  time.Duration(info.lifetime) * time.Millisecond,
	}
}

// variant is the name of the function that the program called.
func variant(function string, pieces, batch bool) string {
	switch {
	case pieces:
		return function + "v"
	case batch:
		return strings.TrimSuffix(function, "msg") + "mmsg"
	}
	return function
}

// maxBuffer bounds what a caller claims its buffer holds; no message is longer.
const maxBuffer = 1 << 30

//export rspgo_recv
func rspgo_recv(fd C.int, ino C.uint64_t, buf unsafe.Pointer, n C.size_t, info *C.struct_rspgo_msginfo, note *C.struct_rspgo_notification, how C.int, lead *C.struct_rspgo_lead, space *C.struct_rspgo_error) C.int64_t {
	return C.int64_t(onSocket(ino, space, variant("rsp_recvmsg", how&C.RSPGO_PIECES != 0, how&C.RSPGO_BATCH != 0), func(d *descriptor) (int64, error) {
		d.sig.knownAs(int(fd))
		var got socket.RecvInfo
		received, err := d.receiveLeading(lead, how&C.RSPGO_DONTWAIT == 0, unsafe.Slice((*byte)(buf), int(min(n, maxBuffer))), &got, receiving(how))
		if err != nil {
			return 0, err
		}
		*info = C.struct_rspgo_msginfo{
			session:   C.uint32_t(got.Session),
			pe_id:     C.uint32_t(got.PE),
			ppid:      C.uint32_t(got.PPID),
			length:    C.uint32_t(got.Length),
			stream:    C.uint16_t(got.Stream),
			unordered: flag(got.Unordered),
		}
		switch {
		case got.Notification != nil:
			info.kind = C.RSPGO_NOTIFICATION
			tell(note, got.Session, got.Notification)
		case got.CookieEcho:
			info.kind = C.RSPGO_COOKIE_ECHO
		}
		switch {
		case got.Notification != nil:
		case how&C.RSPGO_DISCARD != 0:
			info.truncated = flag(got.Left > 0)
			received += got.Left
		default:
			info.left = C.uint32_t(got.Left)
		}
		return int64(received), nil
	}))
}

func receiving(how C.int) (flags socket.RecvFlags) {
	if how&C.RSPGO_PEEK != 0 {
		flags |= socket.RecvPeek
	}
	if how&C.RSPGO_PLAIN != 0 {
		flags |= socket.RecvMessages
	}
	if how&C.RSPGO_DISCARD != 0 {
		flags |= socket.RecvDiscard
	}
	return flags
}

//export rspgo_send_cookie
func rspgo_send_cookie(fd C.int, ino C.uint64_t, buf unsafe.Pointer, n C.size_t, session C.uint32_t, space *C.struct_rspgo_error) C.int {
	return C.int(onSocket(ino, space, "rsp_send_cookie", func(d *descriptor) (int64, error) {
		d.sig.knownAs(int(fd))
		return 0, d.sendCookie(socket.SessionID(session), unsafe.Slice((*byte)(buf), int(n)))
	}))
}

func flag(set bool) C.uint8_t {
	if set {
		return 1
	}
	return 0
}

//export rspgo_name
func rspgo_name(ino C.uint64_t, peer C.int, pool unsafe.Pointer, n *C.size_t, id *C.uint32_t, space *C.struct_rspgo_error) C.int {
	function := "rsp_getsockname"
	if peer != 0 {
		function = "rsp_getpeername"
	}
	return C.int(onSocket(ino, space, function, func(d *descriptor) (int64, error) {
		name, err := d.sock.LocalName()
		if peer != 0 {
			name, err = d.peerName()
		}
		if err != nil {
			return 0, err
		}
		copy(unsafe.Slice((*byte)(pool), int(min(*n, maxBuffer))), name.Pool)
		*n = C.size_t(len(name.Pool))
		if id != nil {
			*id = C.uint32_t(name.PE)
		}
		return 0, nil
	}))
}

//export rspgo_last_error
func rspgo_last_error(ino C.uint64_t, space *C.struct_rspgo_error) C.int {
	return C.int(call(space, "rsp_errmsg", func() (int64, error) {
		d, err := sockets.find(uint64(ino))
		if err != nil {
			return 0, err
		}
		put(space, d.lastError())
		return 0, nil
	}))
}
