package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/clients/behaviour"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/clientlog"
)

// explainClients says what the recorded versions of client libraries do with a row on the reference gateway, and what they would do with
// the statuses that the contract names for it.
func explainClients(c *console, row contract.Row) error {
	recorded, err := behaviour.Recorded()
	if err != nil {
		return err
	}
	type group struct {
		did     clientlog.Did
		clients []string
	}
	var groups []group
	for _, b := range recorded {
		for _, k := range contract.Cases() {
			did, played := b.Lines[k.ID()]
			if !played || k.Row != row.ID {
				continue
			}
			name := b.Client + " " + b.Version
			if k.Surface.Streaming() {
				name += " (stream)"
			}
			i := slices.IndexFunc(groups, func(g group) bool { return g.did == did })
			if i < 0 {
				i = len(groups)
				groups = append(groups, group{did: did})
			}
			if !slices.Contains(groups[i].clients, name) {
				groups[i].clients = append(groups[i].clients, name)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	fmt.Fprintln(c.out, "\nclient behaviour, as recorded on the reference gateway (one mark per request: ● received an error, ○ succeeded, × received no complete response)")
	for _, g := range groups {
		text := indented(strings.Join(g.clients, ", ")+": "+g.did.Sentence, 8, c.width)
		fmt.Fprintf(c.out, "  %-5s %s\n", g.did.Marks, strings.TrimSpace(text))
	}
	explainStatuses(c, row, recorded)
	return nil
}

// explainStatuses says how many clients send a request again that gets one of the statuses which the contract names for a row.
func explainStatuses(c *console, row contract.Row, recorded []clientlog.Behaviour) {
	words := map[string][]string{}
	var order []string
	for _, status := range clientlog.ProbedStatuses() {
		if !row.Status.Accepts(status) && !slices.Contains(row.Named(), status) {
			continue
		}
		again, of := 0, 0
		for _, b := range recorded {
			for name, did := range b.Lines {
				if strings.HasPrefix(name, clientlog.ProbeLine(clientlog.StatusProbe(status))) {
					of++
					if did.Marks != "●" {
						again++
					}
				}
			}
		}
		if of == 0 {
			continue
		}
		word := fmt.Sprintf("%d of %d clients retry", again, of)
		if again == 0 {
			word = "no client retries"
		}
		if words[word] == nil {
			order = append(order, word)
		}
		words[word] = append(words[word], strconv.Itoa(status))
	}
	for _, word := range order {
		fmt.Fprintf(c.out, "  with %s: %s\n", strings.Join(words[word], ", "), word)
	}
}
