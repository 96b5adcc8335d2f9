package loop

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

var stateTime = time.Unix(2_000_000_000, 0)

func stateElement(id protocol.PEID, life protocol.Life) protocol.Element {
	at := protocol.Transport{Protocol: protocol.SCTP, Port: 5000, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	return protocol.Element{ID: id, Home: 7, Life: life, Policy: protocol.Policy{Type: protocol.RoundRobin}, User: at, ASAP: at}
}

func stateView(pes int) registrar.View {
	v := registrar.View{Server: 7, Serving: true}
	for i := range pes {
		if i%1000 == 0 {
			v.Pools = append(v.Pools, registrar.PoolView{Handle: protocol.PoolHandle(fmt.Sprint("pool", i/1000))})
		}
		p := &v.Pools[len(v.Pools)-1]
		p.Elements = append(p.Elements, registrar.ElementView{Element: stateElement(protocol.PEID(i+1), 300)})
	}
	return v
}

func encoded(t *testing.T, v registrar.View) []byte {
	t.Helper()
	table, err := encodeTable(v)
	if err != nil {
		t.Fatal(err)
	}
	return encodeState(table, stateTime)
}

func count(entries []enrp.PoolEntry) (n int) {
	for _, e := range entries {
		n += len(e.Elements)
	}
	return n
}

// What is written can be read, also in many parts.
func TestStateRoundTrip(t *testing.T) {
	for _, pes := range []int{0, 1, 5000} {
		entries, err := decodeState(encoded(t, stateView(pes)), stateTime)
		if err != nil || count(entries) != pes {
			t.Errorf("%d PEs became %d, %v", pes, count(entries), err)
		}
	}
	entries, _ := decodeState(encoded(t, stateView(1)), stateTime)
	want := []enrp.PoolEntry{{Handle: "pool0", Elements: []protocol.Element{stateElement(1, 300)}}}
	if diff := cmp.Diff(want, entries, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// COM-3.10-03: who cannot be registered any more is not brought back.
func TestStateLeavesOutTheExpired(t *testing.T) {
	v := stateView(1)
	v.Pools[0].Elements = append(v.Pools[0].Elements, registrar.ElementView{Element: stateElement(2, protocol.LifeInfinite)})
	b := encoded(t, v)
	for age, want := range map[time.Duration]int{0: 2, 5 * time.Minute: 2, time.Hour: 1, -time.Hour: 2} {
		if entries, err := decodeState(b, stateTime.Add(age)); err != nil || count(entries) != want {
			t.Errorf("after %v: %d, %v", age, count(entries), err)
		}
	}
}

// Every way of being damaged is noticed.
func TestStateDamaged(t *testing.T) {
	b := encoded(t, stateView(3))
	for n := range b {
		if _, err := decodeState(b[:n], stateTime); err == nil {
			t.Errorf("%d bytes of %d were taken", n, len(b))
		}
		changed := bytes.Clone(b)
		changed[n] ^= 0x10
		if _, err := decodeState(changed, stateTime); err == nil {
			t.Errorf("taken with byte %d changed", n)
		}
	}
	// A checksum that is right proves nothing about what it covers.
	for _, table := range []string{"x", "\x03\x00\x00\x03", "\x03\x00\x00\x20----", "\x01\x00\x00\x0c--------"} {
		if _, err := decodeState(encodeState([]byte(table), stateTime), stateTime); err == nil {
			t.Errorf("%q was taken for a table", table)
		}
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte{})
	table, _ := encodeTable(stateView(2))
	f.Add(table)
	f.Fuzz(func(t *testing.T, table []byte) {
		_, _ = decodeState(encodeState(table, stateTime), stateTime)
		_, _ = decodeState(table, stateTime)
	})
}

// A file is replaced as a whole, and nothing else is left behind; a directory
// that cannot be written is an error.
func TestStateFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "state")
	if entries, err := readState(name, stateTime); err != nil || entries != nil {
		t.Errorf("no file: %v, %v", entries, err)
	}
	for pes := range 3 {
		if err := writeState(name, encoded(t, stateView(pes))); err != nil {
			t.Fatal(err)
		}
		if entries, err := readState(name, stateTime); err != nil || count(entries) != pes {
			t.Errorf("%d PEs: %d, %v", pes, count(entries), err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("the directory holds %v", files)
	}
	if err := writeState(filepath.Join(dir, "no", "such"), nil); err == nil {
		t.Error("written to a directory that does not exist")
	}
	if _, err := readState(dir, stateTime); err == nil {
		t.Error("a directory was read")
	}
	if err := os.WriteFile(name, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readState(name, stateTime); err == nil || !strings.Contains(err.Error(), "no state file") {
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
	e := stateElement(5, 300)
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

		if err := os.WriteFile(w.file, []byte("rserpool-state 1\nnonsense"), 0o600); err != nil {
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
	})
}
