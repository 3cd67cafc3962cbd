package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/gatecert/gatecert/targets"
)

// consent decides about changes to a running gateway. --yes agrees. Without it the user is asked on a terminal, and nobody
// agrees elsewhere; the error then lists the changes. Otherwise they are printed here.
func (c *console) consent(yes bool) func([]targets.Change) bool {
	return func(changes []targets.Change) bool {
		if !yes && c.in == nil {
			return false
		}
		fmt.Fprintln(c.err, "this run changes the gateway:")
		for _, change := range changes {
			fmt.Fprintln(c.err, "  "+change.String())
		}
		if yes {
			return true
		}
		fmt.Fprint(c.err, "continue? [y/N] ")
		answer, err := bufio.NewReader(c.in).ReadString('\n')
		return err == nil && strings.EqualFold(strings.TrimSpace(answer), "y")
	}
}
