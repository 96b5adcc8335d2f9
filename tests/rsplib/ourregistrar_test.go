package rsplib

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func only(r *registrar, all ...*element) map[uint32]*registrar {
	want := map[uint32]*registrar{}
	for _, e := range all {
		want[e.id] = r
	}
	return want
}

func TestOurRegistrar(t *testing.T) {
	runAll(t, "Our registrar, their PEs and PUs", []scenario{
		{"their PE registers, with every policy of RFC 5356 that it knows", theirPolicies},
		{"their PE registers with a policy of RSPLIB's own", theirOwnPolicy},
		{"their PE answers keep-alives and registers again in time", theirPEStays},
		{"their PE hangs: our registrar removes it; it is well again and comes back", theirPEHangs},
		{"their PE deregisters when it ends", theirPEDeregisters},
		{"their PE is killed: our registrar removes it", theirPEKilled},
		{"their PE waits for our registrar, and comes back to it after a restart", theirPEWaits},
		{"their PE finds our registrar by its announcements", theirPEFindsOurs},
		{"their PU resolves a pool and is served by their PE", theirPUServed},
		{"their PU moves to the next PE when its PE is killed", theirPUMoves},
		{"their PU moves to the next PE when its PE hangs up, with the cookie", theirPUCookie},
		{"hsdump reads our registrar's table over ENRP", theirDump},
	})
}

func theirPolicies(s *stage) {
	r := s.ours(1)
	var refused []string
	for argument, want := range map[string]string{
		"RoundRobin": "RR", "WeightedRoundRobin:5": "WRR weight 5", "Random": "RAND", "WeightedRandom:7": "WRAND weight 7",
		"LeastUsed": "LU load 0.0%", "LeastUsedDegradation:0.1": "LUD load 0.0% degradation 10.0%",
		"PriorityLeastUsed:0.2": "PLU load 0.0% degradation 20.0%", "Priority:3": "PRIO priority 3",
		"RandomizedLeastUsed": "RLU load 0.0%",
	} {
		pool := strings.ReplaceAll(argument, ":", "-")
		e := s.theirElement(3, "-discard", pool, []*registrar{r}, "-policy="+argument)
		found, err := r.pool(pool)
		if err != nil {
			s.failed("%v", err)
		}
		if got := found[text(e.id)].Policy; !strings.HasPrefix(got, want) {
			refused = append(refused, fmt.Sprintf("%s is listed as %q, want %q", argument, got, want))
		}
	}
	if len(refused) > 0 {
		s.failed("%s", strings.Join(refused, "; "))
	}
}

// A registrar refuses a policy that it does not support (POL-7-02).
func theirOwnPolicy(s *stage) {
	r := s.ours(1)
	e := s.start(3, nil, "rspserver", "-discard", "-poolhandle=own", "-policy=LeastUsedDPF:0.5",
		"-registrar="+r.asap(), "-logcolor=off", "-loglevel=6")
	if e.saw(`Registration result is: (.*)`) != "okay!" {
		s.impossible("our registrar cannot choose by it, and refuses it as RFC 5356 wants")
	}
}

func theirPEStays(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r}, "-rereginterval=1000", "-loglevel=9")
	e.from()
	s.holdsFor(12*time.Second, func() error { return r.has("echo", only(r, e)) })
	if n := e.count(`Sending KeepAliveAck`); n < 2 {
		s.failed("the PE acknowledged %d keep-alives in 12 s", n)
	}
	if n := e.count(`Registration result is: okay`); n < 4 {
		s.failed("the PE registered again %d times in 12 s, once a second was asked for", n)
	}
}

func theirPEHangs(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r}, "-rereginterval=2000")
	e.signal(syscall.SIGSTOP)
	began := time.Now()
	s.everywhere("echo", nil, r)
	s.note("removed after %.1f s", time.Since(began).Seconds())
	e.signal(syscall.SIGCONT)
	s.everywhere("echo", only(r, e), r)
}

func (p *process) signal(sig syscall.Signal) {
	p.s.Helper()
	if err := p.Signal(sig); err != nil {
		p.s.failed("%v", err)
	}
}

func theirPEDeregisters(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r}, "-loglevel=9")
	s.everywhere("echo", only(r, e), r)
	e.from().signal(syscall.SIGINT)
	e.saw(`Deregistration result is: okay`)
	s.everywhere("echo", nil, r)
}

func theirPEKilled(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r})
	began := time.Now()
	e.Kill()
	s.everywhere("echo", nil, r)
	s.note("after %.1f s", time.Since(began).Seconds())
}

func theirPEWaits(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r}, "-rereginterval=2000")
	r.Kill()
	again := s.ours(1)
	began := time.Now()
	s.everywhere("echo", only(again, e), again)
	s.note("%.1f s after our registrar's start", time.Since(began).Seconds())
}

// The tests themselves are the host that has a link with every other one:
// multicast is not forwarded.
func theirPEFindsOurs(s *stage) {
	r := s.oursAnnounced(1)
	e := s.theirElement(1, "-echo", "echo", nil)
	s.everywhere("echo", only(r, e), r)
}

// oursAnnounced starts a registrar that announces itself as RSPLIB does.
func (s *stage) oursAnnounced(number int) *registrar {
	return s.oursWith(number, []string{"--announce", "239.0.0.50:3863@eth0"})
}

func theirPUServed(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r})
	u := s.theirUser(5, "echo", []*registrar{r})
	for range 10 {
		u.asks(e)
	}
}

func theirPUMoves(s *stage) {
	r := s.ours(1)
	a := s.theirElement(3, "-echo", "echo", []*registrar{r})
	b := s.theirElement(4, "-echo", "echo", []*registrar{r})
	u := s.theirUser(5, "echo", []*registrar{r})
	s.moves(u, a, b)
}

// moves kills the element that serves a user, who goes on with the other one.
func (s *stage) moves(u *user, a, b *element) {
	s.Helper()
	first, second := u.asks(a, b), a
	if first == a {
		second = b
	}
	began := time.Now()
	first.Kill()
	u.asks(second)
	s.note("answered after %.1f s", time.Since(began).Seconds())
}

func theirPUCookie(s *stage) {
	r := s.ours(1)
	for number := 3; number <= 4; number++ {
		s.theirElement(number, "-pingpong", "PingPongPool", []*registrar{r}, "-pppfailureafter=5")
	}
	p := s.start(5, nil, "pingpongclient", "-interval=100", "-registrar="+r.asap(), "-logcolor=off", "-loglevel=9")
	p.saw(`Got cookie`)
	for range 2 {
		p.from().saw(`Starting failover`)
		p.from().saw(`Sending cookie echo|CookieEcho`)
	}
}

func theirDump(s *stage) {
	r := s.ours(1)
	e := s.theirElement(3, "-echo", "echo", []*registrar{r})
	if out := s.dump(r); !strings.Contains(out, fmt.Sprintf("$%08x", e.id)) || !strings.Contains(out, fmt.Sprintf("home=$%08x", r.id)) {
		s.failed("hsdump does not show element %s of %v: %s", text(e.id), r, out)
	}
}
