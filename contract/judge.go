package contract

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// Judge checks one observation against the requirements of a case. Judge is a pure function: the same observation always produces the same judgement,
// even if it was read from a log.
//
// If the contract does not contain the case, the judgement violates [Answered].
func Judge(c Case, o Observation) Judgement {
	row, known := rowOf(c.Row)
	_, variant, resolved := c.resolve()
	if !known || !resolved {
		return Judgement{
			Findings: []Finding{{Answered, Must, "a case that the contract defines", c.ID()}},
			Results:  map[Requirement]Result{Answered: Violated},
		}
	}
	if variant.Status != nil {
		row.Status = *variant.Status
	}
	j := &judge{c: c, row: row, variant: variant, o: o, results: make(map[Requirement]Result)}
	if o.Declared != nil {
		j.codes = o.Declared.Codes
	}
	switch {
	case o.Failure != nil || o.Status == 0:
		j.judgeNoAnswer()
	case o.Stream != nil && o.Status/100 == 2:
		j.judgeStream(*o.Stream)
	case c.Surface.Binary() && o.Status/100 == 2 && j.begunMedia():
		j.judgeMedia()
	default:
		j.judgePlain()
	}
	j.judgeTime()
	j.judgeSecrecy()
	j.judgeEffects()
	j.judgePassedOn()
	for _, r := range j.required() {
		if _, checked := j.results[r]; !checked {
			j.results[r] = Untested
		}
	}
	return Judgement{j.findings, j.results}
}

// Reached reports whether the circumstance was created at all. If the upstream has to fail, the upstream's record must show that the call reached it.
// If it did not, reason describes what happened instead.
func Reached(c Case, o Observation) (ok bool, reason string) {
	if c.Reach() != ReachMust || o.Upstream != nil && len(o.Upstream.Attempts) > 0 {
		return true, ""
	}
	if o.Upstream == nil {
		return false, "no mock upstream recorded the call, so there is no evidence that the upstream failed; the gateway answered " + answerWords(o)
	}
	return false, "the gateway never called the upstream; it answered " + answerWords(o)
}

// The statuses that the judge refers to by number. They are defined here because net/http would link an HTTP server into the program.
const (
	statusUnauthorized     = 401
	statusMethodNotAllowed = 405
	statusUnsupportedMedia = 415
	statusTooManyRequests  = 429
)

