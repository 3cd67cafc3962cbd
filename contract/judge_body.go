package contract

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

func (j *judge) judgeContentType() {
	j.check(ContentType)
	const want = "application/json"
	fields := j.o.Header["Content-Type"]
	if len(fields) > 1 { // a singleton field (RFC 9110 5.3): readers disagree on which one counts
		j.add(ContentType, Must, want+", once", strings.Join(fields, " and "))
		return
	}
	got := header(j.o, "Content-Type")
	media, _, err := mime.ParseMediaType(got)
	if err == nil && media == want {
		return
	}
	if got == "" {
		got = "no Content-Type"
	}
	j.add(ContentType, Must, want, got)
}

func (j *judge) judgeWhole() {
	j.check(Whole)
	switch {
	case j.o.TransferError != "":
		j.add(Whole, Must, "a complete error response", "a response that was cut off: "+j.o.TransferError)
	case j.o.Cut != "":
		j.add(Whole, Must, "a complete error response", "a response that does not end: "+j.o.Cut)
	}
}

// judgeEnvelope judges the error object of a body.
func (j *judge) judgeEnvelope(body []byte) {
	spoken := j.c.Surface.Dialect()
	env, err := dialect.DecodeError(spoken, body, j.codes.known)
	switch coding := header(j.o, "Content-Encoding"); {
	case coding == "" || !errors.Is(err, dialect.ErrNotJSON):
	case bytes.HasPrefix(body, []byte{0x1f, 0x8b}):
		err = fmt.Errorf("%w: the body is compressed with gzip one more time than its header (Content-Encoding: %s) declares", dialect.ErrNotJSON, coding)
	default:
		err = fmt.Errorf("%w; the response came with Content-Encoding: %s, which was not requested", err, coding)
	}
	j.judgeErrorObject(spoken, env, err, false)
}

// judgeErrorObject judges one decoded error object, from a body or from an error event. ownForm says that it stood in a
// form of the protocol's own, which has no need of the fields of the envelope. It returns false when there is no object.
func (j *judge) judgeErrorObject(spoken dialect.Dialect, env dialect.ErrorObject, err error, ownForm bool) bool {
	want := spoken.EnvelopeShape()
	if err != nil {
		j.add(Envelope, Must, want, err.Error())
		if code := j.row.Code(); code != "" && !j.noCodes() {
			j.add(Code, Must, j.codes.wanted(code), "no error object")
		}
		return false
	}
	j.check(Envelope, Message)
	for _, breach := range env.Breaches {
		j.add(Envelope, Must, want, breach)
	}
	if message, ok := env.Message.(string); !ok || strings.TrimSpace(message) == "" {
		j.add(Message, Must, "a non-empty string", valueWords(env.Has("message"), env.Message))
	}
	j.judgeCode(spoken, env)
	j.judgeConsistency(spoken, env)
	j.judgeBlame(env.Business)
	if spoken == dialect.OpenAI && !ownForm {
		j.judgeFields(env)
	}
	return true
}

func (j *judge) judgeCode(spoken dialect.Dialect, env dialect.ErrorObject) {
	if j.noCodes() {
		return
	}
	got, meant := env.Business, j.codes.Meanings(env.Business)
	fits := func(code string) bool { return slices.Contains(meant, code) }
	words := strconv.QuoteToASCII(got) // a look-alike letter would not be seen
	if got == "" {
		words = "no code"
		if spoken == dialect.OpenAI {
			words = valueWords(env.Has("code"), env.Code)
		}
	}
	switch code := j.row.Code(); {
	case code != "" && j.variant.Name == formBody && fits("read_request_body_failed") && env.Tolerated == "":
		j.check(CodePlace)
	case code != "" && !fits(code):
		j.add(Code, Must, j.codes.wanted(code)+" in "+spoken.CodePlace(), words)
	case code != "" && env.Tolerated != "":
		j.add(CodePlace, Should, j.codes.wanted(code)+" in "+spoken.CodePlace(), "it in "+env.Tolerated)
	case code == "" && !j.anyCodeFits() && !slices.ContainsFunc(j.fittingCodes(), fits):
		fitting := j.codes.wordsForAll(j.fittingCodes())
		j.add(CodeKnown, Should, "a code from table 2 that fits the cause, in "+spoken.CodePlace()+": "+listWords(fitting), words)
	case code != "":
		j.check(CodePlace)
	case j.row.ID != RowRateLimited:
		j.check(CodeKnown)
	}
	if j.row.Code() != "" {
		j.check(Code)
	}
}

// judgeFields wants the fields OpenAI's own clients decode: type, param and code present, code as a string or null.
func (j *judge) judgeFields(env dialect.ErrorObject) {
	j.check(Fields)
	for _, name := range []string{"type", "param", "code"} {
		if !env.Has(name) {
			j.add(Fields, Should, name+" in the error object", "no "+name)
		}
	}
	// Azure sends null, which every client reads.
	if typ, ok := env.Type.(string); env.Type != nil && (!ok || typ == "" || typ == "<nil>" || typ == "None") {
		j.add(Fields, Should, "type as a string that names the kind of error", valueWords(true, env.Type))
	}
	switch env.Param.(type) {
	case nil, string:
	default:
		j.add(Fields, Should, "param as a string or null", valueWords(true, env.Param))
	}
	switch env.Code.(type) {
	case nil, string:
	default:
		j.add(Fields, Should, "code as a string or null", valueWords(true, env.Code))
	}
}
