package transporttest

import (
	"bytes"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// Link says what a Relay does to packets, in each direction.
type Link struct {
	Loss   float64       // probability that a packet is lost
	Double float64       // probability that it arrives twice
	Delay  time.Duration // what every packet takes
	Jitter time.Duration // random part on top; packets overtake each other
	Seed   uint64
}

func (l Link) String() string { return l.Name("relay") }

// Name describes a link as a relay or whatever else it is.
func (l Link) Name(kind string) string {
	return fmt.Sprintf("%s losing %g%%, doubling %g%%, taking %v to %v", kind, l.Loss*100, l.Double*100, l.Delay, l.Delay+l.Jitter)
}

// Relay forwards UDP datagrams between any number of clients and one server.
// The server sees each client at a UDP port of the relay.
type Relay struct {
	link   Link
	server netip.AddrPort
	front  *net.UDPConn // where clients send to

	mu       sync.Mutex
	rng      *rand.Rand
	backs    map[netip.AddrPort]*net.UDPConn // per client, towards the server
	queue    flights
	sequence int
	dark     bool
	taps     []func(from, to netip.AddrPort, packet []byte)
	closed   bool
	timer    *time.Timer
	running  sync.WaitGroup
}

// NewRelay starts a relay on loopback towards a server's UDP address. It ends
// with the test.
func NewRelay(t *testing.T, server netip.AddrPort, link Link) *Relay {
	t.Helper()
	front, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(server.Addr(), 0)))
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{
		link: link, server: server, front: front, backs: map[netip.AddrPort]*net.UDPConn{},
		rng: rand.New(rand.NewPCG(link.Seed, 1)),
	}
	front.SetReadBuffer(4 << 20)
	r.timer = time.AfterFunc(time.Hour, r.deliver)
	r.running.Add(1)
	go r.runFront()
	t.Cleanup(r.close)
	return r
}

// Port returns the UDP port that stands for the server.
func (r *Relay) Port() uint16 { return r.front.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// Seen returns the UDP ports at which the server sees its clients.
func (r *Relay) Seen() (ports []uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.backs {
		ports = append(ports, c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	}
	return ports
}

// Dark makes the relay lose everything, or ends that.
func (r *Relay) Dark(dark bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dark = dark
}

// Tap shows every packet that arrives at the relay to see, before its fate is
// decided and as if the two sides were connected directly. Calls for one relay
// do not overlap; what is shown is valid until see returns.
func (r *Relay) Tap(see func(from, to netip.AddrPort, packet []byte)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taps = append(r.taps, see)
}

func (r *Relay) close() {
	r.mu.Lock()
	r.closed = true
	r.timer.Stop()
	r.front.Close()
	for _, c := range r.backs {
		c.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

func (r *Relay) runFront() {
	defer r.running.Done()
	buf := make([]byte, 65535)
	for {
		n, client, err := r.front.ReadFromUDPAddrPort(buf)
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return
		}
		if err == nil {
			if back := r.back(client); back != nil {
				r.show(client, r.server, buf[:n])
				r.impair(back, r.server, buf[:n])
			}
		}
		r.mu.Unlock()
	}
}

// back returns the socket that stands for a client.
func (r *Relay) back(client netip.AddrPort) *net.UDPConn {
	c := r.backs[client]
	if c == nil {
		var err error
		if c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.server.Addr(), 0))); err != nil {
			return nil
		}
		c.SetReadBuffer(4 << 20)
		r.backs[client] = c
		r.running.Add(1)
		go r.runBack(c, client)
	}
	return c
}

func (r *Relay) runBack(c *net.UDPConn, client netip.AddrPort) {
	defer r.running.Done()
	buf := make([]byte, 65535)
	for {
		n, _, err := c.ReadFromUDPAddrPort(buf)
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return
		}
		if err == nil {
			r.show(r.server, client, buf[:n])
			r.impair(r.front, client, buf[:n])
		}
		r.mu.Unlock()
	}
}

func (r *Relay) show(from, to netip.AddrPort, b []byte) {
	for _, see := range r.taps {
		see(from, to, b)
	}
}

// impair decides the fate of a packet.
func (r *Relay) impair(from *net.UDPConn, to netip.AddrPort, b []byte) {
	if r.dark || r.rng.Float64() < r.link.Loss {
		return
	}
	copies := 1
	if r.rng.Float64() < r.link.Double {
		copies = 2
	}
	for range copies {
		delay := r.link.Delay
		if r.link.Jitter > 0 {
			delay += time.Duration(r.rng.Int64N(int64(r.link.Jitter)))
		}
		if delay == 0 {
			from.WriteToUDPAddrPort(b, to)
			continue
		}
		r.sequence++
		heap.Push(&r.queue, flight{time.Now().Add(delay), r.sequence, from, to, bytes.Clone(b)})
		if r.queue[0].sequence == r.sequence {
			r.timer.Reset(delay)
		}
	}
}

// deliver sends what has been under way for long enough.
func (r *Relay) deliver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) > 0 && !r.closed {
		f := r.queue[0]
		if wait := time.Until(f.at); wait > 0 {
			r.timer.Reset(wait)
			return
		}
		heap.Pop(&r.queue)
		f.from.WriteToUDPAddrPort(f.data, f.to)
	}
}

// flight is a packet under way.
type flight struct {
	at       time.Time
	sequence int
	from     *net.UDPConn
	to       netip.AddrPort
	data     []byte
}

// flights is a heap by time of arrival.
type flights []flight

func (q flights) Len() int { return len(q) }
func (q flights) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].sequence < q[j].sequence
}
func (q flights) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *flights) Push(x any)   { *q = append(*q, x.(flight)) }
func (q *flights) Pop() any {
	old := *q
	f := old[len(old)-1]
	*q = old[:len(old)-1]
	return f
}
