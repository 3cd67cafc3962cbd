package reports_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// fault is a case with findings.
func fault(row contract.RowID, surface dialect.Surface, status int, body string, findings ...contract.Finding) runlog.Case {
	r, _ := contract.RowByID(row)
	c := result(r, surface)
	c.Findings, c.Verdict = findings, contract.VerdictOf(findings)
	c.Observation.Status, c.Observation.Body, c.Observation.BodySize = status, contract.Bytes(body), int64(len(body))
	return c
}

func must(r contract.Requirement, want, got string) contract.Finding {
	return contract.Finding{Requirement: r, Level: contract.Must, Want: want, Got: got}
}

func should(r contract.Requirement, want, got string) contract.Finding {
	return contract.Finding{Requirement: r, Level: contract.Should, Want: want, Got: got}
}

func causesOf(cases ...runlog.Case) []reports.Cause {
	for i := range cases {
		cases[i].ID = fmt.Sprint(cases[i].ID, "/", i)
	}
	return reports.Causes(concluded(header(contract.Edge), cases))
}

// TestCausesFoldWhatOneMendMends compares the findings of two cases: the same fault is one cause, whatever its numbers, ids, surfaces
// and quoted text, and another fault is another.
func TestCausesFoldWhatOneMendMends(t *testing.T) {
	for _, tt := range []struct {
		name  string
		a, b  contract.Finding
		title string // of the one cause, "" where there are two
	}{
		{"a leak of another place in the body", must(contract.Secrecy, "no secrets or internals", "the caller key in body"),
			must(contract.Secrecy, "no secrets or internals", "the caller key in event 3"), "404 responses show the caller key"},
		{"a leak with another excerpt", must(contract.Secrecy, "no secrets or internals", `a stack trace ("main.go:17") in the body`),
			must(contract.Secrecy, "no secrets or internals", `a stack trace ("in other.go:4 in x") in the body`), "404 responses show a stack trace"},
		{"a leak of another kind", must(contract.Secrecy, "no secrets or internals", "the caller key in body"),
			must(contract.Secrecy, "no secrets or internals", `SQL ("SELECT 1 FROM x ") in the body`), ""},
		{"a leak in a header field", must(contract.Secrecy, "no secrets or internals", "the caller key in body"),
			must(contract.Secrecy, "no secrets or internals", "the caller key in header X-Debug"), ""},

		{"the same wrong status", must(contract.StatusClass, "404", "503"), must(contract.StatusClass, "404", "503"), "503 instead of 404"},
		{"another status", must(contract.StatusClass, "404", "503"), must(contract.StatusClass, "404", "500"), ""},
		{"another status wanted", must(contract.StatusExact, "400", "422"), must(contract.StatusExact, "404", "422"), ""},
		{"a doubt about the key", must(contract.StatusExact, "403", "401; the gateway may not know the key, because it gave the same response to a key that was never issued"),
			must(contract.StatusExact, "403", "401"), "401 instead of 403"},

		{"another code wanted", must(contract.Code, "model_not_found in error.code", "null"),
			must(contract.Code, "invalid_request in error.code", "nothing"), "404 responses have no code"},
		{"a code wanted by table 1", must(contract.Code, "model_not_found in error.code", `"oops"`),
			should(contract.CodeKnown, "a code from table 2 that fits the cause, in error.code: model_not_found", `"oops"`), `404 responses have the code "oops"`},
		{"another code", must(contract.Code, "model_not_found in error.code", `"oops"`),
			must(contract.Code, "model_not_found in error.code", `"model_not_exist"`), ""},
		{"another number as code", must(contract.Code, "x in error.code", "404"), must(contract.Code, "x in error.code", "503"), "404 responses have a number as their code"},

		{"another format's envelope", must(contract.Envelope, "{openai}", `"error" is a string, not an object`),
			must(contract.Envelope, "{anthropic}", `"error" is a string, not an object`), `404 responses are not valid error envelopes: "error" is a string, not an object`},
		{"another envelope", must(contract.Envelope, "{openai}", `"error" is a string, not an object`),
			must(contract.Envelope, "{openai}", `"error" is null, not an object`), ""},
		{"other text that is not JSON", must(contract.Envelope, "{}", `not JSON at byte 1 (invalid character 'I' looking for beginning of value): "Internal"`),
			must(contract.Envelope, "{}", `not JSON at byte 5 (more data after the value): "404 page not found\n"`), "404 responses have text that is not JSON"},
		{"a page and text", must(contract.Envelope, "{}", `not JSON at byte 1 (invalid character '<' looking for beginning of value): "<html>"`),
			must(contract.Envelope, "{}", `not JSON at byte 1 (invalid character 'I' looking for beginning of value): "Internal"`), ""},
		{"other keys in place of error", must(contract.Envelope, "{}", `an object without "error" (keys: detail)`),
			must(contract.Envelope, "{}", `an object without "error" (keys: code, message)`), ""},

		{"the same member missing", should(contract.Fields, "param in the error object", "no param"),
			should(contract.Fields, "param in the error object", "no param"), "404 responses have no param"},
		{"another member missing", should(contract.Fields, "param in the error object", "no param"),
			should(contract.Fields, "type in the error object", "no type"), ""},
		{"another value of a member", should(contract.Fields, "type as a string that names the kind of error", "null"), should(contract.Fields, "type as a string that names the kind of error", `""`),
			"404 responses have type without a value"},
		{"another Content-Type", must(contract.ContentType, "application/json", "text/html; charset=utf-8"),
			must(contract.ContentType, "application/json", "text/html"), "404 responses have the Content-Type text/html"},
		{"no Content-Type", must(contract.ContentType, "application/json", "text/html"),
			must(contract.ContentType, "application/json", "no Content-Type"), ""},

		{"more calls to the upstream", should(contract.UpstreamUnused, "no call to the upstream", "the upstream was called once"),
			should(contract.UpstreamUnused, "no call to the upstream", "the upstream was called 4 times, after the gateway had answered"), "Refused requests reach the upstream"},
		{"another time without an answer", must(contract.Answered, "an HTTP answer", "timed-out: no head within 2s"),
			must(contract.Answered, "an HTTP answer", "timed-out: no head within 30s"), "No response: timed-out"},
		{"another way to give no answer", must(contract.Answered, "an HTTP answer", "timed-out: no head within 2s"),
			must(contract.Answered, "an HTTP answer", "closed: EOF"), ""},
		{"a requirement of a later gatecert, with other ids and surfaces", must("new", "", "call 7 on chat-stream, id 0f3a99bc01, failed"),
			must("new", "", "call 12 on messages, id 77aa01b3c4d5, failed"), "new: call 7 on chat-stream, id 0f3a99bc01, failed"},
		{"another requirement of a later gatecert", must("new", "", "x"), must("newer", "", "x"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := `{"error":{"message":"m","type":"t","code":"c"}}`
			got := causesOf(fault("http:404", dialect.Chat, 404, body, tt.a), fault("code:model_not_found", dialect.MessagesStream, 404, body, tt.b))
			if tt.title == "" {
				require.Len(t, got, 2)
				assert.NotEqual(t, got[0].Title, got[1].Title, "two causes have two names")
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, tt.title, got[0].Title)
			assert.Equal(t, "2 cases, 2 endpoints", got[0].Size())
		})
	}
}

