package reference

import (
	"errors"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// statusDeviations answer with a status that tells the caller the wrong thing: whom to blame, and whether to try again.
func statusDeviations() []Deviation {
	return []Deviation{
		{
			Name:     "bad-parameters-as-500",
			Sentence: "Parameters that are missing or invalid are answered 500, as if the gateway had failed.",
			Turns:    []Turn{fails(contract.StatusClass, "http:400/**", "code:invalid_request/**")},
			bend:     taking(500, coded(invalidRequest), at("decode")),
		},
		{
			Name:     "anthropic-parameters-as-422",
			Sentence: "Bad parameters are answered 422 on the Anthropic routes, where the table says 400.",
			Turns:    []Turn{fails(contract.StatusExact, onSurfaces(anthropic(), "http:400/*", "code:invalid_request/*")...)},
			bend:     taking(422, coded(invalidRequest), at("decode"), speaking(dialect.Anthropic)),
		},
		{
			Name:     "missing-model-as-404",
			Sentence: "A request that names no model is answered 404, as if it had named one that does not exist.",
			Turns:    []Turn{fails(contract.StatusExact, "http:400/missing-parameter/*/no-model")},
			bend: mistaking(modelNotFound, coded(invalidRequest), at("decode"),
				func(_ *call, f *failure) bool { return f.param == "model" }),
		},
		{
			Name:     "malformed-body-as-500",
			Sentence: "A body that is not JSON is answered 500.",
			Turns:    []Turn{fails(contract.StatusClass, "code:bad_request_body/**")},
			bend:     taking(500, coded(badRequestBody)),
		},
		{
			Name:     "short-body-as-500",
			Sentence: "A caller that hangs up in the middle of its request is told that the gateway failed.",
			Turns:    []Turn{fails(contract.StatusClass, "code:read_request_body_failed/*/*/short-body")},
			bend: taking(500, coded(readRequestBody), func(c *call, f *failure) bool {
				return !errors.Is(f, errTooLarge) && c.request.Header.Get("Content-Encoding") == ""
			}),
		},
		{
			Name:     "oversize-as-413",
			Sentence: "A body over the limit is answered 413: a precise status, that the table does not have.",
			Turns:    []Turn{warns(contract.StatusExact, "code:read_request_body_failed/*/*/oversize")},
			bend:     taking(413, because(errTooLarge), at("read")),
		},
		{
			Name:     "missing-key-as-400",
			Sentence: "A request without a key is answered 400.",
			Turns:    []Turn{fails(contract.StatusExact, "http:401/missing-key/**")},
			bend:     taking(400, answered(401), keyless),
		},
		{
			Name:     "missing-key-redirected",
			Sentence: "A request without a key is redirected to a page to sign in.",
			Turns:    []Turn{fails(contract.NotSuccess, "http:401/missing-key/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.status = http.StatusFound
				a.header.Set("Location", "/login")
			}, answered(401), keyless),
		},
		{
			Name:     "wrong-key-as-403",
			Sentence: "A key that was never issued is answered 403.",
			Turns:    []Turn{fails(contract.StatusExact, "http:401/wrong-key/**")},
			bend:     taking(403, answered(401), func(c *call, f *failure) bool { return !keyless(c, f) }),
		},
		{
			Name:     "revoked-key-as-401",
			Sentence: "A key that was withdrawn is answered 401, like one that never was.",
			Turns:    []Turn{fails(contract.StatusExact, "http:403/revoked-key/**")},
			bend:     taking(401, at("admit"), revoked),
		},
		{
			Name:     "denied-address-as-401",
			Sentence: "A good key from a wrong address is answered 401.",
			Turns:    []Turn{warns(contract.StatusExact, "code:access_denied/**")},
			bend:     taking(401, at("admit"), func(c *call, f *failure) bool { return !revoked(c, f) }),
		},
		{
			Name:     "denied-model-as-404",
			Sentence: "A model that the key may not use is answered 404, as if it did not exist.",
			Turns:    []Turn{fails(contract.StatusExact, "http:403/no-model-access/**")},
			bend:     mistaking(modelNotFound, at("authorise"), coded(accessDenied)),
		},
		{
			Name:     "unknown-model-as-503",
			Sentence: "A model that does not exist is answered 503, so that clients try again for ever.",
			Turns:    []Turn{fails(contract.StatusClass, "http:404/unknown-model/**", "code:model_not_found/**")},
			bend:     taking(503, coded(modelNotFound)),
		},
		{
			Name:     "unknown-embedding-model-as-400",
			Sentence: "A model that does not exist is answered 400 on one surface.",
			Turns: []Turn{fails(contract.StatusExact,
				"http:404/unknown-model/embeddings", "code:model_not_found/absent-model/embeddings")},
			bend: taking(400, coded(modelNotFound), on(dialect.Embeddings)),
		},
		{
			Name:     "unknown-gemini-model-as-200",
			Sentence: "A model that does not exist is answered 200 with an error object, on the Gemini routes.",
			Turns: []Turn{fails(contract.NotSuccess,
				onSurfaces(gemini(), "http:404/unknown-model", "code:model_not_found/absent-model")...)},
			bend: taking(200, coded(modelNotFound), speaking(dialect.Gemini)),
		},
		{
			Name:     "unknown-path-as-400",
			Sentence: "A path that does not exist, or does not understand the method, is answered 400.",
			Turns:    []Turn{fails(contract.StatusExact, "http:404/unknown-path/**")},
			bend:     taking(400, at("route")),
		},
		{
			Name:     "wrong-method-as-501",
			Sentence: "A method that the path does not understand is answered 501, as a failing of the gateway.",
			Turns:    []Turn{fails(contract.StatusClass, "http:404/unknown-path/*/wrong-method")},
			bend:     taking(501, answered(405)),
		},
		{
			Name:     "errors-as-200-on-chat",
			Sentence: "On one surface every error is a 200 with an error object in it.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.NotSuccess, "*/*/chat/**", "*/*/chat-stream/**"),
			},
			bend: taking(200, under("/v1/chat/")),
		},
		{
			Name:     "sensitive-words-as-500",
			Sentence: "Input with a listed word is answered 500.",
			Turns:    []Turn{fails(contract.StatusClass, "code:sensitive_words_detected/**")},
			bend:     taking(500, coded(sensitiveWords)),
		},
		{
			Name:     "blocked-prompt-as-502",
			Sentence: "A prompt that the provider refused on policy grounds is answered 502, so that clients send it again.",
			Turns:    []Turn{fails(contract.StatusClass, "code:prompt_blocked/**")},
			bend:     taking(502, coded(promptBlocked)),
		},
		{
			Name:     "unconvertible-as-501",
			Sentence: "A request that the provider's API cannot express is answered 501.",
			Turns:    []Turn{fails(contract.StatusClass, "code:convert_request_failed/**")},
			bend:     taking(501, coded(convertRequest)),
		},
		{
			Name:     "unsupported-api-as-500",
			Sentence: "An API type that the gateway does not support is answered 500.",
			Turns:    []Turn{fails(contract.StatusClass, "code:invalid_api_type/**")},
			bend:     taking(500, coded(invalidAPIType)),
		},
		{
			Name:     "uncountable-as-422",
			Sentence: "Input that cannot be counted is answered 422, where 400 is due.",
			Turns:    []Turn{warns(contract.StatusExact, "code:count_token_failed/**")},
			bend:     taking(422, coded(countToken)),
		},
		{
			Name:     "spent-account-as-429",
			Sentence: "An account without quota is answered 429, so that clients wait and try again for ever.",
			Turns:    []Turn{warns(contract.StatusExact, "code:insufficient_user_quota/**")},
			bend:     taking(429, coded(insufficientQuota)),
		},
		{
			Name:     "spent-key-as-402",
			Sentence: "A key without budget is answered 402.",
			Turns:    []Turn{warns(contract.StatusExact, "code:pre_consume_token_quota_failed/**")},
			bend:     taking(402, coded(preConsumeQuota)),
		},
		{
			Name:     "quota-as-500",
			Sentence: "Whoever has no quota left is told that the gateway failed.",
			Turns:    []Turn{fails(contract.StatusClass, "code:insufficient_user_quota/**", "code:pre_consume_token_quota_failed/**")},
			bend:     taking(500, coded(insufficientQuota, preConsumeQuota)),
		},
		{
			Name:     "unpriced-model-as-400",
			Sentence: "A model that the operator forgot to price is answered 400, as the caller's mistake.",
			Turns:    []Turn{fails(contract.StatusClass, "code:model_price_error/**")},
			bend:     taking(400, coded(modelPrice)),
		},
		{
			Name:     "no-channel-as-404",
			Sentence: "A model without a channel is answered 404, as if it did not exist.",
			Turns:    []Turn{fails(contract.StatusClass, "code:get_channel_failed/**")},
			bend:     mistaking(modelNotFound, coded(getChannel)),
		},
		{
			Name:     "no-channel-key-as-403",
			Sentence: "A channel without a key of its own is answered 403, as if the caller had none.",
			Turns:    []Turn{fails(contract.StatusClass, "code:channel:no_available_key/**")},
			bend:     taking(403, coded(noAvailableKey)),
		},
		{
			Name:     "bad-mapping-as-400",
			Sentence: "A model that the channel maps in a circle is answered 400.",
			Turns:    []Turn{fails(contract.StatusClass, "code:channel:model_mapped_error/**")},
			bend:     taking(400, coded(modelMapped)),
		},
		{
			Name:     "channel-key-as-401",
			Sentence: "The provider's 401 for the gateway's own key is passed to the caller, whose key is good.",
			Turns:    []Turn{fails(contract.StatusBlame, "code:channel:invalid_key/**")},
			bend:     taking(401, coded(invalidChannelKey), refusedBy(401)),
		},
		{
			Name:     "timeout-as-408",
			Sentence: "A provider that is too slow is answered 408, as if the caller had been.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.StatusClass, "code:channel:response_time_exceeded/**"),
			},
			bend: taking(408, because(errTooSlow)),
		},
		{
			Name:     "unreachable-as-429",
			Sentence: "A provider that cannot be reached is answered 429, so that the caller slows down for nothing.",
			Turns:    []Turn{fails(contract.StatusClass, "code:do_request_failed/**")},
			bend:     taking(429, coded(doRequest)),
		},
		{
			Name:     "provider-status-passed-on",
			Sentence: "The provider's status is passed on, so that its 404 for a path of the gateway's making looks like the caller's.",
			Turns:    []Turn{fails(contract.StatusClass, "code:bad_response_status_code/*/*/html-404")},
			bend: failing(func(_ *call, f *failure) {
				if refused, ok := errors.AsType[*providerError](f); ok {
					f.status = refused.status
				}
			}, coded(badResponseStatus)),
		},
		{
			Name:     "provider-error-as-400",
			Sentence: "The provider's own 500 is answered 400.",
			Turns:    []Turn{fails(contract.StatusClass, "http:5xx/upstream-error/*/error-object")},
			bend:     taking(400, coded(badResponseStatus), refusedBy(500), usable),
		},
		{
			Name:     "bad-answer-as-400",
			Sentence: "A provider's answer that is none is answered 400.",
			Turns:    []Turn{fails(contract.StatusClass, "code:bad_response/**")},
			bend:     taking(400, coded(badResponse)),
		},
		{
			Name:     "empty-answer-as-204",
			Sentence: "An empty answer of the provider is passed on as 204.",
			Turns:    []Turn{fails(contract.NotSuccess, "code:empty_response/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.status, a.body = http.StatusNoContent, nil
			}, coded(emptyResponse)),
		},
		{
			Name:     "broken-answer-as-424",
			Sentence: "A provider's answer that breaks off is answered 424, as if the request had been wrong.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.StatusClass, "code:read_response_body_failed/**"),
			},
			bend: taking(424, coded(readResponseBody)),
		},
		{
			Name:     "unserialisable-as-400",
			Sentence: "An answer that the gateway cannot write is answered 400.",
			Turns:    []Turn{fails(contract.StatusClass, "code:json_marshal_failed/**")},
			bend:     taking(400, coded(marshalJSON)),
		},
		{
			Name:     "lost-store-as-401",
			Sentence: "While the store of keys is gone, every key is answered 401, as if it were wrong.",
			Turns:    []Turn{fails(contract.StatusClass, "http:5xx/gateway-error/**")},
			bend:     taking(401, because(errQuery), at("authenticate")),
		},
		{
			Name:     "failing-reads-as-403",
			Sentence: "Whatever cannot be looked up is taken for forbidden.",
			Turns:    []Turn{fails(contract.StatusClass, "code:query_data_error/**")},
			bend:     taking(403, because(errQuery), at("screen")),
		},
		{
			Name:     "failing-reads-as-unknown-model",
			Sentence: "While something cannot be looked up, a model that exists is answered 503 model_not_found.",
			Turns:    []Turn{fails(contract.Code, "code:query_data_error/**")},
			bend: failing(func(_ *call, f *failure) {
				f.code, f.status = modelNotFound, http.StatusServiceUnavailable
			}, because(errQuery), at("screen")),
		},
		{
			Name:     "failing-writes-as-spent-key",
			Sentence: "Whatever goes wrong while money is set aside is answered 403, as if there were none.",
			Turns:    []Turn{fails(contract.StatusClass, "code:update_data_error/**")},
			bend:     mistaking(preConsumeQuota, because(errUpdate)),
		},
		{
			Name:     "rate-limit-as-503",
			Sentence: "A caller over its limit is told that the gateway is overloaded.",
			Turns:    []Turn{fails(contract.StatusClass, "http:429/**")},
			bend:     taking(503, coded(rateLimited)),
		},
		{
			Name:     "rate-limit-as-403-on-anthropic",
			Sentence: "A caller over its limit is answered 403 on the Anthropic routes, so that clients do not wait and try again.",
			Turns:    []Turn{fails(contract.StatusExact, onSurfaces(anthropic(), "http:429/*")...)},
			bend:     taking(403, coded(rateLimited), speaking(dialect.Anthropic)),
		},
	}
}

// keyless selects calls without a key.
func keyless(c *call, _ *failure) bool { return credential(c.request) == "" }

// revoked selects calls with a key that was withdrawn.
func revoked(c *call, _ *failure) bool { return c.account.revoked }

// usable selects failures that are a provider's error object.
func usable(_ *call, f *failure) bool {
	refused, ok := errors.AsType[*providerError](f)
	return ok && refused.refusal.Message != ""
}
