package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/librserpool/librserpool/core/rserpool"
)

// global are the flags that every command has.
type global struct {
	registrars []string
	transport  string
	compat     string
	announce   string
	timeout    time.Duration
}

func newRoot() *cobra.Command {
	g := &global{}
	root := &cobra.Command{
		Use:   "rserpool",
		Short: "Reliable Server Pooling: run a registrar, ask it what it knows",
		Long: `Reliable Server Pooling (RFC 5351 to 5356): servers join a named pool, clients
talk to the pool, registrars keep the list.`,
		Example: `  rserpool registrar                     run a registrar on this host
  rserpool pools                         which pools are there?
  rserpool pes echo                      which elements does the pool "echo" have?
  rserpool resolve echo                  what a pool user is told about "echo"`,
		Version:       rserpool.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		// Without Args and RunE cobra would print the help for an unknown verb.
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetVersionTemplate(versionLine)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringSliceVar(&g.registrars, "registrar", nil, "address `host:port` of a registrar to ask; may be repeated (RSERPOOL_REGISTRARS)")
	flags.StringVar(&g.transport, "transport", "", "SCTP by auto, kernel or userland (RSERPOOL_TRANSPORT)")
	flags.StringVar(&g.compat, "compat", "", "rsplib where RSPLIB takes part (RSERPOOL_COMPAT)")
	flags.StringVar(&g.announce, "announce", "",
		"multicast `group`, like 224.0.1.185 or 224.0.1.185:3863@eth0, at which registrars announce themselves (RSERPOOL_ANNOUNCE)")
	flags.DurationVar(&g.timeout, "timeout", 10*time.Second, "how long to wait for an answer")
	root.AddCommand(newRegistrar(g), newPools(g), newPEs(g), newResolve(g), newVersion())
	root.SetHelpCommand(newHelp())
	return root
}

// options are those of a command that asks something: it tells how it is now.
func (g *global) options() *rserpool.Options {
	return &rserpool.Options{
		Registrars: g.registrars, Transport: g.transport, Compat: g.compat, Announce: g.announce, WaitForPool: new(time.Duration(0)),
	}
}

// waiting returns the context of a command that asks something.
func (g *global) waiting(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return context.WithTimeout(cmd.Context(), g.timeout)
}

// onePool: the one argument is the name of a pool.
func onePool(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && args[0] == "" {
		return asUsage(fmt.Errorf("%s: the name of the pool is empty, which no pool's is; 'rserpool pools' lists them", cmd.CommandPath()))
	}
	if len(args) == 1 {
		return nil
	}
	return asUsage(fmt.Errorf("%s needs one argument, the name of a pool, but got %d", cmd.CommandPath(), len(args)))
}

func noArgs(cmd *cobra.Command, args []string) error { return asUsage(cobra.NoArgs(cmd, args)) }

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}
