package main

import (
	"context"
	"encoding"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/librserpool/librserpool/core/rserpool"
)

// IANA's ports.
const (
	asapPort = 3863
	enrpPort = 9901
)

type registrarFlags struct {
	asap, enrp []string
	peers      []string
	multicast  string
	advertise  []string
	accept     []string
	rfcTimers  bool
	noTCP      bool
	state      string
	level      string
	json       bool
}

func newRegistrar(g *global) *cobra.Command {
	f := &registrarFlags{}
	cmd := &cobra.Command{
		Use:   "registrar",
		Short: "Run a registrar until SIGTERM or SIGINT",
		Long: `Run a registrar until SIGTERM or SIGINT. It prints one line when it can be
reached and logs to standard error. With peers it answers when it has their list.
When it ends it hands the pool elements it owns over to the other registrars,
which takes a second or so; a second signal ends it at once. SIGHUP makes it read
the level of the log and the peers in the configuration file again. 'rserpool pools' and 'rserpool pes' are answered at
both of its addresses.`,
		Example: `  rserpool registrar
  rserpool registrar --asap 192.0.2.1:3863 --enrp 192.0.2.1:9901
  rserpool registrar --enrp 192.0.2.2:9901 --peer 192.0.2.1:9901
  rserpool registrar --enrp 192.0.2.2:9901 --enrp-multicast 239.1.2.3@eth0
  rserpool registrar --state /var/lib/rserpool/state
  rserpool registrar --asap 127.0.0.1:0 --log-level debug --json-logs`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRegistrar(cmd, g, f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.asap, "asap", []string{fmt.Sprintf("[::]:%d", asapPort)},
		"`address:port` for pool elements and pool users; may be repeated, with one port; port 0 chooses one; [::] is every address, 0.0.0.0 every one of IPv4")
	flags.StringSliceVar(&f.enrp, "enrp", nil,
		fmt.Sprintf("`address:port` for other registrars, usually port %d; without it there are no peers", enrpPort))
	flags.StringSliceVar(&f.peers, "peer", nil,
		"ENRP address `host:port` of another registrar, from which this one learns of the rest; may be repeated; needs --enrp")
	flags.StringSliceVar(&f.advertise, "advertise", nil,
		"`address` that others are told in place of this registrar's own (NAT, containers); may be repeated (RSERPOOL_ADVERTISE)")
	flags.StringSliceVar(&f.accept, "accept", nil,
		"`prefix` like 192.0.2.0/24 of addresses that pool elements behind a NAT of their own may register; may be repeated")
	flags.StringVar(&f.multicast, "enrp-multicast", "",
		fmt.Sprintf("multicast `group`, like 239.1.2.3 or 239.1.2.3:%d@eth0, at which registrars find each other; needs --enrp", enrpPort))
	flags.StringVar(&f.state, "state", "",
		"`file` that keeps what the registrar knows, so that it has all answers at once when it is restarted")
	flags.BoolVar(&f.noTCP, "no-tcp", false, "do not answer pool users over TCP, at the port of --asap")
	flags.BoolVar(&f.rfcTimers, "rfc-timers", false,
		"timers of RFC 5353: a registrar that dies silently is replaced after 66 s, not 4 s")
	flags.StringVar(&f.level, "log-level", "", "debug, info, warn or error (RSERPOOL_LOG); info")
	flags.BoolVar(&f.json, "json-logs", false, "log JSON")
	return cmd
}

func runRegistrar(cmd *cobra.Command, g *global, f *registrarFlags) error {
	asap, err := addrPorts("--asap", f.asap, asapPort)
	if err != nil {
		return err
	}
	enrp, err := addrPorts("--enrp", f.enrp, enrpPort)
	if err != nil {
		return err
	}
	advertise, accept, err := f.addresses()
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	logger, err := f.logger(cmd, level)
	if err != nil {
		return err
	}
	if f.level != "" {
		level = nil // it stays
	}
	hangup := hangups()
	defer signal.Stop(hangup)
	r, err := rserpool.StartRegistrar(cmd.Context(), rserpool.RegistrarOptions{
		ASAP: asap, ENRP: enrp, Peers: f.peers, Multicast: f.multicast, RFCTimers: f.rfcTimers, NoTCP: f.noTCP, State: f.state, Accept: accept, Level: level,
		Advertise: advertise, Transport: g.transport, Compat: g.compat, Announce: g.announce, Logger: logger,
	})
	if err != nil {
		return fmt.Errorf("%w (ASAP on %s)", err, strings.Join(f.asap, ", "))
	}
	line := fmt.Sprintf("registrar %v listening on %s", r.ID(), join(r.ASAPAddrs()))
	if addrs := r.ENRPAddrs(); len(addrs) > 0 {
		line += ", ENRP on " + join(addrs)
	}
	fmt.Fprintln(cmd.OutOrStdout(), line)
	for {
		select {
		case <-hangup:
			reload(r, logger)
		case <-cmd.Context().Done():
			return r.CloseContext(context.Background())
		}
	}
}

// hangups takes SIGHUP, which would end the registrar without a handover. Under
// nohup(1) it stays ignored.
func hangups() chan os.Signal {
	c := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c, syscall.SIGHUP)
	}
	return c
}