func TestCausesNameTheirStatusOnlyIfItIsTheSameInAllCases(t *testing.T) {
	missing := should(contract.Fields, "param in the error object", "no param")
	got := causesOf(fault("http:401", dialect.Chat, 401, "{}", missing), fault("http:404", dialect.Chat, 404, "{}", missing))
	require.Len(t, got, 1)
	assert.Equal(t, "Responses have no param", got[0].Title)
}

func TestCausesOfACaseLeaveOutWhatFollows(t *testing.T) {
	for _, tt := range []struct {
		name     string
		findings []contract.Finding
		want     []contract.Requirement
	}{
		{"no error object, no code", []contract.Finding{must(contract.Envelope, "", `"error" is a string, not an object`), must(contract.Code, "", "no error object")},
			[]contract.Requirement{contract.Envelope}},
		{"the status blames the caller", []contract.Finding{must(contract.StatusClass, "5xx", "401"), must(contract.StatusBlame, "", "401"), should(contract.Consistent, "x with 5xx", "401")},
			[]contract.Requirement{contract.StatusClass}},
		{"the code blames the caller", []contract.Finding{must(contract.StatusBlame, "", `"access_denied"`), should(contract.Consistent, "an error.type that fits status 502", `"not_found_error"`)},
			[]contract.Requirement{contract.StatusBlame, contract.Consistent}},
		{"a page has the type of a page", []contract.Finding{must(contract.ContentType, "application/json", "text/html"), must(contract.Envelope, "", `not JSON at byte 1 (x): "<"`)},
			[]contract.Requirement{contract.Envelope}},
		{"an envelope without a type of its own", []contract.Finding{must(contract.ContentType, "application/json", "text/plain"), must(contract.Envelope, "", `"error" is null, not an object`)},
			[]contract.Requirement{contract.Envelope, contract.ContentType}},
		{"the transfer broke off", []contract.Finding{must(contract.Whole, "", "a response that was cut off: EOF"), must(contract.Envelope, "", `not JSON at byte 9 (cut off): "{"`), must(contract.Code, "", "no error object")},
			[]contract.Requirement{contract.Whole}},
		{"no member, no code", []contract.Finding{must(contract.Code, "x in error.code", "nothing"), should(contract.Fields, "", "no code"), should(contract.Fields, "", "no param")},
			[]contract.Requirement{contract.Code, contract.Fields}},
		{"a missing code where none is required", []contract.Finding{should(contract.Fields, "", "no code")}, []contract.Requirement{contract.Fields}},
		{"notes", []contract.Finding{must(contract.Message, "", "nothing"), {Requirement: contract.RequestID, Level: contract.Note, Got: "none"}},
			[]contract.Requirement{contract.Message}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []contract.Requirement
			for _, c := range causesOf(fault("http:404", dialect.Chat, 404, "{}", tt.findings...)) {
				got = append(got, c.Requirement)
			}
			assert.ElementsMatch(t, tt.want, got)
		})
	}
}

