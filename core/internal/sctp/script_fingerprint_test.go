package sctp_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

// fingerprint sums up everything an engine remembers except its counters:
// equal before and after means that a packet changed nothing (SCTP-7-08). It
// follows pointers, so it sees association state and timers alike.
func fingerprint(ep *sctp.Endpoint) string {
	var b strings.Builder
	f := fingerprinter{seen: map[visit]int{}, write: func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }}
	f.walk(reflect.ValueOf(ep))
	return b.String()
}

// changed tells where two fingerprints part, or nothing.
func changed(before, after string) string {
	if before == after {
		return ""
	}
	n := 0
	for n < min(len(before), len(after)) && before[n] == after[n] {
		n++
	}
	around := func(s string) string { return s[max(0, n-60):min(len(s), n+40)] }
	return fmt.Sprintf("...%q became ...%q", around(before), around(after))
}

type visit struct {
	ptr uintptr
	typ reflect.Type
}

type fingerprinter struct {
	seen  map[visit]int
	write func(format string, args ...any)
}

// forgettable are types that remember nothing about a peer: counts, rates, random
// bytes and free buffers in stock, the (empty) queue of answers to strangers.
func forgettable(t reflect.Type) bool {
	return slices.Contains([]string{"Counters", "random", "bucket", "buffers"}, t.Name()) ||
		strings.HasPrefix(t.Name(), "freeList[") || strings.Contains(t.Name(), "strayPacket")
}

func (f *fingerprinter) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			f.write("nil;")
			return
		}
		key := visit{v.Pointer(), v.Type()}
		if n, ok := f.seen[key]; ok {
			f.write("seen %d;", n)
			return
		}
		f.seen[key] = len(f.seen)
		f.walk(v.Elem())
	case reflect.Struct:
		if forgettable(v.Type()) {
			return
		}
		for i := range v.NumField() {
			f.write("%s:", v.Type().Field(i).Name)
			f.walk(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			f.write("[%x]", v.Bytes())
			return
		}
		f.write("[%d]", v.Len())
		for i := range v.Len() {
			f.walk(v.Index(i))
		}
	case reflect.Map:
		f.walkMap(v)
	case reflect.Bool:
		f.write("%v;", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.write("%d;", v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		f.write("%d;", v.Uint())
	case reflect.Float32, reflect.Float64:
		f.write("%g;", v.Float())
	case reflect.String:
		f.write("%q;", v.String())
	}
	// Functions and interfaces (random source, keys' hashes) hold no state of
	// an association.
}

// walkMap visits the entries in the order of their keys.
func (f *fingerprinter) walkMap(v reflect.Value) {
	type entry struct {
		key   string
		value reflect.Value
	}
	var entries []entry
	for it := v.MapRange(); it.Next(); {
		var b strings.Builder
		k := fingerprinter{seen: map[visit]int{}, write: func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }}
		k.walk(it.Key())
		entries = append(entries, entry{b.String(), it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	f.write("{%d", len(entries))
	for _, e := range entries {
		f.write("%s=", e.key)
		f.walk(e.value)
	}
	f.write("}")
}
