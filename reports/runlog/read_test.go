package runlog_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestReadRefuses(t *testing.T) {
	lines := strings.SplitAfter(strings.TrimSuffix(string(write(t, torn())), "\n"), "\n")
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
		{"a file that is not a log", "<html>\n", runlog.ErrNoHeader, ""},
		{"a log of an older gatecert", strings.Replace(head, runlog.Schema, "gatecert.run/1", 1), runlog.ErrSchema,
			`the format of the log is not supported: the log has the format "gatecert.run/1" and was written by "gatecert 0.1.0", but this version of gatecert reads only "gatecert.run/2". Render the log with the gatecert version that wrote it, or run again`},
		{"a log of a newer gatecert", strings.Replace(head, runlog.Schema, "gatecert.run/9", 1), runlog.ErrSchema, `"gatecert.run/9"`},
		{"a second header", head + head, runlog.ErrMalformed, "line 2"},
		{"broken JSON before the last line", head + first[:50] + "\n" + second, runlog.ErrMalformed, "line 2"},
		{"broken JSON in a last line that has its newline", head + first[:50] + "\n", runlog.ErrMalformed, "line 2"},
		{"an empty line", head + "\n" + first, runlog.ErrMalformed, "line 2"},
		{"the same case twice", head + control + first + first, runlog.ErrMalformed, "line 4: case"},
		{"a revision of a case that is not there", head + strings.Replace(first, `"verdict"`, `"revised":"late","verdict"`, 1), runlog.ErrMalformed, "is marked as revised, but the log has no earlier result for it"},
		{"a case after the footer", head + first + footer + second, runlog.ErrMalformed, "line 4: a \"case\" event follows the footer"},
		{"anything torn after the footer", head + first + footer + "{", runlog.ErrMalformed, "line 4"},
		{"an unknown event", head + `{"type":"remark"}` + "\n", runlog.ErrMalformed, `unknown event type "remark"`},
		{"a verdict that is none", head + strings.Replace(first, `"verdict":"pass"`, `"verdict":"fine"`, 1), runlog.ErrMalformed, `"fine" is not a verdict`},
		{"a case without a verdict", head + `{"type":"case","id":"a"}` + "\n", runlog.ErrMalformed, "has no verdict"},
		{"a case without an id", head + `{"type":"case","verdict":"pass"}` + "\n", runlog.ErrMalformed, "has no ID"},
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
	log := write(t, whole())
	lines := bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n"))
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
		assert.Equal(t, "the log ends in an incomplete line and has no footer", run.Incomplete())
	})
	t.Run("a line of megabytes is an event like any other", func(t *testing.T) {
		run := whole()
		run.Cases[3].Observation.Body = contract.Bytes(strings.Repeat("x", 5<<20))
		got, err := runlog.Read(bytes.NewReader(write(t, run)))
		require.NoError(t, err)
		assert.Len(t, got.Cases[3].Observation.Body, 5<<20)
	})
	t.Run("a case cut out of the log shows", func(t *testing.T) {
		cut := append(append([][]byte{}, lines[:5]...), lines[6:]...)
		run, err := runlog.Read(bytes.NewReader(bytes.Join(cut, []byte("\n"))))
		require.NoError(t, err)
		assert.Equal(t, "1 of 32 expected cases never ran; the footer's counts do not match the cases in the log", run.Incomplete())
	})
	t.Run("a reader that fails is reported", func(t *testing.T) {
		_, err := runlog.Read(brokenReader{})
		assert.ErrorIs(t, err, errBroken)
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

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
	})
}

func TestOnlyTheHeaderIsRead(t *testing.T) {
	header, _, _ := strings.Cut(string(write(t, whole())), "\n")
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"a log", header + "\n{}\n", nil},
		{"no log", "hello\n", runlog.ErrNoHeader},
		{"nothing", "", runlog.ErrNoHeader},
		{"another format", strings.Replace(header, "gatecert.run/2", "gatecert.run/1", 1), runlog.ErrSchema},
		{"a header without an end", header[:len(header)-1] + `,"x":"` + strings.Repeat("x", 5<<20), runlog.ErrNoHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.ErrorIs(t, runlog.CheckHeader(strings.NewReader(tt.text)), tt.want)
		})
	}
}
