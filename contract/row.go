package contract

import (
	"slices"
	"strconv"
	"strings"
)

// RowID names a line of table 1 or 2, such as "http:404" or "code:model_not_found".
type RowID string

// Row is a line of one of the two tables, with its cells verbatim.
type Row struct {
	ID RowID
	// Table is 1 (HTTP status codes) or 2 (business error codes).
	Table int
	// Key is the first cell, such as "404", "5xx" or "model_not_found".
	Key string
	// Meaning is the second cell.
	Meaning string
	// Advice is the third cell: "Common cause" in table 1, "What to do" in table 2.
	Advice string
	// Status states which statuses a response for this row may have.
	Status StatusRule
}

// Code returns the business code that the row requires in the envelope, or "" for a row of table 1.
func (r Row) Code() string {
	if r.Table == 2 {
		return r.Key
	}
	return ""
}

// Basis states where an expectation comes from. What the tables state is a MUST; what is derived is a SHOULD.
type Basis string

// The two bases in CONTRACT.md.
const (
	Stated  Basis = "stated"
	Derived Basis = "derived"
)

// StatusRule states which HTTP statuses a row allows (see "Expected statuses of the codes").
type StatusRule struct {
	// Classes are the allowed first digits. A status of another class violates a MUST, because a wrong class blames the wrong party, unless Tolerated
	// contains the class.
	Classes []int
	// Exact lists the exact statuses expected within class 4. Any 5xx is acceptable if class 5 is allowed, unless Exact contains a 5xx.
	Exact []int
	// Basis is the basis of Exact.
	Basis Basis
	// Never lists statuses that are forbidden regardless of their class, because they blame the wrong party.
	Never []int
	// Tolerated lists other classes that cause only a warning. It is used only where the class is derived.
	Tolerated []int
}

// String formats the rule for readers, for example "404", "400 or 5xx" or "5xx".
func (s StatusRule) String() string {
	var parts []string
	for _, e := range s.Exact {
		parts = append(parts, strconv.Itoa(e))
	}
	if s.any4xx() {
		parts = append(parts, "4xx")
	}
	if s.any5xx() {
		parts = append(parts, "5xx")
	}
	return strings.Join(parts, " or ")
}

// Accepts reports whether the rule expects a status.
func (s StatusRule) Accepts(status int) bool {
	return slices.Contains(s.Exact, status) || status/100 == 5 && s.any5xx() || status/100 == 4 && s.any4xx()
}

// any5xx reports whether the rule names class 5 and none of its statuses.
func (s StatusRule) any5xx() bool {
	return slices.Contains(s.Classes, 5) && !slices.ContainsFunc(s.Exact, func(status int) bool { return status/100 == 5 })
}

// any4xx reports whether the rule names class 4 and none of its statuses.
func (s StatusRule) any4xx() bool { return len(s.Exact) == 0 && slices.Contains(s.Classes, 4) }

func caller(basis Basis, exact ...int) StatusRule {
	return StatusRule{Classes: []int{4}, Exact: exact, Basis: basis}
}

// refusedByUpstream is the rule where the upstream refused the request's own parameters ("Errors that the provider told").
var refusedByUpstream = StatusRule{Classes: []int{4}, Basis: Derived, Tolerated: []int{5}}

// unblamed is the rule where the upstream refused the gateway's key or account.
var unblamed = StatusRule{Classes: []int{5}, Basis: Stated, Never: []int{401, 402, 403}}

// limitedByUpstream is the rule where the upstream limits the rate of the gateway's calls.
var limitedByUpstream = StatusRule{Classes: []int{4, 5}, Exact: []int{statusTooManyRequests}, Basis: Stated}

// unsupported is the rule where a gateway cannot count the tokens of a model. Clients take 404 and 501 as its answer to that.
var unsupported = StatusRule{Classes: []int{4, 5}, Exact: []int{404, 501}, Basis: Derived}

func gateway() StatusRule { return StatusRule{Classes: []int{5}, Basis: Stated} }

// rows is read-only after its making.
var rows = makeRows()

// Rows returns the 6 + 26 rows in the order of the published tables. The caller may modify the returned slice.
func Rows() []Row {
	all := slices.Clone(rows)
	for i := range all {
		all[i] = all[i].clone()
	}
	return all
}

// clone is a copy that shares nothing with the tables.
func (r Row) clone() Row {
	r.Status = r.Status.clone()
	return r
}

func (s StatusRule) clone() StatusRule {
	s.Classes, s.Exact = slices.Clone(s.Classes), slices.Clone(s.Exact)
	s.Never, s.Tolerated = slices.Clone(s.Never), slices.Clone(s.Tolerated)
	return s
}

