package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// unknownVerb names the verbs that are nearest to what was typed.
func unknownVerb(cmd *cobra.Command, verb string) error {
	text := fmt.Sprintf("there is no command %q", verb)
	if near := nearest(cmd, verb); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{fmt.Errorf("%s", text)}
}

// newHelp is cobra's, which does not fail for what there is not.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) == 0 {
				return about.Help()
			}
			return unknownVerb(cmd.Root(), strings.Join(args, " "))
		},
	}
}

func nearest(cmd *cobra.Command, verb string) []string {
	cmd.SuggestionsMinimumDistance = 2
	near := cmd.SuggestionsFor(verb)
	for i, n := range near {
		near[i] = "'" + n + "'"
	}
	return near
}
