package rserpool_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/librserpool/librserpool/core/rserpool"
)

// A registrar, a pool element and a pool user in one program. Usually each is
// a process of its own, and nothing of Options is needed.
func Example_echo() {
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

	element, err := rserpool.Listen(ctx, "echo", opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer element.Close()
	go func() {
		for {
			session, err := element.Accept(ctx)
			if err != nil {
				return
			}
			go func() {
				for {
					message, err := session.Recv(ctx)
					if err != nil || session.Send(ctx, message) != nil {
						return
					}
				}
			}()
		}
	}()

	user, err := rserpool.Dial(ctx, "echo", opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer user.Close()
	if err := user.Send(ctx, []byte("hello, pool")); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := user.Recv(ctx)
	fmt.Printf("%s %v\n", answer, err)
	// Output: hello, pool <nil>
}

// What a registrar knows about a pool.
func ExampleResolve() {
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
	opts.Policy = rserpool.Policy{Type: rserpool.WeightedRoundRobin, Weight: 3}
	element, err := rserpool.Listen(ctx, "prime numbers", opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer element.Close()

	elements, err := rserpool.Resolve(ctx, "prime numbers", opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range elements {
		fmt.Println(e.Transport, e.ID == element.Name().PE, e.Policy.Type, e.Policy.Weight)
	}
	// Output: SCTP true WRR 3
}
