package contract

import "slices"

// Retry states whether a program should send its request again after it has received the error of a row.
type Retry string

// The values of [Retry].
const (
	// RetryYes means that the same request may succeed later.
	RetryYes Retry = "retry"
	// RetryNo means that somebody must first change something: the request, the key, the account or the gateway.
	RetryNo Retry = "do-not-retry"
)

// Action describes what a program should do after it has received the error of a row, as far as the text of the row implies it. Actions are derived
// from the contract and do not affect the verdict on a gateway. gatecert compares the behaviour of client libraries with them.
type Action struct {
	Retry Retry
	// Wait is set if a client that receives a Retry-After must not send the request again before that time.
	Wait bool
	// Code is set if the client library should expose the row's code, so that callers need not parse a message written for people.
	Code bool
}

// retried are the rows whose advice begins with "Retry", and 429. "Check quota and retry" and "Check input and retry" are not among
// them: what has not changed fails again.
var retried = map[RowID]bool{
	"http:429": true, "http:5xx": true,
	"code:get_channel_failed": true, "code:channel:no_available_key": true, "code:channel:response_time_exceeded": true,
	"code:do_request_failed": true, "code:bad_response": true, "code:bad_response_status_code": true, "code:empty_response": true,
	"code:read_response_body_failed": true, "code:json_marshal_failed": true, "code:query_data_error": true, "code:update_data_error": true,
}

// Action returns what a program should do after it has received the error of the row.
func (r Row) Action() Action {
	a := Action{Retry: RetryNo, Code: r.Code() != ""}
	if retried[r.ID] {
		a.Retry, a.Wait = RetryYes, true
	}
	return a
}

// named are the statuses besides the expected one that "Expected statuses of the codes" names for a row, each as a warning.
var named = map[RowID][]int{
	"code:insufficient_user_quota": {402, 429}, "code:pre_consume_token_quota_failed": {402, 429},
	"code:access_denied":            {401},
	"code:read_request_body_failed": {413, 415}, "code:convert_request_failed": {413, 415}, "code:sensitive_words_detected": {413, 415},
	"code:prompt_blocked": {413, 415}, "code:invalid_api_type": {413, 415},
}

// Named returns the statuses that the contract names for a row in addition to the expected ones. A response with one of these statuses only causes a
// warning.
func (r Row) Named() []int { return slices.Clone(named[r.ID]) }
