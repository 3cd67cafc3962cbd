package mutants

import (
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Expectation states which cases a mutant changes, and how.
type Expectation struct {
	Cases []contract.Pattern
	// Verdict is the new verdict of the cases. It is [contract.Pass] if the mutant violates only a NOTE. If Breaks is also empty, the cases are
	// exempt from the expectations that follow.
	Verdict contract.Verdict
	// Breaks are requirements that each of the cases must report as violated, possibly among others.
	Breaks []contract.Requirement
	// AtLeastOne means that timing decides which of the cases change, so that a single changed case is enough.
	AtLeastOne bool
}

func (e Expectation) unchanged() bool { return e.Verdict == contract.Pass && len(e.Breaks) == 0 }

func fails(breaks contract.Requirement, cases ...contract.Pattern) Expectation {
	return Expectation{Cases: cases, Verdict: contract.Fail, Breaks: []contract.Requirement{breaks}}
}

func warns(breaks contract.Requirement, cases ...contract.Pattern) Expectation {
	return Expectation{Cases: cases, Verdict: contract.Warn, Breaks: []contract.Requirement{breaks}}
}

func notes(breaks contract.Requirement, cases ...contract.Pattern) Expectation {
	return Expectation{Cases: cases, Verdict: contract.Pass, Breaks: []contract.Requirement{breaks}}
}

// passes exempts cases from the expectations that follow.
func passes(cases ...contract.Pattern) Expectation {
	return Expectation{Cases: cases, Verdict: contract.Pass}
}

// and adds a requirement to those that have to be found broken.
func (e Expectation) and(breaks contract.Requirement) Expectation {
	e.Breaks = append(e.Breaks, breaks)
	return e
}

func atLeastOne(e Expectation) Expectation {
	e.AtLeastOne = true
	return e
}

// midStream are the cases in which the upstream fails after its stream has begun. By then the status is sent.
func midStream() []contract.Pattern {
	return []contract.Pattern{
		"http:5xx/upstream-error/*/mid-stream", "http:5xx/upstream-error/*-stream/answer-with-error",
		"code:channel:response_time_exceeded/*/*-stream/stalled-answer",
		"code:read_response_body_failed/*/*-stream/**",
	}
}

// midStreamOn are the same cases on one surface.
func midStreamOn(s dialect.Surface) []contract.Pattern {
	return []contract.Pattern{
		contract.Pattern("http:5xx/upstream-error/" + s + "/mid-stream"),
		contract.Pattern("http:5xx/upstream-error/" + s + "/answer-with-error"),
		contract.Pattern("code:channel:response_time_exceeded/slow-upstream/" + s + "/stalled-answer"),
		contract.Pattern("code:read_response_body_failed/truncated-upstream-response/" + s + "/*"),
	}
}

// afterReserve are the rows and circumstances that come about once quota is reserved.
func afterReserve() []string {
	return []string{
		"code:convert_request_failed/*", "code:invalid_api_type/*", "code:channel:model_mapped_error/*", "code:channel:invalid_key/*",
		"code:channel:response_time_exceeded/*", "code:do_request_failed/*", "code:bad_response/*", "code:bad_response_status_code/*",
		"code:empty_response/*", "code:prompt_blocked/*", "code:json_marshal_failed/*", "http:5xx/upstream-error",
	}
}

// upstreamFails are the rows and circumstances that only an upstream can bring about.
func upstreamFails() []string {
	return []string{
		"http:5xx/upstream-error", "code:channel:response_time_exceeded/*", "code:bad_response/*", "code:bad_response_status_code/*",
		"code:empty_response/*", "code:read_response_body_failed/*",
	}
}

// The cases in which only the upstream rejects a parameter, and those among them that stream.
const (
	refusedParameters          contract.Pattern = "http:400/malformed-parameter/*/refused-*"
	refusedParametersOfStreams contract.Pattern = "http:400/malformed-parameter/*-stream/refused-*"
)

// upstreamErrors are variants of upstream-error on some surfaces.
func upstreamErrors(surfaces []dialect.Surface, variants ...string) []contract.Pattern {
	var patterns []contract.Pattern
	for _, s := range relayed(surfaces) {
		for _, v := range variants {
			patterns = append(patterns, contract.Pattern("http:5xx/upstream-error/"+string(s)+"/"+v))
		}
	}
	return patterns
}

// badStatuses are the cases of upstream-error in which the status of the upstream's error object says nothing of its key.
func badStatuses(surfaces ...dialect.Surface) []contract.Pattern {
	return upstreamErrors(surfaces, "error-object", "error-402", "numeric-code", "error-529", "compressed-error", "redirect")
}

// errorsBeforeContent are the cases in which the upstream's stream has an error event before any content: this gateway passes
// no reasoning on.
func errorsBeforeContent() []contract.Pattern {
	return []contract.Pattern{
		"http:5xx/upstream-error/*/first-event-error", "http:5xx/upstream-error/*/lifecycle-then-error", "http:5xx/upstream-error/*/error-after-reasoning",
	}
}

// errorsAsAnswers are those cases, and those in which a whole answer has an error object in it.
func errorsAsAnswers() []contract.Pattern {
	return append(errorsBeforeContent(), upstreamErrors(answersWithErrors(), "answer-with-error")...)
}

// answersWithErrors are the surfaces on which a whole answer of the upstream has an error object in it.
func answersWithErrors() []dialect.Surface {
	return slices.DeleteFunc(plainSurfaces(), func(s dialect.Surface) bool { return !s.Generates() })
}

// brokenToolCalls are the cases in which a stream breaks off before this gateway has passed anything on: it passes no tool
// calls on.
const brokenToolCalls contract.Pattern = "http:5xx/upstream-error/*/*-tool-call"

// redirects are the cases in which the upstream responds with a redirect, and compressedErrors are those in which it compresses its error.
const (
	redirects        contract.Pattern = "http:5xx/upstream-error/*/redirect"
	compressedErrors contract.Pattern = "http:5xx/upstream-error/*/compressed-error"
)

// uncounted is the case in which tokens cannot be counted for a model. withoutPrompt is the case in which the failing read does not concern the list
// of words.
const (
	uncounted     contract.Pattern = "http:404/unknown-path/*/unsupported"
	withoutPrompt contract.Pattern = "code:query_data_error/*/models"
)

// limitedUpstream are the cases in which the upstream answers 429.
const limitedUpstream contract.Pattern = "http:5xx/upstream-error/*/error-429"

// onSurfaces are the cases of some rows, or circumstances within them, on some surfaces: "http:404/*" on chat is
// "http:404/*/chat/**".
func onSurfaces(surfaces []dialect.Surface, rows ...string) []contract.Pattern {
	var patterns []contract.Pattern
	for _, row := range rows {
		for _, s := range surfaces {
			patterns = append(patterns, contract.Pattern(row+"/"+string(s)+"/**"))
		}
	}
	return patterns
}

func openAI() []dialect.Surface    { return surfacesOf(dialect.OpenAI) }
func anthropic() []dialect.Surface { return surfacesOf(dialect.Anthropic) }
func gemini() []dialect.Surface    { return surfacesOf(dialect.Gemini) }

func surfacesOf(d dialect.Dialect) []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return s.Dialect() != d })
}

// relayed are the surfaces without those that need no upstream, where no request has a body. A pattern of surfaces stays.
func relayed(surfaces []dialect.Surface) []dialect.Surface {
	return slices.DeleteFunc(slices.Clone(surfaces), func(s dialect.Surface) bool { return s.Valid() && !s.Relayed() })
}

func plainSurfaces() []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), dialect.Surface.Streaming)
}

func streamingSurfaces() []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return !s.Streaming() })
}
