package transport

import (
	"log/slog"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Kinds of transport, as RSERPOOL_TRANSPORT and Config.Kind name them.
const (
	KindAuto     = "auto"
	KindKernel   = "kernel"
	KindUserland = "userland"
)

// Config describes an endpoint of any kind. It is read once, when the endpoint
// is opened.
type Config struct {
	// Kind is auto, kernel or userland; empty means what RSERPOOL_TRANSPORT
	// says, or auto. Only the package open looks at it.
	Kind string

	// Local holds the addresses to bind, all with the same SCTP port; port 0
	// means one that is free. [::] stands for every address of both families
	// (of IPv4 alone where the host has no IPv6), 0.0.0.0 for those of IPv4.
	// Empty means [::] with port 0.
	Local []netip.AddrPort

	// UDPPort is the own UDP port of an encapsulating endpoint (RFC 6951);
	// 0 means the number of the SCTP port, so that processes on one host need
	// no agreement. The peer's UDP port is Params.EncapPort. The kernel's
	// endpoints share the one that the host configured.
	UDPPort uint16

	// Params are those of all associations for which Connect or SetParams say
	// nothing else; zero fields are those of assoc.Default.
	Params assoc.Params

	// MaxAssocs bounds the associations of the endpoint; 100,000. The kernel's
	// endpoints are bounded by the system.
	MaxAssocs int

	// NoListen refuses the associations that peers open.
	NoListen bool

	// Led says that somebody will lead the endpoint, if it can be: no socket then has a
	// goroutine of its own.
	Led bool

	// Logger gets rare remarks at debug level; nil means none.
	Logger *slog.Logger
}
