package main

import (
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/librserpool/librserpool/core/rserpool"
)

func newPools(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pools",
		Short: "List the pools that a registrar knows",
		Example: `  rserpool pools
  rserpool pools --registrar 192.0.2.1:3863 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.waiting(cmd)
			defer cancel()
			pools, err := rserpool.Pools(ctx, g.options())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), viewPools(pools))
			}
			return printPools(cmd.OutOrStdout(), pools)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newPEs(g *global) *cobra.Command {
	var asJSON, asHex bool
	cmd := &cobra.Command{
		Use:   "pes POOL",
		Short: "List the elements of a pool that a registrar knows",
		Example: `  rserpool pes echo
  rserpool pes echo --registrar 192.0.2.1:3863 --json
  rserpool pes --hex 6563686f00ff`,
		Args: onePool,
		RunE: func(cmd *cobra.Command, args []string) error {
			pool, err := handle(args[0], asHex)
			if err != nil {
				return err
			}
			ctx, cancel := g.waiting(cmd)
			defer cancel()
			pools, err := rserpool.Pools(ctx, g.options())
			if err != nil {
				return err
			}
			for _, p := range pools {
				if p.Handle == pool {
					return printElements(cmd.OutOrStdout(), p.Elements, asJSON)
				}
			}
			return fmt.Errorf("%w %q: 'rserpool pools' lists those that the registrar knows", rserpool.ErrUnknownPool, pool)
		},
	}
	jsonFlag(cmd, &asJSON)
	hexFlag(cmd, &asHex)
	return cmd
}

func newResolve(g *global) *cobra.Command {
	var asJSON, asHex bool
	cmd := &cobra.Command{
		Use:   "resolve POOL",
		Short: "Ask a registrar for a pool as a pool user does",
		Long: `Ask a registrar for a pool as a pool user does. The elements come in the order
in which the pool's policy wants them to be used; of a large pool only some.`,
		Example: `  rserpool resolve echo
  rserpool resolve echo --registrar 192.0.2.1:3863 --json`,
		Args: onePool,
		RunE: func(cmd *cobra.Command, args []string) error {
			pool, err := handle(args[0], asHex)
			if err != nil {
				return err
			}
			ctx, cancel := g.waiting(cmd)
			defer cancel()
			elements, err := rserpool.Resolve(ctx, pool, g.options())
			if err != nil {
				return err
			}
			return printElements(cmd.OutOrStdout(), elements, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
	hexFlag(cmd, &asHex)
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  rserpool version",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), versionLine)
			return err
		},
	}
}

const versionLine = "rserpool " + rserpool.Version + "\n"

// handle is the pool that an argument names. One with a NUL byte can be no
// argument, and one that is no text is hard to type.
func handle(arg string, asHex bool) (string, error) {
	if !asHex {
		return arg, nil
	}
	b, err := hex.DecodeString(arg)
	if err != nil {
		return "", usageError{fmt.Errorf("--hex %q: these are no pairs of hexadecimal digits, as in pool_hex of 'rserpool pools --json'", arg)}
	}
	return string(b), nil
}

func hexFlag(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "hex", false, "the pool is given in hexadecimal digits, as pool_hex of 'pools --json' has it")
}

func jsonFlag(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "json", false, "print JSON")
}
