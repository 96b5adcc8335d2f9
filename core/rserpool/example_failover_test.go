package rserpool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/librserpool/librserpool/core/rserpool"
)

// counter serves sessions that count their messages, and leaves the count with their
// pool users.
func counter(ctx context.Context, opts *rserpool.Options) (*rserpool.Listener, error) {
	l, err := rserpool.Listen(ctx, "counter", opts)
	if err != nil {
		return nil, err
	}
	serve := func(c *rserpool.Conn) {
		var n uint64
		for {
			b, info, err := c.RecvMessage(ctx)
			switch {
			case err != nil:
				return
			case info.CookieEcho: // from the element that served before
				n = binary.BigEndian.Uint64(b)
			default:
				n++
				_ = c.Send(ctx, fmt.Append(nil, n))
				_ = c.SendCookie(ctx, binary.BigEndian.AppendUint64(nil, n))
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l, nil
}

// A counter whose state moves with its sessions when its element leaves (Drain): to
// another one, and the pool user may hear of it among its messages.
func ExampleConn_SendCookie() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	local := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	registrar, err := rserpool.StartRegistrar(ctx, rserpool.RegistrarOptions{ASAP: local, Logger: quiet})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer registrar.Close()
	opts := &rserpool.Options{Logger: quiet, Local: local}
	opts.Registrars = []string{registrar.ASAPAddrs()[0].String()}
	opts.Session.Notifications = rserpool.NotifyFailover

	first, err := counter(ctx, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := rserpool.Dial(ctx, "counter", opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer user.Close()
	second, err := counter(ctx, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer second.Close()

	for i := range 4 {
		if i == 2 {
			if err := first.Drain(ctx); err != nil {
				fmt.Println(err)
			}
			first.Close()
		}
		if err := user.Send(ctx, []byte("one more")); err != nil {
			fmt.Println(err)
			return
		}
		for answered := false; !answered; {
			b, info, err := user.RecvMessage(ctx)
			switch n := info.Notification; {
			case err != nil:
				fmt.Println(err)
				return
			case n != nil && n.Type == rserpool.FailoverCompleted:
				fmt.Println("moved to the second:", n.New == second.Name().PE, "in doubt:", n.InDoubt)
			case n == nil:
				fmt.Printf("%s\n", b)
				answered = true
			}
		}
	}
	// Output:
	// 1
	// 2
	// moved to the second: true in doubt: 0
	// 3
	// 4
}

// Errors tell what to do, and errors.Is tells them apart.
func ExampleDial_errors() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	local := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	registrar, err := rserpool.StartRegistrar(ctx, rserpool.RegistrarOptions{ASAP: local, Logger: quiet})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer registrar.Close()
	opts := &rserpool.Options{Logger: quiet}
	opts.Registrars = []string{registrar.ASAPAddrs()[0].String()}

	_, err = rserpool.Dial(ctx, "ehco", opts)
	fmt.Println(errors.Is(err, rserpool.ErrUnknownPool))
	registrar.Close()
	_, err = rserpool.Dial(ctx, "echo", opts)
	fmt.Println(errors.Is(err, rserpool.ErrNoRegistrar))
	// Output:
	// true
	// true
}
