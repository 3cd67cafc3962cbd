package measured

import (
	"cmp"

	"github.com/gatecert/gatecert/reports/runlog"
)

// compareLimiters compares two inferred limits of one kind. Of others it only notes what they are.
func (d *Diff) compareLimiters(old, new runlog.Measured) { //nolint:predeclared // the words of the command
	a, b := limiter(old), limiter(new)
	for _, m := range []struct {
		word string
		runlog.Measured
	}{{"old", old}, {"new", new}} {
		if limiter(m.Measured) == nil || !isClear(m.Measured) {
			d.Notes = append(d.Notes, "the "+m.word+" limit is unclear, so the two limits cannot be compared")
			return
		}
	}
	if a.Kind != b.Kind {
		d.Notes = append(d.Notes, "the kind of limiter changed from "+name(a.Kind)+" to "+name(b.Kind))
		return
	}
	add := func(what, unit string, old, new float64, oldRange, newRange *runlog.Range, more bool) {
		if old <= 0 || new <= 0 {
			return
		}
		x, y := *cmp.Or(oldRange, &runlog.Range{From: old, To: old}), *cmp.Or(newRange, &runlog.Range{From: new, To: new})
		c := Change{Name: what, Unit: unit, Old: old, New: new, Low: y.From - x.To, High: y.To - x.From, Result: Undecided}
		if c.Low > 0 || c.High < 0 {
			c.Result = map[bool]ChangeResult{true: Better, false: Worse}[more == (c.Low > 0)]
		}
		d.Changes = append(d.Changes, c)
	}
	add("limit", "calls", float64(a.Limit), float64(b.Limit), a.LimitRange, b.LimitRange, true)
	if a.Refill > 0 || b.Refill > 0 {
		add("refill", "tokens/s", a.Refill, b.Refill, a.RefillRange, b.RefillRange, true)
		return
	}
	add("window", runlog.UnitTime, float64(a.Window), float64(b.Window), a.WindowRange, b.WindowRange, false)
}
