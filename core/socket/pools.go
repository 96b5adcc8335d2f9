package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// queryTimeout is how long Pools waits for each part of an answer.
const queryTimeout = 5 * time.Second

// Pools asks a registrar for all it knows, in the order in which it tells. The
// registrars of opts.Config are asked one after the other until one answers.
// The question is ENRP's, which registrars of this project answer at their
// ASAP address too; of others give the ENRP address. It goes over SCTP: those with
// tcp: are passed over, and if there are no others that is ErrInvalid.
func Pools(ctx context.Context, opts *Options) ([]Pool, error) {
	s, err := opts.newSocket()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	failure := &NoRegistrarError{}
	var registrars []netip.AddrPort
	named := overSCTP(s.cfg.Registrars)
	if len(named) == 0 && len(s.cfg.Registrars) > 0 {
		return nil, fmt.Errorf("%w: %s: this is asked for over SCTP only; name the registrar without tcp:, or resolve a pool, as pool users do",
			ErrInvalid, strings.Join(s.cfg.Registrars, ", "))
	}
	for _, a := range s.lookUp(ctx, named) {
		registrars = append(registrars, a.Addrs...)
		if a.Err != nil {
			failure.Tried, failure.Err = append(failure.Tried, a.Name), a.Err
		}
	}
	if len(s.cfg.Registrars) == 0 {
		registrars = s.cfg.loopbackRegistrars(s.network)
	}
	for _, r := range registrars {
		pools, err := s.query(ctx, r)
		if err == nil {
			return pools, nil
		}
		failure.Tried, failure.Err = append(failure.Tried, r.String()), err
	}
	return nil, failure
}

func overSCTP(registrars []string) []string {
	return slices.DeleteFunc(slices.Clone(registrars), func(r string) bool {
		_, tcp := splitTCP(r)
		return tcp
	})
}

// query asks one registrar, over an endpoint of its own.
func (s *Socket) query(ctx context.Context, at netip.AddrPort) ([]Pool, error) {
	local := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	if at.Addr().Is6() {
		local = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	ep, _, err := s.cfg.host.open(transport.Config{
		Kind: s.cfg.Transport, Local: []netip.AddrPort{local}, NoListen: true, Logger: s.log,
	})
	if err != nil {
		return nil, err
	}
	defer ep.Close()
	q := &query{port: loop.NewPort(ep), arrived: make(chan struct{}, 1)}
	ep.Notify(func() {
		select {
		case q.arrived <- struct{}{}:
		default:
		}
	}, func(assoc.ID) {})
	if q.assoc, err = ep.Connect([]netip.AddrPort{at}, nil); err != nil {
		return nil, err
	}
	pools, err := q.run(ctx)
	for _, p := range pools {
		for i := range p.Elements {
			p.Elements[i].Life = int32(s.cfg.seconds(protocol.Life(p.Elements[i].Life)))
		}
	}
	return pools, err
}

// query is one download of a handlespace (RFC 5353 section 3.2.3).
type query struct {
	port    *loop.Port
	assoc   assoc.ID
	arrived chan struct{}
	pools   []Pool
	index   map[protocol.PoolHandle]int
}

func (q *query) run(ctx context.Context) ([]Pool, error) {
	q.index = map[protocol.PoolHandle]int{}
	for more := true; more; { // one request per part (ENRP-3.2-12)
		request, err := enrp.Append(nil, enrp.HandleTableRequest{})
		if err == nil {
			err = q.port.SendControl(q.assoc, protocol.PPIDENRP, request)
		}
		if err != nil && !errors.Is(err, assoc.ErrNotConnected) { // it has ended already: what is received says why
			return nil, err
		}
		part, err := q.receive(ctx)
		if err != nil {
			return nil, err
		}
		if part.Rejected { // the R flag: it cannot serve (ENRP-3.2-17)
			return nil, errors.New("it cannot tell at the moment; try again in a few seconds")
		}
		q.add(part.Entries)
		more = part.More && len(part.Entries) > 0
	}
	return q.pools, nil
}

// receive waits for the next part.
func (q *query) receive(ctx context.Context) (enrp.HandleTableResponse, error) {
	limit := time.NewTimer(queryTimeout)
	defer limit.Stop()
	for {
		var info assoc.RecvInfo
		b, err := q.port.Receive(&info)
		switch {
		case errors.Is(err, assoc.ErrWouldBlock):
			select {
			case <-q.arrived:
			case <-ctx.Done():
				return enrp.HandleTableResponse{}, ctx.Err()
			case <-limit.C:
				return enrp.HandleTableResponse{}, fmt.Errorf("%w: it does not answer ENRP here", ErrTimeout)
			}
		case err != nil:
			return enrp.HandleTableResponse{}, err
		case info.Kind == assoc.CannotStart, info.Kind == assoc.CommLost, info.Kind == assoc.ShutdownComplete:
			return enrp.HandleTableResponse{}, fmt.Errorf("no association: %w", info.Err)
		case info.Kind == assoc.Message && info.PPID == protocol.PPIDENRP:
			m, _, err := enrp.Parse(b)
			if part, ok := m.(enrp.HandleTableResponse); ok || err != nil {
				return part, err
			}
		}
	}
}

// add joins the parts of pools that were split (ENRP-2.3-03).
func (q *query) add(entries []enrp.PoolEntry) {
	for _, e := range entries {
		i, known := q.index[e.Handle]
		if !known {
			i = len(q.pools)
			q.index[e.Handle] = i
			q.pools = append(q.pools, Pool{Handle: string(e.Handle)})
		}
		p := &q.pools[i]
		p.Elements = append(p.Elements, publicElements(e.Elements)...)
		if len(p.Elements) > 0 {
			p.Policy = p.Elements[0].Policy.Type // a pool has the type of its first element
		}
	}
}
