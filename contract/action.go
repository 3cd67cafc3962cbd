package contract

import "slices"

// Retry is what a row tells a program to do with its request: send it again as it is, or not.
type Retry string

// The two answers to "shall the caller send it again?".
const (
	// RetryYes: the same request may succeed later.
	RetryYes Retry = "retry"
	// RetryNo: somebody has to change something first: the request, the key, the account or the gateway.
	RetryNo Retry = "do-not-retry"
)

// Action is what a program should do with the error of a row, as far as that follows from the row's words. It is derived, and
// no part of any verdict on a gateway: it is what clients are compared with.
type Action struct {
	Retry Retry
	// Wait says that an answer with Retry-After is to be sent again no earlier than that.
	Wait bool
	// Code says that the row's code should be readable in the client without parsing a text for people.
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

// Action returns what the row tells a program to do.
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

// Named returns the statuses that the contract names for a row besides those that it expects: an answer with one of them is only warned of.
func (r Row) Named() []int { return slices.Clone(named[r.ID]) }