func reload(r *rserpool.Registrar, logger *slog.Logger) {
	if err := r.Reload(); err != nil {
		logger.Warn("SIGHUP: the configuration is wrong, and stays what it was", "err", err)
		return
	}
	logger.Info("SIGHUP: the configuration is read again")
}

// addresses reads --advertise and --accept.
func (f *registrarFlags) addresses() (advertise []netip.Addr, accept []netip.Prefix, err error) {
	if len(f.advertise) > 0 {
		if advertise, err = rserpool.ParseAdvertise(strings.Join(f.advertise, ",")); err != nil {
			return nil, nil, usageError{fmt.Errorf("--advertise: %w", err)}
		}
	}
	for _, text := range f.accept {
		p, err := netip.ParsePrefix(text)
		if a, notAddr := netip.ParseAddr(text); notAddr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, nil, usageError{fmt.Errorf("--accept %q is no prefix of addresses, like 192.0.2.0/24 or 2001:db8::/32", text)}
		}
		accept = append(accept, p)
	}
	return advertise, accept, nil
}

// logger logs from a level on: that of --log-level, if there is one.
func (f *registrarFlags) logger(cmd *cobra.Command, level *slog.LevelVar) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: likeText}
	if f.level != "" && level.UnmarshalText([]byte(f.level)) != nil {
		return nil, usageError{fmt.Errorf("--log-level %q: it is debug, info, warn or error", f.level)}
	}
	if f.json {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opts)), nil
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opts)), nil
}

// likeText makes JSON say what the text says: a thing by its name, not by the
// number behind it.
func likeText(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case error, encoding.TextMarshaler, slog.Level:
	case fmt.Stringer:
		a.Value = slog.StringValue(v.String())
	}
	return a
}

// addrPorts reads local addresses: IP:port, [IPv6]:port or only an IP address.
func addrPorts(flag string, texts []string, port uint16) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	for _, text := range texts {
		host, service, err := net.SplitHostPort(text)
		if err != nil {
			host, service = strings.Trim(text, "[]"), strconv.Itoa(int(port))
		}
		ip, ipErr := netip.ParseAddr(host)
		n, portErr := strconv.ParseUint(service, 10, 16)
		if ipErr != nil || portErr != nil {
			return nil, usageError{fmt.Errorf("%s %q is not an IP address and a port, like 127.0.0.1:%d or [::]:%d", flag, text, port, port)}
		}
		a := netip.AddrPortFrom(ip, uint16(n))
		if len(out) > 0 && a.Port() != out[0].Port() {
			return nil, usageError{fmt.Errorf("%s: %v and %v differ in their ports; an endpoint has one", flag, out[0], a)}
		}
		out = append(out, a)
	}
	return out, nil
}

func join(addrs []netip.AddrPort) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}
