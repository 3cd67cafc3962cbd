package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/steps"
)

// calledLate is why the outcome of a case is revised.
const calledLate = "the upstream received the case's call after the case had ended"

// reviseLate judges the cases again whose call reached the upstream after they had ended.
func (r *runner) reviseLate(ctx context.Context) {
	late, err := r.session.LateCalls(ctx)
	if err != nil {
		r.journal.note("it is unknown whether refused calls reached the upstream later: %v", err)
		return
	}
	if len(late) == 0 {
		return
	}
	run, err := r.journal.run()
	if err != nil {
		return // closing the log reports it
	}
	for _, id := range slices.Sorted(maps.Keys(late)) {
		before, known := run.Case(id)
		c, err := contract.ParseCase(id)
		if !known || err != nil {
			continue
		}
		seen := late[id]
		if after, changed := steps.Revise(c, before, seen); changed {
			after.Revised = calledLate
			r.journal.wrote(r.journal.log.Case(r.job.Baseline.Excused(after)))
		}
	}
}
