package interop

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
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
				seen := record(t, p.toPeer, p.toOurs)
				open := p.connect
				if opener == "usrsctp" {
					open = p.connected
				}
				talk(p, open())
				seen.dissects()
			})
		}
	}
}

// talk sends messages of many sizes and ends the association.
func talk(p *pair, id assoc.ID) {
	p.t.Helper()
	const (
		count = 300
		base  = 1 << 30 // of PPIDs that stand for no protocol
	)
	go func() {
		for i := range count {
			p.send(id, pattern(1+i*37), assoc.SendInfo{Stream: uint16(i % 7), PPID: uint32(base + i), Unordered: i%5 == 4})
		}
	}()
	got := map[uint32]bool{}
	for range count {
		info, b := p.want(assoc.Message)
		if i := int(info.PPID) - base; i < 0 || i >= count || got[info.PPID] || string(b) != string(pattern(1+i*37)) {
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

// capture is a pcap file.
type capture struct {
	t     *testing.T
	name  string
	file  *os.File
	w     *bufio.Writer
	ports map[uint16]bool
}

// record writes what passes relays into one file each.
func record(t *testing.T, relays ...*transporttest.Relay) (all captures) {
	t.Helper()
	for i, r := range relays {
		name := filepath.Join(t.TempDir(), fmt.Sprintf("relay%d.pcap", i))
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		c := &capture{t: t, name: name, file: f, w: bufio.NewWriter(f), ports: map[uint16]bool{}}
		c.w.Write(binary.LittleEndian.AppendUint32([]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0}, linkTypeIPv4))
		r.Tap(c.write)
		all = append(all, captured{c, r})
	}
	return all
}

type captured struct {
	*capture
	relay *transporttest.Relay
}

type captures []captured

const linkTypeIPv4 = 228

// write adds a packet with the headers that it had on the way to the relay.
func (c *capture) write(from, to netip.AddrPort, b []byte) {
	c.ports[from.Port()], c.ports[to.Port()] = true, true
	now, size := time.Now(), 28+len(b)
	var head []byte
	for _, v := range []uint32{uint32(now.Unix()), uint32(now.Nanosecond() / 1000), uint32(size), uint32(size)} {
		head = binary.LittleEndian.AppendUint32(head, v)
	}
	src, dst := from.Addr().Unmap().As4(), to.Addr().Unmap().As4()
	head = append(head, 0x45, 0, byte(size>>8), byte(size), 0, 0, 0, 0, 64, 17, 0, 0)
	head = append(append(head, src[:]...), dst[:]...)
	for _, v := range []uint16{from.Port(), to.Port(), uint16(8 + len(b)), 0} {
		head = binary.BigEndian.AppendUint16(head, v)
	}
	c.w.Write(head)
	c.w.Write(b)
}

// dissects has tshark look for packets that are not sound SCTP over UDP.
func (all captures) dissects() {
	for _, c := range all {
		c.relay.Tap(nil)
		c.t.Helper()
		if c.w.Flush() != nil || c.file.Close() != nil {
			c.t.Fatal("cannot write the capture")
		}
		if len(c.ports) == 0 {
			continue // the other relay is in use
		}
		c.dissect()
	}
}

func (c *capture) dissect() {
	c.t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		c.t.Log("not run: the dissection of captures, because tshark is not installed")
		return
	}
	args := []string{"-r", c.name, "-o", "sctp.checksum:crc-32c", "-T", "fields", "-e", "frame.number",
		"-e", "sctp.checksum.status", "-e", "_ws.malformed", "-e", "sctp.chunk_type"}
	for port := range c.ports {
		args = append(args, "-d", fmt.Sprintf("udp.port==%d,sctp", port))
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		c.t.Fatalf("tshark: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	kinds := map[string]bool{}
	for _, l := range lines {
		f := strings.Split(l, "\t")
		if len(f) != 4 || f[1] != "1" || f[2] != "" || f[3] == "" {
			c.t.Fatalf("packet is no sound SCTP over UDP; tshark says %q", l)
		}
		for kind := range strings.SplitSeq(f[3], ",") {
			kinds[kind] = true
		}
	}
	for _, kind := range []string{"0", "1", "2", "3", "10", "11", "7", "8", "14"} {
		if !kinds[kind] {
			c.t.Errorf("no chunk of type %s in %d packets", kind, len(lines))
		}
	}
}
