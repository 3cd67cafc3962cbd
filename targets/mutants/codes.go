package mutants

import (
	"errors"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// codeMutants answer with a wrong code, or without one.
func codeMutants() []Mutant {
	emptyCode := func(e map[string]any) { e["code"] = "" }
	return append(confusedCodes(),
		mutant("codes-empty-on-openai", "On the OpenAI endpoints, the error code is an empty string.",
			all(changeError(editError(emptyCode), in(dialect.OpenAI)), changeStreamError(editErrorEvent(emptyCode), in(dialect.OpenAI))),
			passes("http:429/**", limitedUpstream),
			fails(contract.Code, onSurfaces(openAI(), "code:*/*")...),
			warns(contract.CodeKnown, onSurfaces(openAI(), "http:*/*")...)),
		mutant("codes-missing-from-refusals", "On the OpenAI endpoints, if the gateway refuses a request before it reads the body, the error has no code.",
			changeError(editError(func(e map[string]any) { delete(e, "code") }),
				at(reference.Authenticate, reference.Admit, reference.Limit), in(dialect.OpenAI), with4xx),
			fails(contract.Code, onSurfaces(openAI(), "code:access_denied/*")...),
			warns(contract.Fields, onSurfaces(openAI(), "http:401/*", "http:403/revoked-key", "http:429/*")...)),
		mutant("codes-numeric", "On the OpenAI endpoints, the error code for an unknown model is the HTTP status as a number.",
			changeError(editError(func(e map[string]any) { e["code"] = 404 }), withCode(reference.ModelNotFound), in(dialect.OpenAI)),
			fails(contract.Code, onSurfaces(openAI(), "code:model_not_found/*")...),
			warns(contract.Fields, onSurfaces(openAI(), "http:404/unknown-model")...)),
		mutant("codes-in-capitals", "The error code for denied access is in capital letters.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				f.Code = reference.Code(strings.ToUpper(string(f.Code)))
			},
				withCode(reference.AccessDenied)),
			fails(contract.Code, "code:access_denied/**"),
			warns(contract.CodeKnown, "http:401/**", "http:403/**")),
		mutant("codes-null-for-upstream-errors", "The error code is null if the upstream returned an error status.",
			setCode("", withCode(reference.BadResponseStatus)),
			fails(contract.Code, "code:bad_response_status_code/**"),
			warns(contract.CodeKnown, badStatuses("*")...)),
		mutant("codes-lost-on-anthropic", "Errors on the Anthropic endpoints have no code.",
			setCode("", in(dialect.Anthropic)),
			passes("http:429/**", limitedUpstream),
			fails(contract.Code, onSurfaces(anthropic(), "code:*/*")...),
			warns(contract.CodeKnown, onSurfaces(anthropic(), "http:*/*")...)),
		mutant("codes-lost-on-gemini", "Errors on the Gemini endpoints have no details and therefore no code.",
			setCode("", in(dialect.Gemini)),
			passes("http:429/**", limitedUpstream),
			fails(contract.Code, onSurfaces(gemini(), "code:*/*")...),
			warns(contract.CodeKnown, onSurfaces(gemini(), "http:*/*")...)),
		mutant("codes-lost-in-streams", "If a call fails after the stream has begun, the error event has no code.",
			setCode("", begun),
			fails(contract.Code, onSurfaces(streamingSurfaces(), "code:read_response_body_failed/*")...),
			fails(contract.Code, "code:channel:response_time_exceeded/*/*-stream/stalled-answer"),
			warns(contract.CodeKnown, "http:5xx/upstream-error/*/mid-stream", "http:5xx/upstream-error/*-stream/answer-with-error")),
		mutant("codes-as-anthropic-types",
			"On the Anthropic endpoints, the code is in error.type. This is the wrong place, but the contract tolerates it.",
			all(changeError(editError(codeAsType), in(dialect.Anthropic)), changeStreamError(editErrorEvent(codeAsType), in(dialect.Anthropic))),
			warns(contract.CodePlace, onSurfaces(anthropic(), "code:*/*")...)),
		mutant("upstream-code-passed-on", "The gateway passes on the upstream's error code without checking it.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				if upstream, ok := errors.AsType[*reference.UpstreamError](f); ok {
					f.Code = reference.Code(upstream.Refusal.Code)
				}
			}, withCode(reference.BadResponseStatus), upstreamErrorObject),
			passes(redirects), // without an error object
			warns(contract.CodeKnown, badStatuses("*")...)),
	)
}

func codeAsType(e map[string]any) {
	e["type"] = e["code"]
	delete(e, "code")
}

