//go:build !race

// A hall is made by one goroutine; the race detector makes its tests six times as slow.

package hall_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/hall"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/reference"
)

const absent = "code:model_not_found/absent-model/chat"

// today is the day on which the tests make halls, and ran when the runs end unless a test says otherwise.
var (
	today = time.Date(2026, 6, 1, 15, 4, 5, 0, time.UTC)
	ran   = time.Date(2026, 5, 20, 3, 2, 1, 0, time.UTC)
)

var auditor = certificate.Auditor{OfferOf: targets.OfferOf}

// record plays a gateway that has chat alone, at level edge, once for all tests.
var record = sync.OnceValues(func() (runlog.Run, error) {
	run, err := play(contract.Edge)
	run.Target.Profile = surfacesOf.ReplaceAllString(run.Target.Profile, "surfaces:\n- chat\n")
	return run, err
})

var surfacesOf = regexp.MustCompile(`(?m)^surfaces:\n(?:- .*\n)+`)

func play(level contract.Level, rows ...string) (runlog.Run, error) {
	c, err := gatecert.New(gatecert.Config{Driver: reference.Driver{}, Level: level, Surfaces: []string{"chat"}, Rows: rows})
	if err != nil {
		return runlog.Run{}, err
	}
	run, err := c.Run(context.Background())
	if err == nil && !run.Complete() {
		err = errors.New(run.Incomplete())
	}
	return run, err
}

// entry is the log of a run that was changed.
type entry struct {
	name, version string
	ended         time.Time // the zero value: ran
	change        func(*runlog.Run)
}

// bytes writes the log anew, with counts that fit: the work of whoever has the log.
func (e entry) bytes(t *testing.T) []byte {
	t.Helper()
	run, err := record()
	require.NoError(t, err)
	return e.of(t, run)
}

func (e entry) of(t *testing.T, run runlog.Run) []byte {
	t.Helper()
	run.Cases, run.Expected = slices.Clone(run.Cases), slices.Clone(run.Expected)
	ended := e.ended
	if ended.IsZero() {
		ended = ran
	}
	run.Started = ended.Add(-time.Minute)
	if e.name != "" || e.version != "" {
		named(t, &run, e.name, e.version)
	}
	footer := *run.Footer
	footer.Ended = ended
	run.Footer = &footer
	if e.change != nil {
		e.change(&run)
	}
	var out bytes.Buffer
	w := runlog.NewWriter(&out)
	require.NoError(t, w.Header(run.Header))
	for _, c := range run.Controls {
		require.NoError(t, w.Control(c))
	}
	for _, c := range run.Cases {
		require.NoError(t, w.Case(c))
	}
	if run.Footer != nil {
		concluded := runlog.Conclude(run.Header, run.Cases, run.Footer.Ended)
		concluded.Notes = run.Footer.Notes
		require.NoError(t, w.Footer(concluded))
	}
	return out.Bytes()
}

// named gives a run the log of another gateway's.
func named(t *testing.T, run *runlog.Run, name, version string) {
	t.Helper()
	quoted, err := json.Marshal(name) // which is YAML too
	require.NoError(t, err)
	require.Contains(t, run.Target.Profile, "name: "+run.Target.Name+"\n")
	run.Target.Profile = strings.Replace(run.Target.Profile, "name: "+run.Target.Name+"\n", "name: "+string(quoted)+"\n", 1)
	run.Target.Name, run.Target.Version = name, version
}

// failing makes a case fail as a gateway would that answers 503.
func failing(run *runlog.Run) {
	c := &run.Cases[slices.IndexFunc(run.Cases, func(c runlog.Case) bool { return c.ID == absent })]
	o := *c.Observation
	o.Status = 503
	c.Observation = &o
	known, _ := contract.ParseCase(absent)
	judgement := contract.Judge(known, o)
	c.Findings, c.Aspects = judgement.Findings, judgement.Aspects()
	c.Verdict = contract.VerdictOf(c.Findings)
}

// folder is a folder of logs.
func folder(t *testing.T, logs map[string]entry) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for name, e := range logs {
		data := e.bytes(t)
		if strings.HasSuffix(name, ".gz") {
			data = packed(t, data)
		}
		out[name] = &fstest.MapFile{Data: data, Mode: 0o600}
	}
	return out
}

func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func options() hall.Options { return hall.Options{Auditor: auditor, Today: today} }

// two is a hall of two gateways, the first with two versions, and of a log that is not listed.
func two(t *testing.T) fstest.MapFS {
	t.Helper()
	logs := folder(t, map[string]entry{
		"mine/run.ndjson":      {name: "mine", version: "1.9.0", ended: ran.AddDate(0, 0, -9)},
		"mine-new.ndjson.gz":   {name: "mine", version: "1.10.0", change: failing},
		"theirs.ndjson":        {name: "Their Gateway", version: "abc1234"},
		"archive/cut.ndjson":   {name: "cut", change: func(run *runlog.Run) { run.Footer = nil }},
		".hidden/other.ndjson": {name: "hidden"},
	})
	logs["notes.txt"] = &fstest.MapFile{Data: []byte("not a log")}
	return logs
}

// read makes a hall.
func read(t *testing.T, logs fs.FS, o hall.Options) hall.Hall {
	t.Helper()
	h, err := hall.Read(t.Context(), logs, o)
	require.NoError(t, err)
	return h
}

// site writes a hall into a new folder, and returns its files.
func site(t *testing.T, h hall.Hall) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "site")
	require.NoError(t, h.Write(t.Context(), dir))
	return files(t, dir)
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		found[path.Clean(name)] = string(data)
		return err
	}))
	return found
}
