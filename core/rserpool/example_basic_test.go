package rserpool_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"

	"github.com/librserpool/librserpool/core/rserpool"
)

// A TCP service in a pool, and a client of it: the library tells where the
// servers are, and everything else is net's.
func ExampleResolver_Dial() {
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

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	member, err := rserpool.Join(ctx, "greetings", rserpool.TransportOf(listener.Addr()), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer member.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "hello, client")
			conn.Close()
		}
	}()

	resolver, err := rserpool.NewResolver(opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resolver.Close()
	conn, element, err := resolver.Dial(ctx, "greetings")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	greeting, err := io.ReadAll(conn)
	if err != nil { // the server died: report it, and dial again
		resolver.Failed(ctx, "greetings", element.ID)
	}
	fmt.Printf("%s over %v\n", greeting, element.Transport)
	// Output: hello, client over TCP
}
