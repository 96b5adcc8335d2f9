package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
	"github.com/librserpool/librserpool/tests/go/proc"
)

// The delivery promise of rserpool.h, with a stream of messages that never waits for
// an answer, and elements that die by SIGKILL at random moments.

const numbersPool = "numbers"

// TestMain is also the program of an element: it prints each number that it
// receives, with its session, and then sends it back. It is slow, so that what it
// has received and not looked at dies with it.
func TestMain(m *testing.M) {
	if os.Getenv("E2E_NUMBERS") == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	l, err := rserpool.Listen(ctx, numbersPool, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("element", l.Name().PE)
	for session := 1; ; session++ {
		c, err := l.Accept(ctx)
		if err != nil {
			os.Exit(1)
		}
		go func() {
			for {
				b, err := c.Recv(ctx)
				if err != nil {
					return
				}
				time.Sleep(300 * time.Microsecond)
				fmt.Printf("%d %s\n", session, b)
				_ = c.Send(ctx, b)
			}
		}()
	}
}

var elementLine = regexp.MustCompile(`^element (0x[0-9a-f]+)$`)

// fleet is the elements that can be killed, by PE identifier.
type fleet struct {
	w     *world
	start func() *proc.Proc
	alive map[string]*proc.Proc
	all   []*proc.Proc
	kills int
}

func (s *fleet) add() {
	s.w.t.Helper()
	p := s.start()
	s.alive[expect(s.w.t, p, 0, elementLine)[1]] = p
	s.all = append(s.all, p)
}

// kill kills an element, that with the identifier if it lives, and starts another
// one before.
func (s *fleet) kill(id string) {
	s.w.t.Helper()
	s.add()
	if s.alive[id] == nil {
		for id = range s.alive {
			break
		}
	}
	s.alive[id].Kill()
	delete(s.alive, id)
	s.kills++
}

// expect waits until one of the elements that live has printed something.
func (s *fleet) expect(ctx context.Context, re *regexp.Regexp) {
	s.w.t.Helper()
	for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		for _, p := range s.alive {
			if slices.ContainsFunc(p.Lines(0), func(l proc.Line) bool { return re.MatchString(l.Text) }) {
				return
			}
		}
	}
	s.w.t.Fatalf("no element prints %v", re)
}

func randomPause() { time.Sleep(time.Duration(20+rand.IntN(150)) * time.Millisecond) }

// With replay nothing is lost, and nothing counted twice.
func TestPromiseWithReplay(t *testing.T) {
	w, _ := newWorld(t)
	s := &fleet{w: w, alive: map[string]*proc.Proc{}}
	s.start = func() *proc.Proc { return start(t, "collector", w.env, program(t, "collector")) }
	s.add()
	s.add()
	const records = "12000"
	user := start(t, "exporter", w.env, program(t, "exporter"), records, "60")
	served := regexp.MustCompile(`served by (0x[0-9a-f]+)`)
	ended := make(chan error)
	go func() { ended <- user.Wait(patience) }()
	for {
		randomPause()
		select {
		case err := <-ended:
			lines := user.Lines(0)
			last := lines[slices.IndexFunc(lines, func(l proc.Line) bool { return !l.Stderr })].Text
			if err != nil || last != records+" records, 0 lost, 0 repeated" || s.kills < 3 {
				t.Fatalf("%v, %q after %d kills", err, last, s.kills)
			}
			return
		default:
		}
		serving := ""
		for _, l := range user.Lines(0) {
			if m := served.FindStringSubmatch(l.Text); m != nil {
				serving = m[1]
			}
		}
		s.kill(serving)
	}
}

// By default each element gets a run of messages without a gap; what is missing
// between the runs is what the notifications call in doubt.
func TestPromiseByDefault(t *testing.T) {
	w, _ := newWorld(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &fleet{w: w, alive: map[string]*proc.Proc{}}
	s.start = func() *proc.Proc { return start(t, "numbers", append(w.env, "E2E_NUMBERS=1"), self) }
	s.add()
	s.add()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	pu, err := rserpool.Dial(ctx, numbersPool, &rserpool.Options{
		Registrars: []string{w.addr}, Session: rserpool.SessionOptions{Notifications: rserpool.NotifyFailover},
	})
	if err != nil {
		t.Fatal(err)
	}
	const kills = 6
	sent, killed := make(chan int), make(chan struct{})
	go func() {
		n := 0
		for over := false; !over; n++ {
			select {
			case <-killed:
				over = true
			default:
			}
			if pu.Send(ctx, []byte(strconv.Itoa(n))) != nil {
				break
			}
			if n%2 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		sent <- n
	}()
	doubt := make(chan int)
	go func() { doubt <- readAnswers(ctx, pu) }()
	for range kills {
		randomPause()
		s.kill(pu.Peer().PE.String())
	}
	randomPause()
	close(killed)
	total := <-sent
	if err := pu.CloseContext(ctx); err != nil {
		t.Fatal(err)
	}
	s.expect(ctx, regexp.MustCompile(fmt.Sprintf(`^\d+ %d$`, total-1)))
	missing := checkRuns(t, s.all, total)
	inDoubt := <-doubt
	if missing > inDoubt {
		t.Errorf("%d messages are missing, %d were in doubt", missing, inDoubt)
	}
	t.Logf("%d messages, %d missing, %d in doubt, %d elements killed", total, missing, inDoubt, s.kills)
}

// readAnswers sums what the failovers left in doubt.
func readAnswers(ctx context.Context, pu *rserpool.Conn) (inDoubt int) {
	for {
		_, info, err := pu.RecvMessage(ctx)
		if err != nil {
			return inDoubt
		}
		if n := info.Notification; n != nil && n.Type == rserpool.FailoverBegun {
			inDoubt += n.InDoubt
		}
	}
}

// checkRuns looks at what each session of each element printed, and returns how
// many messages none of them did.
func checkRuns(t *testing.T, elements []*proc.Proc, total int) (missing int) {
	t.Helper()
	printed := regexp.MustCompile(`^(\d+) (\d+)$`)
	seen := make([]bool, total)
	for _, p := range elements {
		last := map[string]int{}
		for _, l := range p.Lines(0) {
			m := printed.FindStringSubmatch(l.Text)
			if m == nil || l.Stderr {
				continue
			}
			n, _ := strconv.Atoi(m[2])
			if before, ok := last[m[1]]; ok && n != before+1 {
				t.Fatalf("%s: message %d of session %s follows %d", p.Name, n, m[1], before)
			}
			last[m[1]], seen[n] = n, true
		}
	}
	for _, s := range seen {
		if !s {
			missing++
		}
	}
	return missing
}
