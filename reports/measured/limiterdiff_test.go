package measured

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestDiffOfInferredLimits(t *testing.T) {
	window := func(limit int, window, off time.Duration) runlog.FoundLimiter {
		return runlog.FoundLimiter{
			Kind: "sliding-log", Limit: limit, Window: window, LimitRange: &runlog.Range{From: float64(limit), To: float64(limit)},
			WindowRange: &runlog.Range{From: float64(window - off), To: float64(window + off)},
		}
	}
	bucket := func(burst int, refill float64) runlog.FoundLimiter {
		return runlog.FoundLimiter{Kind: "token-bucket", Limit: burst, Refill: refill, Window: time.Second, RefillRange: &runlog.Range{From: refill - 0.1, To: refill + 0.1}}
	}
	for name, c := range map[string]struct {
		old, new runlog.FoundLimiter
		want     map[string]ChangeResult
		note     string
	}{
		"the same":       {window(20, 2*time.Second, time.Millisecond), window(20, 2*time.Second, time.Millisecond), map[string]ChangeResult{"limit": Undecided, "window": Undecided}, ""},
		"fewer calls":    {window(20, 2*time.Second, time.Millisecond), window(19, 2*time.Second, time.Millisecond), map[string]ChangeResult{"limit": Worse, "window": Undecided}, ""},
		"a longer time":  {window(20, 2*time.Second, time.Millisecond), window(20, 3*time.Second, time.Millisecond), map[string]ChangeResult{"limit": Undecided, "window": Worse}, ""},
		"within ranges":  {window(20, 2*time.Second, 30*time.Millisecond), window(20, 2050*time.Millisecond, 30*time.Millisecond), map[string]ChangeResult{"limit": Undecided, "window": Undecided}, ""},
		"a faster fill":  {bucket(5, 10), bucket(5, 12), map[string]ChangeResult{"limit": Undecided, "refill": Better}, ""},
		"another kind":   {bucket(5, 10), window(5, time.Second, 0), map[string]ChangeResult{}, "the kind of limiter changed from token-bucket to sliding-log"},
		"nothing before": {runlog.FoundLimiter{Kind: "none"}, runlog.FoundLimiter{Kind: "none"}, map[string]ChangeResult{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(l runlog.FoundLimiter) runlog.Measured {
				return runlog.Measured{MeasuredHeader: runlog.MeasuredHeader{Kind: runlog.RateLimitKind}, Footer: &runlog.MeasuredFooter{Verdict: contract.Pass, Limiter: &l}}
			}
			d := NewDiff(run(c.old), run(c.new))
			got := map[string]ChangeResult{}
			for _, change := range d.Changes {
				got[change.Name] = change.Result
			}
			assert.Equal(t, c.want, got)
			if c.note != "" {
				assert.Contains(t, d.Notes, c.note)
			} else {
				assert.Empty(t, d.Notes)
			}
			unclear := run(c.new)
			unclear.Footer.Verdict = contract.Error
			assert.Contains(t, NewDiff(run(c.old), unclear).Notes, "the new limit is unclear, so the two limits cannot be compared")
		})
	}
}
