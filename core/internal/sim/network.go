package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Profile is how a network and its transports behave. Zero fields take a
// default.
type Profile struct {
	DelayMin, DelayMax time.Duration // of a message, one way; 1 ms
	// How long a side of an association takes to notice that nothing comes
	// through any more; 4 to 7 s.
	DetectMin, DetectMax time.Duration
	Heartbeat            time.Duration // of associations; 1 s
	Connect              time.Duration // limit of a set-up; 3 s
	Loss                 int           // of packets with data and of datagrams to a group, in percent; none
	Window               int           // bytes on the way per side of an association; 8 MiB
}

func (p Profile) orDefault() Profile {
	p.DelayMin = cmp.Or(p.DelayMin, time.Millisecond)
	p.DelayMax = cmp.Or(p.DelayMax, p.DelayMin)
	p.DetectMin = cmp.Or(p.DetectMin, 4*time.Second)
	p.DetectMax = cmp.Or(p.DetectMax, 7*time.Second)
	p.Heartbeat = cmp.Or(p.Heartbeat, time.Second)
	p.Connect = cmp.Or(p.Connect, 3*time.Second)
	p.Window = cmp.Or(p.Window, 8<<20)
	return p
}

func (w *World) delay() time.Duration { return w.between(w.Net.DelayMin, w.Net.DelayMax) }

// open says whether packets get from one host to another.
func (w *World) open(from, to *Host) bool {
	return !w.cuts[[2]*Host{from, to}] && !from.off && !to.off && !from.frozen && !to.frozen
}

// connected says whether packets get through in both directions.
func (w *World) connected(a, b *Host) bool { return w.open(a, b) && w.open(b, a) }

// Cut breaks the way from one host to another, or heals it.
func (w *World) Cut(from, to *Host, cut bool) {
	key := [2]*Host{from, to}
	if from == to || w.cuts[key] == cut {
		return
	}
	if cut {
		w.cuts[key] = true
	} else {
		delete(w.cuts, key)
	}
	w.pathChanged(from, to)
	w.look()
}

// Partition cuts the hosts for which inside holds off from all others, in both
// directions or only one.
func (w *World) Partition(inside func(*Host) bool, in, out bool) {
	for _, a := range w.hosts {
		for _, b := range w.hosts {
			if inside(a) && !inside(b) {
				w.Cut(a, b, out)
				w.Cut(b, a, in)
			}
		}
	}
}

// Heal mends all ways.
func (w *World) Heal() {
	for _, a := range w.hosts {
		for _, b := range w.hosts {
			w.Cut(a, b, false)
		}
	}
}

// pathsOf notes that all paths of a host may have changed.
func (w *World) pathsOf(h *Host) {
	for _, o := range w.hosts {
		if o != h {
			w.pathChanged(h, o)
		}
	}
}

// pathChanged makes the associations between two hosts notice that the path is
// broken, if it stays so, or go on when it is not.
func (w *World) pathChanged(a, b *Host) {
	whole := w.connected(a, b)
	for _, e := range append(a.endsTo(b), b.endsTo(a)...) {
		e.breaks++
		e.unstick()
		n := e.breaks
		switch {
		case e.state == connecting || e.state == echoed: // have a deadline
		case !whole:
			w.after(w.between(w.Net.DetectMin, w.Net.DetectMax), func() {
				if e.breaks == n && e.state != closed {
					e.lose(assoc.ErrTimeout)
				}
			})
		case e.other.state == closed:
			w.after(w.between(0, w.Net.Heartbeat), e.orphaned)
		}
	}
}

// unstick sends again what the path held up.
func (e *end) unstick() {
	if e.other == nil || !e.port.w.open(e.host(), e.other.host()) {
		return
	}
	e.learn(e.other)
	stuck := e.stuck
	e.stuck = nil
	for _, pk := range stuck {
		e.launch(pk)
	}
}

// Break ends one association between two hosts, if there is any, as if it had
// failed by itself.
func (w *World) Break(a, b *Host) {
	if ends := a.endsTo(b); len(ends) > 0 {
		ends[w.rnd.IntN(len(ends))].lose(assoc.ErrTimeout)
	}
}

func (h *Host) endsTo(o *Host) []*end {
	if h.proc == nil {
		return nil
	}
	var out []*end
	for _, p := range h.proc.ports {
		for _, e := range p.sorted() {
			if e.peer.Addr() == o.ip {
				out = append(out, e)
			}
		}
	}
	return out
}

func (p *port) sorted() []*end {
	return slices.SortedFunc(maps.Values(p.ends), func(a, b *end) int { return int(a.id) - int(b.id) })
}
