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

func nearest(cmd *cobra.Command, verb string) []string {
	cmd.SuggestionsMinimumDistance = 2
	near := cmd.SuggestionsFor(verb)
	for i, n := range near {
		near[i] = "'" + n + "'"
	}
	return near
}
