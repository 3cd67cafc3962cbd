package contract

import (
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// Judge checks the requirements of a case on one observation. It is pure: the same observation always gets the same
// judgement, also when it is read back from a log.
//
// A case that is not in the contract is the caller's mistake: it violates [Answered].
func Judge(c Case, o Observation) Judgement {
	row, known := RowByID(c.Row)
	_, variant, resolved := c.resolve()
	if !known || !resolved {
		return Judgement{
			Findings: []Finding{{Answered, Must, "a case of the contract", c.ID()}},
			Results:  map[Requirement]Result{Answered: Violated},
		}
	}
	j := &judge{c: c, row: row, variant: variant, o: o, results: make(map[Requirement]Result)}
	switch {
	case o.Failure != nil || o.Status == 0:
		j.judgeNoAnswer()
	case o.Stream != nil && o.Status/100 == 2:
		j.judgeStream(*o.Stream)
	default:
		j.judgePlain()
	}
	j.judgeSecrecy()
	j.judgeEffects()
	for _, r := range j.required() {
		if _, checked := j.results[r]; !checked {
			j.results[r] = Untested
		}
	}
	return Judgement{j.findings, j.results}
}

// Reached reports whether the circumstance was brought about at all: where the provider has to go wrong, the call must
// have reached it. The reason says what happened instead.
func Reached(c Case, o Observation) (ok bool, reason string) {
	if c.Reach() != ReachMust || o.Upstream == nil || len(o.Upstream.Attempts) > 0 {
		return true, ""
	}
	return false, "the gateway never asked the provider, it answered " + answerWords(o)
}

// The statuses that the judge asks for by number. net/http has names for them, and would bring a server along.
const (
	statusUnauthorized     = 401
	statusMethodNotAllowed = 405
	statusTooManyRequests  = 429
)

// judge checks one observation.
type judge struct {
	c        Case
	row      Row
	variant  Variant
	o        Observation
	findings []Finding
	results  map[Requirement]Result
}

func (j *judge) add(r Requirement, level RequirementLevel, want, got string) {
	j.findings = append(j.findings, Finding{r, level, want, got})
	j.results[r] = Violated
}

// check records that requirements are checked. They are held unless add has found, or finds, a violation.
func (j *judge) check(requirements ...Requirement) {
	for _, r := range requirements {
		if j.results[r] != Violated {
			j.results[r] = Held
		}
	}
}

// required are the requirements of the case that every answer ought to show.
func (j *judge) required() []Requirement {
	all := []Requirement{Answered, NotSuccess, StatusClass, StatusExact, Envelope, Message, Secrecy, RetriesBounded}
	if len(j.row.Status.Never) > 0 {
		all = append(all, StatusBlame)
	}
	switch {
	case j.row.Code() != "":
		all = append(all, Code, CodePlace)
	case j.row.ID == RowRateLimited:
		all = append(all, RetryAfter)
	default:
		all = append(all, CodeKnown)
	}
	if j.c.Surface.Dialect() == dialect.OpenAI {
		all = append(all, Fields)
	}
	switch {
	case j.c.Reach() == ReachNever:
		all = append(all, UpstreamUnused)
	case j.c.Circumstance == SlowUpstream:
		all = append(all, UpstreamFreed)
	case j.c.Reach() == ReachMust:
		all = append(all, NotBilled)
	}
	return all
}

func (j *judge) judgeNoAnswer() {
	got := "no answer"
	if f := j.o.Failure; f != nil {
		got = fmt.Sprintf("%s: %s", f.Kind, f.Detail)
	}
	j.add(Answered, Must, "an HTTP answer with status "+j.row.Status.String(), got)
}

// judgePlain judges an answer that is not an event stream, or an event stream under an error status.
func (j *judge) judgePlain() {
	j.check(Answered)
	j.judgeStatus()
	if j.o.Status/100 == 2 && looksSuccessful(j.c.Surface, j.o) {
		return // a success where an error is due: its body owes an error nothing more
	}
	j.judgeContentType()
	j.judgeWhole()
	j.judgeEnvelope(j.o.Body)
	j.judgeHeaders()
}

// judgeStatus applies "Expected statuses of the codes": the class is always a MUST, the exact status as its basis says.
func (j *judge) judgeStatus() {
	rule, status := j.row.Status, j.o.Status
	got := strconv.Itoa(status)
	j.check(NotSuccess)
	switch class := status / 100; {
	case class == 2 || class == 3:
		if looksSuccessful(j.c.Surface, j.o) {
			got += " with an answer as if all were well"
		} else {
			got += " with " + bodyWords(j.o)
		}
		j.add(NotSuccess, Must, rule.String(), got)
		return
	case !slices.Contains(rule.Classes, class):
		j.add(StatusClass, Must, rule.String(), got)
	case class == 4 && !slices.Contains(rule.Exact, status) && !j.permitted(status):
		severity := Should
		if rule.Basis == Stated {
			severity = Must
		}
		j.add(StatusExact, severity, rule.String(), got)
	default:
		j.check(StatusExact)
	}
	j.check(StatusClass)
	if len(rule.Never) > 0 {
		j.check(StatusBlame)
	}
	if slices.Contains(rule.Never, status) {
		j.add(StatusBlame, Must, "a status that does not blame the caller's key", got)
	}
}

// permitted holds the one exception of the contract: for a wrong method on an existing path, 404 and 405 are both right.
func (j *judge) permitted(status int) bool {
	return status == statusMethodNotAllowed && j.c.Circumstance == "unknown-path" && j.c.Variant == "wrong-method"
}

func (j *judge) judgeContentType() {
	j.check(ContentType)
	got := header(j.o, "Content-Type")
	media, _, err := mime.ParseMediaType(got)
	if err == nil && media == "application/json" {
		return
	}
	if got == "" {
		got = "no Content-Type"
	}
	j.add(ContentType, Must, "application/json", got)
}

func (j *judge) judgeWhole() {
	j.check(Whole)
	switch {
	case j.o.TransferError != "":
		j.add(Whole, Must, "the whole error answer", "a transfer that broke off: "+j.o.TransferError)
	case j.o.Cut != "":
		j.add(Whole, Must, "an error answer that ends", "reading was given up: "+j.o.Cut)
	}
}

// judgeEnvelope judges one error object, from a body or from an error event.
func (j *judge) judgeEnvelope(body []byte) (dialect.ErrorObject, bool) {
	spoken := j.c.Surface.Dialect()
	want := spoken.EnvelopeShape()
	env, err := dialect.DecodeError(spoken, body, IsCode)
	if err != nil {
		j.add(Envelope, Must, want, err.Error())
		if code := j.row.Code(); code != "" {
			j.add(Code, Must, strconv.Quote(code), "no envelope to hold it")
		}
		return env, false
	}
	j.check(Envelope, Message)
	for _, breach := range env.Breaches {
		j.add(Envelope, Must, want, breach)
	}
	if message, ok := env.Message.(string); !ok || strings.TrimSpace(message) == "" {
		j.add(Message, Must, "a non-empty string", valueWords(env.Has("message"), env.Message))
	}
	j.judgeCode(spoken, env)
	if spoken == dialect.OpenAI {
		j.judgeFields(env)
	}
	return env, true
}

func (j *judge) judgeCode(spoken dialect.Dialect, env dialect.ErrorObject) {
	got := env.Business
	words := strconv.Quote(got)
	if got == "" {
		words = "no code"
		if spoken == dialect.OpenAI {
			words = valueWords(env.Has("code"), env.Code)
		}
	}
	switch code := j.row.Code(); {
	case code != "" && got != code:
		j.add(Code, Must, strconv.Quote(code)+" in "+spoken.CodePlace(), words)
	case code != "" && env.Tolerated != "":
		j.add(CodePlace, Should, strconv.Quote(code)+" in "+spoken.CodePlace(), "it in "+env.Tolerated)
	case code == "" && j.row.ID != RowRateLimited && !IsCode(got):
		j.add(CodeKnown, Should, "a code of table 2 in "+spoken.CodePlace(), words)
	case code != "":
		j.check(CodePlace)
	case j.row.ID != RowRateLimited:
		j.check(CodeKnown)
	}
	if j.row.Code() != "" {
		j.check(Code)
	}
}

// judgeFields wants the fields OpenAI's own clients decode: type, param and code present, code a string or null.
func (j *judge) judgeFields(env dialect.ErrorObject) {
	j.check(Fields)
	for _, name := range []string{"type", "param", "code"} {
		if !env.Has(name) {
			j.add(Fields, Should, name+" in the error object", "no "+name)
		}
	}
	if typ, ok := env.Type.(string); env.Has("type") && (!ok || typ == "" || typ == "<nil>" || typ == "None") {
		j.add(Fields, Should, "type a word", valueWords(true, env.Type))
	}
	switch env.Param.(type) {
	case nil, string:
	default:
		j.add(Fields, Should, "param a string or null", valueWords(true, env.Param))
	}
	switch env.Code.(type) {
	case nil, string:
	default:
		j.add(Fields, Should, "code a string or null", valueWords(true, env.Code))
	}
}

// judgeHeaders judges the header fields that a status calls for.
func (j *judge) judgeHeaders() {
	if j.row.ID == RowRateLimited && j.o.Status == statusTooManyRequests {
		j.judgeRetryAfter()
	}
	if j.o.Status == statusUnauthorized {
		j.wantHeader(Challenge, "WWW-Authenticate on a 401 (RFC 9110 15.5.2)", "Www-Authenticate")
	}
	if j.o.Status == statusMethodNotAllowed {
		j.wantHeader(Allow, "Allow on a 405 (RFC 9110 15.5.6)", "Allow")
	}
	j.judgeRequestID()
}

func (j *judge) judgeRequestID() {
	j.wantHeader(RequestID, "a request id in the header", requestIDHeaders...)
}

// wantHeader notes that none of the header fields is present.
func (j *judge) wantHeader(r Requirement, want string, names ...string) {
	j.check(r)
	if !slices.ContainsFunc(names, func(name string) bool { return header(j.o, name) != "" }) {
		j.add(r, Note, want, "none")
	}
}

// requestIDHeaders are the names under which gateways and providers send one.
var requestIDHeaders = []string{"X-Request-Id", "Request-Id", "X-Oneapi-Request-Id", "X-Litellm-Call-Id", "X-Portkey-Trace-Id", "X-Correlation-Id"}

func (j *judge) judgeRetryAfter() {
	const want = "Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)"
	j.check(RetryAfter)
	value := header(j.o, "Retry-After")
	if value == "" {
		j.add(RetryAfter, Should, want, "none")
		return
	}
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			j.add(RetryAfter, Should, want, strconv.Quote(value))
			return
		}
	}
}

