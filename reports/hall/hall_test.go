//go:build !race

// A hall is made by one goroutine; the race detector makes its tests six times as slow.

package hall_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/hall"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestTheNewestVersionOfEachGatewayIsListed(t *testing.T) {
	h := read(t, two(t), options())
	require.Len(t, h.Gateways, 2)
	mine, theirs := h.Gateways[0], h.Gateways[1]
	assert.Equal(t, []string{"mine", "Their Gateway"}, []string{mine.Name, theirs.Name})
	assert.Equal(t, "mine", mine.Slug)
	assert.Regexp(t, `^their-gateway_[0-9a-f]{16}$`, theirs.Slug)
	assert.Len(t, mine.Runs, 2)
	assert.Equal(t, "1.10.0", mine.Current.Run.Target.Version)
	assert.Equal(t, "edge", h.Scope)
	require.Len(t, h.Refused, 1)
	assert.Equal(t, hall.Refusal{Path: "archive/cut.ndjson", Kind: hall.Incomplete, Reason: "the log has no footer"}, h.Refused[0])
	assert.Equal(t, "2 gateways are listed at level edge; 1 log is not listed", h.Sentence())
}

func TestWhichVersionIsTheNewest(t *testing.T) {
	day := func(n int) time.Time { return ran.AddDate(0, 0, n) }
	for _, tt := range []struct {
		name string
		runs []entry
		want string
	}{
		{"numbers are compared as numbers", []entry{{version: "1.10.0", ended: day(0)}, {version: "1.9.0", ended: day(1)}}, "1.10.0"},
		{"a v before them does not count", []entry{{version: "v1.2", ended: day(0)}, {version: "1.1.9", ended: day(1)}}, "v1.2"},
		{"commits by their first run", []entry{{version: "aaa", ended: day(0)}, {version: "bbb", ended: day(1)}, {version: "aaa", ended: day(2)}}, "bbb"},
		{"a commit among numbers", []entry{{version: "1.10", ended: day(0)}, {version: "main", ended: day(1)}}, "main"},
		{"without a version, the newest run", []entry{{ended: day(0)}, {ended: day(1)}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := make(map[string]entry)
			for i, e := range tt.runs {
				e.name = "gateway"
				logs[fmt.Sprintf("%d.ndjson", i)] = e
			}
			h := read(t, folder(t, logs), options())
			require.Len(t, h.Gateways, 1)
			current := h.Gateways[0].Current
			assert.Equal(t, tt.want, current.Run.Target.Version)
			for _, e := range h.Gateways[0].Runs {
				if e.Run.Target.Version == tt.want {
					assert.Equal(t, e.Digest, current.Digest, "its newest run")
					break
				}
			}
		})
	}
}

// TestRefusals has a log for each kind of refusal, next to one that is listed, and a neighbour of it that is listed.
func TestRefusals(t *testing.T) {
	selected, err := play(contract.Edge, "http:404")
	require.NoError(t, err)
	part, err := play(contract.Edge) // of a gateway that offers 17 endpoints
	require.NoError(t, err)
	for _, tt := range []struct {
		kind      hall.Kind
		reason    string
		log       func(t *testing.T) []byte
		neighbour entry
	}{
		{hall.Unreadable, "the log begins with", raw(`{"type":"case"}`), entry{}},
		{hall.Unreadable, "the format of the log is not supported", raw(`{"type":"header","schema":"gatecert.load/1"}`), entry{}},
		{hall.Incomplete, "the log has no footer", entry{change: func(r *runlog.Run) { r.Footer = nil }}.bytes, entry{}},
		{hall.Incomplete, "never ran", entry{change: func(r *runlog.Run) { r.Cases = r.Cases[:3] }}.bytes, entry{}},
		{hall.OtherContract, "repeat the run with this version of gatecert", entry{change: func(r *runlog.Run) { r.ContractDigest = "sha256:00" }}.bytes, entry{}},
		{hall.Unverified, "the verdict computed from its observation is", entry{change: func(r *runlog.Run) {
			failing(r)
			for i := range r.Cases {
				if r.Cases[i].ID == absent {
					r.Cases[i].Verdict = contract.Pass
				}
			}
		}}.bytes, entry{change: failing}},
		{hall.Unnamed, "does not name its gateway", entry{name: " ", version: "1"}.bytes, entry{name: "x", version: "1"}},
		{hall.Partial, "only selected rows: http:404", func(t *testing.T) []byte { return entry{}.of(t, selected) }, entry{}},
		{hall.Partial, "the run did not test 16 endpoints that could be tested with this profile: chat-stream, ", func(t *testing.T) []byte { return entry{}.of(t, part) }, entry{}},
		{hall.Future, "the run ended on 2026-06-03, which is in the future: today is 2026-06-01", entry{ended: today.AddDate(0, 0, 2)}.bytes, entry{ended: today.AddDate(0, 0, 1)}},
		{hall.Expired, "91 days ago: runs are listed for only 90 days", entry{ended: today.AddDate(0, 0, -91)}.bytes, entry{ended: today.AddDate(0, 0, -90)}},
	} {
		t.Run(string(tt.kind)+": "+tt.reason, func(t *testing.T) {
			logs := folder(t, map[string]entry{"good.ndjson": {name: "good", version: "2"}, "neighbour.ndjson": named2(tt.neighbour)})
			logs["bad.ndjson"] = &fstest.MapFile{Data: tt.log(t), Mode: 0o600}
			h := read(t, logs, options())
			assert.Len(t, h.Gateways, 2, "the neighbour is listed")
			require.Len(t, h.Refused, 1)
			assert.Equal(t, tt.kind, h.Refused[0].Kind, h.Refused[0].Reason)
			assert.Equal(t, "bad.ndjson", h.Refused[0].Path)
			assert.Contains(t, h.Refused[0].Reason, tt.reason)
			assert.Contains(t, site(t, h)["index.html"], "<td><bdi>bad.ndjson</bdi></td><td>"+string(tt.kind)+"</td>")
		})
	}
}

