package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// requestStatusMutants get the status wrong of what the client can mend.
func requestStatusMutants() []Mutant {
	return []Mutant{
		mutant("bad-parameters-as-500", "The gateway returns 500 for missing or invalid parameters, as if the gateway had failed.",
			setStatus(500, withCode(reference.InvalidRequest), at(reference.Decode)),
			passes(refusedParameters),
			fails(contract.StatusClass, "http:400/**", "code:invalid_request/**")),
		mutant("anthropic-parameters-as-422",
			"On the Anthropic endpoints, the gateway returns 422 for invalid parameters, although the contract says 400.",
			setStatus(422, withCode(reference.InvalidRequest), at(reference.Decode), in(dialect.Anthropic)),
			passes(refusedParameters),
			fails(contract.StatusExact, onSurfaces(anthropic(), "http:400/*", "code:invalid_request/*")...)),
		mutant("missing-model-as-404", "The gateway returns 404 for a request without a model, as if the request had named an unknown model.",
			replaceBy(reference.ModelNotFound, withCode(reference.InvalidRequest), at(reference.Decode),
				func(_ *reference.Call, f *reference.Failure) bool { return f.Param == "model" }),
			fails(contract.StatusExact, "http:400/missing-parameter/*/no-model")),
		mutant("malformed-body-as-500", "The gateway returns 500 for a body that is not JSON.",
			setStatus(500, withCode(reference.BadRequestBody)),
			fails(contract.StatusClass, "code:bad_request_body/**")),
		mutant("text-after-json-ignored", "The gateway ignores any data after the first JSON value of a request body, so it accepts a body that is not valid JSON.",
			wrap(reference.Read, ignoreTextAfter),
			fails(contract.NotSuccess, "code:bad_request_body/*/*/text-after")),
		mutant("short-body-as-500", "The gateway returns 500 if the request body is shorter than its Content-Length.",
			setStatus(500, withCode(reference.ReadRequestBody), not(causedBy(reference.ErrTooLarge)), not(encoded)),
			fails(contract.StatusClass, "code:read_request_body_failed/*/*/short-body")),
		mutant("oversize-as-413", "The gateway returns 413 for an oversized body. HTTP defines 413 for this purpose, but the contract's table does not list it.",
			setStatus(413, causedBy(reference.ErrTooLarge), at(reference.Read)),
			warns(contract.StatusExact, "code:read_request_body_failed/*/*/oversize")),
		mutant("missing-key-as-400", "The gateway returns 400 for a request without a key.",
			setStatus(400, withStatus(401), withoutKey),
			fails(contract.StatusExact, "http:401/missing-key/**")),
		mutant("missing-key-redirected", "The gateway redirects a request without a key to a login page.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Status = http.StatusFound
				a.Header.Set("Location", "/login")
			}, withStatus(401), withoutKey),
			fails(contract.NotSuccess, "http:401/missing-key/**")),
		mutant("wrong-key-as-403", "The gateway returns 403 for a key that was never issued.",
			setStatus(403, withStatus(401), not(withoutKey)),
			fails(contract.StatusExact, "http:401/wrong-key/**")),
		mutant("revoked-key-as-401", "The gateway returns 401 for a revoked key, as for a key that was never issued.",
			setStatus(401, at(reference.Admit), revoked),
			fails(contract.StatusExact, "http:403/revoked-key/**")),
		mutant("denied-address-as-401", "The gateway returns 401 for a valid key used from an IP address that is not allowed.",
			setStatus(401, at(reference.Admit), not(revoked)),
			warns(contract.StatusExact, "code:access_denied/**")),
		mutant("denied-model-as-404", "The gateway returns 404 for a model that the key may not use, as if the model did not exist.",
			replaceBy(reference.ModelNotFound, at(reference.Authorize), withCode(reference.AccessDenied)),
			fails(contract.StatusExact, "http:403/no-model-access/**")),
		mutant("unknown-model-as-503", "The gateway returns 503 for an unknown model, so clients retry in vain.",
			setStatus(503, withCode(reference.ModelNotFound)),
			fails(contract.StatusClass, "http:404/unknown-model/**", "code:model_not_found/**")),
		mutant("unknown-embedding-model-as-400", "On the embeddings endpoint, the gateway returns 400 for an unknown model.",
			setStatus(400, withCode(reference.ModelNotFound), on(dialect.Embeddings)),
			fails(contract.StatusExact, "http:404/unknown-model/embeddings", "code:model_not_found/absent-model/embeddings")),
		mutant("unknown-gemini-model-as-200", "On the Gemini endpoints, the gateway returns 200 and an error object for an unknown model.",
			setStatus(200, withCode(reference.ModelNotFound), in(dialect.Gemini)),
			fails(contract.NotSuccess, onSurfaces(gemini(), "http:404/unknown-model", "code:model_not_found/absent-model")...)),
		mutant("unknown-path-as-400", "The gateway returns 400 for an unknown path or a wrong method.",
			setStatus(400, at(reference.Route)),
			passes(uncounted),
			fails(contract.StatusExact, "http:404/unknown-path/**")),
		mutant("wrong-method-as-501", "The gateway returns 501 for a wrong method, as if the gateway had failed.",
			setStatus(501, withStatus(405)),
			fails(contract.StatusClass, "http:404/unknown-path/*/wrong-method")),
		mutant("errors-as-200-on-chat", "The chat endpoint returns every error as 200 with an error object.",
			setStatus(200, func(c *reference.Call, _ *reference.Failure) bool {
				return strings.HasPrefix(c.Request.URL.Path, "/v1/chat/")
			}),
			passes(midStream()...),
			fails(contract.NotSuccess, "*/*/chat/**", "*/*/chat-stream/**")),
		mutant("sensitive-words-as-500", "The gateway returns 500 for input that contains a sensitive word.",
			setStatus(500, withCode(reference.SensitiveWords)),
			fails(contract.StatusClass, "code:sensitive_words_detected/**")),
		mutant("blocked-prompt-as-502",
			"The gateway returns 502 for a prompt that the upstream refused on policy grounds, so clients send the prompt again.",
			setStatus(502, withCode(reference.PromptBlocked)),
			fails(contract.StatusClass, "code:prompt_blocked/**")),
		mutant("unconvertible-as-501", "The gateway returns 501 for a request that the upstream's API cannot express.",
			setStatus(501, withCode(reference.ConvertRequest)),
			fails(contract.StatusClass, "code:convert_request_failed/**")),
		mutant("unsupported-api-as-500", "The gateway returns 500 for an API type that it does not support.",
			setStatus(500, withCode(reference.InvalidAPIType)),
			fails(contract.StatusClass, "code:invalid_api_type/**")),
		mutant("uncountable-as-422", "The gateway returns 422 instead of 400 if it cannot count the input's tokens.",
			setStatus(422, withCode(reference.CountToken)),
			warns(contract.StatusExact, "code:count_token_failed/**")),
		mutant("spent-account-as-429", "The gateway returns 429 for an account that has used up its quota, so clients wait and retry in vain.",
			setStatus(429, withCode(reference.InsufficientQuota)),
			warns(contract.StatusExact, "code:insufficient_user_quota/**")),
		mutant("spent-key-as-402", "The gateway returns 402 instead of 403 for a key that has used up its budget.",
			setStatus(402, withCode(reference.PreConsumeQuota)),
			warns(contract.StatusExact, "code:pre_consume_token_quota_failed/**")),
		mutant("quota-as-500", "The gateway returns 500 for an account or key that has used up its quota.",
			setStatus(500, withCode(reference.InsufficientQuota, reference.PreConsumeQuota)),
			fails(contract.StatusClass, "code:insufficient_user_quota/**", "code:pre_consume_token_quota_failed/**")),
		mutant("rate-limit-as-503", "The gateway returns 503 to a client that exceeds its rate limit, as if the gateway were overloaded.",
			setStatus(503, withCode(reference.RateLimited)),
			fails(contract.StatusClass, "http:429/**"),
			warns(contract.CodeKnown, limitedUpstream)),
		mutant("rate-limit-as-403-on-anthropic",
			"On the Anthropic endpoints, the gateway returns 403 to a client that exceeds its rate limit, so the client does not retry.",
			setStatus(403, withCode(reference.RateLimited), in(dialect.Anthropic)),
			fails(contract.StatusExact, append(upstreamErrors(anthropic(), "error-429"), onSurfaces(anthropic(), "http:429/*")...)...)),
	}
}

