package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// What the programs print or log, as far as the story depends on it.
var (
	readyLine      = regexp.MustCompile(`registrar (0x[0-9a-f]+) listening on .*?(127\.0\.0\.1:\d+)`)
	registeredLine = regexp.MustCompile(`msg=registered .*\bpe=(0x[0-9a-f]+) .*\bat="?\[([^ \]]+)`)
	servedLine     = regexp.MustCompile(`msg="session is served" .*\bpe=(0x[0-9a-f]+)`)
)

// run is the story.
func (d *demo) run() error {
	fmt.Fprintln(d.out, "One registrar, three pool elements, one pool user; the echo programs of the slides, in C.")
	steps := []func() error{
		d.startRegistrar,
		d.startElement, d.startElement, d.startElement,
		d.startUser,
		func() error { return d.askSome(10) },
		d.killServing,
		func() error { return d.askSome(10) },
		d.registrarDies,
		func() error { return d.askSome(10) },
		d.registrarReturns,
		d.killServing,
		func() error { return d.askSome(10) },
		d.startElement,
		d.killServing,
		func() error { return d.askSome(10) },
		d.finish,
		d.registrarEnds,
		d.elementsEnd,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	d.summary()
	return nil
}

func (d *demo) registrarDies() error {
	d.say("kill -9 %d: the registrar", d.registrar.Pid())
	d.registrar.Kill()
	return nil
}

// registrarReturns starts the registrar again; it knows nothing, so the
// elements that live have to register anew by themselves.
func (d *demo) registrarReturns() error {
	marks := make([]int, len(d.elements))
	for i, e := range d.elements {
		marks[i] = e.Mark()
	}
	since := time.Now()
	if err := d.startRegistrar(); err != nil {
		return err
	}
	for i, e := range d.elements {
		if err := d.registered(e, marks[i]); err != nil {
			return err
		}
	}
	d.say("its %d elements have registered again by themselves, %s after its start", len(d.elements), ms(time.Since(since)))
	return nil
}

func (d *demo) registrarEnds() error {
	if err := d.registrar.Stop(patience); err != nil {
		return fmt.Errorf("the registrar after SIGTERM: %w", err)
	}
	return nil
}

func (d *demo) elementsEnd() error {
	for _, e := range d.elements {
		e.Kill()
	}
	return nil
}

func (d *demo) summary() {
	var f []string
	for _, t := range d.failovers {
		f = append(f, ms(t))
	}
	fmt.Fprintf(d.out, "\n%d lines, %d answers, none lost, none doubled; median %s.\n", d.asked, len(d.times), ms(median(d.times)))
	fmt.Fprintf(d.out, "%d failovers, from the line typed to its answer: %s.\n", len(f), strings.Join(f, ", "))
	fmt.Fprintf(d.out, "The registrar was killed and restarted once. Everything took %.1f s.\n", time.Since(d.start).Seconds())
}
