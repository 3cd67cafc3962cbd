package reports_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// audioDigest stands in place of the audio that a gateway answered with.
var audioDigest = strings.Repeat("b911bae4", 8)

// mediaRun has a form as a request, and answers that are audio where an error was due.
func mediaRun() runlog.Run {
	cases := every(contract.Rows()[:1], dialect.Speech, dialect.Transcriptions)
	for i := range cases {
		o := cases[i].Observation
		cases[i].Verdict = contract.Fail
		cases[i].Findings = []contract.Finding{{Requirement: contract.StatusClass, Level: contract.Must, Want: "4xx", Got: "200"}}
		o.Status, o.Body, o.BodyDigest, o.BodySize = 200, nil, audioDigest, 312
		o.Header["Content-Type"] = []string{"audio/mpeg"}
	}
	form := &cases[1].Observation.Sent
	form.Header["Content-Type"] = []string{dialect.FormType}
	form.Body = dialect.EncodeForm(dialect.Object{
		"model": "whisper-1",
		"file":  dialect.Object{"filename": "silence.wav", "type": "audio/wav", "text": "[1644 bytes, SHA-256 5a5a]"},
	})
	form.BodySize = 2043
	return concluded(header(contract.Edge, dialect.Speech, dialect.Transcriptions), cases)
}

func TestABodyThatIsNotTextIsDescribed(t *testing.T) {
	described := "312 bytes of audio/mpeg, SHA-256 " + audioDigest
	for _, format := range []string{"terminal", "html", "junit", "md", "ctrf", "har"} {
		t.Run(format, func(t *testing.T) {
			var got string
			if format == "terminal" {
				got = oneSpaced(terminal(t, mediaRun(), reports.TerminalOptions{}))
			} else {
				got = string(formatted(t, format, mediaRun()))
			}
			assert.Contains(t, got, described)
		})
	}
	t.Run("in the body of the page", func(t *testing.T) {
		assert.Contains(t, string(formatted(t, "html", mediaRun())), `"body":"[`+described+`]","size":"312 bytes"`)
	})
	t.Run("json", func(t *testing.T) {
		var report struct {
			Cases []struct {
				Observation struct {
					Body   *string
					Digest string `json:"body_sha256"`
					Size   int    `json:"body_size"`
				}
			}
		}
		require.NoError(t, json.Unmarshal(formatted(t, "json", mediaRun()), &report))
		for _, c := range report.Cases {
			assert.Nil(t, c.Observation.Body)
			assert.Equal(t, audioDigest, c.Observation.Digest)
			assert.Equal(t, 312, c.Observation.Size)
		}
	})
	t.Run("in the schemas", func(t *testing.T) {
		har := jsonschema.NewCompiler()
		har.AssertFormat()
		harSchema, err := har.Compile("testdata/schema/har.schema.json")
		require.NoError(t, err)
		for format, schema := range map[string]*jsonschema.Schema{"json": compile(t, "report.schema.json"), "har": harSchema} {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(formatted(t, format, mediaRun())))
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(value), format)
		}
	})
	t.Run("without a media type", func(t *testing.T) {
		run := mediaRun()
		delete(run.Cases[0].Observation.Header, "Content-Type")
		assert.Contains(t, oneSpaced(terminal(t, run, reports.TerminalOptions{})), "312 bytes, SHA-256 "+audioDigest)
	})
	t.Run("a digest of any length is cut and made plain", func(t *testing.T) {
		run := mediaRun()
		run.Cases[0].Observation.BodyDigest = strings.Repeat(venom, 100)
		for _, f := range reports.Formats() {
			assert.Less(t, len(formatted(t, f.Name, run)), 150_000, f.Name)
		}
	})
}

// harOf are the entries of a run's HAR.
func harOf(t *testing.T, run runlog.Run) (entries []struct {
	Request struct {
		PostData struct {
			MimeType, Text string
			Params         []map[string]string
		}
	}
	Response struct{ Content map[string]any }
},
) {
	t.Helper()
	var har struct {
		Log struct{ Entries json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(formatted(t, "har", run), &har))
	require.NoError(t, json.Unmarshal(har.Log.Entries, &entries))
	return entries
}

func TestHARHasTheFieldsOfAForm(t *testing.T) {
	entries := harOf(t, mediaRun())
	assert.Equal(t, map[string]any{
		"size": 312.0, "mimeType": "audio/mpeg", "_sha256": audioDigest, "comment": "the body is not text and was not kept: 312 bytes of audio/mpeg, SHA-256 " + audioDigest,
	}, entries[0].Response.Content)
	assert.Empty(t, entries[0].Request.PostData.Params, "JSON has none")
	post := entries[1].Request.PostData
	assert.Equal(t, dialect.FormType, post.MimeType)
	assert.Empty(t, post.Text)
	assert.Equal(t, []map[string]string{
		{"name": "model", "value": "whisper-1"},
		{"name": "file", "value": "[1644 bytes, SHA-256 5a5a]", "fileName": "silence.wav", "contentType": "audio/wav"},
	}, post.Params)

	for name, change := range map[string]func(*contract.Sent){
		"a form that is cut off":      func(s *contract.Sent) { s.Body = s.Body[:len(s.Body)-20] },
		"a form without its boundary": func(s *contract.Sent) { s.Header["Content-Type"] = []string{dialect.FormTypeWithoutBoundary} },
		"a form that was sent broken": func(s *contract.Sent) { s.Fault = "cut-form" },
		"no form at all":              func(s *contract.Sent) { s.Body = contract.Bytes("model=whisper-1") },
		"another boundary":            func(s *contract.Sent) { s.Body = bytes.ReplaceAll(s.Body, []byte("--gatecert"), []byte("--other")) },
	} {
		t.Run(name+" is shown as it is", func(t *testing.T) {
			run := mediaRun()
			sent := &run.Cases[1].Observation.Sent
			change(sent)
			post := harOf(t, run)[1].Request.PostData
			assert.Empty(t, post.Params)
			assert.Equal(t, string(sent.Body), post.Text)
		})
	}
}

func TestThePageShowsAFormInLines(t *testing.T) {
	got := string(formatted(t, "html", mediaRun()))
	assert.Contains(t, got, `name=\"model\"\n\nwhisper-1\n--`)
	assert.NotContains(t, got, `whisper-1\\r`)
}

// oneSpaced is a text without its line ends and margins.
func oneSpaced(s string) string { return strings.Join(strings.Fields(s), " ") }