// named2 gives a neighbour a name that it lacks.
func named2(e entry) entry {
	if e.name == "" {
		e.name, e.version = "neighbour", "1"
	}
	return e
}

func raw(text string) func(*testing.T) []byte {
	return func(*testing.T) []byte { return []byte(text + "\n") }
}

func TestTheSameLogTwiceIsOne(t *testing.T) {
	logs := folder(t, map[string]entry{"a.ndjson": {name: "a"}, "b.ndjson.gz": {name: "a"}, "c.ndjson": {name: "a", version: "2"}})
	h := read(t, logs, options())
	require.Len(t, h.Refused, 1)
	assert.Equal(t, hall.Refusal{Path: "b.ndjson.gz", Kind: hall.Duplicate, Reason: "this log is the same as a.ndjson"}, h.Refused[0])
}

// TestAFolderOfARunHasOneLog: the journal of a driver and the messages of a run lie next to its log.
func TestAFolderOfARunHasOneLog(t *testing.T) {
	logs := folder(t, map[string]entry{"a/run.ndjson": {name: "a"}, "b/run.ndjson.gz": {name: "b"}, "c.ndjson": {name: "c"}})
	for _, name := range []string{"a/cleanup.ndjson", "a/messages.ndjson", "b/other.ndjson.gz"} {
		logs[name] = &fstest.MapFile{Data: []byte("{}\n")}
	}
	h := read(t, logs, options())
	assert.Len(t, h.Gateways, 3)
	assert.Empty(t, h.Refused)
}

func TestOneLevelIsListed(t *testing.T) {
	logs := folder(t, map[string]entry{"a.ndjson": {name: "a"}, "b.ndjson": {name: "b"}})
	data := entry{name: "c", change: func(r *runlog.Run) { atRelay(r) }}.bytes(t)
	logs["c.ndjson"] = &fstest.MapFile{Data: data}
	h := read(t, logs, options())
	assert.Equal(t, "edge", h.Scope, "most gateways have it")
	require.Len(t, h.Refused, 1)
	assert.Equal(t, hall.OtherLevel, h.Refused[0].Kind, h.Refused[0].Reason)
	assert.Equal(t, "the run is at level relay, but this hall lists only level edge", h.Refused[0].Reason)
	o := options()
	o.Scope = "relay"
	h = read(t, logs, o)
	assert.Len(t, h.Refused, 2)
	require.Len(t, h.Gateways, 1)
	assert.Equal(t, "c", h.Gateways[0].Name)
}

