package rserpool_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/librserpool/librserpool/core/rserpool"
)

// A web server in a pool, and a client that names the pool in place of a host. Neither
// knows anything of pools.
func ExampleListener_NetListener() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	local := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	registrar, err := rserpool.StartRegistrar(ctx, rserpool.RegistrarOptions{ASAP: local, Logger: quiet})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer registrar.Close()
	opts := &rserpool.Options{Logger: quiet, Local: local, Registrars: []string{registrar.ASAPAddrs()[0].String()}}

	element, err := rserpool.Listen(ctx, "web", opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer element.Close()
	go http.Serve(element.NetListener(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello from ", r.URL.Path)
	}))

	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			pool, _, _ := net.SplitHostPort(address)
			session, err := rserpool.Dial(ctx, pool, opts)
			if err != nil {
				return nil, err
			}
			return session.NetConn(), nil
		},
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://web/a/page")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s\n", page)
	// Output: hello from /a/page
}
