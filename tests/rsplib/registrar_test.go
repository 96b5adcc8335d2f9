package rsplib

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// registrar is a registrar of either kind. Every one is on a host of its own and
// has the ports of IANA.
type registrar struct {
	*process
	id     uint32
	theirs bool
}

func (r *registrar) asap() string { return r.host.ip + ":3863" }
func (r *registrar) enrp() string { return r.host.ip + ":9901" }

func (r *registrar) String() string {
	if r.theirs {
		return fmt.Sprintf("their registrar %#08x", r.id)
	}
	return fmt.Sprintf("our registrar %#08x", r.id)
}

// ours starts a registrar of this library, which knows the peers.
func (s *stage) ours(number int, peers ...*registrar) *registrar {
	s.Helper()
	return s.oursWith(number, nil, peers...)
}

func (s *stage) oursWith(number int, args []string, peers ...*registrar) *registrar {
	s.Helper()
	at := hosts[number-1].ip
	args = append([]string{"registrar", "--log-level", "debug", "--asap", at + ":3863", "--enrp", at + ":9901"}, args...)
	for _, p := range peers {
		args = append(args, "--peer", p.enrp())
	}
	r := &registrar{process: s.start(number, nil, *bin+"/rserpool", args...)}
	r.id = s.identifier(strings.TrimPrefix(r.saw(`registrar 0x([0-9a-f]+) listening`), "0x"))
	return r
}

// theirs starts rspregistrar, which knows the peers, with the level at which it
// logs what happens. It serves when 5 s have passed. Of a pool it would name
// three elements only.
func (s *stage) theirs(number int, id uint32, peers ...*registrar) *registrar {
	s.Helper()
	return s.theirsWith(number, id, nil, peers...)
}

func (s *stage) theirsWith(number int, id uint32, args []string, peers ...*registrar) *registrar {
	s.Helper()
	at := hosts[number-1].ip
	args = append([]string{"-asap=" + at + ":3863", "-enrp=" + at + ":9901",
		fmt.Sprintf("-identifier=%#x", id), "-maxhresitems=128", "-loglevel=6", "-logcolor=off"}, args...)
	for _, p := range peers {
		args = append(args, "-peer="+p.enrp())
	}
	r := &registrar{process: s.start(number, nil, "rspregistrar", args...), id: id, theirs: true}
	r.saw(`The registrar is ready`)
	return r
}

func (s *stage) identifier(hex string) uint32 {
	s.Helper()
	id, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		s.failed("%v", err)
	}
	return uint32(id)
}

// listed is what a registrar says about the elements of a pool.
type listed struct {
	ID        string   `json:"id"`
	Registrar string   `json:"registrar"`
	Policy    string   `json:"policy"`
	Life      int32    `json:"life"`
	Addrs     []string `json:"addrs"`
}

// pool asks as a pool user does, from the last host.
func (r *registrar) pool(pool string) (map[string]listed, error) {
	client := hosts[len(hosts)-1]
	c := exec.Command("ip", "netns", "exec", client.name, *bin+"/rserpool", "resolve", pool, "--json",
		"--registrar", r.asap(), "--transport", "kernel", "--compat", "rsplib", "--timeout", "5s")
	c.Env = os.Environ()
	var complaint strings.Builder
	c.Stderr = &complaint
	out, err := c.Output()
	if strings.Contains(complaint.String(), "unknown pool") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %s", r, strings.TrimSpace(complaint.String()))
	}
	var all []listed
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("%v: %w", r, err)
	}
	found := map[string]listed{}
	for _, e := range all {
		found[e.ID] = e
	}
	return found, nil
}

// has says whether a registrar lists exactly these elements; those that have a
// home in the list have that one.
func (r *registrar) has(pool string, want map[uint32]*registrar) error {
	found, err := r.pool(pool)
	if err != nil {
		return err
	}
	var problems []error
	for id, home := range want {
		e, ok := found[text(id)]
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%v does not list element %s", r, text(id)))
		case home != nil && e.Registrar != text(home.id):
			problems = append(problems, fmt.Errorf("%v says that the home of element %s is %s, not %v", r, text(id), e.Registrar, home))
		}
		delete(found, text(id))
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		problems = append(problems, fmt.Errorf("%v lists element %s", r, id))
	}
	return errors.Join(problems...)
}

func text(id uint32) string { return fmt.Sprintf("0x%08x", id) }

// everywhere waits until all registrars list exactly these elements.
func (s *stage) everywhere(pool string, want map[uint32]*registrar, registrars ...*registrar) {
	s.Helper()
	s.eventually(patience, func() error {
		for _, r := range registrars {
			if err := r.has(pool, want); err != nil {
				return err
			}
		}
		return nil
	})
}

// dump is what hsdump, RSPLIB's program, reads from a registrar over ENRP.
func (s *stage) dump(r *registrar) string {
	s.Helper()
	p := s.start(len(hosts), nil, "hsdump", r.enrp(), "-loglevel=9", "-logcolor=off")
	p.saw(`=> now having`)
	p.saw(`\*-- Ownership`)
	p.Kill()
	var b strings.Builder
	for _, l := range p.Lines(0) {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}
