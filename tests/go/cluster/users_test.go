package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// users resolve and talk until they are stopped. They fail the test when they
// are told something wrong or nothing.
type users struct {
	t        *testing.T
	stop     chan struct{}
	running  sync.WaitGroup
	resolved atomic.Int64
	said     atomic.Int64
	slowest  atomic.Int64 // resolution, nanoseconds
}

// newUsers starts three kinds of users of the pools: n of each.
func newUsers(t *testing.T, n, pools int, registrars []string) *users {
	u := &users{t: t, stop: make(chan struct{})}
	for i := range n {
		pool := fmt.Sprint("pool", i%pools)
		u.running.Go(func() { u.runOnce(pool, registrars) })
		u.running.Go(func() { u.runAgain(pool, registrars) })
		u.running.Go(func() { u.runTalk(pool, registrars) })
	}
	return u
}

// pause says whether to go on.
func (u *users) pause() bool {
	select {
	case <-u.stop:
		return false
	case <-time.After(time.Duration(20+rand.IntN(80)) * time.Millisecond):
		return true
	}
}

func (u *users) end() {
	close(u.stop)
	u.running.Wait()
	u.t.Logf("%d resolutions, the slowest in %v; %d messages answered",
		u.resolved.Load(), time.Duration(u.slowest.Load()).Round(time.Millisecond), u.said.Load())
	if u.resolved.Load() == 0 || u.said.Load() == 0 {
		u.t.Error("the users did nothing")
	}
}

func (u *users) check(what, pool string, began time.Time, elements []rserpool.Element, err error) {
	took := time.Since(began)
	if err != nil || len(elements) == 0 {
		u.t.Errorf("%s: resolution of %s failed after %v: %v", what, pool, took, err)
	}
	u.resolved.Add(1)
	for slowest := u.slowest.Load(); int64(took) > slowest; slowest = u.slowest.Load() {
		u.slowest.CompareAndSwap(slowest, int64(took))
	}
}

// runOnce is a new pool user every time.
func (u *users) runOnce(pool string, registrars []string) {
	for u.pause() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		began := time.Now()
		elements, err := rserpool.Resolve(ctx, pool, options(registrars...))
		u.check("new user", pool, began, elements, err)
		cancel()
	}
}

// runAgain is a user that has a registrar, and has to notice when it goes.
func (u *users) runAgain(pool string, registrars []string) {
	r, err := rserpool.NewResolver(options(registrars...))
	if err != nil {
		u.t.Error(err)
		return
	}
	defer r.Close()
	for u.pause() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		began := time.Now()
		elements, err := r.Resolve(ctx, pool, rserpool.Query{})
		u.check("old user", pool, began, elements, err)
		cancel()
	}
}

// runTalk has a session: registrars come and go beside it.
func (u *users) runTalk(pool string, registrars []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c, err := rserpool.Dial(ctx, pool, options(registrars...))
	cancel()
	if err != nil {
		u.t.Errorf("dial %s: %v", pool, err)
		return
	}
	defer c.Close()
	for n := 0; u.pause(); n++ {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		line := fmt.Sprint("line ", n)
		err := c.Send(ctx, []byte(line))
		var b []byte
		if err == nil {
			b, err = c.Recv(ctx)
		}
		cancel()
		if err != nil || string(b) != line {
			u.t.Errorf("session with %s: got %q for %q, %v", pool, b, line, err)
			return
		}
		u.said.Add(1)
	}
}
