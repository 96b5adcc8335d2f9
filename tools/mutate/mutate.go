package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// mutate makes the faults that are wanted, tries them and reports.
func mutate(ctx context.Context, o options, w io.Writer) error {
	may, err := readAccepted(o.accepted)
	if err != nil {
		return err
	}
	packages, err := list(ctx, o.packages...)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	suites, err := suitesOf(ctx, packages, o, scratch)
	if err != nil {
		return err
	}
	faults, err := faultsOf(packages)
	if err != nil {
		return err
	}
	made := sample(faults, o)
	r := report{w: w, accepted: may}
	for i, result := range tryAll(ctx, made, suites, o.jobs, scratch) {
		got := <-result
		if got.err != nil {
			return got.err
		}
		r.add(made[i], got.outcome)
	}
	r.end(len(made) == len(faults))
	return nil
}

// A listed package is what the go command says of it.
type listed struct {
	ImportPath, Dir           string
	GoFiles                   []string
	TestGoFiles, XTestGoFiles []string
}

func list(ctx context.Context, patterns ...string) (packages []listed, err error) {
	args := append([]string{"list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles"}, patterns...)
	cmd := exec.CommandContext(ctx, "go", args...)
	out, err := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for d := json.NewDecoder(out); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return packages, cmd.Wait()
}

// suitesOf returns which tests are run against the faults of each package, and
// makes sure that they pass without.
func suitesOf(ctx context.Context, packages []listed, o options, scratch string) (map[string][]*suite, error) {
	suites := map[string][]*suite{}
	var also []*suite
	if o.also != "" {
		others, err := list(ctx, o.also)
		if err != nil {
			return nil, err
		}
		for _, p := range others {
			also = append(also, newSuite(p, o.alsoTests, o.short))
		}
	}
	all := slices.Clone(also)
	for _, p := range packages {
		var own []*suite
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			own = []*suite{newSuite(p, o.tests, o.short)}
		}
		all = append(all, own...)
		if suites[p.ImportPath] = append(own, also...); len(suites[p.ImportPath]) == 0 {
			return nil, fmt.Errorf("%s has no tests; -also names a package that has some for it", p.ImportPath)
		}
	}
	for _, s := range all {
		if err := s.measure(ctx, o.times, scratch); err != nil {
			return nil, err
		}
	}
	return suites, nil
}

func newSuite(p listed, tests string, short bool) *suite {
	s := &suite{pkg: p.ImportPath, dir: p.Dir}
	if tests != "" {
		s.flags = append(s.flags, "-test.run", tests)
	}
	if short {
		s.flags = append(s.flags, "-test.short")
	}
	return s
}

// faultsOf makes the faults of all files.
func faultsOf(packages []listed) (faults []*fault, err error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for _, p := range packages {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			shown, err := filepath.Rel(here, path)
			if err != nil {
				return nil, err
			}
			found, err := faultsIn(filepath.ToSlash(shown), string(text))
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				f.pkg, f.path = p.ImportPath, path
			}
			faults = append(faults, found...)
		}
	}
	return faults, nil
}

// sample draws as many faults as are wanted and keeps their order.
func sample(faults []*fault, o options) []*fault {
	if o.sample <= 0 || o.sample >= len(faults) {
		return faults
	}
	drawn := rand.New(rand.NewPCG(o.seed, 0)).Perm(len(faults))[:o.sample]
	slices.Sort(drawn)
	made := make([]*fault, len(drawn))
	for i, n := range drawn {
		made[i] = faults[n]
	}
	return made
}

type result struct {
	outcome outcome
	err     error
}

// tryAll tries the faults, some at once, and returns where the result of each
// arrives.
func tryAll(ctx context.Context, faults []*fault, suites map[string][]*suite, jobs int, scratch string) []chan result {
	results := make([]chan result, len(faults))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range faults {
			select {
			case next <- i:
			case <-ctx.Done():
				results[i] <- result{err: ctx.Err()}
			}
		}
	}()
	for job := range jobs {
		dir := filepath.Join(scratch, fmt.Sprint(job))
		err := os.Mkdir(dir, 0o700)
		go func() {
			for i := range next {
				var got result
				if got.err = err; err == nil {
					got.outcome, got.err = try(ctx, faults[i], suites[faults[i].pkg], dir)
				}
				results[i] <- got
			}
		}()
	}
	return results
}
