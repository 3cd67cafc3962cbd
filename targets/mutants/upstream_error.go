package mutants

import (
	"context"
	"errors"
	"strconv"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference"
)

// upstreamErrorMutants take the upstream's word about the gateway, or about a parameter, for something else.
func upstreamErrorMutants() []Mutant {
	const failing = "http:5xx/upstream-error/*/"
	return []Mutant{
		mutant("empty-balance-passed-on", "The upstream's 402 for the gateway's empty account is passed on to the client, whose own is full.",
			setStatus(402, withCode(reference.BadResponseStatus), upstreamStatus(402)),
			fails(contract.StatusBlame, failing+"error-402")),
		mutant("channel-key-as-403", "The upstream's 403 for the gateway's key is passed on to the client, whose own key is valid.",
			setStatus(403, withCode(reference.InvalidChannelKey), upstreamStatus(403)),
			fails(contract.StatusBlame, failing+"error-403", failing+"own-words")),
		mutant("known-codes-passed-on", "An error of the upstream whose code is one of the contract's own is passed on with that code.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				if upstream, ok := errors.AsType[*reference.UpstreamError](f); ok && contract.IsCode(upstream.Refusal.Code) {
					f.Code = reference.Code(upstream.Refusal.Code)
				}
			}),
			fails(contract.StatusBlame, failing+"own-words")),
		mutant("numeric-codes-not-decoded", "An error object of the upstream whose code is a number cannot be decoded: the message is empty.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Message = "" }, numericCode),
			passes("http:5xx/upstream-error/gemini*/numeric-code"), // Gemini's code is always a number
			fails(contract.Message, failing+"numeric-code")),
		mutant("overloaded-as-400", "An overloaded upstream is answered with 400, as if the client had made a mistake.",
			setStatus(400, upstreamStatus(529)),
			fails(contract.StatusClass, failing+"error-529")),
		mutant("refused-parameter-as-502", "A parameter that the upstream refuses is answered with 502, so that clients send it again.",
			replaceBy(reference.BadResponseStatus, withCode(reference.InvalidRequest), at(reference.Dial)),
			warns(contract.StatusClass, refusedParameters)),
		mutant("too-large-as-200", "Input that the upstream finds too large is answered with 200 and an error object.",
			setStatus(200, upstreamStatus(413)),
			fails(contract.NotSuccess, "http:400/malformed-parameter/*/refused-413")),
		mutant("error-before-content-finished",
			"A stream in which an error of the upstream stands before any content is answered with a stream that finishes normally.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				a.Write = func(_ context.Context, r *reference.Reply, _ *reference.Answer) error {
					return r.Events(emptyStream(c))
				}
			}, streaming, withCode(reference.BadResponse)),
			fails(contract.NotSuccess, append(onSurfaces(streamingSurfaces(), "code:bad_response/*"), errorsBeforeContent()...)...)),
	}
}

func numericCode(_ *reference.Call, f *reference.Failure) bool {
	upstream, ok := errors.AsType[*reference.UpstreamError](f)
	if !ok {
		return false
	}
	_, err := strconv.Atoi(upstream.Refusal.Code)
	return err == nil
}
