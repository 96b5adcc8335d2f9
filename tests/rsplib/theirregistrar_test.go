package rsplib

import (
	"syscall"
	"testing"
	"time"
)

const theirID = 0x1000

func TestTheirRegistrar(t *testing.T) {
	runAll(t, "Their registrar, our PEs and PUs", []scenario{
		{"our PE (the C program) registers", ourPERegisters},
		{"our PE answers keep-alives", ourPEAnswers},
		{"our PE registers again in time", ourPEStays},
		{"our PE hangs: their registrar removes it; it is well again and comes back", ourPEHangs},
		{"our PE deregisters when it ends", ourPEDeregisters},
		{"our PE waits for their registrar, and comes back to it after a restart", ourPEWaits},
		{"our PE and PU find their registrar by its announcements", oursFindTheirs},
		{"our PU resolves a pool and is served by our PE", ourPUServed},
		{"our PU (the C program) is served by our PE (the C program)", ourCPrograms},
		{"our PU moves to the next PE when its PE is killed", ourPUMoves},
		{"our PU moves to the next PE when its PE hangs", ourPUMovesFromHung},
		{"our PU waits for a PE when the pool is empty", ourPUWaits},
		{"`rserpool pools` asks their registrar", ourTool},
	})
}

func ourPERegisters(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourEchoPE(3, []*registrar{r})
	s.everywhere("echo", only(r, e), r)
}

// Every registration puts off the next keep-alive, by 5 s.
func ourPEAnswers(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourElement(3, "echo", []*registrar{r})
	r.from()
	s.holdsFor(17*time.Second, func() error { return r.has("echo", only(r, e)) })
	if n := r.count(`EndpointKeepAlive successful`); n < 2 {
		s.failed("their registrar had %d keep-alives acknowledged in 17 s", n)
	}
}

func ourPEStays(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourElement(3, "echo", []*registrar{r}, "3s")
	r.from()
	s.holdsFor(10*time.Second, func() error { return r.has("echo", only(r, e)) })
	if n := r.count(`Successfully registered`); n < 3 {
		s.failed("our PE registered again %d times in 10 s with a life of 3 s", n)
	}
}

func ourPEHangs(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourElement(3, "echo", []*registrar{r})
	e.signal(syscall.SIGSTOP)
	began := time.Now()
	s.everywhere("echo", nil, r)
	s.note("removed after %.1f s", time.Since(began).Seconds())
	e.signal(syscall.SIGCONT)
	s.everywhere("echo", only(r, e), r)
}

func ourPEDeregisters(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourElement(3, "echo", []*registrar{r})
	r.from()
	if err := e.Stop(patience); err != nil {
		s.failed("our PE ended with: %v", err)
	}
	r.saw(`Deregistration successfully completed`)
	s.everywhere("echo", nil, r)
}

func ourPEWaits(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourElement(3, "echo", []*registrar{r})
	r.Kill()
	again := s.theirs(2, theirID)
	began := time.Now()
	s.everywhere("echo", only(again, e), again)
	s.note("%.1f s after their registrar was ready", time.Since(began).Seconds())
}

func oursFindTheirs(s *stage) {
	r := s.theirs(2, theirID)
	group := "RSERPOOL_ANNOUNCE=239.0.0.50:3863@eth0"
	e := &element{process: s.start(2, []string{group, "RSERPOOL_LOG=info", "ECHO_PORT=0"}, *bin+"/echo_pe")}
	e.id = s.identifier(e.saw(`msg=registered .*\bpe=0x([0-9a-f]+)`))
	s.everywhere("echo", only(r, e), r)
	u := s.start(2, []string{group}, *bin+"/echo_pu")
	u.write("hello\n")
	u.saw(`^hello`)
}

func (p *process) write(line string) {
	p.s.Helper()
	if err := p.Write(line); err != nil {
		p.s.failed("%v", err)
	}
}

func ourPUServed(s *stage) {
	r := s.theirs(2, theirID)
	e := s.ourElement(3, "echo", []*registrar{r})
	u := s.ourUser(5, "echo", []*registrar{r})
	for range 10 {
		u.asks(e)
	}
}

func ourCPrograms(s *stage) {
	r := s.theirs(2, theirID)
	s.ourEchoPE(3, []*registrar{r})
	u := s.start(5, names([]*registrar{r}), *bin+"/echo_pu")
	u.write("hello\n")
	u.saw(`^hello`)
}

func ourPUMoves(s *stage) {
	r := s.theirs(2, theirID)
	a := s.ourElement(3, "echo", []*registrar{r})
	b := s.ourElement(4, "echo", []*registrar{r})
	s.moves(s.ourUser(5, "echo", []*registrar{r}), a, b)
}

// The kernel acknowledges for a process that is stopped. Our registrar tells the
// PUs of a pool which PE it has removed, theirs does not.
func ourPUMovesFromHung(s *stage) {
	r := s.theirs(2, theirID)
	a := s.ourElement(3, "echo", []*registrar{r})
	b := s.ourElement(4, "echo", []*registrar{r})
	u := s.ourUser(5, "echo", []*registrar{r})
	first, second := u.asks(a, b), a
	if first == a {
		second = b
	}
	first.signal(syscall.SIGSTOP)
	began := time.Now()
	s.everywhere("echo", only(r, second), r)
	id, ok := u.tryAsk()
	switch {
	case !ok:
		s.impossible("their registrar removes it, but tells no PU, and the kernel acknowledges for the hung process: "+
			"no answer in %.0f s; the application has to say that it failed", patience.Seconds())
	case id != second.id:
		s.failed("answered by element %s, which was stopped", text(id))
	}
	s.note("answered after %.0f s", time.Since(began).Seconds())
}

func ourPUWaits(s *stage) {
	r := s.theirs(2, theirID)
	a := s.ourElement(3, "echo", []*registrar{r})
	u := s.ourUser(5, "echo", []*registrar{r})
	u.asks(a)
	a.Kill()
	u.from()
	u.sent++
	u.write("line 2\n")
	time.Sleep(3 * time.Second)
	b := s.ourElement(4, "echo", []*registrar{r})
	if id := s.identifier(u.saw(`from 0x([0-9a-f]+): line 2$`)); id != b.id {
		s.failed("answered by element %s, not by %s", text(id), text(b.id))
	}
}

// Which pools there are is asked with ENRP_HANDLE_TABLE_REQUEST.
func ourTool(s *stage) {
	r := s.theirs(2, theirID)
	p := s.start(5, nil, *bin+"/rserpool", "pools", "--registrar", r.asap(), "--timeout", "5s")
	if err := p.Wait(patience); err == nil {
		return
	}
	s.impossible("their registrar answers that to registrars only, in whose place the tool would be taken over when it ends; " +
		"`rserpool resolve` works, and hsdump")
}
