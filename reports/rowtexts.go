package reports

import "github.com/gatecert/gatecert/contract"

// RowText explains a row of the contract: what it means to a caller, and common mistakes. It is "" for a row that is not in the
// contract. docs/rows.md has the same paragraphs.
func RowText(id contract.RowID) string { return rowTexts[id] }

// rowTexts is read-only.
var rowTexts = map[contract.RowID]string{ //nolint:gosec // texts about keys, no keys
	"http:400":                            `The request is invalid. A common mistake is to validate late and return 500, so that clients retry a request that can never succeed. This is frequent on images, speech and rerank, even in gateways that get chat right. Another mistake is to fill in what is missing and return 200.`,
	"http:401":                            `401 is only for a key that is missing or was never issued. A revoked key gets 403, which shows the caller that a retry with the same key is pointless and that a new key is needed.`,
	"http:403":                            `The gateway knows the key, but refuses the request. Clients do not retry a 403, and people check their plan. If a revoked key gets 401, people look for a typo instead.`,
	"http:404":                            "The path or the model does not exist. Common mistakes: an unknown path returns the dashboard's HTML page with 200; an unknown model returns 503 (\"no channel\"), which every SDK retries twice; `GET /v1/models/NAME` returns an error object with 200.",
	"http:429":                            "Every SDK retries a 429 and obeys `Retry-After`. Without that header, the SDK has to guess how long to wait. A common mistake is a 429 without a body, which leaves the user without a message. Any code and type are allowed, because the contract's table does not name one.",
	"http:5xx":                            `The caller did nothing wrong, and a retry may help. If the upstream returns 4xx because of a mistake by the gateway (a wrong key, for example), the caller must still get a 5xx: never 401, 402 or 403, and never a code that makes callers top up or check their key, whatever code the upstream used.`,
	"code:invalid_request":                `This code is for wrong parameters. The contract states its status: 400, never 500 or 422.`,
	"code:bad_request_body":               "The body cannot be parsed. Unlike `invalid_request`, this code points to the program that writes the body, not to the values in the body.",
	"code:read_request_body_failed":       `The gateway cannot read the whole body. A 413 or 415 is understandable, so it is only a warning. Common mistakes: a 400 without a body, or no response at all.`,
	"code:convert_request_failed":         `The request is valid in the caller's API format but has no equivalent in the upstream's format. Dropping a field silently is worse than refusing the request.`,
	"code:sensitive_words_detected":       `The caller has to change the input. A 5xx is wrong, because SDKs would send the same words three times.`,
	"code:prompt_blocked":                 "The upstream refuses the prompt because of a policy: OpenAI with a 400, Anthropic with `stop_reason: refusal`, Gemini with `promptFeedback`. A common mistake is to pass the refusal on as an empty 200, which looks as if the model had no answer.",
	"code:access_denied":                  `A valid key is used where it is not permitted, because of an IP list or a group. A 401 is a warning.`,
	"code:model_not_found":                `The contract states the status: 404. The most common wrong status is 503.`,
	"code:invalid_api_type":               `The model's channel has an API type that the gateway does not support.`,
	"code:get_channel_failed":             `The model exists, but no channel can serve it at the moment.`,
	"code:channel:no_available_key":       `Every key of the channel is disabled. A gateway that continues without a key returns another error, or passes on the upstream's.`,
	"code:channel:invalid_key":            `The upstream rejected the *gateway's* key. A common mistake is to pass on the upstream's 401, which blames the caller's key. The status must never be 401 or 403.`,
	"code:channel:model_mapped_error":     `The operator configured a mapping that is cyclic or unreadable.`,
	"code:channel:response_time_exceeded": "The upstream is too slow. When the gateway's timeout has passed, the caller must get this error, and the gateway must cancel the upstream call. Common mistakes: waiting forever, returning 408, or closing a stream with `[DONE]`.",
	"code:insufficient_user_quota":        `The owner of the key has to top up. A 402 is understandable; a 429 makes every SDK retry in vain. Both are only warnings.`,
	"code:pre_consume_token_quota_failed": `The owner has quota, but the key's own budget is too small.`,
	"code:model_price_error":              `The operator did not set a price for the model. This is not the caller's fault, so the status is 5xx.`,
	"code:count_token_failed":             `The input's tokens cannot be counted. This may be the caller's fault (400) or the gateway's (5xx); the contract allows both.`,
	"code:do_request_failed":              "The upstream cannot be reached. A common mistake is to show the upstream's address (`dial tcp 10.0.0.7:443`).",
	"code:bad_response":                   `The upstream returns 200 with something that is not an answer. If a gateway passes on an error inside a 200, six of eight SDKs treat it as a success.`,
	"code:bad_response_status_code":       `The upstream returns an error status without an error object. The upstream's 404 must not become the caller's 404.`,
	"code:empty_response":                 `The upstream returns 200 without content. If a gateway passes on an empty stream with a clean end, every SDK treats it as a success.`,
	"code:read_response_body_failed":      "The upstream's response breaks off. In a stream, the gateway has to send the API format's own error event, or break the transfer visibly. If the gateway closes the stream with `[DONE]`, half an answer looks complete.",
	"code:json_marshal_failed":            `The gateway cannot serialise its response. A common mistake is half a body with status 200.`,
	"code:query_data_error":               `A read from the database fails. Common mistakes: 403 or 404 ("no such key"), and a message that shows SQL.`,
	"code:update_data_error":              `A write to the database fails, usually while the gateway reserves quota. A common mistake is 403 "quota failed", which blames the caller's balance.`,
}
