package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/librserpool/librserpool/core/rserpool"
)

// poolView and elementView are the JSON of pools and elements.
type poolView struct {
	Pool     string        `json:"pool"`
	Policy   string        `json:"policy"`
	Elements []elementView `json:"elements"`
}

type elementView struct {
	ID        string   `json:"id"`
	Registrar string   `json:"registrar"`
	Policy    string   `json:"policy"`
	Life      int32    `json:"life"` // seconds; -1: for ever
	Transport string   `json:"transport"`
	Addrs     []string `json:"addrs"`
}

func viewPools(pools []rserpool.Pool) []poolView {
	out := make([]poolView, len(pools))
	for i, p := range pools {
		out[i] = poolView{p.Handle, p.Policy.String(), viewElements(p.Elements)}
	}
	return out
}

func viewElements(elements []rserpool.Element) []elementView {
	out := make([]elementView, len(elements))
	for i, e := range elements {
		v := elementView{
			ID: e.ID.String(), Registrar: e.Home.String(), Policy: policyText(e.Policy),
			Life: e.Life, Transport: e.Transport.String(), Addrs: []string{},
		}
		for _, a := range e.Addrs {
			v.Addrs = append(v.Addrs, a.String())
		}
		out[i] = v
	}
	return out
}

// policyText is the policy with the values that its type uses.
func policyText(p rserpool.Policy) string {
	percent := func(load uint32) string { return fmt.Sprintf("%.1f%%", float64(load)/0xffffffff*100) }
	switch p.Type {
	case rserpool.WeightedRoundRobin, rserpool.WeightedRandom:
		return fmt.Sprintf("%v weight %d", p.Type, p.Weight)
	case rserpool.Priority:
		return fmt.Sprintf("%v priority %d", p.Type, p.Priority)
	case rserpool.LeastUsed, rserpool.RandomizedLeastUsed:
		return fmt.Sprintf("%v load %s", p.Type, percent(p.Load))
	case rserpool.LeastUsedWithDegradation, rserpool.PriorityLeastUsed:
		return fmt.Sprintf("%v load %s degradation %s", p.Type, percent(p.Load), percent(p.Degradation))
	}
	return p.Type.String()
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printPools(w io.Writer, pools []rserpool.Pool) error {
	if len(pools) == 0 {
		_, err := fmt.Fprintln(w, "no pools")
		return err
	}
	rows := [][]string{{"POOL", "POLICY", "ELEMENTS"}}
	for _, p := range pools {
		rows = append(rows, []string{printable(p.Handle), p.Policy.String(), fmt.Sprint(len(p.Elements))})
	}
	return printTable(w, rows)
}

func printElements(w io.Writer, elements []rserpool.Element, asJSON bool) error {
	views := viewElements(elements)
	if asJSON {
		return printJSON(w, views)
	}
	rows := [][]string{{"ELEMENT", "AT", "POLICY", "REGISTRAR", "LIFE"}}
	for _, e := range views {
		life := fmt.Sprintf("%d s", e.Life)
		if e.Life < 0 {
			life = "for ever"
		}
		rows = append(rows, []string{e.ID, e.Transport + " " + strings.Join(e.Addrs, " "), e.Policy, e.Registrar, life})
	}
	return printTable(w, rows)
}

func printTable(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

// printable is a pool handle for a terminal: it may hold any byte.
func printable(handle string) string {
	quoted := fmt.Sprintf("%q", handle)
	if quoted == `"`+handle+`"` && !strings.Contains(handle, " ") {
		return handle
	}
	return quoted
}
