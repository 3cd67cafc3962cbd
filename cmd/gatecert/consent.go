package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/gatecert/gatecert/targets"
)

// consent decides about changes to a running gateway: --yes agrees, on a terminal somebody is asked, and else nobody has
// agreed. What was agreed to is shown.
func (c *console) consent(yes bool) func([]targets.Change) bool {
	return func(changes []targets.Change) bool {
		if !yes && c.in == nil {
			return false // the error lists the changes
		}
		fmt.Fprintln(c.err, "this run changes the gateway:")
		for _, change := range changes {
			fmt.Fprintln(c.err, "  "+change.String())
		}
		if yes {
			return true
		}
		fmt.Fprint(c.err, "agree? [y/N] ")
		answer, err := bufio.NewReader(c.in).ReadString('\n')
		return err == nil && strings.EqualFold(strings.TrimSpace(answer), "y")
	}
}