func TestTheGravestCauseComesFirst(t *testing.T) {
	findings := []contract.Finding{ // the gravest last
		should(contract.UpstreamUnused, "", "the upstream was called once"), should(contract.Fields, "", "no param"),
		should(contract.StatusExact, "403", "402"), should(contract.KeyKept, "", "a key in the redirected request"),
		must(contract.Envelope, "", `"error" is null, not an object`), must(contract.Code, "", `"x"`), must(contract.StatusExact, "400", "422"),
		must(contract.StatusClass, "404", "503"), must(contract.NotSuccess, "404", "200 with an ordinary answer"), must(contract.Secrecy, "", "the caller key in body"),
	}
	var cases []runlog.Case
	for i, f := range findings {
		for range len(findings) - i { // the mildest are the most frequent
			cases = append(cases, fault("http:404", dialect.Chat, 404, "{}", f))
		}
	}
	unjudged := fault("http:400", dialect.Chat, 0, "")
	unjudged.Verdict, unjudged.Reason = contract.Error, "the gateway is down"
	got := causesOf(append([]runlog.Case{unjudged}, cases...)...)
	var order []contract.Requirement
	for _, c := range got {
		order = append(order, c.Requirement)
	}
	assert.Equal(t, []contract.Requirement{
		contract.Secrecy, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.Code, contract.Envelope,
		"", contract.KeyKept, contract.StatusExact, contract.Fields, contract.UpstreamUnused,
	}, order)
	t.Run("and of two of the same gravity, the one with more cases", func(t *testing.T) {
		a, b := must(contract.Code, "", `"a"`), must(contract.Code, "", `"b"`)
		got := causesOf(fault("http:404", dialect.Chat, 404, "{}", a), fault("http:404", dialect.Chat, 404, "{}", b), fault("http:404", dialect.Chat, 404, "{}", b))
		assert.Equal(t, `404 responses have the code "b"`, got[0].Title)
	})
}

