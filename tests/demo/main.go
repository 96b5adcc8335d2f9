// Demo runs the main job of the library with real processes, visibly: one
// registrar, three pool elements and one pool user, the last two being the C
// programs of the slides. Elements and the registrar are killed in between.
// It fails, and says why, unless every line is answered exactly once.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	bin := flag.String("bin", "build/bin", "directory of the programs")
	flag.Parse()
	d := &demo{bin: *bin, start: time.Now(), out: os.Stdout}
	err := d.run()
	d.stopAll()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo FAILED: %v\n", err)
		d.dump(os.Stderr)
		os.Exit(1)
	}
}

func (d *demo) path(program string) string {
	p, err := filepath.Abs(filepath.Join(d.bin, program))
	if err != nil {
		return program
	}
	return p
}
