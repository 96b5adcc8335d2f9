package loop

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Group is a multicast group: for ASAP, at which registrars announce themselves
// to elements and users (RFC 5352 section 3.6; IANA gave 224.0.1.185 and
// ff0x::133 to it), or for ENRP, at which they find each other (E-16; nobody
// gave an address to it).
type Group struct {
	Addr      netip.AddrPort
	Interface *net.Interface // nil: the system chooses
}

// ParseGroup reads address, address:port or either of them with @interface;
// port is for those that name none.
func ParseGroup(text string, port uint16) (Group, error) {
	var g Group
	addr, name, named := strings.Cut(text, "@")
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		host, service = strings.Trim(addr, "[]"), strconv.Itoa(int(port))
	}
	ip, ipErr := netip.ParseAddr(host)
	n, portErr := strconv.ParseUint(service, 10, 16)
	if ipErr != nil || portErr != nil || n == 0 || !ip.IsMulticast() || ip.Is4In6() {
		return g, fmt.Errorf("%q is no multicast group; write one like 239.1.2.3 or [ff05::133]:%d@eth0", text, port)
	}
	g.Addr = netip.AddrPortFrom(ip, uint16(n))
	if named {
		if g.Interface, err = net.InterfaceByName(name); err != nil {
			return g, fmt.Errorf("%q: %w", text, err)
		}
	}
	return g, nil
}

// GroupReceiver hears what is said to a group.
type GroupReceiver struct{ conn net.PacketConn }

// Listen joins the group.
func (g Group) Listen() (*GroupReceiver, error) {
	conn, err := g.join()
	if err != nil {
		hint := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = "; a registrar on this host that uses port " + strconv.Itoa(int(g.Addr.Port())) + " has to announce itself in the group, too, or the group needs another port"
		}
		return nil, fmt.Errorf("cannot join the group %v: %w%s", g.Addr, err, hint)
	}
	return &GroupReceiver{conn}, nil
}

// HearAnnounce waits for the next ASAP_SERVER_ANNOUNCE, until Close. What else
// comes is dropped.
func (e *GroupReceiver) HearAnnounce() (asap.ServerAnnounce, netip.AddrPort, error) {
	m, from, err := hear(e, func(b []byte) (asap.ServerAnnounce, bool) {
		got, _, err := asap.Parse(b)
		m, ok := got.(asap.ServerAnnounce)
		return m, ok && err == nil
	})
	asap.In(m, from.Addr().Zone())
	return m, from, err
}

// HearPresence is HearAnnounce for ENRP_PRESENCE.
func (e *GroupReceiver) HearPresence() (enrp.Presence, netip.AddrPort, error) {
	m, from, err := hear(e, func(b []byte) (enrp.Presence, bool) {
		got, _, err := enrp.Parse(b)
		m, ok := got.(enrp.Presence)
		return m, ok && err == nil
	})
	enrp.In(m, from.Addr().Zone())
	return m, from, err
}

// Close ends what hears.
func (e *GroupReceiver) Close() { e.conn.Close() }

// groupSender speaks to a group.
type groupSender struct {
	conn net.PacketConn
	to   *net.UDPAddr
}

// speak makes a socket that sends to the group, from a port if that is free
// with UDP: RSPLIB takes the UDP source port of an announcement for the SCTP
// port if it can.
func (g Group) speak(port uint16) (*groupSender, error) {
	conn, err := g.open(port)
	if err != nil {
		conn, err = g.open(0)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot speak to the group %v: %w", g.Addr, err)
	}
	return &groupSender{conn, net.UDPAddrFromAddrPort(g.Addr)}, nil
}

func (m *groupSender) say(b []byte) error {
	_, err := m.conn.WriteTo(b, m.to)
	return err
}

func (m *groupSender) close() { m.conn.Close() }
