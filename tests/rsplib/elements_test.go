package rsplib

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// element is a pool element of either kind.
type element struct {
	*process
	id uint32
}

// nextID gives the elements of a stage identifiers that are easy to find.
func (s *stage) nextID() uint32 { return 0x100 + uint32(len(s.all)) }

// theirElement starts rspserver: service is its argument, like -echo.
func (s *stage) theirElement(number int, service, pool string, at []*registrar, args ...string) *element {
	s.Helper()
	id := s.nextID()
	args = append([]string{service, "-poolhandle=" + pool, fmt.Sprintf("-identifier=%#x", id), "-logcolor=off", "-loglevel=6"}, args...)
	for _, r := range at {
		args = append(args, "-registrar="+r.asap())
	}
	e := &element{process: s.start(number, nil, "rspserver", args...), id: id}
	e.saw(`Registration result is: okay`)
	return e
}

// ourElement starts an echo server on our Go library (role element).
func (s *stage) ourElement(number int, pool string, at []*registrar, args ...string) *element {
	s.Helper()
	id := s.nextID()
	e := &element{process: s.role(number, "element", at, append([]string{pool, fmt.Sprint(id)}, args...)...), id: id}
	e.saw(`^ready`)
	return e
}

// ourEchoPE starts the C program.
func (s *stage) ourEchoPE(number int, at []*registrar) *element {
	s.Helper()
	e := &element{process: s.start(number, append(names(at), "RSERPOOL_LOG=info", "ECHO_PORT=0"), *bin+"/echo_pe")}
	e.id = s.identifier(e.saw(`msg=registered .*\bpe=0x([0-9a-f]+)`))
	return e
}

func names(at []*registrar) []string {
	var list []string
	for _, r := range at {
		list = append(list, r.asap())
	}
	return []string{"RSERPOOL_REGISTRARS=" + strings.Join(list, ",")}
}

// user is a pool user that sends lines and prints the answers and from which
// element they are.
type user struct {
	*process
	answer string // pattern of an answer, with the element's identifier
	sent   int
}

// theirUser starts rspterminal.
func (s *stage) theirUser(number int, pool string, at []*registrar) *user {
	s.Helper()
	args := []string{"-poolhandle=" + pool, "-logcolor=off", "-loglevel=6"}
	for _, r := range at {
		args = append(args, "-registrar="+r.asap())
	}
	return &user{process: s.start(number, nil, "rspterminal", args...), answer: `from PE \$([0-9a-f]+)> .*line %d\b`}
}

// ourUser starts a pool user on our Go library (role user).
func (s *stage) ourUser(number int, pool string, at []*registrar) *user {
	s.Helper()
	return &user{process: s.role(number, "user", at, pool), answer: `from 0x([0-9a-f]+): .*line %d$`}
}

// ask sends a line until it is answered, and returns who answered.
func (u *user) ask() uint32 {
	u.s.Helper()
	id, ok := u.tryAsk()
	if !ok {
		u.s.failed("no answer within %v", patience)
	}
	return id
}

func (u *user) tryAsk() (id uint32, ok bool) {
	u.s.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		u.from()
		u.sent++
		if err := u.Write(fmt.Sprintf("line %d\n", u.sent)); err != nil {
			u.s.failed("%v", err)
		}
		_, m, err := u.Expect(u.mark, regexp.MustCompile(fmt.Sprintf(u.answer, u.sent)), 5*time.Second)
		if err == nil {
			return u.s.identifier(m[1]), true
		}
	}
	return 0, false
}

// asks wants an answer from one of the elements.
func (u *user) asks(of ...*element) *element {
	u.s.Helper()
	id := u.ask()
	for _, e := range of {
		if e.id == id {
			return e
		}
	}
	u.s.failed("the answer came from element %s, which should not serve", text(id))
	return nil
}
