package rserpool_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/core/rserpooltest"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listen makes an element, and returns the options with which pool users find it.
func listen(t *testing.T, pool string) (*rserpool.Listener, *rserpool.Options) {
	t.Helper()
	opts := rserpooltest.Options(t, rserpooltest.StartRegistrar(t))
	l, err := rserpool.Listen(t.Context(), pool, opts)
	ok(t, err)
	t.Cleanup(func() { l.Close() })
	return l, opts
}

func dial(t *testing.T, pool string, opts *rserpool.Options) *rserpool.Conn {
	t.Helper()
	c, err := rserpool.Dial(t.Context(), pool, opts)
	ok(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// TestNetConnStream moves more in one Write than a message holds, both ways.
func TestNetConnStream(t *testing.T) {
	l, opts := listen(t, "stream")
	go func() {
		for {
			c, err := l.NetListener().Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	c := dial(t, "stream", opts).NetConn()
	big := make([]byte, 3<<20)
	_, _ = rand.Read(big)
	wrote := make(chan error, 1)
	go func() {
		n, err := c.Write(big)
		if n != len(big) {
			err = errors.Join(err, io.ErrShortWrite)
		}
		wrote <- err
	}()
	got := make([]byte, len(big))
	_, err := io.ReadFull(c, got)
	ok(t, errors.Join(err, <-wrote))
	if !bytes.Equal(got, big) {
		t.Error("the bytes are not those that were sent")
	}
	ok(t, c.Close()) // its addresses stay what they were
	if a := c.RemoteAddr(); a.Network() != "sctp" || a.String() != l.Addrs()[0].String() {
		t.Errorf("the peer is %v, %v", a.Network(), a)
	}
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
}

// TestNetConnDeadlines: one that is over ends what waits, one that is moved does not, and
// afterwards everything goes on.
func TestNetConnDeadlines(t *testing.T) {
	l, opts := listen(t, "deadline")
	c := dial(t, "deadline", opts).NetConn()
	b := make([]byte, 10)
	ok(t, c.SetReadDeadline(time.Now().Add(-time.Second)))
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("over before: %v", err)
	} else if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("it is no timeout: %v", err)
	}
	ok(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(b)
		read <- err
	}()
	for range 3 { // moved while Read waits, or before
		ok(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
	}
	ok(t, c.SetReadDeadline(time.Now()))
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("over meanwhile: %v", err)
	}
	ok(t, c.SetDeadline(time.Time{}))
	_, err := c.Write([]byte("hello"))
	ok(t, err)
	in, err := l.Accept(t.Context())
	ok(t, err)
	_, err = in.NetConn().Write([]byte("welcome"))
	ok(t, err)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "welcome" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

// TestNetConnEnds: a stream ends with its element, at both ends, in order with io.EOF and
// otherwise with an error; and does not go on with another element.
func TestNetConnEnds(t *testing.T) {
	l, opts := listen(t, "ends")
	for name, end := range map[string]func(net.Conn, *rserpool.Conn) error{
		"in order": func(c net.Conn, _ *rserpool.Conn) error { return c.Close() },
		"abort":    func(_ net.Conn, c *rserpool.Conn) error { return c.Abort() },
	} {
		c := dial(t, "ends", opts).NetConn()
		_, err := c.Write([]byte("hello"))
		ok(t, err)
		in, err := l.Accept(t.Context())
		ok(t, err)
		ok(t, end(in.NetConn(), in))
		n, err := c.Read(make([]byte, 10))
		if n != 0 || err == nil || (name == "in order") != (err == io.EOF) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if _, err := c.Write([]byte("more")); err == nil {
			t.Errorf("%s: writing goes on", name)
		}
	}
}

// TestNetConnOfReplay: what goes on in the middle is no stream.
func TestNetConnOfReplay(t *testing.T) {
	_, opts := listen(t, "replay")
	opts.Session.Replay = true
	c := dial(t, "replay", opts).NetConn()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, rserpool.ErrInvalid) {
		t.Error("read:", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, rserpool.ErrInvalid) {
		t.Error("write:", err)
	}
}

// TestHTTP runs a server and a client that know nothing of pools.
func TestHTTP(t *testing.T) {
	l, opts := listen(t, "web")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte("you said "), b...))
	})}
	go server.Serve(l.NetListener())
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := rserpool.Dial(ctx, "web", opts)
			if err != nil {
				return nil, err
			}
			return c.NetConn(), nil
		},
	}}
	defer client.CloseIdleConnections()
	for _, text := range []string{"hello", "hello again"} {
		resp, err := client.Post("http://web/", "text/plain", bytes.NewBufferString(text))
		ok(t, err)
		b, err := io.ReadAll(resp.Body)
		ok(t, errors.Join(err, resp.Body.Close()))
		if string(b) != "you said "+text {
			t.Errorf("%q", b)
		}
	}
}

// TestHTTPShutdown: requests that are under way are answered, and the element takes no
// others.
func TestHTTPShutdown(t *testing.T) {
	l, opts := listen(t, "web")
	entered, answer := make(chan struct{}), make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-answer
		_, _ = io.WriteString(w, cmp.Or(r.Context().Err(), errors.New("answered")).Error())
	})}
	go server.Serve(l.NetListener())
	c := dial(t, "web", opts).NetConn()
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
	ok(t, err)
	<-entered
	shut := make(chan error, 1)
	go func() { shut <- server.Shutdown(t.Context()) }()
	until(t, "the element leaves its pool", func() bool { return !l.Status().Registered })
	close(answer)
	page, err := io.ReadAll(c)
	if err != nil || !bytes.HasSuffix(page, []byte("answered")) {
		t.Errorf("%q, %v", page, err)
	}
	ok(t, <-shut)
	if _, err := l.Accept(t.Context()); !errors.Is(err, rserpool.ErrClosed) {
		t.Error("the element goes on:", err)
	}
}

