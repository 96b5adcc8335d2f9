// Command conformance keeps the tables that say which requirements of the RFCs
// hold, and which tests show it: docs/reports/conformance.md and
// docs/reports/conformance-sctp.md. The requirements and what is claimed about them
// stand in docs/conformance/*.tsv; the tests are found by the ids they carry in
// their names and comments.
//
//	go run ./tools/conformance          write both tables
//	go run ./tools/conformance -check   write nothing, only look
//
// Either way it ends with status 1 and one line per problem when code cites an
// id that no table has, when a binding requirement of an area that claims to be
// complete is open or holds without a test, when a table's data are malformed, or (-check)
// when a written table is not what would be written now.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail when a table is out of date")
	root := flag.String("root", ".", "the project's top directory")
	flag.Parse()
	problems, err := run(*root, *check)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// run reads the data, scans the sources below root and writes the tables, or
// with check compares them with the written ones.
func run(root string, check bool) (problems []string, err error) {
	data, err := load(root)
	if err != nil {
		return nil, err
	}
	found, all, err := scan(root, data)
	if err != nil {
		return nil, err
	}
	data.attach(found, all)
	problems = append(data.malformed(), data.unknown(found)...)
	problems = append(problems, data.untested()...)
	for _, book := range data.books {
		old, err := publish(root, book, data, check)
		if err != nil {
			return nil, err
		}
		if old {
			problems = append(problems, book.page+" is out of date: run go run ./tools/conformance")
		}
	}
	return problems, nil
}
