package reports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// write makes the log of a run.
func write(t *testing.T, run runlog.Run) []byte {
	t.Helper()
	var log bytes.Buffer
	w := runlog.NewWriter(&log)
	require.NoError(t, w.Header(run.Header))
	for _, c := range run.Controls {
		require.NoError(t, w.Control(c))
	}
	for _, c := range run.Cases {
		require.NoError(t, w.Case(c))
	}
	if run.Footer != nil {
		require.NoError(t, w.Footer(*run.Footer))
	}
	return log.Bytes()
}

func TestLogReadsBackAsWritten(t *testing.T) {
	for _, name := range []string{"good", "failing"} {
		t.Run(name, func(t *testing.T) {
			want := runs()[name]
			got, err := runlog.Read(bytes.NewReader(write(t, want)))
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Equal(t, write(t, want), write(t, got))
		})
	}
}

func TestWriterWritesAWholeLineAtOnce(t *testing.T) {
	var lines lineWriter
	w := runlog.NewWriter(&lines)
	require.NoError(t, w.Header(header(contract.Edge)))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			c := result(contract.Rows()[0], dialect.Chat)
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

func TestWriterRefuses(t *testing.T) {
	c := result(contract.Rows()[0], dialect.Chat)
	tests := map[string]func(w *runlog.Writer) error{
		"a case before the header": func(w *runlog.Writer) error { return w.Case(c) },
		"a second header": func(w *runlog.Writer) error {
			return errors.Join(must(w.Header(runlog.Header{})), w.Header(runlog.Header{}))
		},
		"the same case twice": func(w *runlog.Writer) error {
			return errors.Join(must(w.Header(runlog.Header{})), must(w.Case(c)), w.Case(c))
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

func TestReadRefuses(t *testing.T) {
	lines := strings.SplitAfter(strings.TrimSuffix(string(write(t, incompleteRun())), "\n"), "\n")
	head, control, first, second := lines[0], lines[1], lines[2], lines[3]+"\n"
	footer := `{"type":"footer","verdict":"pass","counts":{"pass":1},"executed":1}` + "\n"
	tests := []struct {
		name string
		log  string
		want error
		says string
	}{
		{"an empty file", "", runlog.ErrNoHeader, ""},
		{"a file that begins with a case", first, runlog.ErrNoHeader, `begins with a "case"`},
		{"a header torn by a crash", head[:40], runlog.ErrNoHeader, ""},
		{"a file that is no log", "<html>\n", runlog.ErrNoHeader, ""},
		{"a log of another schema", strings.Replace(head, runlog.Schema, "gatecert.run/9", 1), runlog.ErrSchema, "gatecert.run/9"},
		{"a second header", head + head, runlog.ErrMalformed, "line 2"},
		{"broken JSON before the last line", head + first[:50] + "\n" + second, runlog.ErrMalformed, "line 2"},
		{"broken JSON in a last line that has its newline", head + first[:50] + "\n", runlog.ErrMalformed, "line 2"},
		{"an empty line", head + "\n" + first, runlog.ErrMalformed, "line 2"},
		{"the same case twice", head + control + first + first, runlog.ErrMalformed, "line 4: case"},
		{"a case after the footer", head + first + footer + second, runlog.ErrMalformed, "line 4: a \"case\" event after the footer"},
		{"anything torn after the footer", head + first + footer + "{", runlog.ErrMalformed, "line 4"},
		{"an unknown event", head + `{"type":"remark"}` + "\n", runlog.ErrMalformed, `unknown event type "remark"`},
		{"a verdict that is none", head + strings.Replace(first, `"verdict":"pass"`, `"verdict":"fine"`, 1), runlog.ErrMalformed, `"fine" is not a verdict`},
		{"a case without a verdict", head + `{"type":"case","id":"a"}` + "\n", runlog.ErrMalformed, "has no verdict"},
		{"a case without an id", head + `{"type":"case","verdict":"pass"}` + "\n", runlog.ErrMalformed, "without an id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run, err := runlog.Read(strings.NewReader(tt.log))
			require.ErrorIs(t, err, tt.want)
			assert.Contains(t, err.Error(), tt.says)
			assert.Zero(t, run)
		})
	}
}

func TestReadTakesWhatACrashLeft(t *testing.T) {
	log := write(t, goodRun())
	whole := bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n"))
	t.Run("a last line without its newline is whole", func(t *testing.T) {
		run, err := runlog.Read(bytes.NewReader(bytes.TrimSuffix(log, []byte("\n"))))
		require.NoError(t, err)
		assert.False(t, run.Torn)
		assert.True(t, run.Complete())
	})
	t.Run("a torn footer leaves the cases and no success", func(t *testing.T) {
		run, err := runlog.Read(bytes.NewReader(log[:len(log)-30]))
		require.NoError(t, err)
		assert.True(t, run.Torn)
		assert.Len(t, run.Cases, 32)
		assert.Equal(t, contract.Error, run.Verdict())
		assert.Equal(t, "the log ends in a torn line and has no footer", run.Incomplete())
	})
	t.Run("a line of megabytes is an event like any other", func(t *testing.T) {
		run := goodRun()
		run.Cases[3].Observation.Body = contract.Bytes(strings.Repeat("x", 5<<20))
		got, err := runlog.Read(bytes.NewReader(write(t, run)))
		require.NoError(t, err)
		assert.Len(t, got.Cases[3].Observation.Body, 5<<20)
	})
	t.Run("a case cut out of the log shows", func(t *testing.T) {
		cut := append(append([][]byte{}, whole[:5]...), whole[6:]...)
		run, err := runlog.Read(bytes.NewReader(bytes.Join(cut, []byte("\n"))))
		require.NoError(t, err)
		assert.Equal(t, "1 of 32 expected cases never ran; the footer's counts do not match the cases in the log", run.Incomplete())
	})
	t.Run("a reader that fails is reported", func(t *testing.T) {
		_, err := runlog.Read(brokenReader{})
		assert.ErrorIs(t, err, errBroken)
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte(`{"type":"header","schema":"gatecert.run/2"}` + "\n" + `{"type":"case","id":"a/b/c","verdict":"pass"}` + "\n" + `{"type":"fo`))
	f.Add([]byte(`{"type":"header","schema":"gatecert.run/2","expected":["x"]}` + "\n" + `{"type":"footer","verdict":"pass"}`))
	f.Fuzz(func(t *testing.T, log []byte) {
		run, err := runlog.Read(bytes.NewReader(log))
		if err != nil {
			return
		}
		if run.Verdict() != contract.Error && (run.Footer == nil || run.Executed() == 0) {
			t.Fatalf("verdict %s from nothing", run.Verdict())
		}
		for _, f := range reports.Formats() {
			if err := f.Render(&bytes.Buffer{}, run); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	})
}

// must turns the error of a step that has to work into one that no test expects.
func must(err error) error {
	if err != nil {
		return fmt.Errorf("unexpected: %w", err)
	}
	return nil
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

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }
