package reports

import "github.com/gatecert/gatecert/contract"

// RowText explains a row of the contract: what it means for callers, and common mistakes. It returns "" for a row that is not in the contract.
// docs/rows.md contains the same paragraphs.
func RowText(id contract.RowID) string { return rowTexts[id] }

// rowTexts is read-only.
var rowTexts = map[contract.RowID]string{
	"http:400":                            `The request is invalid. A common mistake is to validate the request too late and return 500, which makes clients retry a request that can never succeed. This mistake is frequent on the images, speech and rerank endpoints, even in gateways that handle chat correctly. Another mistake is to fill in missing fields and return 200.`,
	"http:401":                            `401 is only for a key that is missing or was never issued. For a revoked key, the right status is 403, because the caller needs a new key and retrying with the same key is pointless.`,
	"http:403":                            `The gateway knows the key but refuses the request. If the gateway returns 403, clients do not retry, and users check their plan. If the gateway returns 401 for a revoked key, users look for a typo instead of requesting a new key.`,
	"http:404":                            "The path or the model does not exist, so a retry of the same request is pointless. Common mistakes are to return the dashboard's HTML page with 200 for an unknown path, 503 (\"no channel\") for an unknown model, and 200 with an error object for `GET /v1/models/NAME`. Most SDKs retry a 503 twice.",
	"http:429":                            "Most SDKs retry a 429 and obey `Retry-After`. Without that header, the SDK has to guess how long to wait. A common mistake is a 429 without a body, which leaves the user without a message. The gateway can choose any code and type, because the contract does not specify them for a 429.",
	"http:5xx":                            `The caller did nothing wrong, and a retry may help. If the upstream returns 4xx because of the gateway's own mistake (such as a wrong upstream key), the gateway must still return 5xx to the caller. Whatever error the upstream returns, the gateway must never return status 401, 402 or 403, or an error code that makes callers top up their account or check their key.`,
	"code:invalid_request":                `This code is for invalid parameters. The contract specifies status 400, never 500 or 422.`,
	"code:bad_request_body":               "The gateway cannot parse the request body. Unlike `invalid_request`, this code points to a bug in the program that writes the body, not to wrong values in the body.",
	"code:read_request_body_failed":       `The gateway cannot read the complete request body. A 413 or 415 instead of a 400 causes only a warning, because these statuses can also describe the fault. Common mistakes are to return a 400 without a body, or not to respond at all.`,
	"code:convert_request_failed":         `The request is valid in the caller's API format but has no equivalent in the upstream's format. Silently dropping a field is worse than refusing the request, because the caller does not notice that the response ignores the field.`,
	"code:sensitive_words_detected":       `The caller has to change the input. A 5xx is wrong because it makes most SDKs send the same prompt three times.`,
	"code:prompt_blocked":                 "The upstream refuses the prompt on policy grounds: OpenAI with a 400, Anthropic with `stop_reason: refusal`, Gemini with `promptFeedback`. A common mistake is to turn the refusal into an empty 200, which looks as if the model had nothing to say.",
	"code:access_denied":                  `A valid key is used where it is not permitted, for example from an address that is not on its IP allowlist, or for a request that its group does not allow. A 401 instead of a 403 causes only a warning.`,
	"code:model_not_found":                `The contract specifies status 404. The most common wrong status is 503, which most SDKs retry in vain.`,
	"code:invalid_api_type":               `The model's channel has an API type that the gateway does not support.`,
	"code:get_channel_failed":             `The model exists, but no channel can serve it at the moment.`,
	"code:channel:no_available_key":       `Every key of the channel is disabled. If the gateway calls the upstream anyway, without a key, the caller gets a different error, such as the upstream's own.`,
	"code:channel:invalid_key":            `The upstream rejected the *gateway's* key. A common mistake is to forward the upstream's 401, which blames the caller's key. The status must never be 401 or 403.`,
	"code:channel:model_mapped_error":     `The operator configured a model mapping that is cyclic or unreadable.`,
	"code:channel:response_time_exceeded": "The upstream is too slow. The gateway must return this error when its timeout expires, and cancel the upstream call. Common mistakes are to wait forever, to return 408, or to close a stream with `[DONE]`.",
	"code:insufficient_user_quota":        `The key's owner has to top up the account. A 402 or 429 instead of a 403 causes only a warning. A 402 fits the cause, but a 429 makes most SDKs retry in vain.`,
	"code:pre_consume_token_quota_failed": `The key's owner has quota, but the key's own budget is smaller than the amount that the gateway reserves for the call.`,
	"code:model_price_error":              `The operator did not set a price for the model. This is not the caller's fault, so the status is 5xx.`,
	"code:count_token_failed":             `The gateway cannot count the input's tokens. The cause may be the caller's input (400) or the gateway (5xx). The contract allows both statuses.`,
	"code:do_request_failed":              "The gateway cannot reach the upstream. A common mistake is to expose the upstream's address (`dial tcp 10.0.0.7:443`).",
	"code:bad_response":                   `The upstream returns 200, but the body is not a valid response. If a gateway forwards an error inside a 200, six of eight tested SDKs treat it as a success.`,
	"code:bad_response_status_code":       `The upstream returns an error status without an error object. Even if that status is a 404, the gateway must return 5xx, because the caller is not at fault.`,
	"code:empty_response":                 `The upstream returns 200 without content. If a gateway forwards an empty stream that ends cleanly, every SDK treats it as a success.`,
	"code:read_response_body_failed":      "The upstream's response is cut off. In a stream, the gateway has to send the API format's error event or visibly abort the transfer. If the gateway closes the stream with `[DONE]`, a partial answer looks complete.",
	"code:json_marshal_failed":            `The gateway cannot serialise its response. A common mistake is to send a truncated body with status 200.`,
	"code:query_data_error":               `A database read fails. Common mistakes are to return 403 or 404 ("no such key") and to expose SQL in the message.`,
	"code:update_data_error":              `A database write fails, usually while the gateway reserves quota. A common mistake is to return 403 ("quota failed"), which blames the caller's balance.`,
}
