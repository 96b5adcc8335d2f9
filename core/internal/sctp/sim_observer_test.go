package sctp_test

import "time"

// An observer judges what one host puts on the wire, knowing only packets
// (SCTP-7-05, 7-06, 7-07).
type observer struct {
	h       *host
	issued  map[uint32]bool   // tags of this host, all lives
	cta     map[uint32]uint32 // by tag of the peer: last CTA sent
	maxSeen map[uint32]uint32 // by own tag: highest new TSN received
	maxSent map[uint32]uint32 // by tag of the peer: highest TSN sent

	burstData, burstSacks, burstControl int
	ackDue                              time.Time
	flows                               map[uint32]*flow // by tag of the peer
	ppids                               map[midKey]uint32
}

// flow recounts one direction of data on a clean link.
type flow struct {
	rwnd    int // as last advertised
	pending map[uint32]int
	bytes   int
}

func newObserver(h *host) *observer {
	return &observer{
		h: h, issued: map[uint32]bool{}, cta: map[uint32]uint32{}, maxSeen: map[uint32]uint32{},
		maxSent: map[uint32]uint32{}, flows: map[uint32]*flow{}, ppids: map[midKey]uint32{},
	}
}

func (o *observer) beginBurst(cause) { o.burstData, o.burstSacks, o.burstControl = 0, 0, 0 }

func (o *observer) endBurst(c cause) {
	w := o.h.w
	if w.err != nil || c == causeTimer {
		return // several timers may have fired
	}
	if limit := o.h.cfg.Params.MaxBurst + 1; o.burstData > limit && c == causeInput {
		w.fail("%s: %d packets of DATA in one burst (SCTP-3-12)", o.h.name, o.burstData)
	}
	if o.burstSacks > 1 && c == causeInput {
		w.fail("%s: %d SACKs for one packet (SCTP-3-32)", o.h.name, o.burstSacks)
	}
	if o.burstControl > 1 && c == causeInput {
		w.fail("%s: %d control packets for one packet (SCTP-1-18)", o.h.name, o.burstControl)
	}
}

// output sees a packet that the host emits, and says whether it carries a TSN
// for the first time.
func (o *observer) output(data []byte) (fresh bool) {
	w, h := o.h.w, o.h
	p, err := parseStrict(data)
	if err != nil {
		w.fail("%s: emitted % x: %v (SCTP-7-07)", h.name, data, err)
		return false
	}
	w.log("+%v %s sends %v", w.now.Sub(w.start), h.name, p)
	overhead := 28
	if h.addr.Addr().Is6() {
		overhead = 48
	}
	if len(data)+overhead > h.cfg.Params.MTU && !p.has(ctCookieEcho) {
		w.fail("%s: packet of %d bytes, MTU %d (SCTP-7-07)", h.name, len(data), h.cfg.Params.MTU)
	}
	o.checkTag(p)
	o.countBurst(p)
	for _, c := range p.chunks {
		switch c.typ {
		case ctInit, ctInitAck:
			o.issued[parseInit(c.value).tag] = true
		case ctSack:
			o.sentSack(p.vt, parseSack(c))
		case ctData, ctIData:
			d := o.named(p.vt, parseData(c), c.typ)
			if last, ok := o.maxSent[p.vt]; !ok || serialLess(last, d.tsn) {
				o.maxSent[p.vt] = d.tsn
				fresh = true
			}
			o.sentData(p, d)
		case ctShutdown, ctAbort:
			o.ackDue = time.Time{}
		}
	}
	return fresh
}

func (o *observer) checkTag(p wirePacket) {
	w := o.h.w
	c := p.chunks[0]
	last := p.chunks[len(p.chunks)-1]
	if c.typ == ctInit {
		return
	}
	if (last.typ == ctAbort || last.typ == ctShutdownComplete) && last.flags&1 != 0 {
		if !o.issued[p.vt] && !o.known(p.vt) {
			w.fail("%s: %v reflects a tag that it never had (SCTP-1-02)", o.h.name, p)
		}
		return
	}
	if !o.known(p.vt) {
		w.fail("%s: %v carries no tag of a peer (SCTP-1-02)", o.h.name, p)
	}
}

// known says that some other host issued the tag.
func (o *observer) known(vt uint32) bool {
	for _, h := range o.h.w.hosts {
		if h != o.h && h.obs.issued[vt] {
			return true
		}
	}
	return false
}

func (o *observer) countBurst(p wirePacket) {
	control := false
	for _, c := range p.chunks {
		control = control || !isData(c.typ) && c.typ != ctSack
	}
	if control {
		o.burstControl++
	}
	if p.has(ctData) || p.has(ctIData) {
		o.burstData++
	}
	if p.has(ctSack) {
		o.burstSacks++
	}
}

