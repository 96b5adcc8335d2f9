package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/librserpool/librserpool/core/rserpool"
)

// poolView and elementView are the JSON of pools and elements.
type poolView struct {
	Pool     string        `json:"pool,omitempty"` // only if it is UTF-8, which JSON has to be
	PoolHex  string        `json:"pool_hex"`       // for --hex
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
		v := poolView{PoolHex: hex.EncodeToString([]byte(p.Handle)), Policy: p.Policy.String(), Elements: viewElements(p.Elements)}
		if utf8.ValidString(p.Handle) {
			v.Pool = p.Handle
		}
		out[i] = v
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

// widest is the cell that a column is made wide for: a longer one moves what
// follows in its own row only.
const widest = 40

func printTable(w io.Writer, rows [][]string) error {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			if n := utf8.RuneCountInString(cell); n <= widest {
				width[i] = max(width[i], n)
			}
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, cell := range r {
			if i == len(r)-1 {
				fmt.Fprintln(&b, cell)
			} else {
				fmt.Fprintf(&b, "%-*s  ", width[i], cell)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable is a pool handle for a terminal: it may hold any byte.
func printable(handle string) string {
	quoted := fmt.Sprintf("%q", handle)
	if quoted == `"`+handle+`"` && !strings.Contains(handle, " ") {
		return handle
	}
	return quoted
}
