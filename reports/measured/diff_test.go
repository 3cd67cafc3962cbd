package measured

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/runlog"
)

func windowsOf(n int, p99 time.Duration, failed uint64) []runlog.MeasuredWindow {
	var list []runlog.MeasuredWindow
	for i := range n {
		list = append(list, runlog.MeasuredWindow{
			Start: time.Duration(i) * time.Second, Length: time.Second, P50: time.Millisecond, P99: p99 + time.Duration(i%3)*time.Millisecond, Tokens: 100,
			Counts: map[runlog.Outcome]uint64{runlog.Admitted: 100 - failed, runlog.Error5xx: failed},
		})
	}
	return list
}

func TestDiff(t *testing.T) {
	run := func(lower, upper float64, windows []runlog.MeasuredWindow) runlog.Measured {
		return runlog.Measured{
			MeasuredHeader: runlog.MeasuredHeader{Kind: runlog.CapacityKind, Target: runlog.TargetInfo{Name: "my|gateway"}}, Windows: windows,
			Footer: &runlog.MeasuredFooter{Result: "found", Rate: lower, Capacity: &runlog.FoundCapacity{Lower: lower, Upper: upper}},
		}
	}
	d := NewDiff(run(100, 110, windowsOf(20, 10*time.Millisecond, 0)), run(80, 90, windowsOf(20, 30*time.Millisecond, 5)))
	results := map[string]ChangeResult{}
	for _, c := range d.Changes {
		results[c.Name] = c.Result
	}
	assert.Equal(t, map[string]ChangeResult{
		"capacity": Worse, "p50 service time": Undecided, "p99 service time": Worse, "errors": Worse, "tokens/s": Undecided,
	}, results)
	assert.Equal(t, []string{"different rate of the main measurement: 100/s before, 80/s now"}, d.Notes)
	assert.Equal(t, []float64{-30, -10}, []float64{d.Changes[0].Low, d.Changes[0].High})
	var out bytes.Buffer
	require.NoError(t, d.Terminal(&out))
	assert.Contains(t, out.String(), " capacity          100/s  80/s   -30/s … -10/s")
	assert.Contains(t, out.String(), "5 quantities compared: 3 worse, 0 better, 2 without a clear difference.")
	out.Reset()
	require.NoError(t, d.Markdown(&out))
	assert.Contains(t, out.String(), `my\|gateway`)
	out.Reset()
	require.NoError(t, d.JSON(&out))
	assert.Contains(t, out.String(), `"result": "worse"`)

	overlapping := NewDiff(run(100, 110, nil), run(105, 0, nil))
	require.Len(t, overlapping.Changes, 1)
	assert.Equal(t, Undecided, overlapping.Changes[0].Result)
	assert.Contains(t, overlapping.Changes[0].cells()[3], "∞")
	assert.Empty(t, NewDiff(runlog.Measured{}, runlog.Measured{}).Changes)
}
