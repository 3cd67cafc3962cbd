package runlog_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func measuredLog(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	w := runlog.NewMeasuredWriter(&out)
	require.ErrorIs(t, w.Point(runlog.Point{}), runlog.ErrSequence, "the header comes first")
	require.NoError(t, w.Header(runlog.MeasuredHeader{RunID: "r", Kind: runlog.SoakKind, Started: time.Unix(0, 0).UTC()}))
	require.ErrorIs(t, w.Header(runlog.MeasuredHeader{}), runlog.ErrSequence)
	require.NoError(t, w.Point(runlog.Point{Rate: 10}))
	require.NoError(t, w.Window(runlog.MeasuredWindow{Length: time.Second}))
	require.NoError(t, w.Metric(runlog.Metric{Metric: "ttft", Outcome: runlog.Admitted, Bars: []runlog.Bar{{5, 1}}}))
	require.NoError(t, w.Metric(runlog.Metric{Metric: "ttft", Outcome: runlog.Admitted, Count: 4, Mean: 7, Bars: []runlog.Bar{{5, 2}, {9, 2}}}))
	require.NoError(t, w.Metric(runlog.Metric{Metric: "ttft", Outcome: runlog.Admitted, Request: "other", Count: 1, Mean: 9, Bars: []runlog.Bar{{9, 1}}}))
	require.NoError(t, w.Footer(runlog.MeasuredFooter{Verdict: contract.Pass, Result: "done"}))
	require.ErrorIs(t, w.Point(runlog.Point{}), runlog.ErrSequence, "the footer comes last")
	return out.String()
}

func TestReadMeasured(t *testing.T) {
	log := measuredLog(t)
	m, err := runlog.ReadMeasured(strings.NewReader(log))
	require.NoError(t, err)
	assert.Len(t, m.Points, 1)
	assert.Len(t, m.Windows, 1)
	assert.Len(t, m.Metrics, 2, "a later distribution replaces the earlier one")
	assert.True(t, m.Complete())
	assert.Equal(t, contract.Pass, m.Verdict())
	all, ok := m.Metric("ttft")
	require.True(t, ok)
	assert.Equal(t, []runlog.Bar{{5, 2}, {9, 3}}, all.Bars, "of all requests")
	assert.Equal(t, []float64{5, 9, 9}, []float64{all.Quantile(0.4), all.Quantile(0.5), all.Quantile(1)})
	assert.InDelta(t, 37.0/5, all.Mean, 1e-9)
	_, ok = m.Metric("itl")
	assert.False(t, ok)
	schema, err := runlog.SchemaOf(strings.NewReader(log))
	require.NoError(t, err)
	assert.Equal(t, runlog.MeasuredSchema, schema)
	_, err = runlog.Read(strings.NewReader(log))
	assert.ErrorIs(t, err, runlog.ErrSchema, "it is not the log of a run")
}

func TestReadMeasuredThatWasKilled(t *testing.T) {
	lines := strings.SplitAfter(measuredLog(t), "\n")
	m, err := runlog.ReadMeasured(strings.NewReader(strings.Join(lines[:3], "") + `{"type":"metr`))
	require.NoError(t, err)
	assert.True(t, m.Torn)
	assert.False(t, m.Complete())
	assert.Equal(t, contract.Error, m.Verdict())
}

func TestReadMeasuredOfAStranger(t *testing.T) {
	head, _, _ := strings.Cut(measuredLog(t), "\n")
	head += "\n"
	for sentence, row := range map[string]struct {
		log  string
		want error
	}{
		"nothing":                    {"", runlog.ErrNoHeader},
		"not JSON":                   {"hello\n", runlog.ErrNoHeader},
		"no header":                  {`{"type":"point"}` + "\n", runlog.ErrNoHeader},
		"the log of a run":           {`{"type":"header","schema":"gatecert.run/2"}` + "\n", runlog.ErrSchema},
		"a second header":            {head + head, runlog.ErrMalformed},
		"an unknown event":           {head + `{"type":"case"}` + "\n", runlog.ErrMalformed},
		"bars that descend":          {head + `{"type":"metric","bars":[[5,1],[4,1]]}` + "\n", runlog.ErrMalformed},
		"a negative count":           {head + `{"type":"metric","bars":[[5,-1]]}` + "\n", runlog.ErrMalformed},
		"a count beyond all":         {head + `{"type":"metric","bars":[[5,9000000000000000000]]}` + "\n", runlog.ErrMalformed},
		"a bar of three":             {head + `{"type":"metric","bars":[[5,"x"]]}` + "\n", runlog.ErrMalformed},
		"a number that is too large": {head + `{"type":"point","rate":1e999}` + "\n", runlog.ErrMalformed},
		"broken JSON in the middle":  {head + "{\n" + head, runlog.ErrMalformed},
		"an event after the footer":  {measuredLog(t) + `{"type":"point"}` + "\n", runlog.ErrMalformed},
		"a line without an end":      {head + `{"type":"point","part":"` + strings.Repeat("x", 5<<20), runlog.ErrMalformed},
		"nested without an end":      {head + `{"type":"point","misses":` + strings.Repeat("[", 1000) + "\n", runlog.ErrMalformed},
		"values without an end":      {head + `{"type":"metric","bars":[` + strings.Repeat("[1,1],", 300_000) + "\n", runlog.ErrMalformed},
		"answers without an end":     {head + `{"type":"experiment","answers":[` + strings.Repeat("{},", 20_000) + "{}]}\n", runlog.ErrMalformed},
		"experiments without an end": {head + strings.Repeat(`{"type":"experiment"}`+"\n", 101), runlog.ErrMalformed},
		"points without an end":      {head + strings.Repeat(`{"type":"point"}`+"\n", 2001), runlog.ErrMalformed},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := runlog.ReadMeasured(strings.NewReader(row.log))
			assert.ErrorIs(t, err, row.want)
		})
	}
}

// FuzzReadMeasured: whatever comes, reading ends, and what was read can be summed up.
func FuzzReadMeasured(f *testing.F) {
	f.Add(measuredLog(f))
	f.Fuzz(func(_ *testing.T, log string) {
		m, err := runlog.ReadMeasured(strings.NewReader(log))
		if err == nil {
			_, _ = m.Metric("ttft")
			_ = m.Verdict()
		}
	})
}
