package mutants

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/targets/reference"
)

// agreementMutants say one thing in the status and another in the error object.
func agreementMutants() []Mutant {
	return []Mutant{
		mutant("bad-request-called-unknown-model", "If a request does not name a model, the gateway returns 400 with the code model_not_found.",
			changeError(editError(func(e map[string]any) { e["code"] = "model_not_found" }), withParam("model"), at(reference.Decode), on(dialect.Chat, dialect.ChatStream)),
			warns(contract.Consistent, "http:400/missing-parameter/chat*/no-model").and(contract.CodeKnown)),
		mutant("type-blames-the-caller", "On the OpenAI endpoints, the error type for an unreachable upstream is invalid_request_error, as if the client had made a mistake.",
			changeError(editError(func(e map[string]any) { e["type"] = "invalid_request_error" }), withCode(reference.DoRequest), in(dialect.OpenAI)),
			warns(contract.Consistent, onSurfaces(relayed(openAI()), "code:do_request_failed/**")...)),
		mutant("type-blames-the-server", "On the Anthropic endpoints, the error type for a model that does not exist is api_error, as if the gateway had failed.",
			changeError(editError(func(e map[string]any) { e["type"] = "api_error" }), withCode(reference.ModelNotFound), in(dialect.Anthropic)),
			warns(contract.Consistent, onSurfaces(anthropic(), "code:model_not_found/*", "http:404/unknown-model")...)),
		mutant("gemini-number-is-not-the-status", "On the Gemini endpoints, error.code for an unknown model is 400, although the status is 404.",
			changeError(editError(func(e map[string]any) { e["code"] = 400 }), withCode(reference.ModelNotFound), in(dialect.Gemini)),
			warns(contract.Consistent, onSurfaces(gemini(), "code:model_not_found/*", "http:404/unknown-model")...)),
	}
}

// readingMutants send bodies that lenient readers take for something else.
func readingMutants() []Mutant {
	return []Mutant{
		mutant("message-not-utf-8", "The error message is not valid UTF-8.",
			changeError(replaceInBody(`"message":"`, "\"message\":\"\xcf\xde\xd6\xc6 "), withCode(reference.ModelPrice), on(dialect.Chat)),
			fails(contract.Envelope, "code:model_price_error/*/chat")),
		mutant("code-twice", "The error object contains the code field twice, with different values.",
			changeError(replaceInBody(`"message":`, `"code":"forbidden","message":`), withCode(reference.InsufficientQuota), on(dialect.Chat)),
			fails(contract.Envelope, "code:insufficient_user_quota/*/chat")),
		mutant("content-type-twice", "A proxy adds a second Content-Type header to the response.",
			changeError(func(_ *reference.Call, a *reference.Answer) { a.Header.Add("Content-Type", "text/html") }, withCode(reference.ModelPrice), on(dialect.Messages)),
			fails(contract.ContentType, "code:model_price_error/*/messages")),
		mutant("reason-in-capitals", "Errors on the Gemini endpoints have a field named Reason instead of reason.",
			changeError(replaceInBody(`"reason":`, `"Reason":`), withCode(reference.ModelPrice), in(dialect.Gemini)),
			fails(contract.Code, onSurfaces(gemini(), "code:model_price_error/*")...)),
		mutant("message-of-many-kilobytes-cut", "A long error message is cut off, so the body is not valid JSON.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Body = append([]byte(`{"error":{"message":"`), strings.Repeat("x", 80<<10)...)
			}, withCode(reference.ModelPrice), on(dialect.Responses)),
			fails(contract.Envelope, "code:model_price_error/*/responses")),
	}
}

// callerMutants treat callers differently.
func callerMutants() []Mutant {
	get := func(c *reference.Call, _ *reference.Failure) bool { return c.Request.Method == http.MethodGet }
	browser := func(c *reference.Call, _ *reference.Failure) bool {
		return strings.Contains(c.Request.Header.Get("Accept"), "text/html")
	}
	newerVersion := func(c *reference.Call, _ *reference.Failure) bool {
		field, _ := dialect.Anthropic.Version()
		return c.Request.Header.Get(field) == dialect.Anthropic.NewerVersion()
	}
	return []Mutant{
		mutant("dashboard-for-get", "The gateway returns 200 and its dashboard page for a GET request to a path that does not exist.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				page("text/html", "<!doctype html><title>Dashboard</title>")(c, a)
				a.Status = http.StatusOK
			}, get, withStatus(404)),
			fails(contract.NotSuccess, "http:404/unknown-path/*/get", "http:404/unknown-path/models/*", "http:404/unknown-model/models", "code:model_not_found/*/models")),
		mutant("pages-for-browsers", "The gateway sends errors as HTML pages to clients that accept HTML.",
			changeError(page("text/html", "<h1>Error</h1>"), browser),
			atLeastOne(fails(contract.ContentType, "**"))),
		mutant("newer-version-without-type", "If a client requests a newer version of Anthropic's API, errors lack the top-level type field.",
			changeError(editBody(func(body map[string]any) { delete(body, "type") }), newerVersion),
			atLeastOne(fails(contract.Envelope, onSurfaces(anthropic(), "**")...))),
		mutant("nothing-on-kept-connections", "After the first request on a connection, errors have an empty body.",
			onKeptConnections(nothing),
			atLeastOne(fails(contract.Envelope, "**"))),
	}
}

// onKeptConnections changes error answers on connections that have had an answer before.
func onKeptConnections(do func(*reference.Call, *reference.Answer)) change {
	var used sync.Map // by the client's address, which a connection has to itself
	return changeError(func(c *reference.Call, a *reference.Answer) {
		if _, before := used.LoadOrStore(c.Request.RemoteAddr, true); before {
			do(c, a)
		}
	})
}

// timeMutants answer later than they declare.
func timeMutants() []Mutant {
	return []Mutant{
		mutant("slow-upstream-given-up-late", "The gateway reports a timeout long after the declared timeout has passed.",
			changeError(func(c *reference.Call, _ *reference.Answer) { _ = wait.For(c.Request.Context(), 12*time.Second) },
				causedBy(reference.ErrTooSlow), on(dialect.Chat)),
			fails(contract.AnsweredInTime, "code:channel:response_time_exceeded/*/chat/*")),
	}
}
