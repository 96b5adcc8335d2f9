package rsplib

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// role starts this program as something else, on another host: see runRole.
func (s *stage) role(number int, role string, at []*registrar, args ...string) *process {
	s.Helper()
	self, err := os.Executable()
	if err != nil {
		s.failed("%v", err)
	}
	return s.start(number, append(names(at), "RSPLIB_ROLE="+role, "RSERPOOL_LOG=info"), self, args...)
}

// runRole is what this program does in another process:
//
//	element POOL ID [LIFE]  answers what it receives with the same, and leaves
//	                        the number of messages as cookie. Ends with SIGTERM,
//	                        deregistering.
//	user POOL               sends lines from standard input, and prints answers
//	homes POOL              prints the registrars that own the pool's elements
//	                        whenever they change
func runRole(role string, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var err error
	switch role {
	case "element":
		err = roleElement(ctx, args)
	case "user":
		err = roleUser(ctx, args[0])
	case "homes":
		err = roleHomes(ctx, args[0])
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

// roleElement: with a third argument, that is how long the registration lives.
func roleElement(ctx context.Context, args []string) error {
	id, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return err
	}
	opts := &rserpool.Options{}
	opts.PE = rserpool.PEID(id)
	if len(args) > 2 {
		if opts.Life, err = time.ParseDuration(args[2]); err != nil {
			return err
		}
	}
	l, err := rserpool.Listen(ctx, args[0], opts)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		c, err := l.Accept(ctx)
		if err != nil {
			return l.Deregister(context.WithoutCancel(ctx))
		}
		go serve(ctx, c)
	}
}

func serve(ctx context.Context, c *rserpool.Conn) {
	for n := 0; ; {
		b, info, err := c.RecvMessage(ctx)
		switch {
		case err != nil:
			fmt.Println("session ends:", err)
			return
		case info.CookieEcho:
			fmt.Printf("cookie echo %q\n", b)
			n, _ = strconv.Atoi(string(b))
		case info.Notification == nil:
			n++
			fmt.Printf("message %d ppid %#x: %s\n", n, info.PPID, hex.EncodeToString(b))
			if err := c.SendMessage(ctx, b, rserpool.SendInfo{PPID: info.PPID}); err != nil {
				fmt.Println("no answer:", err)
			}
			if err := c.SendCookie(ctx, []byte(strconv.Itoa(n))); err != nil {
				fmt.Println("no cookie:", err)
			}
		}
	}
}

func roleUser(ctx context.Context, pool string) error {
	c, err := rserpool.Dial(ctx, pool, nil)
	if err != nil {
		return err
	}
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if err := c.Send(ctx, []byte(in.Text())); err != nil {
				fmt.Println("not sent:", err)
			}
		}
	}()
	for {
		b, info, err := c.RecvMessage(ctx)
		if err != nil {
			return err
		}
		if info.Notification == nil {
			fmt.Printf("from %v: %s\n", info.PE, b)
		}
	}
}

func roleHomes(ctx context.Context, pool string) error {
	r, err := rserpool.NewResolver(nil)
	if err != nil {
		return err
	}
	defer r.Close()
	for last := ""; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		elements, err := r.Resolve(ctx, pool, rserpool.Query{MaxAge: -1})
		if err != nil {
			continue
		}
		homes := map[string]bool{}
		for _, e := range elements {
			homes[e.Home.String()] = true
		}
		if line := strings.Join(slices.Sorted(maps.Keys(homes)), " "); line != last {
			fmt.Println("homes", line)
			last = line
		}
	}
	return nil
}