func TestEveryCaseThatNeedsAttentionHasACause(t *testing.T) {
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			in := make(map[string]bool)
			for _, c := range reports.Causes(run) {
				assert.NotEmpty(t, c.Title)
				assert.NotEmpty(t, c.Cases)
				assert.Contains(t, c.Cases, c.Example.ID)
				for _, id := range c.Cases {
					in[id] = true
				}
			}
			for _, c := range run.Cases {
				v := c.Verdict.OrError()
				assert.Equal(t, !v.Conformant() || v == contract.Warn, in[c.ID], c.ID)
			}
		})
	}
	t.Run("also one that fails without a finding", func(t *testing.T) {
		c := fault("http:404", dialect.Chat, 404, "{}")
		c.Verdict = contract.Fail
		assert.Len(t, causesOf(c), 1)
	})
}

func TestEveryRequirementHasTextsForItsCause(t *testing.T) {
	all := append(contract.Requirements(), contract.LoadRequirements(contract.AnyLoad)...)
	for _, r := range all {
		d, _ := r.Details()
		if d.Levels[0] == contract.Note {
			continue
		}
		got := causesOf(fault("http:404", dialect.Chat, 404, "{}", contract.Finding{Requirement: r, Level: d.Levels[0], Want: "404", Got: "something"}))
		require.Len(t, got, 1, r)
		assert.NotEmpty(t, got[0].Contract, r)
		assert.NotEmpty(t, got[0].Suffers, r)
		assert.NotEmpty(t, got[0].Mend, r)
	}
	for _, row := range contract.Rows() {
		assert.NotEmpty(t, reports.RowText(row.ID), row.ID)
	}
}

