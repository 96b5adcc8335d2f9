package loop

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func stateElement() protocol.Element {
	at := protocol.Transport{Protocol: protocol.SCTP, Port: 5000, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	return protocol.Element{ID: 5, Home: 7, Life: 300, Policy: protocol.Policy{Type: protocol.RoundRobin}, User: at, ASAP: at}
}

// A file is replaced as a whole, and nothing else is left behind; a directory
// that cannot be written is an error.
func TestStateFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "state")
	wrote := time.Unix(2_000_000_000, 0)
	if entries, err := readState(name, wrote); err != nil || entries != nil {
		t.Errorf("no file: %v, %v", entries, err)
	}
	v := registrar.View{Server: 7, Serving: true}
	for pools := range 3 {
		table, err := snapshot.EncodeTable(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeState(name, snapshot.Encode(table, wrote)); err != nil {
			t.Fatal(err)
		}
		if entries, err := readState(name, wrote); err != nil || len(entries) != pools {
			t.Errorf("%d pools: %v, %v", pools, entries, err)
		}
		v.Pools = append(v.Pools, registrar.PoolView{
			Handle: protocol.PoolHandle(fmt.Sprint("pool", pools)), Elements: []registrar.ElementView{{Element: stateElement()}},
		})
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("the directory holds %v", files)
	}
	if err := writeState(filepath.Join(dir, "no", "such"), nil); err == nil {
		t.Error("written to a directory that does not exist")
	}
	if _, err := readState(dir, wrote); err == nil {
		t.Error("a directory was read")
	}
	if err := os.WriteFile(name, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readState(name, wrote); err == nil || !strings.Contains(err.Error(), "no state file") {
		t.Errorf("another file: %v", err)
	}
}

// stateWorld runs registrars one after the other on one state file.
type stateWorld struct {
	*testing.T
	net  *memnet.Net
	file string
	log  logBook
}

// logBook keeps what is logged.
type logBook struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *stateWorld) start() *Registrar {
	w.Helper()
	r, err := StartRegistrar(RegistrarConfig{
		ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")},
		Open: w.net.Open, State: w.file,
		Logger: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// pe registers a PE, and returns its endpoint.
func (w *stateWorld) pe(r *Registrar) *Port {
	w.Helper()
	p, id := w.connect(r)
	e := stateElement()
	e.ASAP, e.Home = protocol.Transport{}, 0
	e.User.Addrs = []netip.Addr{memnet.Loopback}
	w.ask(p, id, asap.Registration{Handle: "echo", Element: e})
	return p
}

func (w *stateWorld) connect(r *Registrar) (*Port, assoc.ID) {
	w.Helper()
	ep, _, err := w.net.Open(transport.Config{})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { ep.Close() })
	p := NewPort(ep)
	id, err := p.Connect(r.ASAPAddrs(), nil)
	if err != nil {
		w.Fatal(err)
	}
	return p, id
}

// ask sends a message and returns the next one that comes.
func (w *stateWorld) ask(p *Port, id assoc.ID, m asap.Message) asap.Message {
	w.Helper()
	b, err := asap.Append(nil, m)
	if err == nil {
		err = p.SendControl(id, protocol.PPIDASAP, b)
	}
	if err != nil {
		w.Fatal(err)
	}
	for range 1000 {
		synctest.Wait()
		var info assoc.RecvInfo
		b, err := p.Receive(&info)
		if err == nil && info.Kind == assoc.Message {
			answer, _, err := asap.Parse(b)
			if err != nil {
				w.Fatal(err)
			}
			return answer
		}
		if err != nil {
			time.Sleep(time.Millisecond)
		}
	}
	w.Fatal("no answer")
	return nil
}

// A lone registrar that was killed is restarted: its first answer is right,
// and the PE is asked for its home.
func TestWarmRestart(t *testing.T) {
	for _, how := range []string{"killed", "closed"} {
		synctest.Test(t, func(t *testing.T) {
			w := &stateWorld{T: t, net: memnet.New(), file: filepath.Join(t.TempDir(), "state")}
			r := w.start()
			pe := w.pe(r)
			if how == "killed" {
				time.Sleep(2 * statePeriod)
				left, err := os.ReadFile(w.file)
				if err != nil {
					t.Fatal(err)
				}
				r.Close()
				if err := os.WriteFile(w.file, left, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r.Close()
			r = w.start()
			defer r.Close()
			pu, id := w.connect(r)
			answer := w.ask(pu, id, asap.HandleResolution{Handle: "echo"}).(asap.HandleResolutionResponse)
			if len(answer.Elements) != 1 || answer.Elements[0].ID != 5 || answer.Elements[0].Home != r.machine.ID() {
				t.Errorf("%s: the first answer is %v", how, answer)
			}
			if !w.hears(pe, asap.EndpointKeepAlive{NewHome: true, Server: r.machine.ID(), Handle: "echo", ID: 5}) {
				t.Errorf("%s: the PE is not asked", how)
			}
			if w.log.String() != "" {
				t.Error(w.log.String())
			}
		})
	}
}

func (w *stateWorld) hears(p *Port, want asap.Message) bool {
	for range 100 {
		var info assoc.RecvInfo
		b, err := p.Receive(&info)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if m, _, err := asap.Parse(b); info.Kind == assoc.Message && err == nil && cmp.Equal(m, want) {
			return true
		}
	}
	return false
}

// A file that cannot be read or written costs one warning each, not the service.
func TestStateFileOfNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stateWorld{T: t, net: memnet.New(), file: filepath.Join(t.TempDir(), "none", "state")}
		r := w.start()
		w.pe(r)
		time.Sleep(10 * statePeriod)
		if n := strings.Count(w.log.String(), "cannot write the state file"); n != 1 {
			t.Errorf("%d warnings in %s", n, w.log.String())
		}
		if err := os.Mkdir(filepath.Dir(w.file), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * statePeriod)
		if _, err := os.Stat(w.file); err != nil {
			t.Error("not written when it could be")
		}
		r.Close()

		const dear = "rserpool-state 1\nnonsense"
		if err := os.WriteFile(w.file, []byte(dear), 0o600); err != nil {
			t.Fatal(err)
		}
		r = w.start()
		defer r.Close()
		pu, id := w.connect(r)
		if answer := w.ask(pu, id, asap.HandleResolution{Handle: "echo"}).(asap.HandleResolutionResponse); len(answer.Causes) != 1 {
			t.Errorf("got %v", answer)
		}
		if !strings.Contains(w.log.String(), "state file is not used") {
			t.Errorf("no warning: %s", w.log.String())
		}
		time.Sleep(2 * statePeriod)
		if b, err := os.ReadFile(w.file + ".unusable"); err != nil || string(b) != dear {
			t.Errorf("what could not be read is gone: %q, %v", b, err)
		}
		if _, err := os.Stat(w.file); err != nil {
			t.Error("no state is kept:", err)
		}
	})
}

// TestStateFileIsShared: the second registrar on a file does not start, and says
// why; when the first has ended the file is free, whatever became of the lock file.
func TestStateFileIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stateWorld{T: t, net: memnet.New(), file: filepath.Join(t.TempDir(), "state")}
		first := w.start()
		_, err := StartRegistrar(RegistrarConfig{
			ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:4863")}, Open: w.net.Open, State: w.file,
			Logger: slog.New(slog.DiscardHandler),
		})
		if !errors.Is(err, errStateInUse) || !strings.Contains(err.Error(), w.file) {
			t.Errorf("a second registrar on the file: %v", err)
		}
		first.Close()
		w.start().Close()
		if w.log.String() != "" {
			t.Errorf("warnings: %s", w.log.String())
		}
	})
}

