package sctp

import (
	"encoding/binary"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// beatInfoSize is what our Heartbeat Info holds: version, path, time sent and
// a nonce that only the address it went to can know (section 5.4, SCTP-3-110).
const (
	beatInfoSize     = 20
	beatInfoVersion  = 1
	probeInfoVersion = 2 // the same for a probe of the packet size (mtu.go)
)

func (a *association) startBeats(now time.Time) {
	for _, p := range a.paths {
		p.nonce = 0
		a.scheduleBeat(p, now)
	}
}

// scheduleBeat arms the next heartbeat, an interval after since: HB.interval
// plus the RTO with its jitter (section 8.3, SCTP-3-113). Paths that wait for
// their verification are tried every RTO (section 5.4), and so are those in
// doubt while others do their work (RFC 7829 section 3).
func (a *association) scheduleBeat(p *path, since time.Time) {
	r := p.rto.value
	jittered := r/2 + time.Duration(a.e.rand.uint32())*r/(1<<32)
	switch {
	case !p.confirmed && !p.inactive, p.suspect():
		a.e.setTimer(&p.beat, since.Add(r))
	case a.params.HeartbeatInterval < 0 && !a.rival:
		a.stopTimer(&p.beat)
	default:
		a.e.setTimer(&p.beat, since.Add(max(a.params.HeartbeatInterval, 0)+jittered))
	}
}

// beatDue sends a heartbeat on an idle path, or misses the answer to the last.
func (a *association) beatDue(now time.Time, p *path) {
	switch a.state {
	case established, shutdownPending, shutdownReceived:
	default:
		return // section 8.3, SCTP-2-56
	}
	if p.nonce != 0 {
		a.beatMissed(now, p)
		return
	}
	if p.flight > 0 { // T3 watches the path
		a.scheduleBeat(p, now)
		return
	}
	if p.confirmed && !p.suspect() && now.Sub(p.lastData) < a.params.HeartbeatInterval { // not idle
		a.scheduleBeat(p, p.lastData)
		return
	}
	a.beatNow(now, p)
}

// beatNow sends a heartbeat and waits one RTO for its answer.
func (a *association) beatNow(now time.Time, p *path) {
	for p.nonce = 0; p.nonce == 0; { // zero means none
		p.nonce = a.e.rand.uint64()
	}
	p.beatSent = now
	p.sendBeat = true
	p.tryHome()
	a.startTimer(&p.beat, now, p.rto.value)
	a.wake()
}

// beatMissed counts a heartbeat that was not answered. It counts for the
// association only on the path that carries its data (SCTP-3-113).
func (a *association) beatMissed(now time.Time, p *path) {
	a.e.counters.HeartbeatsLost++
	p.nonce = 0
	if p.trial { // which says nothing about the address in use
		a.beatNow(now, p)
		return
	}
	counts := p.confirmed && p == a.dataPath()
	p.backOff(a.params.RTOMax)
	a.scheduleBeat(p, p.beatSent)
	a.failed(p, counts)
}

// appendHeartbeat writes the HEARTBEAT that is due on path q.
func (a *association) appendHeartbeat(now time.Time, w *packetWriter, q *path) {
	q.sendBeat = false
	if q.nonce == 0 {
		return
	}
	var info [beatInfoSize]byte
	info[0], info[1] = beatInfoVersion, q.index
	binary.BigEndian.PutUint64(info[4:], uint64(now.UnixNano()))
	binary.BigEndian.PutUint64(info[12:], q.nonce)
	q.beatSent = now
	w.beat = true
	w.b = chunk.AppendHeartbeat(w.b, info[:])
}

// handleHeartbeat echoes the Info as it came, to where it came from (section
// 8.3, SCTP-3-111).
func (a *association) handleHeartbeat(in *arrival, c chunk.Raw) {
	if a.state < cookieEchoed {
		return
	}
	p := in.path
	if !p.hasRoom(chunk.Pad(len(c.Whole))) {
		a.e.counters.RepliesLimited++
		return
	}
	if !a.mayAnswer(in) {
		return
	}
	p.control = chunk.AppendRaw(p.control, chunk.TypeHeartbeatAck, 0, c.Value)
	a.wake()
}

// ownBeat finds the path whose outstanding heartbeat info belongs to.
func (a *association) ownBeat(info []byte) *path {
	if len(info) != beatInfoSize || info[0] != beatInfoVersion || int(info[1]) >= len(a.paths) {
		return nil
	}
	p := a.paths[info[1]]
	if p.nonce == 0 || binary.BigEndian.Uint64(info[12:]) != p.nonce {
		return nil
	}
	return p
}

// handleHeartbeatAck believes only the answer to the heartbeat that is
// outstanding (SCTP-3-112).
func (a *association) handleHeartbeatAck(in *arrival, c chunk.Raw) {
	info, err := chunk.HeartbeatInfo(c)
	if err != nil {
		a.e.counters.BadPacket++
		return
	}
	if len(info) > 0 && info[0] == probeInfoVersion {
		a.handleProbeAck(in.now, info)
		return
	}
	p := a.ownBeat(info)
	if p == nil {
		return
	}
	p.nonce = 0
	if p.trial {
		p.trial = false
		p.moveTo(p.home)
	}
	p.sample(in.now.Sub(p.beatSent), a.params.RTOMin, a.params.RTOMax)
	if !p.confirmed {
		p.confirmed = true
		a.notifyPath(p, assoc.PathConfirmed, nil)
	}
	p.works()
	if p == a.dataPath() || a.out.chunks.len() == 0 {
		a.errors = 0 // section 8.1; not for what another path does while data waits
	}
	if a.state == established || a.state == shutdownPending || a.state == shutdownReceived {
		a.scheduleBeat(p, p.beatSent)
	}
	a.wake()
}
