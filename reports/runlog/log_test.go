package runlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestALogReadsBackAsWritten(t *testing.T) {
	want := whole()
	got, err := runlog.Read(bytes.NewReader(write(t, want)))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, write(t, want), write(t, got))
}

func TestWriterWritesAWholeLineAtOnce(t *testing.T) {
	var lines lineWriter
	w := runlog.NewWriter(&lines)
	require.NoError(t, w.Header(header()))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			c := passing(1)[0]
			c.ID = fmt.Sprint(c.ID, "/", i)
			c.Reason = "two\nlines"
			assert.NoError(t, w.Case(c))
			assert.NoError(t, w.Control(runlog.Control{Surface: dialect.Chat}))
		})
	}
	wg.Wait()
	require.NoError(t, w.Footer(runlog.Footer{Verdict: contract.Pass}))
	require.Len(t, lines, 102)
	for _, line := range lines {
		assert.Equal(t, 1, strings.Count(line, "\n"))
		assert.True(t, strings.HasSuffix(line, "\n"))
		assert.True(t, json.Valid([]byte(line)))
	}
}

func TestARevisedCaseReplacesTheEarlierOne(t *testing.T) {
	var log bytes.Buffer
	w := runlog.NewWriter(&log)
	require.NoError(t, w.Header(header()))
	cases := passing(2)
	require.NoError(t, errors.Join(w.Case(cases[0]), w.Case(cases[1])))
	revised := cases[0]
	revised.Verdict, revised.Revised = contract.Warn, "the upstream was called later"
	require.NoError(t, w.Case(revised))
	run, err := runlog.Read(&log)
	require.NoError(t, err)
	require.Len(t, run.Cases, 2)
	assert.Equal(t, contract.Warn, run.Cases[0].Verdict)
	assert.Equal(t, contract.Pass, run.Cases[1].Verdict)
}

func TestWriterRefuses(t *testing.T) {
	c := passing(1)[0]
	tests := map[string]func(w *runlog.Writer) error{
		"a case before the header": func(w *runlog.Writer) error { return w.Case(c) },
		"a second header": func(w *runlog.Writer) error {
			return errors.Join(must(w.Header(runlog.Header{})), w.Header(runlog.Header{}))
		},
		"the same case twice": func(w *runlog.Writer) error {
			return errors.Join(must(w.Header(runlog.Header{})), must(w.Case(c)), w.Case(c))
		},
		"a revision of a case that is not there": func(w *runlog.Writer) error {
			revised := c
			revised.Revised = "late"
			return errors.Join(must(w.Header(runlog.Header{})), w.Case(revised))
		},
		"a case after the footer": func(w *runlog.Writer) error {
			return errors.Join(must(w.Header(runlog.Header{})), must(w.Footer(runlog.Footer{})), w.Case(c))
		},
		"a second footer": func(w *runlog.Writer) error {
			return errors.Join(must(w.Header(runlog.Header{})), must(w.Footer(runlog.Footer{})), w.Footer(runlog.Footer{}))
		},
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			assert.ErrorIs(t, act(runlog.NewWriter(&bytes.Buffer{})), runlog.ErrSequence)
		})
	}
}

func TestWriterStopsAfterAFailedWrite(t *testing.T) {
	full := &fullDisk{room: 1}
	w := runlog.NewWriter(full)
	require.NoError(t, w.Header(runlog.Header{}))
	assert.ErrorIs(t, w.Control(runlog.Control{}), errBroken)
	full.room = 9
	assert.ErrorIs(t, w.Control(runlog.Control{}), errBroken, "a line may be torn: nothing may follow it")
}

type lineWriter []string

func (l *lineWriter) Write(p []byte) (int, error) {
	*l = append(*l, string(p))
	return len(p), nil
}

// fullDisk takes so many writes and fails the others.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room--; d.room < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestALogKeepsItsSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("../../docs/schema/run.schema.json")
	require.NoError(t, err)
	for _, run := range []runlog.Run{whole(), torn()} {
		for line := range bytes.Lines(write(t, run)) {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(value))
		}
	}
	assert.Error(t, schema.Validate(map[string]any{"type": "remark"}))
}
