// Run is a crowd of pool elements as a process of its own. It registers them and
// asks for them, and stays until its standard input ends:
//
//	run -local ADDRESS -registrar ADDRESS:PORT -elements N -resolutions N
//
// or it only asks for a pool of another crowd until it is told who is in it:
//
//	run -local ADDRESS -registrar ADDRESS:PORT -await
package main

import (
	"bufio"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop/loadgen"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

func main() {
	var cfg loadgen.Config
	flag.TextVar(&cfg.Local, "local", netip.MustParseAddr("127.0.0.1"), "the elements' `address`")
	flag.TextVar(&cfg.Registrar, "registrar", netip.AddrPort{}, "`address:port` of their registrar")
	flag.StringVar(&cfg.Kind, "transport", "", "auto, kernel or userland")
	flag.IntVar(&cfg.PerPool, "per-pool", 10, "elements in a pool")
	life := flag.Int("life", 3600, "registration life, in the unit of the registrar")
	elements := flag.Int("elements", 1000, "how many elements")
	resolutions := flag.Int("resolutions", 0, "how many resolutions")
	waits := flag.Bool("await", false, "only wait until the registrar knows another crowd")
	flag.Parse()
	cfg.Life = protocol.Life(*life)
	if *waits {
		await(cfg)
		return
	}
	if err := run(cfg, *elements, *resolutions); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func run(cfg loadgen.Config, elements, resolutions int) error {
	c, err := loadgen.Gather(cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := timed("registered", elements, c.Register); err != nil {
		return err
	}
	if err := timed("resolved", resolutions, c.Resolve); err != nil {
		return err
	}
	fmt.Println("done")
	end := make(chan struct{})
	go waitForEnd(end)
	return c.Stay(end)
}

// await asks on new associations, for a registrar that starts may not listen
// yet, or have forgotten what it was asked.
func await(cfg loadgen.Config) {
	cfg.Limit = 250 * time.Millisecond
	fmt.Println("asking")
	for {
		c, err := loadgen.Gather(cfg)
		if err == nil {
			err = c.Resolve(1)
			_ = c.Close()
		}
		if err == nil {
			fmt.Println("answered")
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func timed(what string, n int, do func(int) error) error {
	began := time.Now()
	if err := do(n); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	fmt.Printf("%s %d in %v\n", what, n, time.Since(began))
	return nil
}

func waitForEnd(end chan<- struct{}) {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
	close(end)
}
