package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Group is a multicast group at which registrars announce themselves (RFC 5352
// section 3.6; IANA gave 224.0.1.185 and ff0x::133 to it).
type Group struct {
	Addr      netip.AddrPort
	Interface *net.Interface // nil: the system chooses
}

// ParseGroup reads address, address:port or either of them with @interface.
func ParseGroup(text string) (Group, error) {
	var g Group
	addr, name, named := strings.Cut(text, "@")
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		host, service = strings.Trim(addr, "[]"), strconv.Itoa(int(protocol.PortASAP))
	}
	ip, ipErr := netip.ParseAddr(host)
	port, portErr := strconv.ParseUint(service, 10, 16)
	if ipErr != nil || portErr != nil || port == 0 || !ip.IsMulticast() {
		return g, fmt.Errorf("%q is no multicast group; write one like 224.0.1.185 or [ff05::133]:%d@eth0", text, protocol.PortASAP)
	}
	g.Addr = netip.AddrPortFrom(ip, uint16(port))
	if named {
		if g.Interface, err = net.InterfaceByName(name); err != nil {
			return g, fmt.Errorf("%q: %w", text, err)
		}
	}
	return g, nil
}

func (g Group) network() string {
	if g.Addr.Addr().Is4() {
		return "udp4"
	}
	return "udp6"
}

// Ear hears announcements.
type Ear struct{ conn *net.UDPConn }

// Listen joins the group.
func (g Group) Listen() (*Ear, error) {
	conn, err := net.ListenMulticastUDP(g.network(), g.Interface, net.UDPAddrFromAddrPort(g.Addr))
	if err != nil {
		return nil, fmt.Errorf("cannot join the group %v: %w", g.Addr, err)
	}
	return &Ear{conn}, nil
}

// Hear waits for the next announcement, until Close. What else comes is
// dropped.
func (e *Ear) Hear() (m asap.ServerAnnounce, from netip.AddrPort, err error) {
	b := make([]byte, 1<<16)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return m, from, err
		}
		if err != nil {
			continue // of one datagram
		}
		if got, _, err := asap.Parse(b[:n]); err == nil {
			if m, ok := got.(asap.ServerAnnounce); ok {
				return m, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil
			}
		}
	}
}

// Close ends Hear.
func (e *Ear) Close() { e.conn.Close() }

// mouth sends announcements.
type mouth struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

// open makes a socket that sends to the group. RSPLIB takes the UDP source
// port for the SCTP port if it can: port is that, where it is free with UDP.
func (g Group) open(port uint16) (*mouth, error) {
	config := net.ListenConfig{Control: g.chooseInterface}
	var conn net.PacketConn
	err := error(unix.EADDRINUSE)
	for _, p := range []uint16{port, 0} {
		if conn, err = config.ListenPacket(context.Background(), g.network(), fmt.Sprintf(":%d", p)); err == nil {
			return &mouth{conn.(*net.UDPConn), g.Addr}, nil
		}
	}
	return nil, fmt.Errorf("cannot announce to the group %v: %w", g.Addr, err)
}

func (g Group) chooseInterface(_, _ string, c syscall.RawConn) error {
	if g.Interface == nil {
		return nil
	}
	var err error
	controlErr := c.Control(func(fd uintptr) {
		if g.Addr.Addr().Is4() {
			err = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(g.Interface.Index)})
		} else {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, g.Interface.Index)
		}
	})
	return errors.Join(controlErr, err)
}

func (m *mouth) say(b []byte) error {
	_, err := m.conn.WriteToUDPAddrPort(b, m.to)
	return err
}

func (m *mouth) close() { m.conn.Close() }