// serverStatusMutants get the status wrong of what the gateway or the upstream did.
func serverStatusMutants() []Mutant {
	return []Mutant{
		mutant("unpriced-model-as-400", "The gateway returns 400 for a model without a price, as if the client had made a mistake.",
			setStatus(400, withCode(reference.ModelPrice)),
			fails(contract.StatusClass, "code:model_price_error/**")),
		mutant("no-channel-as-404", "The gateway returns 404 for a model without a channel, as if the model did not exist.",
			replaceBy(reference.ModelNotFound, withCode(reference.GetChannel)),
			fails(contract.StatusClass, "code:get_channel_failed/**")),
		mutant("no-channel-key-as-403", "The gateway returns 403 if the channel has no key, as if the client's key were at fault.",
			setStatus(403, withCode(reference.NoAvailableKey)),
			fails(contract.StatusClass, "code:channel:no_available_key/**")),
		mutant("bad-mapping-as-400", "The gateway returns 400 if the channel has a cyclic model mapping, as if the client had made a mistake.",
			setStatus(400, withCode(reference.ModelMapped)),
			fails(contract.StatusClass, "code:channel:model_mapped_error/**")),
		mutant("channel-key-as-401", "If the upstream rejects the gateway's key with 401, the gateway returns 401 to the client, although the client's key is valid.",
			setStatus(401, withCode(reference.InvalidChannelKey), upstreamStatus(401)),
			fails(contract.StatusBlame, "code:channel:invalid_key/**", "http:5xx/upstream-error/*/error-401")),
		mutant("timeout-as-408", "The gateway returns 408 for an upstream timeout, as if the client had been slow.",
			setStatus(408, causedBy(reference.ErrTooSlow)),
			passes(midStream()...),
			fails(contract.StatusClass, "code:channel:response_time_exceeded/**")),
		mutant("unreachable-as-429", "The gateway returns 429 for an unreachable upstream, so the client slows down needlessly.",
			setStatus(429, withCode(reference.DoRequest)),
			fails(contract.StatusClass, "code:do_request_failed/**")),
		mutant("upstream-status-passed-on",
			"The gateway passes on the upstream's status, so an upstream 404 for a path that the gateway built looks like the client's mistake.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				if upstream, ok := errors.AsType[*reference.UpstreamError](f); ok {
					f.Status = upstream.Status
				}
			}, withCode(reference.BadResponseStatus)),
			fails(contract.StatusClass, "code:bad_response_status_code/*/*/html-404", "http:5xx/upstream-error/*/error-402"),
			fails(contract.NotSuccess, redirects)),
		mutant("upstream-error-as-400", "If the upstream returns 500 with an error object, the gateway returns 400.",
			setStatus(400, withCode(reference.BadResponseStatus), upstreamStatus(500), upstreamErrorObject),
			fails(contract.StatusClass, "http:5xx/upstream-error/*/error-object", "http:5xx/upstream-error/*/numeric-code",
				compressedErrors)),
		mutant("bad-answer-as-400", "The gateway returns 400 for an upstream response that cannot be decoded.",
			setStatus(400, withCode(reference.BadResponse)),
			fails(contract.StatusClass, append(errorsAsAnswers(), "code:bad_response/**")...)),
		mutant("empty-answer-as-204", "The gateway returns 204 for an empty upstream response, so clients take the failure for a success.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Status, a.Body = http.StatusNoContent, nil
			}, withCode(reference.EmptyResponse)),
			fails(contract.NotSuccess, "code:empty_response/**")),
		mutant("broken-answer-as-424", "The gateway returns 424 for a truncated upstream response, as if the request had been wrong.",
			setStatus(424, withCode(reference.ReadResponseBody)),
			passes(midStream()...),
			fails(contract.StatusClass, "code:read_response_body_failed/**", brokenToolCalls)),
		mutant("unserialisable-as-400", "The gateway returns 400 for a response that it cannot serialise.",
			setStatus(400, withCode(reference.MarshalJSON)),
			fails(contract.StatusClass, "code:json_marshal_failed/**")),
		mutant("lost-store-as-401", "While the database is unavailable, the gateway returns 401 for every key, as if the key were wrong.",
			setStatus(401, causedBy(reference.ErrStoreRead), at(reference.Authenticate)),
			fails(contract.StatusClass, "http:5xx/gateway-error/**")),
		mutant("failing-reads-as-403", "The gateway returns 403 for a failed database read, as if the client had no permission.",
			setStatus(403, causedBy(reference.ErrStoreRead), at(reference.Screen)),
			passes(withoutPrompt),
			fails(contract.StatusClass, "code:query_data_error/**")),
		mutant("failing-reads-as-unknown-model",
			"The gateway returns 503 and model_not_found for a failed database read, although the model exists.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				f.Code, f.Status = reference.ModelNotFound, http.StatusServiceUnavailable
			}, causedBy(reference.ErrStoreRead), at(reference.Screen)),
			passes(withoutPrompt),
			fails(contract.Code, "code:query_data_error/**")),
		mutant("failing-writes-as-spent-key",
			"If the database write that reserves quota fails, the gateway returns 403, as if the quota were used up.",
			replaceBy(reference.PreConsumeQuota, causedBy(reference.ErrStoreWrite)),
			fails(contract.StatusClass, "code:update_data_error/**")),
	}
}

// ignoreTextAfter reads the first JSON value of a body, as a decoder of streams does, and leaves what follows it.
func ignoreTextAfter(ctx context.Context, c *reference.Call, next reference.Handler) error {
	if c.Request.Header.Get("Content-Encoding") != "" {
		return next(ctx, c)
	}
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return reference.Refuse(reference.ReadRequestBody, err)
	}
	var first json.RawMessage
	if json.NewDecoder(bytes.NewReader(body)).Decode(&first) == nil {
		body = first
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	return next(ctx, c)
}