func TestScopes(t *testing.T) {
	assert.Equal(t, []string{"edge", "relay", "account", "store", "full without load cases", "full"}, hall.Scopes())
	logs := fstest.MapFS{}
	for name, without := range map[string]bool{"a": false, "b": true, "c": true} {
		data := entry{name: name, change: func(r *runlog.Run) {
			r.Selection.Level, r.Selection.WithoutLoad = contract.Full, without
			withAll(r)
		}}.bytes(t)
		logs[name+".ndjson"] = &fstest.MapFile{Data: data}
	}
	h := read(t, logs, options())
	assert.Equal(t, "full without load cases", h.Scope)
	require.Len(t, h.Refused, 1)
	assert.Equal(t, "the run is at level full, but this hall lists only level full without load cases", h.Refused[0].Reason)
}

func TestNothingToList(t *testing.T) {
	for name, logs := range map[string]fstest.MapFS{
		"an empty folder": {"readme.md": {Data: []byte("x")}},
		"only old logs":   folder(t, map[string]entry{"old.ndjson": {ended: today.AddDate(-1, 0, 0)}}),
	} {
		t.Run(name, func(t *testing.T) {
			h, err := hall.Read(t.Context(), logs, options())
			require.ErrorIs(t, err, hall.ErrNothingListed)
			assert.Empty(t, h.Gateways)
		})
	}
}

func TestCertificates(t *testing.T) {
	private, public, err := certificate.NewKey()
	require.NoError(t, err)
	_, otherPublic, err := certificate.NewKey()
	require.NoError(t, err)
	key := func(pem []byte) certificate.Key {
		k, err := certificate.ParseKey(pem)
		require.NoError(t, err)
		return k
	}
	logs := folder(t, map[string]entry{"signed/run.ndjson": {name: "signed"}, "unsigned/run.ndjson": {name: "unsigned"}})
	cert, _, err := auditor.Issue(t.Context(), logs["signed/run.ndjson"].Data, key(private))
	require.NoError(t, err)
	logs["signed/"+certificate.ReportFile] = &fstest.MapFile{Data: cert.Report}
	logs["signed/"+certificate.EnvelopeFile] = &fstest.MapFile{Data: cert.Envelope}
	read := func(t *testing.T, o hall.Options) (listed string, refused []hall.Refusal) {
		h, err := hall.Read(t.Context(), logs, o)
		if err != nil {
			require.ErrorIs(t, err, hall.ErrNothingListed)
		}
		for _, g := range h.Gateways {
			listed += g.Name + " "
			for name, content := range site(t, h) {
				if strings.HasSuffix(name, certificate.EnvelopeFile) {
					assert.Equal(t, string(cert.Envelope), content)
					listed += "with its certificate "
				}
			}
		}
		return strings.TrimSpace(listed), h.Refused
	}
	id, err := key(public).KeyID()
	require.NoError(t, err)

	o := options()
	listed, refused := read(t, o)
	assert.Equal(t, "unsigned", listed, "without a key no certificate is verified")
	assert.Contains(t, refused[0].Reason, "there is no key to verify it")
	o.Keys = []certificate.Key{key(otherPublic)}
	listed, refused = read(t, o)
	assert.Equal(t, "unsigned", listed)
	assert.Equal(t, hall.Unverified, refused[0].Kind)
	assert.Contains(t, refused[0].Reason, "was not signed with this key")
	o.Keys = append(o.Keys, key(public))
	listed, refused = read(t, o)
	assert.Equal(t, "signed with its certificate unsigned with its certificate", listed)
	assert.Empty(t, refused)
	o.Signed = true
	listed, refused = read(t, o)
	assert.Equal(t, "signed with its certificate", listed)
	assert.Equal(t, hall.Refusal{Path: "unsigned/run.ndjson", Kind: hall.Unverified, Reason: "the log has no certificate: create one with gatecert certify"}, refused[0])
	h, err := hall.Read(t.Context(), logs, o)
	require.NoError(t, err)
	assert.Equal(t, id, h.Data().Gateways[0].Runs[0].SignedBy)
	delete(logs, "signed/"+certificate.ReportFile)
	listed, _ = read(t, o)
	assert.Empty(t, listed, "half a certificate is none")
}

func TestAnExpectedFailureIsAFailure(t *testing.T) {
	excused := entry{name: "excused", change: func(r *runlog.Run) {
		failing(r)
		for i := range r.Cases {
			if r.Cases[i].ID == absent {
				r.Cases[i].Verdict, r.Cases[i].Reason = contract.ExpectedFail, "in the baseline: later"
			}
		}
	}}
	h := read(t, folder(t, map[string]entry{"a.ndjson": excused}), options())
	d := h.Data()
	assert.Equal(t, contract.Fail, d.Gateways[0].Runs[0].Verdict)
	pages := site(t, h)
	assert.NotContains(t, body(pages["rows/code-model_not_found.html"]), "expected-fail")
	for name, page := range pages {
		if strings.HasPrefix(name, "runs/") && strings.HasSuffix(name, ".html") {
			assert.NotContains(t, page, "in the baseline: later")
		}
	}
}