func (o *observer) sentSack(vt uint32, s wireSack) {
	w := o.h.w
	o.ackDue = time.Time{}
	if last, ok := o.cta[vt]; ok && serialLess(s.cta, last) {
		w.fail("%s: CTA goes back from %d to %d (SCTP-7-06)", o.h.name, last, s.cta)
	}
	o.cta[vt] = s.cta
	if int(s.rwnd) > o.h.cfg.Params.ReceiveBuffer {
		w.fail("%s: a_rwnd %d, buffer %d (SCTP-7-06)", o.h.name, s.rwnd, o.h.cfg.Params.ReceiveBuffer)
	}
}

// named gives a fragment the PPID of its message, which in I-DATA only the first
// one has.
func (o *observer) named(vt uint32, d wireData, typ byte) wireData {
	if typ != ctIData {
		return d
	}
	key := midKey{vt, d.sid, d.flags&fU != 0, d.mid}
	if d.flags&fB != 0 {
		o.ppids[key] = d.ppid
	}
	ppid, ok := o.ppids[key]
	if !ok {
		o.h.w.fail("%s: a message of which no first fragment was sent", o.h.name)
	}
	d.ppid = ppid
	return d
}

type midKey struct {
	vt        uint32
	sid       uint16
	unordered bool
	mid       uint32
}

func (o *observer) sentData(p wirePacket, d wireData) {
	w := o.h.w
	if int(d.ppid) >= len(w.msgs) {
		w.fail("%s: DATA of a message that was not accepted", o.h.name)
		return
	}
	m := w.msgs[d.ppid]
	if m.unsent {
		w.fail("%s: %v on the wire after it was reported unsent (SCTP-7-02)", o.h.name, m)
	}
	m.onWire = true
	if !w.exact {
		return
	}
	f := o.flows[p.vt]
	if f == nil {
		return
	}
	if _, again := f.pending[d.tsn]; again {
		return
	}
	if f.bytes > 0 && f.bytes+len(d.user) > f.rwnd {
		w.fail("%s: TSN %d with %d bytes, %d outstanding, window %d (SCTP-3-10)", o.h.name, d.tsn, len(d.user), f.bytes, f.rwnd)
	}
	f.pending[d.tsn] = len(d.user)
	f.bytes += len(d.user)
}

// input sees a packet that reaches the host, harmed or not.
func (o *observer) input(data []byte) {
	p, err := parseChunks(data)
	if err != nil || len(p.chunks) == 0 {
		return
	}
	w := o.h.w
	for _, c := range p.chunks {
		switch {
		case c.typ == ctInit && !o.h.cfg.NoListen:
			b := parseInit(c.value)
			o.flows[b.tag] = &flow{rwnd: int(b.rwnd), pending: map[uint32]int{}}
		case c.typ == ctInitAck:
			b := parseInit(c.value)
			o.flows[b.tag] = &flow{rwnd: int(b.rwnd), pending: map[uint32]int{}}
		case c.typ == ctSack && w.exact:
			o.gotSack(p, parseSack(c))
		case isData(c.typ) && o.issued[p.vt]:
			o.gotData(p.vt, parseData(c))
		}
	}
}

func (o *observer) gotData(vt uint32, d wireData) {
	w := o.h.w
	if last, ok := o.maxSeen[vt]; !ok || serialLess(last, d.tsn) {
		o.maxSeen[vt] = d.tsn
		w.lastMove = w.now
	}
	if !w.calm {
		return
	}
	if up := o.anyUp(); up && o.ackDue.IsZero() {
		o.ackDue = w.now.Add(o.h.cfg.Params.SackDelay)
	}
}

// anyUp says that the host has an association on which nobody called an end:
// only there the delay of acknowledgements is certain.
func (o *observer) anyUp() bool {
	for _, a := range o.h.order {
		if !a.isUp || !a.live() {
			return false
		}
	}
	return len(o.h.order) > 0
}

func (o *observer) gotSack(p wirePacket, s wireSack) {
	for tag, f := range o.flows {
		if !o.matches(p.vt, tag) {
			continue
		}
		for tsn, n := range f.pending {
			off := tsn - s.cta
			acked := !serialLess(s.cta, tsn)
			for i := 0; i < len(s.blocks) && !acked; i += 2 {
				acked = off >= uint32(s.blocks[i]) && off <= uint32(s.blocks[i+1])
			}
			if acked {
				delete(f.pending, tsn)
				f.bytes -= n
			}
		}
		f.rwnd = int(s.rwnd)
	}
}

// matches pairs an own tag with a peer's tag: worlds that are recounted have
// one association per pair of hosts, and two hosts.
func (o *observer) matches(own, _ uint32) bool { return o.issued[own] }

// late is called between events.
func (o *observer) late() {
	w := o.h.w
	if o.ackDue.IsZero() {
		return
	}
	if !o.anyUp() {
		o.ackDue = time.Time{}
		return
	}
	if w.now.After(o.ackDue) && w.now.Sub(o.ackDue) > time.Microsecond {
		w.fail("%s: DATA is not acknowledged within SACK.Delay (SCTP-7-06)", o.h.name)
	}
}
