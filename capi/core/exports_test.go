package main

import (
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// exported is what C calls. Here stands for tools that look for code nobody calls
// that somebody calls these.
var exported = []any{
	rspgo_abandon, rspgo_about, rspgo_accept, rspgo_addresses, rspgo_bind, rspgo_bindx, rspgo_close_session,
	rspgo_find, rspgo_finish, rspgo_getopt, rspgo_headers, rspgo_init, rspgo_join, rspgo_last_error, rspgo_leave, rspgo_listen,
	rspgo_name, rspgo_quit, rspgo_recv, rspgo_room, rspgo_send, rspgo_send_batch, rspgo_send_cookie, rspgo_set_log,
	rspgo_setload, rspgo_setopt, rspgo_socket, rspgo_start, rspgo_step, rspgo_wait,
}

// TestExportsAreKnown: the header declares the exported functions, no more and no
// fewer.
func TestExportsAreKnown(t *testing.T) {
	text, err := os.ReadFile("abi.h")
	if err != nil {
		t.Fatal(err)
	}
	var declared, known []string
	for _, m := range regexp.MustCompile(`\tF\(\w+, (rspgo_\w+),`).FindAllStringSubmatch(string(text), -1) {
		declared = append(declared, m[1])
	}
	for _, f := range exported {
		name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
		known = append(known, name[strings.LastIndexByte(name, '.')+1:])
	}
	slices.Sort(declared)
	slices.Sort(known)
	if !slices.Equal(declared, known) {
		t.Errorf("abi.h declares %v, the list here has %v", declared, known)
	}
}
