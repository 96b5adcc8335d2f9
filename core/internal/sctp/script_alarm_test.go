package sctp_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// alarm wants the next alarm to be asked for after d exactly, nothing to happen
// before it and these chunks, or nothing on the wire, when it is due.
func (c *conv) alarm(d time.Duration, types ...byte) {
	c.t.Helper()
	at, ok := c.ep.Next()
	if want := c.now.Add(d); !ok || !at.Equal(want) {
		c.t.Fatalf("the next alarm is in %v, want %v", at.Sub(c.now), d)
	}
	before := fingerprint(c.ep)
	c.now = at.Add(-1)
	c.ep.Advance(c.now)
	c.drain()
	c.quiet()
	c.noEvents()
	if what := changed(before, fingerprint(c.ep)); what != "" {
		c.t.Fatal("something happens before the time:", what)
	}
	c.now = at
	c.ep.Advance(c.now)
	c.drain()
	if len(types) == 0 {
		c.quiet()
		return
	}
	c.expect(types...)
}

// TestScriptAlarmsAreExact: whoever drives the engine asks it when to come back.
// An alarm that it asks for later than it is due, or that it lets pass, makes
// every timer of RFC 9260 late (sections 5.1, 6.2, 6.3, 8.3, 9.2; SCTP-3-62).
func TestScriptAlarmsAreExact(t *testing.T) {
	const ms = time.Millisecond
	with := func(change func(*assoc.Params)) option { return withParams(change) }
	for name, test := range map[string]func(t *testing.T){
		"T1 of INIT": func(t *testing.T) {
			c := inState(t, "COOKIE-WAIT")
			c.alarm(300*ms, ctInit)
			c.alarm(600*ms, ctInit)
		},
		"T1 of COOKIE ECHO": func(t *testing.T) {
			c := inState(t, "COOKIE-ECHOED")
			c.alarm(100*ms, ctCookieEcho) // RTO.Min: INIT was answered at once
		},
		"the limit of the set-up": func(t *testing.T) {
			c := inState(t, "COOKIE-WAIT", with(func(p *assoc.Params) { p.ConnectTimeout = 250 * ms }))
			c.alarm(250 * ms)
			c.event(assoc.CannotStart)
		},
		"T2 of SHUTDOWN": func(t *testing.T) {
			c := inState(t, "SHUTDOWN-SENT")
			c.alarm(100*ms, ctShutdown)
			c.alarm(200*ms, ctShutdown)
		},
		"T2 of SHUTDOWN ACK": func(t *testing.T) {
			c := inState(t, "SHUTDOWN-ACK-SENT")
			c.alarm(100*ms, ctShutdownAck)
		},
		"T5": func(t *testing.T) {
			c := inState(t, "SHUTDOWN-SENT", with(func(p *assoc.Params) { p.ShutdownGuard = 50 * ms }))
			c.alarm(50*ms, ctAbort)
			c.event(assoc.CommLost)
		},
		"T5 of who agrees": func(t *testing.T) {
			c := inState(t, "SHUTDOWN-ACK-SENT", with(func(p *assoc.Params) { p.ShutdownGuard = 50 * ms }))
			c.alarm(50*ms, ctAbort)
			c.event(assoc.CommLost)
		},
		"T5 begins again when both shut down": func(t *testing.T) {
			c := inState(t, "SHUTDOWN-SENT", with(func(p *assoc.Params) { p.ShutdownGuard = 50 * ms }))
			c.advance(30 * ms)
			c.inject(tlv32(ctShutdown, 0, u32(c.engTSN-1)))
			c.expectOwn(ctShutdownAck)
			c.event(assoc.ShutdownEvent)
			c.alarm(50*ms, ctAbort)
			c.event(assoc.CommLost)
		},
		"T3": func(t *testing.T) {
			c := inState(t, "ESTABLISHED")
			c.send("unanswered")
			c.expectOwn(ctData)
			c.alarm(100*ms, ctData)
			c.alarm(200*ms, ctData)
			c.forget()
		},
		"a delayed SACK": func(t *testing.T) {
			c := inState(t, "ESTABLISHED")
			c.data("first")
			c.message("first")
			c.expectOwn(ctSack)
			c.data("second")
			c.message("second")
			c.alarm(20*ms, ctSack)
		},
		"an unanswered HEARTBEAT": func(t *testing.T) {
			c := inState(t, "ESTABLISHED", with(heartbeats))
			at, _ := c.ep.Next()
			c.advance(at.Sub(c.now))
			c.expectOwn(ctHeartbeat)
			c.alarm(100 * ms)
			if s := c.status().Paths[0]; s.Errors != 1 {
				t.Fatalf("%d errors", s.Errors)
			}
		},
		"the probe of a closed window": func(t *testing.T) {
			c := inState(t, "ESTABLISHED")
			c.send("closes it")
			c.expectOwn(ctData)
			c.inject(sackChunk(c.engTSN, 0, nil))
			c.send("waits")
			c.quiet()
			c.alarm(c.status().Paths[0].RTO, ctData)
			c.forget()
		},
		"the probe of a packet size": func(t *testing.T) {
			c := inState(t, "ESTABLISHED", with(func(p *assoc.Params) { p.MTU = 0 }))
			c.send(strings.Repeat("large ", 2000))
			var last uint32
			for len(c.out) > 0 {
				for _, p := range c.discard() {
					for _, d := range p.datas() {
						last = d.tsn
					}
				}
				c.inject(sackChunk(last, 1<<16, nil))
			}
			c.alarm(time.Second, ctHeartbeat, ctPad)
		},
		"a gap that nothing fills": func(t *testing.T) {
			c := inState(t, "ESTABLISHED")
			c.nextData("lost")
			c.data("held")
			c.expectOwn(ctSack)
			c.alarm(10*time.Second, ctSack)
		},
		"a message that does not go on": func(t *testing.T) {
			c := inState(t, "ESTABLISHED")
			c.inject(dataChunk(fB, c.tsn, 0, 0, 0, "begins"))
			c.expectOwn(ctSack)
			c.alarm(10 * time.Second)
			c.alarm(20*time.Second, ctAbort)
			c.event(assoc.CommLost)
		},
	} {
		t.Run(name, test)
	}
}

// TestScriptAlarmsEnd: an association that is gone asks for nothing.
func TestScriptAlarmsEnd(t *testing.T) {
	for _, state := range states[1:] {
		c := inState(t, state, withParams(heartbeats))
		if _, ok := c.ep.Next(); !ok {
			t.Errorf("%s: no alarm", state)
		}
		c.abort("")
		if at, ok := c.ep.Next(); ok {
			t.Errorf("%s: an alarm in %v after the end", state, at.Sub(c.now))
		}
		if slices.ContainsFunc(c.out, func(p emitted) bool { return !p.has(ctAbort) }) {
			t.Errorf("%s: %v", state, c.out)
		}
		c.forget()
	}
}
