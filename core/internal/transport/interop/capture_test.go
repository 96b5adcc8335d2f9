package interop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport/interop/capture"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// SCTP-7-44: messages of all kinds over links that lose and reorder packets,
// and every packet of either side dissects.
func TestUsrsctpLossy(t *testing.T) {
	for _, link := range []transporttest.Link{
		{Delay: 200 * time.Microsecond},
		{Loss: 0.01, Delay: 500 * time.Microsecond, Jitter: time.Millisecond},
		{Loss: 0.05, Double: 0.01, Delay: 500 * time.Microsecond, Jitter: time.Millisecond},
	} {
		for _, opener := range []string{"ours", "usrsctp"} {
			t.Run(fmt.Sprintf("%v/%s opens", link, opener), func(t *testing.T) {
				p := newPairOver(t, "127.0.0.1", &link)
				name := filepath.Join(t.TempDir(), "relay.pcap")
				file, err := capture.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				p.toPeer.Tap(file.Packet)
				p.toOurs.Tap(file.Packet)
				open := p.connect
				if opener == "usrsctp" {
					open = p.connected
				}
				talk(p, open())
				if err := file.Close(); err != nil {
					t.Fatal(err)
				}
				dissects(t, name)
			})
		}
	}
}

// talk sends messages of many sizes and ends the association.
func talk(p *pair, id assoc.ID) {
	p.t.Helper()
	const count = 300
	go func() {
		for i := range count {
			p.send(id, pattern(1+i*37), assoc.SendInfo{Stream: uint16(i % 7), PPID: uint32(i), Unordered: i%5 == 4})
		}
	}()
	got := map[uint32]bool{}
	for range count {
		info, b := p.want(assoc.Message)
		if i := int(info.PPID); i >= count || got[info.PPID] || string(b) != string(pattern(1+i*37)) {
			p.t.Fatalf("message %d came back twice or changed (%d bytes)", i, len(b))
		}
		got[info.PPID] = true
	}
	if err := p.ours.Shutdown(id); err != nil {
		p.t.Fatal(err)
	}
	p.want(assoc.ShutdownComplete)
	p.expect(0, `^shutdown-complete`)
}

// SCTP-7-44: what the tests between ours and the kernel captured, which may
// have run on another machine than this one.
func TestKernelCaptures(t *testing.T) {
	dir := os.Getenv("RSERPOOL_TEST_CAPTURES")
	if dir == "" {
		t.Skip("not run: RSERPOOL_TEST_CAPTURES names no directory; tests/vm/suite does")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
	if err != nil || len(names) == 0 {
		t.Skip("not run: there are no captures:", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".pcap"), func(t *testing.T) { dissects(t, name) })
	}
}

// dissects has tshark look for packets that are not sound SCTP over UDP, and
// for all kinds that belong to the life of an association.
func dissects(t *testing.T, name string) {
	t.Helper()
	d, err := capture.Dissect(name)
	if errors.Is(err, capture.ErrNoTshark) {
		t.Log("not run: the dissection of captures, because", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sound packets", d.Packets)
	for _, kind := range []int{0, 1, 2, 3, 10, 11, 7, 8, 14} { // DATA, the set-up, SACK, SHUTDOWN to SHUTDOWN COMPLETE
		if d.Chunks[kind] == 0 {
			t.Errorf("no chunk of type %d in %d packets", kind, d.Packets)
		}
	}
}