// judge checks one observation.
type judge struct {
	c        Case
	row      Row
	variant  Variant
	o        Observation
	codes    *CodeClaim
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

// noCodes reports whether the gateway claims no codes.
func (j *judge) noCodes() bool { return j.codes != nil && j.codes.None }

// required are the requirements of the case that every answer ought to show.
func (j *judge) required() []Requirement {
	all := []Requirement{Answered, NotSuccess, StatusClass, StatusExact, Envelope, Message, Secrecy, RetriesBounded}
	if len(j.row.Status.Never) > 0 {
		all = append(all, StatusBlame)
	}
	switch {
	case j.row.ID == RowRateLimited:
		all = append(all, RetryAfter)
	case j.noCodes():
	case j.row.Code() != "":
		all = append(all, Code, CodePlace)
	default:
		all = append(all, CodeKnown)
	}
	if j.c.Surface.Dialect() == dialect.OpenAI {
		all = append(all, Fields)
	}
	if j.variant.Name == redirect {
		all = append(all, KeyKept)
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
	got := "no response"
	if f := j.o.Failure; f != nil {
		got = fmt.Sprintf("%s: %s", f.Kind, f.Detail)
	}
	level := Must
	if f := j.o.Failure; f != nil && f.Kind == Closed && j.variant.Name == shortBody && j.c.Reach() != ReachMust {
		level = Should // RFC 9112 section 8: a server may, and need not, answer a body that stays short
	}
	j.add(Answered, level, "an HTTP response with status "+j.row.Status.String(), got)
}

// judgePlain judges an answer that is not an event stream, or an event stream under an error status.
func (j *judge) judgePlain() {
	j.check(Answered)
	j.judgeStatus()
	if j.o.Status/100 == 2 && looksSuccessful(j.c.Surface, j.o) {
		return // a success where an error is expected: nothing more can be asked of its body
	}
	j.judgeContentType()
	j.judgeWhole()
	j.judgeEnvelope(j.o.Body)
	j.judgeHeaders()
}

// begunMedia reports whether an answer that is not text had begun when the upstream failed: a gateway that passes it on as it
// comes has sent its status by then.
func (j *judge) begunMedia() bool {
	return (j.variant.MidStream || j.c.Circumstance == TruncatedUpstreamResponse) && isMedia(j.c.Surface, j.o)
}

// judgeMedia judges audio in whose middle the upstream failed. There is no event that could say so: only a transfer that
// visibly breaks off tells the client that it has half of the answer.
func (j *judge) judgeMedia() {
	j.check(Answered, NotSuccess, StreamEnd)
	switch {
	case j.o.Cut != "":
		j.add(Answered, Must, "a visibly broken transfer", "a response that does not end: "+j.o.Cut)
	case j.o.TransferError == "":
		j.add(StreamEnd, Must, j.row.Status.String()+" as JSON, or a visibly broken transfer", "a clean end after "+bodyWords(j.o))
	}
	j.judgeRequestID()
}

// judgeTime holds a call that the upstream did not answer against the declared time limit. Nothing else is judged by time:
// slow is not wrong.
func (j *judge) judgeTime() {
	d := j.o.Declared
	if j.c.Circumstance != SlowUpstream || d == nil || d.TimeLimit <= 0 {
		return
	}
	j.check(AnsweredInTime)
	if limit, took := d.answerLimit(), j.o.Timing.End; took > limit {
		j.add(AnsweredInTime, Must, "the call to end within "+limit.Round(time.Millisecond).String(), took.Round(time.Millisecond).String())
	}
}

// judgeStatus applies "Expected statuses of the codes": the class is always a MUST, the exact status as its basis says.
func (j *judge) judgeStatus() {
	rule, status := j.row.Status, j.o.Status
	got := strconv.Itoa(status) + j.doubtKey()
	j.check(NotSuccess)
	switch class := status / 100; {
	case class == 2 || class == 3:
		if looksSuccessful(j.c.Surface, j.o) {
			got += " with an ordinary answer" + j.doubtMeans()
		} else {
			got += " with " + bodyWords(j.o)
		}
		j.add(NotSuccess, Must, rule.String(), got)
		return
	case slices.Contains(rule.Tolerated, class):
		j.add(StatusClass, Should, rule.String()+": the caller can fix this error", got)
	case !slices.Contains(rule.Classes, class):
		j.add(StatusClass, Must, rule.String(), got)
	case !rule.Accepts(status) && !j.permitted(status):
		level := Should
		if rule.Basis == Stated && (j.variant.Name != formBody || status != statusUnsupportedMedia) {
			level = Must
		}
		j.add(StatusExact, level, rule.String(), got)
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

// doubtMeans says beside an ordinary answer, where an error was due, that what the profile names may not have had its effect.
func (j *judge) doubtMeans() string {
	if d := j.o.Declared; d != nil && d.Means != "" {
		return "; check that " + d.Means + " causes the error"
	}
	return ""
}

// doubtKey says beside a 401 that the gateway may not know the key: that is a slip in the profile, or the gateway's fault.
func (j *judge) doubtKey() string {
	if d := j.o.Declared; d != nil && d.UnknownKey && j.o.Status == statusUnauthorized {
		return "; the gateway may not know the key, because it gave the same response to a key that was never issued"
	}
	return ""
}

// permitted holds the one exception of the contract: for a wrong method on an existing path, 404 and 405 are both right.
func (j *judge) permitted(status int) bool {
	return status == statusMethodNotAllowed && j.c.Circumstance == unknownPath && j.c.Variant == "wrong-method"
}
