package registrar

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// download is a peer's table on its way to us: all of it when we join, what
// the peer owns when we resynchronize.
type download struct {
	peer  *peer
	own   bool
	since uint32 // changes told after this are newer than the table
	count int    // PEs received
	mark  uint32 // on what the peer has not confirmed (own)
	timer timerq.Timer[deadline]
}

// downloads are the tables on their way from peers to us.
type downloads struct {
	*core
	links    *links
	elements *elements
	claims   *claims
	peers    *peers
	join     *join
	changes  *changes
}

func (ds *downloads) start(now time.Time, p *peer, own bool) {
	d := &download{peer: p, own: own, since: ds.changes.begin()}
	d.timer.Value = d
	p.download = d
	if own {
		d.mark = ds.changes.number
		ds.markOwned(p.id, d.mark)
	}
	ds.requestPart(now, d)
}

// requestPart asks for the first or the next part, with the same W
// (ENRP-3.2-12, ENRP-3.6-09).
func (ds *downloads) requestPart(now time.Time, d *download) {
	ds.timers.Set(&d.timer, now.Add(ds.cfg.Timers.TableResponse))
	if !d.own {
		ds.join.awaitTable()
	}
	ds.peers.tell(d.peer, enrp.HandleTableRequest{
		Route:           enrp.Route{Sender: ds.id, Receiver: d.peer.id},
		OwnChildrenOnly: d.own,
	})
}

func (ds *downloads) end(p *peer) {
	if p.download == nil {
		return
	}
	ds.timers.Stop(&p.download.timer)
	p.download = nil
	ds.changes.end()
}

// failed: a part did not come, or was refused (ENRP-3.2-19, ENRP-3.6-13). Nothing
// is deleted.
func (ds *downloads) failed(now time.Time, d *download) {
	p := d.peer
	ds.end(p)
	if d.own {
		p.audit.fail(now, ds.cfg.Timers.ResyncBackoff)
	} else if ds.join.mentor == p {
		ds.join.mentorFailed(now)
	}
}

// handleResponse stores a part (ENRP-3.2-12 to 15, ENRP-3.6-11) and asks for the
// next.
func (ds *downloads) handleResponse(now time.Time, p *peer, m enrp.HandleTableResponse) {
	d := p.download
	switch {
	case d == nil:
		return
	case m.Rejected:
		ds.refused(now, d)
		return
	}
	for _, entry := range m.Entries {
		d.count += len(entry.Elements)
		for _, e := range entry.Elements {
			ds.store(now, d, entry.Handle, e)
		}
	}
	if m.More {
		ds.requestPart(now, d)
	} else {
		ds.complete(now, d)
	}
}

func (ds *downloads) refused(now time.Time, d *download) {
	if d.own || ds.join.mentor != d.peer {
		ds.failed(now, d)
		return
	}
	ds.end(d.peer)
	ds.join.mentorRefused(now, d.peer)
}

// complete: with the mentor's table the registrar serves (ENRP-3.2-16); after
// another one it drops what the peer does not own any more (ENRP-3.6-12).
func (ds *downloads) complete(now time.Time, d *download) {
	p := d.peer
	ds.end(p)
	ds.emit(Log{Level: Info, Msg: fmt.Sprintf("handle table received, %d PEs", d.count), Server: p.id, At: p.at()})
	if d.own {
		ds.sweepOwned(now, p.id, d.mark)
	} else if ds.join.mentor == p {
		ds.join.end(now)
	}
}

// store takes one PE out of a table. What a peer told us in the meantime is newer
// (ENRP-3.2-21), and no table counts for what we hold ourselves.
func (ds *downloads) store(now time.Time, d *download, h protocol.PoolHandle, e protocol.Element) {
	if d.own && e.Home != d.peer.id {
		return // others must not change by it (ENRP-3.6-15)
	}
	if ds.changes.goneSince(d.since, h, e.ID) {
		return
	}
	el := ds.space.Element(h, e.ID)
	if el != nil {
		el.State.mark = 0
		if el.State.update > d.since {
			return
		}
		if ds.elements.holds(el) && e.Home != ds.id && e.Home != el.State.newHome {
			ds.claims.defend(now, d.peer, el)
			if el.Home == ds.id {
				return
			}
		}
	}
	ds.elements.learn(now, h, e)
}