// judgeStream judges a 2xx event stream: right only when it had begun before things went wrong. Its status was sent by
// then, so that the requirements of the status remain untested.
func (j *judge) judgeStream(stream Stream) {
	r := readStream(j.c.Surface, stream)
	j.check(Answered)
	if r.failed == nil {
		j.judgeStreamWithoutError(stream, r)
		return
	}
	// A comment is a stream byte too: a gateway that keeps the caller waiting with ": ping" has begun.
	begun := j.variant.MidStream || r.before > 0 || strings.HasPrefix(string(j.o.Body), ":")
	j.check(NotSuccess, StreamEnd)
	if !begun {
		j.add(NotSuccess, Must, j.row.Status.String()+" as JSON, before any stream byte",
			fmt.Sprintf("%d text/event-stream whose first event is the error", j.o.Status))
	}
	env, ok := j.judgeEnvelope(r.failed.Data)
	if ok {
		j.judgeErrorEvent(env, *r.failed)
	}
	if r.endAfterError != "" {
		j.add(StreamEnd, Must, "nothing after the error event", r.endAfterError)
	}
	if j.o.Cut != "" {
		j.add(StreamEnd, Must, "the stream to end after the error event", "reading was given up: "+j.o.Cut)
	}
	j.judgeStreamFormat(stream)
	if begun {
		j.judgeRequestID()
	}
}