// confusedCodes answer with one code instead of another. The status stays, so that the code alone is wrong.
func confusedCodes() []Mutant {
	var mutants []Mutant
	for _, m := range []struct {
		name         string
		right, wrong reference.Code
		sentence     string
		when         []condition
		surfaces     []dialect.Surface // nil for all
	}{
		{"bad-parameters-called-malformed", reference.InvalidRequest, reference.BadRequestBody,
			"Invalid parameters are reported with the code for a malformed body.", []condition{at(reference.Decode)}, nil},
		{"malformed-called-bad-parameters", reference.BadRequestBody, reference.InvalidRequest,
			"On the Gemini endpoints, a malformed body is reported with the code for invalid parameters.", []condition{in(dialect.Gemini)}, gemini()},
		{"unreadable-called-malformed", reference.ReadRequestBody, reference.BadRequestBody,
			"A request body that could not be read is reported with the code for a malformed body.", nil, nil},
		{"unconvertible-called-invalid", reference.ConvertRequest, reference.InvalidRequest,
			"A request that the upstream's API cannot express is reported with the code for invalid parameters.", nil, nil},
		{"listed-word-called-policy", reference.SensitiveWords, reference.PromptBlocked,
			"Input with a sensitive word is reported with the code for a prompt that the upstream refused.", nil, nil},
		{"policy-called-bad-response", reference.PromptBlocked, reference.BadResponse,
			"For streaming requests, a prompt that the upstream refused is reported with the code for a bad upstream response.", []condition{streaming}, streamingSurfaces()},
		{"denied-called-unknown-model", reference.AccessDenied, reference.ModelNotFound,
			"A valid key used from an IP address that is not allowed is reported with the code for an unknown model.", []condition{at(reference.Admit), not(revoked)}, nil},
		{"unknown-model-called-no-channel", reference.ModelNotFound, reference.GetChannel,
			"An unknown model is reported with the code for a model without a channel.", nil, nil},
		{"unsupported-called-unconvertible", reference.InvalidAPIType, reference.ConvertRequest,
			"An unsupported API type is reported with the code for a failed conversion.", nil, nil},
		{"no-channel-called-unknown-model", reference.GetChannel, reference.ModelNotFound,
			"A model without a channel is reported with the code for an unknown model.", nil, nil},
		{"no-channel-key-called-unreachable", reference.NoAvailableKey, reference.DoRequest,
			"A channel without a key is reported with the code for an unreachable upstream.", nil, nil},
		{"rejected-key-called-bad-status", reference.InvalidChannelKey, reference.BadResponseStatus,
			"A rejected channel key is reported with the code for a bad upstream status.", nil, nil},
		{"bad-mapping-called-unconvertible", reference.ModelMapped, reference.ConvertRequest,
			"A bad model mapping is reported with the code for a failed conversion.", nil, nil},
		{"timeout-called-unreachable", reference.ResponseTime, reference.DoRequest,
			"An upstream timeout is reported with the code for an unreachable upstream.", nil, nil},
		{"spent-account-called-spent-key", reference.InsufficientQuota, reference.PreConsumeQuota,
			"An account that has used up its quota is reported with the code for a key that has used up its budget.", nil, nil},
		{"spent-key-called-spent-account", reference.PreConsumeQuota, reference.InsufficientQuota,
			"A key that has used up its budget is reported with the code for an account that has used up its quota.", nil, nil},
		{"unpriced-called-no-channel", reference.ModelPrice, reference.GetChannel,
			"A model without a price is reported with the code for a model without a channel.", nil, nil},
		{"uncountable-called-invalid", reference.CountToken, reference.InvalidRequest,
			"Input whose tokens cannot be counted is reported with the code for invalid parameters.", nil, nil},
		{"unreachable-called-timeout", reference.DoRequest, reference.ResponseTime,
			"An unreachable upstream is reported with the code for an upstream timeout.", nil, nil},
		{"bad-response-called-otherwise", reference.BadResponse, "bad_response_body",
			"An upstream response that cannot be decoded is reported with a code that the contract does not define.", []condition{not(begun)}, nil},
		{"bad-status-called-upstream-error", reference.BadResponseStatus, "upstream_error",
			"A bad upstream status without an error object is reported with a code that the contract does not define.", []condition{not(upstreamErrorObject)}, nil},
		{"empty-called-bad-response", reference.EmptyResponse, reference.BadResponse,
			"An empty upstream response is reported with the code for a bad upstream response.", nil, nil},
		{"truncated-called-bad-response", reference.ReadResponseBody, reference.BadResponse,
			"A truncated upstream response is reported with the code for a bad upstream response.", nil, nil},
		{"unserialisable-called-unreachable", reference.MarshalJSON, reference.DoRequest,
			"A response that the gateway cannot serialise is reported with the code for an unreachable upstream.", nil, nil},
		{"failing-read-called-write", reference.QueryData, reference.UpdateData,
			"A failed database read is reported with the code for a failed write.", nil, nil},
		{"failing-write-called-read", reference.UpdateData, reference.QueryData,
			"A failed database write is reported with the code for a failed read.", nil, nil},
	} {
		cases := []contract.Pattern{contract.Pattern("code:" + m.right + "/**")}
		if m.surfaces != nil {
			cases = onSurfaces(m.surfaces, "code:"+string(m.right)+"/*")
		}
		expected := []Expectation{fails(contract.Code, cases...)}
		if m.right == reference.ModelNotFound { // the code does not fit the row of the status either
			expected = append(expected, warns(contract.CodeKnown, "http:404/unknown-model/*"))
		}
		if m.right == reference.BadResponseStatus && m.wrong == "upstream_error" {
			expected = append(expected, warns(contract.CodeKnown, redirects))
		}
		if m.right == reference.BadResponse {
			expected = append(expected, warns(contract.CodeKnown, errorsAsAnswers()...))
		}
		mutants = append(mutants, mutant(m.name, m.sentence, setCode(m.wrong, append(m.when, withCode(m.right))...), expected...))
	}
	return mutants
}