// TestPages holds what the pages show and where they lead.
func TestPages(t *testing.T) {
	h := read(t, two(t), options())
	pages := site(t, h)
	mine := h.Gateways[0].Current.ID()
	theirs := h.Gateways[1]

	index := pages["index.html"]
	assert.Contains(t, index, "2 gateways are listed at level edge; 1 log is not listed.")
	assert.Contains(t, index, "as of 2026-06-01")
	assert.Contains(t, index, `href="runs/`+mine+`/index.html#code:model_not_found"`, "a cell leads to its evidence")
	assert.Contains(t, index, `href="rows/code-model_not_found.html"`)
	assert.Contains(t, index, `href="gateways/`+theirs.Slug+`.html"`)
	assert.Equal(t, 32, strings.Count(index, "<tr data-row="))
	assert.NotContains(t, body(index), ">hidden<", "folders whose names begin with a dot are not read")

	row := pages["rows/code-model_not_found.html"]
	assert.Contains(t, row, "<h2>What each gateway returns</h2>")
	assert.Contains(t, row, `href="../runs/`+mine+`/index.html#code:model_not_found/absent-model/chat"><bdi>503 model_not_found</bdi>`)
	assert.Contains(t, row, "<bdi>404 model_not_found</bdi>")
	assert.Contains(t, row, "Verify model and your plan’s models")

	gateway := pages["gateways/mine.html"]
	assert.Contains(t, gateway, "Changes since the previous run: 1 worse, ")
	assert.Regexp(t, `pass → fail {2}MUST status-class: got 503`, gateway)
	assert.Contains(t, gateway, "in the matrix")
	assert.Less(t, strings.Index(gateway, "1.10.0"), strings.Index(gateway, "1.9.0"), "newest first")

	evidence := pages["runs/"+mine+"/index.html"]
	assert.Contains(t, evidence, "curl", "and how to repeat it")
	assert.Contains(t, pages["badges/mine.svg"], "gatecert edge")

	for name, page := range pages {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		assert.Contains(t, page, `Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-`, name)
		assert.NotRegexp(t, `(?i)<(script|img|link|iframe|object)[^>]+(src|href)="(https?:)?//`, page, name)
	}
}

// body is a page without its head.
func body(page string) string {
	_, rest, _ := strings.Cut(page, "<body>")
	return rest
}

// TestEveryLinkLeadsToAFile follows the links of all pages.
func TestEveryLinkLeadsToAFile(t *testing.T) {
	pages := site(t, read(t, two(t), options()))
	href := regexp.MustCompile(`href="([^"]+)"`)
	for name, page := range pages {
		if !strings.HasSuffix(name, ".html") || strings.HasPrefix(name, "runs/") {
			continue
		}
		for _, match := range href.FindAllStringSubmatch(page, -1) {
			target, _, _ := strings.Cut(match[1], "#")
			if target == "" || target == "data:," || strings.Contains(target, "://") {
				continue
			}
			assert.Contains(t, pages, filepath.ToSlash(filepath.Join(filepath.Dir(name), target)), "%s leads to %s", name, match[1])
		}
	}
}

func TestDataKeepsItsSchema(t *testing.T) {
	h := read(t, two(t), options())
	raw := site(t, h)["data.json"]
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("../../docs/schema/hall.schema.json")
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value))
	require.Error(t, schema.Validate(map[string]any{"schema": hall.DataSchema}))

	var d hall.Data
	require.NoError(t, json.Unmarshal([]byte(raw), &d))
	assert.Equal(t, h.Data(), d)
	assert.Equal(t, contract.Digest(), d.ContractDigest)
	assert.Equal(t, []hall.DataRefusal{{Log: "archive/cut.ndjson", Kind: hall.Incomplete, Reason: "the log has no footer"}}, d.NotListed)
	mine := d.Gateways[0]
	assert.Len(t, mine.Rows, 32)
	assert.Equal(t, &hall.DataChanges{Worse: 1, Same: len(h.Gateways[0].Runs[0].Run.Cases) - 1}, mine.Runs[0].Changes)
	assert.Nil(t, mine.Runs[1].Changes)
	assert.True(t, mine.Runs[0].Current)
}