// TestAnAnswerIsMarkedWhereItIsWrong looks at the line of the answer with carets under it.
func TestAnAnswerIsMarkedWhereItIsWrong(t *testing.T) {
	const whole = `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":"oops"}}`
	for _, tt := range []struct {
		name, body string
		finding    contract.Finding
		want       string
	}{
		{"a status", whole, must(contract.StatusClass, "404", "503"), `
    response  404  Content-Type: application/json
              ^^^
`},
		{"a Content-Type", whole, must(contract.ContentType, "application/json", "application/json"), `
    response  404  Content-Type: application/json
                                 ^^^^^^^^^^^^^^^^
`},
		{"a string in place of an object", `{"error":"not found"}`, must(contract.Envelope, "", `"error" is a string, not an object`), `
              {"error":"not found"}
                       ^^^^^^^^^^^ "error" is a string, not an object
`},
		{"a member that is missing", `{"error":{"message":"é世界"}}`, should(contract.Fields, "param in the error object", "no param"), `
              {"error":{"message":"é世界"}}
                                         ^ no param
`},
		{"a value", whole, must(contract.Code, "model_not_found in error.code", `"oops"`), `
              {"error":{"message":"no","type":"invalid_request_error","param":nu
              ll,"code":"oops"}}
                        ^^^^^^ "oops"
`},
		{"null", `{"error":{"message":"no","code": null}}`, must(contract.Code, "model_not_found in error.code", "null"), `
              {"error":{"message":"no","code": null}}
                                               ^^^^ null
`},
		{"what stands in place of JSON", "<html>\n<body>404</body>\n</html>", must(contract.Envelope, "", `not JSON at byte 1 (x): "<html>"`), `
              <html>
              ^^^^^^ not JSON at byte 1 (x): "<html>"
              <body>404</body>
              </html>
`},
		{"an excerpt that JSON escapes", `{"error":{"message":"at \"x.go\" x.go:7"}}`, must(contract.Secrecy, "no secrets or internals", `a stack trace ("\"x.go\" x.go:7") in the body`), `
              {"error":{"message":"at \"x.go\" x.go:7"}}
                                      ^^^^^^^^^^^^^^^
              a stack trace ("\"x.go\" x.go:7") in the body
`},
		{"what redaction left of a key", `{"error":{"message":"bad key [caller key]"}}`, must(contract.Secrecy, "no secrets or internals", "the caller key in body"), `
              {"error":{"message":"bad key [caller key]"}}
                                           ^^^^^^^^^^^^ the caller key in body
`},
		{"no body", "", must(contract.Envelope, "", "empty"), `
    response  404  Content-Type: application/json
              no body
    got       empty
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := concluded(header(contract.Edge), []runlog.Case{fault("http:404", dialect.Chat, 404, tt.body, tt.finding)})
			assert.Contains(t, terminal(t, run, reports.TerminalOptions{}), tt.want)
		})
	}
	t.Run("an error event", func(t *testing.T) {
		event := `{"error":{"message":"no","code":"oops"}}`
		c := fault("http:5xx", dialect.ChatStream, 200, "data: {\"choices\":[]}\n\ndata: "+event+"\n\n", must(contract.Message, "", `"no"`))
		c.Observation.Stream = &contract.Stream{Events: []contract.Event{{Data: contract.Bytes(`{"choices":[]}`)}, {Data: contract.Bytes(event)}}}
		got := terminal(t, concluded(header(contract.Edge), []runlog.Case{c}), reports.TerminalOptions{})
		assert.Contains(t, got, "\n              data: {\"error\":{\"message\":\"no\",\"code\":\"oops\"}}\n                                        ^^^^ \"no\"\n")
	})
	t.Run("far inside a long body", func(t *testing.T) {
		body := `{"error":{"message":"` + string(bytes.Repeat([]byte("long "), 400)) + `","code":7}}`
		got := terminal(t, concluded(header(contract.Edge), []runlog.Case{fault("http:404", dialect.Chat, 404, body, must(contract.Code, "x", "7"))}), reports.TerminalOptions{})
		assert.Contains(t, got, "              …")
		assert.Regexp(t, `(?m)^ +\^ 7$`, got)
		assert.Less(t, len(got), 6000)
	})
}

func TestTheRequestOfACauseIsOneLineForAShell(t *testing.T) {
	c := fault("http:404", dialect.Chat, 404, "{}", must(contract.Envelope, "", "empty"))
	c.Observation.Sent.Curl = "# the second request\n# of two\ncurl http://g/v1 -d '{\n\"a\":1}'"
	got := terminal(t, concluded(header(contract.Edge), []runlog.Case{c}), reports.TerminalOptions{})
	assert.Contains(t, got, "\n    request   curl http://g/v1 -d '{'$'\\n''\"a\":1}' # the second request # of two\n")
}

func TestCausesFitTheTerminalButForRequests(t *testing.T) {
	for name, run := range runs() {
		got := terminal(t, run, reports.TerminalOptions{})
		_, causes, _ := strings.Cut(got, "Fix these first")
		causes, _, _ = strings.Cut(causes, "\nnote: ")
		causes, _, _ = strings.Cut(causes, "\nlevel ")
		for line := range strings.Lines(causes) {
			if !strings.HasPrefix(line, "    request   ") && !strings.HasPrefix(line, "  E ") { // to be copied: a command, and the ids of what never ran
				assert.LessOrEqual(t, displaywidth.String(strings.TrimSuffix(line, "\n")), 80, "%s: %s", name, line)
			}
		}
	}
}
