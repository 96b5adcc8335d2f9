package main

import (
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
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pes POOL",
		Short: "List the elements of a pool that a registrar knows",
		Example: `  rserpool pes echo
  rserpool pes echo --registrar 192.0.2.1:3863 --json`,
		Args: onePool,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := g.waiting(cmd)
			defer cancel()
			pools, err := rserpool.Pools(ctx, g.options())
			if err != nil {
				return err
			}
			for _, p := range pools {
				if p.Handle == args[0] {
					return printElements(cmd.OutOrStdout(), p.Elements, asJSON)
				}
			}
			return fmt.Errorf("%w %q: 'rserpool pools' lists those that the registrar knows", rserpool.ErrUnknownPool, args[0])
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newResolve(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "resolve POOL",
		Short: "Ask a registrar for a pool as a pool user does",
		Long: `Ask a registrar for a pool as a pool user does. The elements come in the order
in which the pool's policy wants them to be used; of a large pool only some.`,
		Example: `  rserpool resolve echo
  rserpool resolve echo --registrar 192.0.2.1:3863 --json`,
		Args: onePool,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := g.waiting(cmd)
			defer cancel()
			elements, err := rserpool.Resolve(ctx, args[0], g.options())
			if err != nil {
				return err
			}
			return printElements(cmd.OutOrStdout(), elements, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  rserpool version",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "rserpool %s\n", rserpool.Version)
			return err
		},
	}
}

func jsonFlag(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "json", false, "print JSON")
}
