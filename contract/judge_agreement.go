package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// fittingCodes are the codes of table 2 that fit a row of table 1 ("A code and its status agree"); nil for a row of table
// 2, and for 429, where any code or none will do.
func (j *judge) fittingCodes() []string {
	switch {
	case j.row.Code() != "" || j.anyCodeFits():
		return nil
	case j.row.ID == RowServerError:
		fit := codesOf(func(r Row) bool { return slices.Contains(r.Status.Classes, 5) })
		apt := aptCodes[j.c.Circumstance]
		return append(slices.Clone(apt), slices.DeleteFunc(fit, func(code string) bool { return slices.Contains(apt, code) })...)
	case j.c.Circumstance == unknownPath && j.variant.Name == Uncounted:
		return []string{"invalid_request", "invalid_api_type", "convert_request_failed"}
	case j.c.Circumstance == unknownPath:
		return []string{"invalid_request", "invalid_api_type"}
	}
	switch j.row.ID {
	case "http:400":
		return []string{"invalid_request", "bad_request_body", "read_request_body_failed", "convert_request_failed"}
	case "http:404":
		return []string{"model_not_found"}
	default: // 401 and 403
		return []string{"access_denied"}
	}
}

// aptCodes are the codes that say best what happened in a circumstance of the row 5xx. All codes with 5xx fit; a finding
// names these first. It is read-only.
var aptCodes = map[string][]string{
	UpstreamError: {"bad_response_status_code", "bad_response", "do_request_failed", "channel:invalid_key"},
	GatewayError:  {"query_data_error", "update_data_error"},
}

// limited reports whether the answer is a 429 where one is right: the row's own, or the upstream's passed on.
func (j *judge) limited() bool {
	return j.o.Status == statusTooManyRequests && slices.Contains(j.row.Status.Exact, statusTooManyRequests)
}

// anyCodeFits reports whether any code, or none, will do: for a 429, and for one in a stream that has begun.
func (j *judge) anyCodeFits() bool {
	inStream := j.o.Status/100 == 2 && slices.Contains(j.row.Status.Exact, statusTooManyRequests)
	return j.row.ID == RowRateLimited || j.limited() || inStream
}

func codesOf(keep func(Row) bool) []string {
	var codes []string
	for _, r := range rows {
		if r.Table == 2 && keep(r) {
			codes = append(codes, r.Key)
		}
	}
	return codes
}

// maxListed bounds the codes that a finding names: findings are a line long.
const maxListed = 4

func listWords(words []string) string {
	if len(words) > maxListed {
		return strings.Join(words[:maxListed], ", ") + " …"
	}
	return strings.Join(words, ", ")
}

// judgeConsistency holds what the error object says of the status against the status.
func (j *judge) judgeConsistency(spoken dialect.Dialect, env dialect.ErrorObject) {
	status := j.o.Status
	if status/100 != 4 && status/100 != 5 {
		return // no error status that anything could agree with; in a stream it was sent before the error
	}
	j.check(Consistent)
	if !j.noCodes() {
		j.judgeCodeAgainstStatus(env.Business)
	}
	if party := blamed(env.Type); party != 0 && party != status/100 {
		j.add(Consistent, Should, fmt.Sprintf("an error.type that fits status %d", status), valueWords(true, env.Type))
	}
	if number, ok := env.Code.(float64); ok && spoken == dialect.Gemini && int(number) != status {
		j.add(Consistent, Should, fmt.Sprintf("error.code %d, the same as the HTTP status", status), valueWords(true, env.Code))
	}
}

// judgeCodeAgainstStatus warns of a code that comes with a status which its own row does not allow. The row's own code is
// left to the requirements of the status, and so is a code that fits the row of table 1 with one of the row's statuses. A
// word for several codes agrees where one of them does.
func (j *judge) judgeCodeAgainstStatus(word string) {
	status, meant := j.o.Status, j.codes.Meanings(word)
	agrees := func(code string) bool {
		row, _ := rowOf(RowID("code:" + code))
		return code == j.row.Code() || row.Status.Accepts(status) || slices.Contains(j.fittingCodes(), code) &&
			(slices.Contains(j.row.Status.Exact, status) || j.permitted(status))
	}
	switch {
	case len(meant) == 0 || slices.ContainsFunc(meant, agrees):
		return
	case j.variant.Name == formBody && status == statusUnsupportedMedia:
		return // the status has its own warning
	case j.limited():
		return
	}
	row, _ := rowOf(RowID("code:" + meant[0]))
	j.add(Consistent, Should, fmt.Sprintf("%s with %s", word, row.Status), strconv.Itoa(status))
}

// blamingCodes tell the caller to top up, or to check the key.
var blamingCodes = []string{"access_denied", "insufficient_user_quota", "pre_consume_token_quota_failed"}

// judgeBlame keeps the upstream's word about the gateway's key and account from the caller, whose own are in order.
func (j *judge) judgeBlame(code string) {
	if j.variant.Status == nil || len(j.row.Status.Never) == 0 || j.noCodes() {
		return // where a row has statuses that it never allows, it has a code of its own
	}
	meant := j.codes.Meanings(code)
	innocent := func(code string) bool { return !slices.Contains(blamingCodes, code) }
	if len(meant) > 0 && !slices.ContainsFunc(meant, innocent) {
		j.add(StatusBlame, Must, "a code that does not blame the caller's key or quota", strconv.Quote(code))
	}
}

// blamed is the class of the statuses that a type belongs to, in the words of OpenAI and Anthropic: 4 for those that blame
// the caller, 5 for those that blame the gateway or the upstream, 0 for all others.
func blamed(kind any) int {
	switch kind {
	case "invalid_request_error", "authentication_error", "permission_error", "not_found_error":
		return 4
	case "server_error", "api_error", "overloaded_error":
		return 5
	default:
		return 0
	}
}