// TestStateIsNoFile: a pipe, a device or a directory is neither waited for nor
// replaced; the registrar serves without it, and says so.
func TestStateIsNoFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe, device := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "device")
		if err := unix.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		// Were the device named itself, a fault here would replace that of the system.
		if err := os.Symlink(os.DevNull, device); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{pipe, device, t.TempDir()} {
			before, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			w := &stateWorld{T: t, net: memnet.New(), file: file}
			r := w.start()
			w.pe(r)
			time.Sleep(2 * statePeriod)
			r.Close()
			if after, err := os.Stat(file); err != nil || after.Mode() != before.Mode() || !os.SameFile(before, after) {
				t.Errorf("%s is not what it was: %v, %v", file, after, err)
			}
			if !strings.Contains(w.log.String(), "no regular file") {
				t.Errorf("%s: no warning: %s", file, w.log.String())
			}
		}
	})
}

// TestStateIsWritten: a second after a change, twenty seconds after the last time where
// nothing has changed, and at the end in any case.
func TestStateIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stateWorld{T: t, net: memnet.New(), file: filepath.Join(t.TempDir(), "state")}
		r := w.start()
		began := time.Now()
		var last []byte
		written := func(within time.Duration, want ...time.Duration) {
			t.Helper()
			var got []time.Duration
			for time.Since(began) < within {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				b, err := os.ReadFile(w.file)
				if err == nil && string(b) != string(last) {
					got, last = append(got, time.Since(began)), b
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("written after %v, want %v", got, want)
			}
			began = time.Now()
		}
		written(time.Minute, time.Second, 21*time.Second, 41*time.Second)
		w.pe(r)
		written(22*time.Second, time.Second, 21*time.Second) // before the PE is missed
		if err := os.Remove(w.file); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if _, err := os.Stat(w.file); err != nil {
			t.Errorf("at the end: %v", err)
		}
		if files, err := os.ReadDir(filepath.Dir(w.file)); err != nil || len(files) != 2 { // it and its lock
			t.Errorf("the directory holds %v, %v", files, err)
		}
		for _, file := range []string{w.file, w.file + ".lock"} { // keys may be among what PEs say of themselves
			if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
	})
}

// ENRP-3.2-16: a registrar that waits for its mentor knows less than the file, and does
// not write it, neither while it waits nor at the end.
func TestStateOfAStartingRegistrar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, file := memnet.New(), filepath.Join(t.TempDir(), "state")
		mute := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9902")}
		mentor, _, err := net.Open(transport.Config{Local: mute})
		if err != nil {
			t.Fatal(err)
		}
		defer mentor.Close()
		r, err := StartRegistrar(RegistrarConfig{
			ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")}, ENRP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9901")},
			Peers: [][]netip.AddrPort{mute}, Open: net.Open, State: file, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		r.Close()
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it wrote: %v", err)
		}
	})
}

// TestStateIsTooLong: a file that is too long to be one is not read at all.
func TestStateIsTooLong(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, maxStateFile+1); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	before := allocated()
	if _, err := readState(name, time.Now()); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
	if n := allocated() - before; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestStateThatCannotBeWritten: leaves what was there, and nothing else.
func TestStateThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "state")
	if err := os.Mkdir(occupied, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeState(occupied, []byte("x")); err == nil {
		t.Error("a directory was replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}
