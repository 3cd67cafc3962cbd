package reports

import "github.com/gatecert/gatecert/contract"

// RowText explains a row of the contract: what it means to a caller, and common mistakes. It is "" for a row that is not in the
// contract. docs/rows.md has the same paragraphs.
func RowText(id contract.RowID) string { return rowTexts[id] }

// rowTexts is read-only.
var rowTexts = map[contract.RowID]string{ //nolint:gosec // texts about keys, no keys
	"http:400":                            `The request is invalid. Common mistakes: to validate late and answer 500 (often on images, speech and rerank, in gateways that are right on chat), so that clients retry a request that can never succeed; to fill in what is missing and answer 200.`,
	"http:401":                            `Only for a key that is missing or was never issued. A revoked key is 403: it tells the caller that a new key helps and that another attempt with the same key does not.`,
	"http:403":                            `The gateway knows the key. Clients do not retry, and people check their plan. If a revoked key is answered with 401, they search for a typing error instead.`,
	"http:404":                            "The path or the model does not exist. Common mistakes: an unknown path returns the dashboard's HTML page with 200; an unknown model returns 503 (\"no channel\"), which every SDK retries twice; `GET /v1/models/NAME` returns an error object with 200.",
	"http:429":                            "Every SDK retries it and obeys `Retry-After`; without that header it has to guess. A common mistake is a 429 without a body, which leaves the user without a message. Code and type are free: the table names none.",
	"http:5xx":                            `The caller did nothing wrong, and a retry may help. If the upstream answers 4xx because of a mistake of the gateway (a wrong key, for example), the caller must get a 5xx as well: never 401, 402 or 403, and never a code that makes them top up or check their key, whatever the upstream called it.`,
	"code:invalid_request":                `The code for wrong parameters. Its status is stated: 400, never 500 or 422.`,
	"code:bad_request_body":               "The body cannot be parsed. Unlike `invalid_request`, this points to the code that writes the body, not to the values in it.",
	"code:read_request_body_failed":       `The body cannot be read to its end. 413 and 415 are understandable, and warn. Common mistakes: a 400 without a body, or no answer at all.`,
	"code:convert_request_failed":         `The request is valid in the caller's API format and has no equivalent in the upstream's. Dropping a field silently is worse than refusing the request.`,
	"code:sensitive_words_detected":       `The caller has to change the input. A 5xx is wrong: SDKs would send the same words three times.`,
	"code:prompt_blocked":                 "The upstream refuses the prompt because of a policy: OpenAI with a 400, Anthropic with `stop_reason: refusal`, Gemini with `promptFeedback`. A common mistake is to pass this on as an empty 200: it looks like a model without an answer.",
	"code:access_denied":                  `A valid key is used where it is not permitted, because of an IP list or a group. 401 warns.`,
	"code:model_not_found":                `The status is stated: 404. The most common wrong answer is 503.`,
	"code:invalid_api_type":               `The model's channel has an API type that the gateway does not support.`,
	"code:get_channel_failed":             `The model exists, but no channel can serve it at the moment.`,
	"code:channel:no_available_key":       `Every key of the channel is disabled. A gateway that continues without a key shows another error, or the upstream's.`,
	"code:channel:invalid_key":            `The upstream rejected the *gateway's* key. A common mistake is to pass on its 401, which blames the caller's key. It must never be 401 or 403.`,
	"code:channel:model_mapped_error":     `The operator configured a mapping that is cyclic or unreadable.`,
	"code:channel:response_time_exceeded": "The upstream is too slow. The caller must get this error when the gateway's timeout has passed, and the upstream call must be cancelled. Common mistakes: to wait forever, to answer 408, to close a stream with `[DONE]`.",
	"code:insufficient_user_quota":        `The owner of the key has to top up. 402 is understandable; 429 makes every SDK retry in vain. Both warn.`,
	"code:pre_consume_token_quota_failed": `The owner has quota, but the key's own budget is too small.`,
	"code:model_price_error":              `The operator did not set a price. This is not the caller's fault, so it is 5xx.`,
	"code:count_token_failed":             `The input's tokens cannot be counted. This may be the caller's fault (400) or the gateway's (5xx); the contract allows both.`,
	"code:do_request_failed":              "The upstream cannot be reached. A common mistake is to show its address (`dial tcp 10.0.0.7:443`).",
	"code:bad_response":                   `The upstream answers 200 with something that is not an answer. If a gateway passes on an error inside a 200, six of eight SDKs treat it as a success.`,
	"code:bad_response_status_code":       `The upstream answers with an error status and without an error object. Its 404 must not become the caller's 404.`,
	"code:empty_response":                 `The upstream answers 200 without content. If a gateway passes on an empty stream with a clean end, every SDK treats it as a success.`,
	"code:read_response_body_failed":      "The upstream's answer breaks off. In a stream, the gateway has to send the API format's own error event, or break the transfer visibly. If it closes the stream with `[DONE]`, half an answer looks complete.",
	"code:json_marshal_failed":            `The gateway cannot serialise its answer. A common mistake is half a body with status 200.`,
	"code:query_data_error":               `The database fails on read. Common mistakes: 403 or 404 ("no such key"), and a message that shows SQL.`,
	"code:update_data_error":              `The database fails on write, usually while quota is reserved. A common mistake is 403 "quota failed", which blames the caller's balance.`,
}
