package mutants

import (
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// endpointMutants are right on chat, and wrong on the endpoints that are looked at less.
func endpointMutants() []Mutant {
	return []Mutant{
		mutant("images-refusal-as-502", "The gateway returns 502 for an image parameter that the upstream rejects, so clients retry the call.",
			replaceBy(reference.BadResponseStatus, on(dialect.Images), withCode(reference.InvalidRequest), at(reference.Dial)),
			warns(contract.StatusClass, "http:400/malformed-parameter/images/refused-*")),
		mutant("images-none-as-200", "If the upstream's response contains no image, the gateway still returns it as a success.",
			success(`{"created":1,"data":[]}`, on(dialect.Images), withCode(reference.EmptyResponse)),
			fails(contract.NotSuccess, "code:empty_response/*/images/*")),
		mutant("speech-error-as-audio", "The gateway returns an upstream error as if it were speech: the status is 200, and the error object has the Content-Type audio/mpeg.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Status = http.StatusOK
				a.Header.Set("Content-Type", "audio/mpeg")
			}, on(dialect.Speech), withCode(reference.BadResponseStatus)),
			fails(contract.NotSuccess, append(badStatuses(dialect.Speech), "code:bad_response_status_code/*/speech/*")...)),
		mutant("speech-refusal-as-500", "The gateway returns 500 for speech input that the upstream rejects.",
			setStatus(500, on(dialect.Speech), withCode(reference.InvalidRequest), at(reference.Dial)),
			warns(contract.StatusClass, "http:400/malformed-parameter/speech/refused-*")),
		mutant("speech-half-as-whole", "If the upstream's audio is cut off, the gateway returns it as if it were complete.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Status = http.StatusOK
				a.Header.Set("Content-Type", "audio/mpeg")
				a.Body = []byte("\xff\xfb\x10\xc4\x00\x00")
			}, on(dialect.Speech), withCode(reference.ReadResponseBody)),
			fails(contract.StreamEnd, "code:read_response_body_failed/*/speech/*")),
		mutant("broken-form-as-500", "The gateway returns 500 for a multipart form that it cannot read.",
			setStatus(500, on(dialect.Transcriptions), withCode(reference.BadRequestBody)),
			fails(contract.StatusClass, "code:bad_request_body/*/transcriptions/*")),
		mutant("missing-file-as-500", "The gateway returns 500 for a multipart form without a file.",
			setStatus(500, on(dialect.Transcriptions), withCode(reference.InvalidRequest), withParam("file")),
			fails(contract.StatusClass, "http:400/*/transcriptions/no-input", "http:400/*/transcriptions/other-name",
				"http:400/*/transcriptions/wrong-type", "code:invalid_request/*/transcriptions/*")),
		mutant("moderations-missing-input-as-500", "The gateway returns 500 for a moderation request without input.",
			setStatus(500, on(dialect.Moderations), withCode(reference.InvalidRequest), withParam("input")),
			fails(contract.StatusClass, "http:400/*/moderations/no-input", "http:400/*/moderations/wrong-type", "code:invalid_request/*/moderations/*")),
		mutant("moderations-none-as-200", "If the upstream returns no moderation result, the gateway still reports success, so the text seems harmless.",
			success(`{"id":"modr-1","model":"m","results":[]}`, on(dialect.Moderations), withCode(reference.EmptyResponse)),
			fails(contract.NotSuccess, "code:empty_response/*/moderations/*")),
		mutant("rerank-missing-query-as-500", "The gateway returns 500 for a rerank request without a query.",
			setStatus(500, on(dialect.Rerank), withCode(reference.InvalidRequest), withParam("query")),
			fails(contract.StatusClass, "http:400/*/rerank/no-input", "http:400/*/rerank/wrong-type", "code:invalid_request/*/rerank/*")),
		mutant("rerank-error-as-200", "The gateway returns 200 and an error object for an upstream response without a ranking.",
			changeError(func(_ *reference.Call, a *reference.Answer) { a.Status = http.StatusOK }, on(dialect.Rerank), withCode(reference.BadResponse)),
			fails(contract.NotSuccess, "code:bad_response/*/rerank/*")),
		mutant("models-list-error-as-200", "The gateway returns 200 and an error object for a model-list request with a missing or wrong key.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				if c.Request.URL.Path == dialect.Models.ListPath() {
					a.Status = http.StatusOK
				}
			}, on(dialect.Models), withStatus(401)),
			fails(contract.NotSuccess, "http:401/*/models/list")),
		mutant("unknown-model-shown-as-200", "If a client requests the description of a model that does not exist, the gateway returns 200 with an error object.",
			changeError(func(_ *reference.Call, a *reference.Answer) { a.Status = http.StatusOK }, on(dialect.Models), withCode(reference.ModelNotFound)),
			fails(contract.NotSuccess, "http:404/unknown-model/models", "code:model_not_found/absent-model/models")),
		mutant("count-forged", "On the count-tokens endpoint, the gateway returns a count of 0 for a model whose upstream cannot count tokens, as if the prompt were empty.",
			success(`{"input_tokens":0}`, on(dialect.CountTokens), withStatus(404), at(reference.Dial)),
			fails(contract.NotSuccess, "http:404/unknown-path/count-tokens/unsupported")),
		mutant("count-forged-after-a-failure", "If the upstream fails to count tokens, the gateway returns a count of 0.",
			success(`{"input_tokens":0}`, on(dialect.CountTokens), withCode(reference.BadResponseStatus)),
			fails(contract.NotSuccess, append(badStatuses(dialect.CountTokens), "code:bad_response_status_code/*/count-tokens/*")...)),
	}
}

// success answers failures with 200 and a body.
func success(body string, conditions ...condition) change {
	return changeError(func(_ *reference.Call, a *reference.Answer) { a.Status, a.Body = http.StatusOK, []byte(body) }, conditions...)
}
