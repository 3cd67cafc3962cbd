package reference

import (
	"errors"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// codeDeviations answer with another code than the one that is due, or with none where the dialect keeps it.
func codeDeviations() []Deviation {
	return append(confusions(),
		Deviation{
			Name:     "codes-empty-on-openai",
			Sentence: "The code is there on the OpenAI routes, and always empty.",
			Turns: []Turn{
				stays("http:429/**"),
				fails(contract.Code, onSurfaces(openAI(), "code:*/*")...),
				warns(contract.CodeKnown, onSurfaces(openAI(), "http:*/*")...),
			},
			bend: together(
				answering(inError(func(e map[string]any) { e["code"] = "" }), speaking(dialect.OpenAI)),
				breaking(inErrorEvent(func(e map[string]any) { e["code"] = "" }), speaking(dialect.OpenAI)),
			),
		},
		Deviation{
			Name:     "codes-missing-from-refusals",
			Sentence: "What is refused at the door, before the body was read, has no code at all.",
			Turns: []Turn{
				fails(contract.Code, onSurfaces(openAI(), "code:access_denied/*")...),
				warns(contract.Fields, onSurfaces(openAI(), "http:401/*", "http:403/revoked-key", "http:429/*")...),
			},
			bend: answering(inError(func(e map[string]any) { delete(e, "code") }), at("authenticate", "admit", "limit"),
				speaking(dialect.OpenAI), func(_ *call, f *failure) bool { return f.status < 500 }),
		},
		Deviation{
			Name:     "codes-numeric",
			Sentence: "The code of an unknown model is a number, the status once more.",
			Turns: []Turn{
				fails(contract.Code, onSurfaces(openAI(), "code:model_not_found/*")...),
				warns(contract.Fields, onSurfaces(openAI(), "http:404/unknown-model")...),
			},
			bend: answering(inError(func(e map[string]any) { e["code"] = 404 }), coded(modelNotFound), speaking(dialect.OpenAI)),
		},
		Deviation{
			Name:     "codes-in-capitals",
			Sentence: "The codes of forbidden requests are written in capitals.",
			Turns: []Turn{
				fails(contract.Code, "code:access_denied/**"),
				warns(contract.CodeKnown, "http:401/**", "http:403/**"),
			},
			bend: failing(func(_ *call, f *failure) { f.code = code(strings.ToUpper(string(f.code))) }, coded(accessDenied)),
		},
		Deviation{
			Name:     "codes-null-for-upstream-errors",
			Sentence: "The code is null whenever the provider failed.",
			Turns: []Turn{
				fails(contract.Code, "code:bad_response_status_code/**"),
				warns(contract.CodeKnown, "http:5xx/upstream-error/*/error-object"),
			},
			bend: calling("", coded(badResponseStatus)),
		},
		Deviation{
			Name:     "codes-lost-on-anthropic",
			Sentence: "The Anthropic envelope has no place for the code, and so it is lost there.",
			Turns: []Turn{
				stays("http:429/**"),
				fails(contract.Code, onSurfaces(anthropic(), "code:*/*")...),
				warns(contract.CodeKnown, onSurfaces(anthropic(), "http:*/*")...),
			},
			bend: calling("", speaking(dialect.Anthropic)),
		},
		Deviation{
			Name:     "codes-lost-on-gemini",
			Sentence: "The Gemini envelope comes without details, and so the code is lost there.",
			Turns: []Turn{
				stays("http:429/**"),
				fails(contract.Code, onSurfaces(gemini(), "code:*/*")...),
				warns(contract.CodeKnown, onSurfaces(gemini(), "http:*/*")...),
			},
			bend: calling("", speaking(dialect.Gemini)),
		},
		Deviation{
			Name:     "codes-lost-in-streams",
			Sentence: "The error event of a stream that has begun has no code.",
			Turns: []Turn{
				fails(contract.Code, onSurfaces(streamingSurfaces(), "code:read_response_body_failed/*")...),
				fails(contract.Code, "code:channel:response_time_exceeded/*/*-stream/stalled-answer"),
				warns(contract.CodeKnown, "http:5xx/upstream-error/*/mid-stream"),
			},
			bend: failing(func(c *call, f *failure) {
				if c.reply.begun {
					f.code = ""
				}
			}),
		},
		Deviation{
			Name:     "codes-as-anthropic-types",
			Sentence: "On the Anthropic routes the code stands in the place of the type: tolerated, but not where it belongs.",
			Turns:    []Turn{warns(contract.CodePlace, onSurfaces(anthropic(), "code:*/*")...)},
			bend: together(
				answering(inError(codeAsType), speaking(dialect.Anthropic)),
				breaking(inErrorEvent(codeAsType), speaking(dialect.Anthropic)),
			),
		},
		Deviation{
			Name:     "provider-code-passed-on",
			Sentence: "The provider's code is passed on unchecked, whatever it is.",
			Turns:    []Turn{warns(contract.CodeKnown, "http:5xx/upstream-error/*/error-object")},
			bend: failing(func(_ *call, f *failure) {
				if refused, ok := errors.AsType[*providerError](f); ok {
					f.code = code(refused.refusal.Code)
				}
			}, coded(badResponseStatus), usable),
		},
	)
}

func codeAsType(e map[string]any) {
	e["type"] = e["code"]
	delete(e, "code")
}

// confusions tell one code for another. The status stays, so that the code alone is wrong.
func confusions() []Deviation {
	var all []Deviation
	for _, c := range []struct {
		name      string
		due, told code
		sentence  string
		when      []when
		surfaces  []dialect.Surface
	}{
		{"bad-parameters-called-malformed", invalidRequest, badRequestBody, "Parameters that are invalid are called a malformed body.", []when{at("decode")}, nil},
		{"malformed-called-bad-parameters", badRequestBody, invalidRequest, "A body that is not JSON is called invalid parameters, on the Gemini routes.",
			[]when{speaking(dialect.Gemini)}, gemini()},
		{"unreadable-called-malformed", readRequestBody, badRequestBody, "A body that could not be read is called malformed.", nil, nil},
		{"unconvertible-called-invalid", convertRequest, invalidRequest, "A request that the provider's API cannot express is called invalid.", nil, nil},
		{"listed-word-called-policy", sensitiveWords, promptBlocked, "The gateway's own list of words is called the provider's policy.", nil, nil},
		{"policy-called-bad-response", promptBlocked, badResponse, "A refusal on policy grounds is called a bad response, in streams.", []when{streaming}, streamingSurfaces()},
		{"denied-called-unknown-model", accessDenied, modelNotFound, "A key at the wrong address is told that there is no such model.",
			[]when{at("admit"), func(c *call, f *failure) bool { return !revoked(c, f) }}, nil},
		{"unknown-model-called-no-channel", modelNotFound, getChannel, "A model that does not exist is called one without a channel.", nil, nil},
		{"unsupported-called-unconvertible", invalidAPIType, convertRequest, "An API type that is not supported is called a failed conversion.", nil, nil},
		{"no-channel-called-unknown-model", getChannel, modelNotFound, "A model without a channel is called one that does not exist.", nil, nil},
		{"no-channel-key-called-unreachable", noAvailableKey, doRequest, "A channel without a key is called a failed request.", nil, nil},
		{"rejected-key-called-bad-status", invalidChannelKey, badResponseStatus, "A rejected channel key is called a bad status.", nil, nil},
		{"bad-mapping-called-unconvertible", modelMapped, convertRequest, "A model that cannot be mapped is called a failed conversion.", nil, nil},
		{"timeout-called-unreachable", responseTime, doRequest, "A provider that is too slow is called one that could not be reached.", nil, nil},
		{"spent-account-called-spent-key", insufficientQuota, preConsumeQuota, "A spent account is called a spent key.", nil, nil},
		{"spent-key-called-spent-account", preConsumeQuota, insufficientQuota, "A spent key is called a spent account.", nil, nil},
		{"unpriced-called-no-channel", modelPrice, getChannel, "A model without a price is called one without a channel.", nil, nil},
		{"uncountable-called-invalid", countToken, invalidRequest, "Input that cannot be counted is called invalid.", nil, nil},
		{"unreachable-called-timeout", doRequest, responseTime, "A provider that cannot be reached is called too slow.", nil, nil},
		{"bad-response-called-otherwise", badResponse, "bad_response_body", "An answer that is none has a code that no table knows.",
			[]when{func(c *call, _ *failure) bool { return !c.reply.begun }}, nil},
		{"bad-status-called-upstream-error", badResponseStatus, "upstream_error", "A provider's bad status has a code that no table knows, where it comes without an error object.",
			[]when{func(c *call, f *failure) bool { return !usable(c, f) }}, nil},
		{"empty-called-bad-response", emptyResponse, badResponse, "An empty answer is called a bad one.", nil, nil},
		{"truncated-called-bad-response", readResponseBody, badResponse, "An answer that breaks off is called a bad one.", nil, nil},
		{"unserialisable-called-unreachable", marshalJSON, doRequest, "An answer that the gateway cannot write is called a failed request.", nil, nil},
		{"failing-read-called-write", queryData, updateData, "A failing read is called a failing write.", nil, nil},
		{"failing-write-called-read", updateData, queryData, "A failing write is called a failing read.", nil, nil},
	} {
		cases := []contract.Pattern{contract.Pattern("code:" + c.due + "/**")}
		if c.surfaces != nil {
			cases = onSurfaces(c.surfaces, "code:"+string(c.due)+"/*")
		}
		all = append(all, Deviation{
			Name:     c.name,
			Sentence: c.sentence,
			Turns:    []Turn{fails(contract.Code, cases...)},
			bend:     calling(c.told, append(c.when, coded(c.due))...),
		})
	}
	return all
}
