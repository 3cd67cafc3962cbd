package runner

import "fmt"

// noteTraces notes whether the gateway passes traces on to the upstream. It is a fact about the run, and changes no verdict: the contract
// does not ask for it.
func (r *runner) noteTraces() {
	run, err := r.journal.run()
	if err != nil {
		return // closing the log reports it
	}
	passed, calls := 0, 0
	for _, c := range run.Cases {
		if c.Observation == nil {
			continue
		}
		if ok, known := c.Observation.PassedOn(); known {
			calls++
			if ok {
				passed++
			}
		}
	}
	if calls > 0 {
		r.journal.note("%s", tracesPassed(passed, calls))
	}
}

// tracesPassed says of how many calls the upstream was called in their trace.
func tracesPassed(passed, calls int) string {
	switch passed {
	case calls:
		return "The gateway propagates traces: every upstream request carried the caller's traceparent"
	case 0:
		return "The gateway does not propagate traces: no upstream request carried the caller's traceparent"
	default:
		return fmt.Sprintf("The gateway propagates some traces: %d of %d upstream requests carried the caller's traceparent", passed, calls)
	}
}
