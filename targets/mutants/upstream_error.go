package mutants

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// upstreamErrorMutants take the upstream's word about the gateway, or about a parameter, for something else.
func upstreamErrorMutants() []Mutant {
	const failing = "http:5xx/upstream-error/*/"
	return []Mutant{
		mutant("empty-balance-passed-on",
			"If the gateway's own account with the upstream has no credit left, the gateway passes on the upstream's 402, although the client's account has credit.",
			setStatus(402, withCode(reference.BadResponseStatus), upstreamStatus(402)),
			fails(contract.StatusBlame, failing+"error-402")),
		mutant("channel-key-as-403", "If the upstream rejects the gateway's key with 403, the gateway returns 403 to the client, although the client's key is valid.",
			setStatus(403, withCode(reference.InvalidChannelKey), upstreamStatus(403)),
			fails(contract.StatusBlame, failing+"error-403", failing+"own-words")),
		mutant("known-codes-passed-on", "If an upstream error has a code from the contract, the gateway passes that code on, even insufficient_user_quota, which in this case is about the gateway's account with the upstream, not about the client's.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				if upstream, ok := errors.AsType[*reference.UpstreamError](f); ok && contract.IsCode(upstream.Refusal.Code) {
					f.Code = reference.Code(upstream.Refusal.Code)
				}
			}),
			fails(contract.StatusBlame, failing+"own-words")),
		mutant("numeric-codes-not-decoded", "The gateway cannot decode an upstream error object with a numeric code, so the message of the gateway's error is empty.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Message = "" }, numericCode),
			passes("http:5xx/upstream-error/gemini*/numeric-code"), // Gemini's code is always a number
			passes("http:400/malformed-parameter/gemini*/refused-422"),
			fails(contract.Message, failing+"numeric-code", "http:400/malformed-parameter/*/refused-422")),
		mutant("numeric-codes-not-understood", "If the upstream rejects a parameter with an error that has a numeric code, the gateway returns 502.",
			replaceBy(reference.BadResponseStatus, withCode(reference.InvalidRequest), at(reference.Dial), numericCode),
			passes("http:400/malformed-parameter/gemini*/refused-422"),
			warns(contract.StatusClass, "http:400/malformed-parameter/*/refused-422")),
		mutant("missing-file-as-missing-model", "If the upstream returns 404 for a file named in the request, the gateway reports that the model does not exist.",
			replaceBy(reference.ModelNotFound, withCode(reference.InvalidRequest), upstreamStatus(404)),
			warns(contract.CodeKnown, "http:400/malformed-parameter/*/refused-404")),
		mutant("upstream-429-as-400", "If the upstream returns 429, the gateway returns 400, so the client gives up.",
			setStatus(400, upstreamStatus(429)),
			fails(contract.StatusExact, limitedUpstream)),
		mutant("upstream-429-hurried", "The gateway passes on the upstream's 429 but replaces its Retry-After with a value that is too short.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.WithHeader("Retry-After", "1") }, upstreamStatus(429)),
			warns(contract.RetryAfter, limitedUpstream)),
		mutant("overloaded-as-400", "The gateway returns 400 for an overloaded upstream, as if the client had made a mistake.",
			setStatus(400, upstreamStatus(529)),
			fails(contract.StatusClass, failing+"error-529")),
		mutant("refused-parameter-as-502", "The gateway returns 502 for a parameter that the upstream rejects, so clients send the request again.",
			replaceBy(reference.BadResponseStatus, withCode(reference.InvalidRequest), at(reference.Dial)),
			warns(contract.StatusClass, refusedParameters)),
		mutant("too-large-as-200", "The gateway returns 200 and an error object for input that the upstream rejects as too large.",
			setStatus(200, upstreamStatus(413)),
			fails(contract.NotSuccess, "http:400/malformed-parameter/*/refused-413")),
		mutant("error-before-content-finished",
			"If the upstream's stream contains an error before any content, the gateway returns a stream that has no content and finishes normally.",
			changeError(finishEmpty, streaming, withCode(reference.BadResponse)),
			fails(contract.NotSuccess, append(onSurfaces(streamingSurfaces(), "code:bad_response/*"), errorsBeforeContent()...)...)),
		mutant("broken-tool-call-finished", "If the upstream's stream is cut off before it contains any text, for example during a tool call, the gateway returns a stream that has no content and finishes normally.",
			changeError(finishEmpty, streaming, causedBy(convert.ErrTruncated)),
			fails(contract.NotSuccess, brokenToolCalls)),
	}
}

// upstreamFormMutants are misled by the form in which the upstream tells an error.
func upstreamFormMutants() []Mutant {
	return []Mutant{
		mutant("stale-content-encoding", "The gateway's response to a compressed upstream error keeps the Content-Encoding header but is not compressed.",
			changeError(setHeader("Content-Encoding", "gzip"), compressedError),
			fails(contract.Whole, compressedErrors)),
		mutant("compressed-undeclared", "The gateway's response to a compressed upstream error is compressed but has no Content-Encoding header.",
			changeError(func(_ *reference.Call, a *reference.Answer) { a.Body = gzipped(a.Body) }, compressedError),
			fails(contract.Envelope, compressedErrors)),
		mutant("compressed-twice", "The gateway's response to a compressed upstream error is compressed twice.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Header.Set("Content-Encoding", "gzip")
				a.Body = gzipped(gzipped(a.Body))
			}, compressedError),
			fails(contract.Envelope, compressedErrors)),
		mutant("error-in-an-answer-overlooked", "If an upstream response contains both an answer and an error object, the gateway does not notice the error.",
			changeTransport(overlookErrors),
			passes("http:5xx/upstream-error/messages-stream/answer-with-error"), // an event of that API is an answer or an error
			fails(contract.NotSuccess, upstreamErrors(answersWithErrors(), "answer-with-error")...),
			fails(contract.StreamEnd, upstreamErrors(streamingSurfaces(), "answer-with-error")...)),
		mutant("reasoning-as-the-answer", "If an upstream that uses OpenAI's API fails after it has sent only reasoning, the gateway streams the reasoning as the answer and finishes normally.",
			changeTransport(reasoningAsAnswer),
			fails(contract.StreamEnd, "http:5xx/upstream-error/chat-stream/error-after-reasoning", "http:5xx/upstream-error/responses-stream/error-after-reasoning")),
		mutant("redirects-followed-with-the-key", "The gateway follows upstream redirects to any host and sends the channel's key to that host.",
			followRedirects(),
			warns(contract.KeyKept, redirects)),
		mutant("redirects-passed-on", "The gateway passes an upstream redirect on to the client.",
			setStatus(http.StatusTemporaryRedirect, upstreamStatus(http.StatusTemporaryRedirect)),
			fails(contract.NotSuccess, redirects)),
	}
}

func compressedError(_ *reference.Call, f *reference.Failure) bool {
	return upstreamAnswered(f, func(e *reference.UpstreamError) bool { return e.Compressed })
}

func numericCode(_ *reference.Call, f *reference.Failure) bool {
	return upstreamAnswered(f, func(e *reference.UpstreamError) bool {
		_, err := strconv.Atoi(e.Refusal.Code)
		return err == nil
	})
}