func TestTheFeedIsAtom(t *testing.T) {
	o := options()
	o.URL = "https://results.example/hall/"
	for _, with := range []hall.Options{options(), o} {
		raw := site(t, read(t, two(t), with))["feed.atom"]
		var feed struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
			ID      string   `xml:"id"`
			Title   string   `xml:"title"`
			Updated string   `xml:"updated"`
			Author  []string `xml:"author>name"`
			Links   []struct {
				Rel  string `xml:"rel,attr"`
				Href string `xml:"href,attr"`
			} `xml:"link"`
			Entries []struct {
				ID      string `xml:"id"`
				Title   string `xml:"title"`
				Updated string `xml:"updated"`
				Link    struct {
					Href string `xml:"href,attr"`
				} `xml:"link"`
				Content string `xml:"content"`
			} `xml:"entry"`
		}
		decoder := xml.NewDecoder(strings.NewReader(raw))
		require.NoError(t, decoder.Decode(&feed))
		uuid := `^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
		assert.Regexp(t, uuid, feed.ID)
		assert.NotEmpty(t, feed.Title)
		assert.Equal(t, []string{"gatecert"}, feed.Author)
		assert.Equal(t, "2026-05-20T03:02:01Z", feed.Updated, "when the newest run ended")
		require.Len(t, feed.Entries, 3)
		ids := map[string]bool{feed.ID: true}
		for i, e := range feed.Entries {
			assert.Regexp(t, uuid, e.ID)
			assert.False(t, ids[e.ID], "an id is there twice")
			ids[e.ID] = true
			at, err := time.Parse(time.RFC3339, e.Updated)
			require.NoError(t, err)
			if i > 0 {
				before, _ := time.Parse(time.RFC3339, feed.Entries[i-1].Updated)
				assert.False(t, at.After(before), "newest first")
			}
			assert.Contains(t, e.Content, "level edge")
		}
		if with.URL == "" {
			assert.Equal(t, "index.html", feed.Links[0].Href)
			assert.Len(t, feed.Links, 1)
			continue
		}
		assert.Equal(t, "https://results.example/hall/feed.atom", feed.Links[1].Href)
		assert.Equal(t, "self", feed.Links[1].Rel)
		assert.True(t, strings.HasPrefix(feed.Entries[0].Link.Href, "https://results.example/hall/gateways/"))
	}
}

func TestBadgesAreXML(t *testing.T) {
	for name, content := range site(t, read(t, two(t), options())) {
		if !strings.HasPrefix(name, "badges/") {
			continue
		}
		var badge struct {
			XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
			Title   string   `xml:"title"`
		}
		require.NoError(t, xml.Unmarshal([]byte(content), &badge))
		assert.Regexp(t, `^gatecert edge: \d+ of \d+ rows$`, badge.Title)
	}
}

func TestTheSameLogsGiveTheSameBytes(t *testing.T) {
	logs := two(t)
	first, second := site(t, read(t, logs, options())), site(t, read(t, logs, options()))
	assert.Equal(t, first, second)
	assert.Greater(t, len(first), 40)
}

// TestAHallIsAFolderOfLogs makes a hall from the logs that another has published.
func TestAHallIsAFolderOfLogs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "site")
	first := read(t, two(t), options())
	require.NoError(t, first.Write(t.Context(), dir))
	second := read(t, os.DirFS(filepath.Join(dir, "runs")), options())
	assert.Empty(t, second.Refused)
	assert.Equal(t, first.Data().Gateways, second.Data().Gateways)
}

// atRelay makes a run of level edge one of level relay, whose further cases were all in error.
func atRelay(r *runlog.Run) {
	r.Selection.Level = contract.Relay
	withAll(r)
}

// withAll adds the cases that a run lacks, in error.
func withAll(r *runlog.Run) {
	for _, c := range contract.Cases() {
		if c.Surface != dialect.Chat || !r.Selection.Asks(c) || slices.ContainsFunc(r.Cases, func(own runlog.Case) bool { return own.ID == c.ID() }) {
			continue
		}
		logged := runlog.NewCase(c)
		logged.Verdict, logged.Reason = contract.Error, "it never ran"
		logged.Started = r.Started
		r.Cases, r.Expected = append(r.Cases, logged), append(r.Expected, c.ID())
	}
}