// judgeErrorEvent judges the event's form: the forms of other dialects are invisible to this one's clients.
func (j *judge) judgeErrorEvent(env dialect.ErrorObject, event Event) {
	j.check(StreamError)
	switch j.c.Surface.Dialect() {
	case dialect.Anthropic:
		if event.Name != "error" {
			j.add(StreamError, Must, "event: error", "event: "+strconv.Quote(event.Name))
		}
	case dialect.OpenAI, dialect.Gemini:
		if env.FirstKey != "error" || env.Keys != 1 {
			severity := Must
			if j.c.Surface.Dialect() == dialect.Gemini {
				severity = Should
			}
			j.add(StreamError, severity, `data with "error" as first and only key`,
				fmt.Sprintf("%d keys, %q first", env.Keys, env.FirstKey))
		}
		if event.Name != "" {
			j.add(StreamError, Should, "a data event without a name", "event: "+strconv.Quote(event.Name))
		}
	}
}

func (j *judge) judgeStreamWithoutError(stream Stream, r reading) {
	want := "an error event, or a visibly broken transfer"
	switch {
	case len(stream.Events) == 0 && j.o.TransferError == "" && j.o.Cut == "":
		j.add(NotSuccess, Must, j.row.Status.String(), fmt.Sprintf("%d with an empty event stream", j.o.Status))
	case j.o.Cut != "":
		j.add(Answered, Must, want, "a stream that goes on: "+j.o.Cut)
	case j.o.TransferError != "" && (r.done || r.finished):
		j.add(StreamEnd, Must, want, "a finish before the transfer broke: "+j.o.TransferError)
	case j.o.TransferError != "":
		// The contract lets a broken transfer stand in for the event; what it cannot carry is the reason.
		j.check(NotSuccess, StreamEnd)
		j.add(StreamError, Should, "the dialect's own error event", "a broken transfer: "+j.o.TransferError)
	case !j.variant.MidStream && r.finished:
		j.add(NotSuccess, Must, j.row.Status.String(), fmt.Sprintf("%d with a stream as if all were well", j.o.Status))
	case r.done:
		j.add(StreamEnd, Must, want, "a clean end with [DONE]")
	case r.finished:
		j.add(StreamEnd, Must, want, "a clean end with the dialect's own finish")
	default:
		j.add(StreamEnd, Must, want, "a clean end of the transfer without a word")
	}
	j.judgeStreamFormat(stream)
}