// TestDialContext is http.Transport's way to elements that serve over TCP.
func TestDialContext(t *testing.T) {
	opts := rserpooltest.Options(t, rserpooltest.StartRegistrar(t))
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	ok(t, err)
	server := &http.Server{Handler: http.NotFoundHandler()}
	go server.Serve(tcp)
	defer server.Close()
	opts.Local = nil
	m, err := rserpool.Join(t.Context(), "web", rserpool.TransportOf(tcp.Addr()), opts)
	ok(t, err)
	defer m.Close()
	r, err := rserpool.NewResolver(opts)
	ok(t, err)
	defer r.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: r.DialContext}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://web/")
	ok(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	if _, err := r.DialContext(t.Context(), "tcp", "nowhere:80"); !errors.Is(err, rserpool.ErrUnknownPool) {
		t.Error(err)
	}
}

// TestServe answers sessions until its context ends, and then moves them to another
// element without loss.
func TestServe(t *testing.T) {
	l, opts := listen(t, "serve")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var names sync.Map
	echo := func(l *rserpool.Listener) func(*rserpool.Conn) {
		return func(c *rserpool.Conn) {
			for {
				b, err := c.Recv(c.Context())
				if err != nil || c.Send(c.Context(), b) != nil {
					return
				}
				names.Store(l.Name().PE, true)
			}
		}
	}
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, echo(l)) }()
	c := dial(t, "serve", opts)
	ask := func() {
		t.Helper()
		ok(t, c.Send(t.Context(), []byte("hello")))
		b, err := c.Recv(t.Context())
		ok(t, err)
		if string(b) != "hello" {
			t.Errorf("%q", b)
		}
	}
	ask()
	other, err := rserpool.Listen(t.Context(), "serve", opts)
	ok(t, err)
	go other.Serve(t.Context(), echo(other))
	cancel()
	ok(t, <-served)
	ask()
	if n := len(slices.Collect(keys(&names))); n != 1 { // the first one has no name any more
		t.Logf("%d elements have served", n)
	}
	if st := c.Status(); st.Failovers != 1 || st.Peer.PE != other.Name().PE {
		t.Errorf("the session has %+v", st)
	}
	if _, err := l.Accept(t.Context()); !errors.Is(err, rserpool.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

func keys(m *sync.Map) func(func(any) bool) {
	return func(yield func(any) bool) { m.Range(func(k, _ any) bool { return yield(k) }) }
}

// TestConnContext ends with the session, and says why.
func TestConnContext(t *testing.T) {
	l, opts := listen(t, "context")
	type key struct{}
	c, err := rserpool.Dial(context.WithValue(t.Context(), key{}, "value"), "context", opts)
	ok(t, err)
	ok(t, c.Send(t.Context(), []byte("hello")))
	in, err := l.Accept(t.Context())
	ok(t, err)
	if c.Context().Value(key{}) != "value" || c.Context().Err() != nil || in.Context().Err() != nil {
		t.Error("a context is not as it should be")
	}
	ok(t, c.Close())
	for _, ctx := range []context.Context{c.Context(), in.Context()} {
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); cause != io.EOF {
				t.Errorf("because %v", cause)
			}
		case <-time.After(10 * time.Second):
			t.Error("a context does not end")
		}
	}
}

// TestNetConnSmallMessages: what is written is split as the options want it, and what one
// Write says stays together.
func TestNetConnSmallMessages(t *testing.T) {
	l, opts := listen(t, "small")
	o := *opts
	o.MaxMessage = 1000
	c := dial(t, "small", &o).NetConn()
	var writers sync.WaitGroup
	for _, letter := range []string{"a", "b"} {
		writers.Go(func() {
			if _, err := c.Write(bytes.Repeat([]byte(letter), 10_500)); err != nil {
				t.Error(err)
			}
		})
	}
	in, err := l.Accept(t.Context())
	ok(t, err)
	got := make([]byte, 21_000)
	_, err = io.ReadFull(in.NetConn(), got)
	ok(t, err)
	writers.Wait()
	if n := len(slices.Compact(slices.Clone(got))); n != 2 {
		t.Errorf("two writes arrive in %d parts", n)
	}
}

// TestServeDetached leaves alone the sessions of a listener that is detached.
func TestServeDetached(t *testing.T) {
	l, opts := listen(t, "detached")
	served := make(chan error, 1)
	go func() {
		served <- l.Serve(t.Context(), func(c *rserpool.Conn) {
			for {
				b, err := c.Recv(c.Context())
				if err != nil || c.Send(c.Context(), b) != nil {
					return
				}
			}
		})
	}()
	c := dial(t, "detached", opts)
	for range 2 {
		ok(t, c.Send(t.Context(), []byte("hello")))
		_, err := c.Recv(t.Context())
		ok(t, err)
		if err := l.Detach(t.Context()); err != nil && !errors.Is(err, rserpool.ErrClosed) {
			t.Fatal(err)
		}
	}
	ok(t, c.Close())
	if err := <-served; !errors.Is(err, rserpool.ErrClosed) {
		t.Error(err)
	}
}

// TestServeClosed: who closes the listener of a Serve whose context ends is not told that the
// two got in each other's way.
func TestServeClosed(t *testing.T) {
	for range 30 {
		l, _ := listen(t, "closed")
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- l.Serve(ctx, func(*rserpool.Conn) {}) }()
		cancel()
		l.Close()
		if err := <-served; err != nil && !errors.Is(err, rserpool.ErrClosed) {
			t.Fatal(err)
		}
	}
}