func makeRows() []Row {
	forbidden := caller(Derived, 403) // another 4xx, such as 402 or 429, is only a warning: "Expected statuses of the codes"
	request := caller(Derived, 400)
	badKey := gateway()
	badKey.Never = []int{401, 403}
	return []Row{
		{"http:400", 1, "400", "Bad request", "Missing / malformed parameters", caller(Stated, 400)},
		{"http:401", 1, "401", "Unauthorized", "Missing or wrong key", caller(Stated, 401)},
		{"http:403", 1, "403", "Forbidden", "Key revoked / no access to the model", caller(Stated, 403)},
		{"http:404", 1, "404", "Not found", "Path or model does not exist", caller(Stated, 404)},
		{"http:429", 1, "429", "Rate limited", "See Rate Limits", caller(Stated, 429)},
		{"http:5xx", 1, "5xx", "Upstream / gateway error", "Retry or contact support", gateway()},

		{"code:invalid_request", 2, "invalid_request", "Invalid request parameters", "Check params and body", caller(Stated, 400)},
		{"code:bad_request_body", 2, "bad_request_body", "Malformed request body", "Verify the JSON is valid", caller(Stated, 400)},
		{"code:read_request_body_failed", 2, "read_request_body_failed", "Failed to read request body", "Check body and Content-Type", request},
		{"code:convert_request_failed", 2, "convert_request_failed", "Request conversion failed", "Ensure params match the API format", request},
		{"code:sensitive_words_detected", 2, "sensitive_words_detected", "Sensitive content detected", "Adjust the input", request},
		{"code:prompt_blocked", 2, "prompt_blocked", "Prompt was blocked", "Adjust the prompt", request},
		{"code:access_denied", 2, "access_denied", "Access denied", "Check key, permissions, and group", forbidden},
		{"code:model_not_found", 2, "model_not_found", "Model not found", "Verify model and your plan’s models", caller(Stated, 404)},
		{"code:invalid_api_type", 2, "invalid_api_type", "Unsupported API type", "Use a supported API format", request},
		{"code:get_channel_failed", 2, "get_channel_failed", "No available channel", "Retry later or contact support", gateway()},
		{"code:channel:no_available_key", 2, "channel:no_available_key", "No available channel key", "Retry later or contact support", gateway()},
		{"code:channel:invalid_key", 2, "channel:invalid_key", "Invalid channel key", "Contact support", badKey},
		{"code:channel:model_mapped_error", 2, "channel:model_mapped_error", "Model mapping error", "Contact support", gateway()},
		{"code:channel:response_time_exceeded", 2, "channel:response_time_exceeded", "Upstream timeout", "Retry; shrink the request if needed", gateway()},
		{"code:insufficient_user_quota", 2, "insufficient_user_quota", "Insufficient quota", "Top up or check your plan quota", forbidden},
		{"code:pre_consume_token_quota_failed", 2, "pre_consume_token_quota_failed", "Quota pre-deduction failed", "Check quota and retry", forbidden},
		{"code:model_price_error", 2, "model_price_error", "Model pricing error", "Contact support", gateway()},
		{"code:count_token_failed", 2, "count_token_failed", "Token counting failed", "Check input and retry", StatusRule{Classes: []int{4, 5}, Exact: []int{400}, Basis: Derived}},
		{"code:do_request_failed", 2, "do_request_failed", "Upstream request failed", "Retry", gateway()},
		{"code:bad_response", 2, "bad_response", "Bad upstream response", "Retry or contact support", gateway()},
		{"code:bad_response_status_code", 2, "bad_response_status_code", "Bad upstream status code", "Retry or contact support", gateway()},
		{"code:empty_response", 2, "empty_response", "Empty upstream response", "Retry; raise timeout for streaming", gateway()},
		{"code:read_response_body_failed", 2, "read_response_body_failed", "Failed to read upstream response", "Retry", gateway()},
		{"code:json_marshal_failed", 2, "json_marshal_failed", "Serialization failed", "Retry or contact support", gateway()},
		{"code:query_data_error", 2, "query_data_error", "Data query error", "Retry or contact support", gateway()},
		{"code:update_data_error", 2, "update_data_error", "Data write error", "Retry or contact support", gateway()},
	}
}

// RowByID finds a row. ok is false if neither table contains it.
func RowByID(id RowID) (row Row, ok bool) {
	row, ok = rowOf(id)
	return row.clone(), ok
}

// rowOf is [RowByID] for readers: the row shares the tables.
func rowOf(id RowID) (row Row, ok bool) {
	i := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id })
	if i < 0 {
		return Row{}, false
	}
	return rows[i], true
}

// IsCode reports whether a string is one of the 26 codes of table 2.
func IsCode(code string) bool {
	_, ok := rowOf(RowID("code:" + code))
	return ok && code != ""
}