func (j *judge) judgeStreamFormat(stream Stream) {
	j.check(StreamFormat)
	for _, violation := range stream.Violations {
		j.add(StreamFormat, Should, "an event stream (WHATWG HTML 9.2.6)", violation)
	}
}

func (j *judge) judgeSecrecy() {
	if j.o.Status != 0 {
		j.check(Secrecy)
	}
	for _, leak := range j.o.Leaks {
		j.add(Secrecy, Must, "nothing that must stay inside", "the "+leak.What+" in "+leak.Where)
	}
	for _, shown := range inner(j.o.Body) {
		j.add(Secrecy, Must, "nothing that must stay inside", shown+" in the body")
	}
}

// judgeEffects judges what the call did besides its answer. The tables do not speak of effects, so they are derived: SHOULDs.
func (j *judge) judgeEffects() {
	if seen := j.o.Upstream; seen != nil {
		attempts := len(seen.Attempts)
		if j.c.Reach() == ReachNever {
			j.check(UpstreamUnused)
			if attempts > 0 {
				j.add(UpstreamUnused, Should, "the provider not asked", fmt.Sprintf("it was asked %s", times(attempts)))
			}
		}
		j.check(RetriesBounded)
		if bound := seen.bound(); attempts > bound {
			j.add(RetriesBounded, Should, fmt.Sprintf("at most %d attempts at the provider", bound), strconv.Itoa(attempts))
		}
		if j.c.Circumstance == SlowUpstream {
			j.check(UpstreamFreed)
			if open := slices.IndexFunc(seen.Attempts, func(a Attempt) bool { return a.Open }); open >= 0 {
				j.add(UpstreamFreed, Should, "the call to the provider cancelled", fmt.Sprintf("attempt %d still open", open+1))
			}
		}
	}
	if b := j.o.Balance; b != nil {
		j.check(NotBilled)
		if b.After < b.Before {
			j.add(NotBilled, Should, "a failed request to cost nothing", fmt.Sprintf("%g taken", b.Before-b.After))
		}
	}
}
