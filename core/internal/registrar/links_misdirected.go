package registrar

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// handleMisdirected: somebody speaks ASAP at our ENRP endpoint or ENRP at our ASAP
// endpoint, because its operator has mistaken one port for the other. It would wait
// for an answer for long: the abort says what is wrong (RFC 9260 section 3.3.10.12).
// An association that is in use already is left alone.
func (ls *links) handleMisdirected(now time.Time, ev Misdirected) {
	l := ls.all[ev.Link]
	if l == nil || l.used() {
		return
	}
	why := "this is the ASAP port, for pool elements and pool users; this registrar serves no other registrars"
	switch {
	case l.Channel == ENRPOverSCTP:
		why = "this is the ENRP port, for registrars; ASAP is served at port " + portOf(ls.cfg.ASAP...)
	case !ls.cfg.ENRP.IsZero():
		why = "this is the ASAP port, for pool elements and pool users; ENRP is served at port " + portOf(ls.cfg.ENRP)
	}
	ls.complain(now, "misdirected "+l.Channel.String(), Log{Msg: "somebody is wrong here and is sent away: " + why, Peer: fmt.Sprint(l.addrs), Link: l.Link})
	ls.emit(Abort{Link: l.Link, Reason: assoc.WrongPort(why)})
}

func portOf(ts ...protocol.Transport) string {
	if len(ts) == 0 {
		return "unknown"
	}
	return fmt.Sprint(ts[0].Port)
}
