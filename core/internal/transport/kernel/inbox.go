package kernel

import (
	"net"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// item is something that Recv has to return.
type item struct {
	info assoc.RecvInfo
	data []byte
}

// inbox is what has been read from the socket and not been returned yet.
type inbox struct {
	scratch []byte         // a notification
	ready   []item         // goes before everything else
	end     *item          // the end of an association, to which SendFailed may follow in the socket
	rest    []item         // after Close: all there was
	failed  []byte         // SendFailed of which pieces are still to be returned
	info    assoc.RecvInfo // its description
	unsent  bool           // the message whose fragments come back was not sent
}

// next returns what comes next. It is called with the lock held.
//
// The kernel announces the end of an association first and hands back its
// messages right after; here it is the other way round. The two follow each
// other in the socket's queue without anything between them, so an end is held
// back until something else comes.
func (e *Endpoint) next(b []byte, info *assoc.RecvInfo) (n int, err error) {
	in := &e.inbox
	for {
		switch {
		case len(in.failed) > 0:
			return in.piece(b, info), nil
		case len(in.ready) > 0:
			n := in.take(b, info)
			return n, nil
		}
		s := e.source()
		switch {
		case len(in.ready) > 0:
			continue // of one that is not held any longer
		case s == nil:
			return 0, assoc.ErrWouldBlock
		}
		n, notification, whole, err := e.read(s, b)
		switch {
		case err == assoc.ErrWouldBlock && in.end != nil:
			e.release()
		case err == assoc.ErrWouldBlock:
			e.dried()
		case err != nil:
			return 0, err
		case notification:
			e.took(false)
			if err := e.complete(s, b[:n], whole); err == nil {
				e.notice(in.scratch)
			}
		default:
			e.reader.describe(info, whole)
			e.took(whole)
			switch {
			case !e.accept(info, n):
				continue
			case in.end == nil:
				return n, nil
			}
			e.release()
			in.ready = append(in.ready, item{*info, append([]byte(nil), b[:n]...)})
		}
	}
}

// complete brings a whole notification into scratch, of which b is the start.
func (e *Endpoint) complete(s *socket, b []byte, whole bool) error {
	in := &e.inbox
	in.scratch = append(in.scratch[:0], b...)
	for !whole {
		at := len(in.scratch)
		in.scratch = append(in.scratch, make([]byte, 1<<12)...)
		n, _, end, err := e.read(s, in.scratch[at:])
		in.scratch = in.scratch[:at+n]
		if err != nil {
			return err
		}
		whole = end
	}
	return nil
}

// put returns a notification to the caller of Recv in its turn.
func (in *inbox) put(info assoc.RecvInfo) { in.ready = append(in.ready, item{info: info}) }

// take returns the first item. A SendFailed's data may be longer than b.
func (in *inbox) take(b []byte, info *assoc.RecvInfo) int {
	it := in.ready[0]
	in.ready = append(in.ready[:0], in.ready[1:]...)
	if len(it.data) > len(b) {
		in.failed, in.info = it.data, it.info
		return in.piece(b, info)
	}
	*info = it.info
	return copy(b, it.data)
}

// piece returns the next part of what did not fit at once.
func (in *inbox) piece(b []byte, info *assoc.RecvInfo) int {
	*info = in.info
	n := copy(b, in.failed)
	in.failed = in.failed[n:]
	info.More = info.More || len(in.failed) > 0
	return n
}

// leftover is Recv after Close.
func (in *inbox) leftover(b []byte, info *assoc.RecvInfo) (int, error) {
	switch {
	case len(in.failed) > 0:
		return in.piece(b, info), nil
	case len(in.rest) == 0:
		return 0, net.ErrClosed
	}
	in.ready, in.rest = in.rest[:1:1], in.rest[1:]
	return in.take(b, info), nil
}

// keep reads all there is into memory, for the time after Close.
func (e *Endpoint) keep() {
	buf := make([]byte, 1<<16)
	for {
		var info assoc.RecvInfo
		n, err := e.next(buf, &info)
		if err != nil {
			return
		}
		e.inbox.rest = append(e.inbox.rest, item{info, append([]byte(nil), buf[:n]...)})
	}
}
