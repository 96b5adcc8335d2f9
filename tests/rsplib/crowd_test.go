package rsplib

import (
	"fmt"
	"regexp"
	"time"
)

// crowd starts many elements behind one endpoint, which answer keep-alives.
func (s *stage) crowd(number int, at *registrar, n int, args ...string) *process {
	s.Helper()
	args = append([]string{"-local", hosts[number-1].ip, "-registrar", at.asap(), "-transport", "kernel",
		"-life", "3600000", "-elements", fmt.Sprint(n)}, args...)
	p := s.start(number, nil, *crowds, args...)
	if _, _, err := p.Expect(0, regexp.MustCompile(`^done`), 10*time.Minute); err != nil {
		s.failed("%v", err)
	}
	return p
}
