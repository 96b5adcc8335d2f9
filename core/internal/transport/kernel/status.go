package kernel

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/ishidawataru/sctp"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Structures of linux/sctp.h and the states in them.
const (
	statusSize   = 176 // struct sctp_status
	pathInfoSize = 152 // struct sctp_paddrinfo
	optPathInfo  = sctp.SCTP_GET_PEER_ADDR_INFO
	statsSize    = 256 // struct sctp_assoc_stats
	statsResent  = 176 // sas_rtxchunks

	pathFailing = 1 // RFC 7829: potentially failed, which still counts as working
	pathActive  = 2
)

const stateShutdownPending = 5

var states = []string{"EMPTY", "CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTABLISHED",
	"SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT"}

// Status implements transport.Endpoint. Where the kernel has no module
// sctp_diag, the messages not sent, and the bytes in flight and the errors of
// paths, remain 0; of several paths it tells those of the primary one only.
// Messages are counted as chunks, those not acknowledged as of the last SACK.
func (e *Endpoint) Status(id assoc.ID) (status assoc.Status, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.lookup(id)
	if err != nil {
		return status, err
	}
	err = a.sock.control(func(fd uintptr) error {
		b, err := rawStatus(fd, id)
		if err != nil {
			return err
		}
		if state := int(native.Uint32(b[4:])); state < len(states) {
			status.State = states[state]
		}
		status.PeerWindow = int(native.Uint32(b[8:]))
		status.Unacked = int(native.Uint16(b[12:]))
		status.Retransmissions = retransmissions(fd, id)
		status.InStreams, status.OutStreams = native.Uint16(b[16:]), native.Uint16(b[18:])
		primary, _ := parseAddr(b[28:156])
		peer, err := addresses(fd, id, sctp.SCTP_GET_PEER_ADDRS)
		for i, a := range peer {
			if a == primary {
				status.Primary = i
			}
			status.Paths = append(status.Paths, pathStatus(fd, id, a))
		}
		if err == nil {
			addDetails(fd, id, &status)
			status.QueuedPayload = status.QueuedBytes
		}
		return err
	})
	return status, gone(err)
}

// addDetails fills in what only the kernel's diagnostics tell, of the paths
// for the primary one. Without them the bytes queued are those of the socket.
func addDetails(fd uintptr, id assoc.ID, status *assoc.Status) {
	status.QueuedBytes = queued(fd)
	if noDiag.Load() || len(status.Paths) == 0 {
		return
	}
	primary := &status.Paths[status.Primary]
	local, err := addresses(fd, id, sctp.SCTP_GET_LOCAL_ADDRS)
	local = ofFamilies(local, []netip.AddrPort{primary.Addr})
	if err != nil || len(local) == 0 {
		return
	}
	d, err := diagnose(local[0], primary.Addr)
	if err != nil {
		_, ended := rawStatus(fd, id)
		noDiag.Store(ended == nil)
		return
	}
	status.QueuedBytes, status.Unsent = d.queued, d.unsent
	primary.InFlight, primary.Errors = d.flight, d.errors
}

// retransmissions reads what struct sctp_assoc_stats says of an association.
func retransmissions(fd uintptr, id assoc.ID) uint64 {
	var b [statsSize]byte
	native.PutUint32(b[:], uint32(id))
	if n, err := getOption(fd, optAssocStats, b[:]); err != nil || n < statsResent+8 {
		return 0
	}
	return native.Uint64(b[statsResent:])
}

// gone is the error of an operation on an association that the kernel has
// ended although its last notification has not been read.
func gone(err error) error {
	if err = translate(err); err != nil {
		return assoc.ErrNotConnected
	}
	return nil
}

func pathStatus(fd uintptr, id assoc.ID, a netip.AddrPort) assoc.PathStatus {
	p := assoc.PathStatus{Addr: a}
	var info [pathInfoSize]byte
	native.PutUint32(info[:], uint32(id))
	putAddr(info[4:], a)
	if _, err := getOption(fd, optPathInfo, info[:]); err == nil {
		ms := func(at int) time.Duration { return time.Duration(native.Uint32(info[at:])) * time.Millisecond }
		state := native.Uint32(info[132:])
		p.Active = state == pathActive || state == pathFailing
		p.Cwnd, p.SRTT, p.RTO, p.MTU = int(native.Uint32(info[136:])), ms(140), ms(144), int(native.Uint32(info[148:]))
	}
	encap := encapsulation(id, 0)
	putAddr(encap[8:], a)
	if _, err := getOption(fd, optUDPEncapsPort, encap); err == nil {
		p.UDPPort = binary.BigEndian.Uint16(encap[136:])
	}
	return p
}

// addresses reads one of the kernel's two lists of an association's addresses.
func addresses(fd uintptr, id assoc.ID, option int) ([]netip.AddrPort, error) {
	b := make([]byte, 8<<10)
	native.PutUint32(b, uint32(id))
	if _, err := getOption(fd, option, b); err != nil {
		return nil, err
	}
	return parseAddrs(b[8:], int(native.Uint32(b[4:]))), nil
}

// AssocAddrs implements transport.Endpoint.
func (e *Endpoint) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.lookup(id)
	if err != nil {
		return nil, nil, err
	}
	err = a.sock.control(func(fd uintptr) (err error) {
		if peer, err = addresses(fd, id, sctp.SCTP_GET_PEER_ADDRS); err == nil {
			local, err = addresses(fd, id, sctp.SCTP_GET_LOCAL_ADDRS)
		}
		return err
	})
	return ofFamilies(local, peer), peer, gone(err)
}

// ofFamilies leaves out the local addresses of a family that the peer has no
// address of: an IPv4 endpoint skips the IPv6 addresses that it is told (RFC
// 9260 section 5.1.2), and the kernel lists them all the same.
func ofFamilies(local, peer []netip.AddrPort) (out []netip.AddrPort) {
	for _, a := range local {
		if slices.ContainsFunc(peer, func(p netip.AddrPort) bool { return p.Addr().Is4() == a.Addr().Is4() }) {
			out = append(out, a)
		}
	}
	return out
}
