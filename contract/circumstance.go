package contract

import (
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// Reach states whether a request in a circumstance reaches the upstream.
type Reach string

// The values of [Reach].
const (
	// ReachNever means that the gateway must refuse the request itself. If the request reached the upstream, somebody would have to pay for it.
	ReachNever Reach = "never"
	// ReachMust means that the upstream causes the error. A call that does not reach the upstream does not create the circumstance.
	ReachMust Reach = "must"
	// ReachMay means that the request may reach the upstream or not, for example because some gateways leave validation to the upstream.
	ReachMay Reach = "may"
)

// Circumstance is a situation in which a gateway must respond with the error of a row.
type Circumstance struct {
	ID  string
	Row RowID
	// Sentence is the "brought about by" text of CONTRACT.md, verbatim.
	Sentence string
	// Needs is the lowest level that a target must offer.
	Needs Level
	Reach Reach
	// Variants are the ways to create the circumstance. There is at least one; a single variant has no name.
	Variants []Variant
}

// Variant is one way to create a circumstance.
type Variant struct {
	// Name is the last part of the case id. It is "" if there is only one variant, or only one apart from load.
	Name string
	// Sentence describes for readers how the circumstance is created.
	Sentence string
	// Surfaces are the surfaces to which the variant applies.
	Surfaces []dialect.Surface
	// Reach, if not "", overrides the Reach of the circumstance.
	Reach Reach
	// Needs, if not "", overrides the level of the circumstance.
	Needs Level
	// MidStream is set if the upstream fails after its stream has begun. The gateway may already have sent its status by then.
	MidStream bool
	// Status, if not nil, overrides the rule of the row.
	Status *StatusRule
}

// all is every surface; the other lists are the surfaces that have a property.
func all() []dialect.Surface { return dialect.Surfaces() }

func only(has func(dialect.Surface) bool) []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return !has(s) })
}

func streaming() []dialect.Surface { return only(dialect.Surface.Streaming) }

func plain() []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), dialect.Surface.Streaming)
}

// naming are the surfaces whose body has to name the model.
func naming() []dialect.Surface {
	return only(func(s dialect.Surface) bool {
		e, _ := s.Details()
		return s.HasBody() && !s.ModelInPath() && !e.DefaultModel
	})
}

func withBody() []dialect.Surface { return only(dialect.Surface.HasBody) }

// withJSON are the surfaces whose requests are JSON.
func withJSON() []dialect.Surface {
	return only(func(s dialect.Surface) bool { return s.HasBody() && !s.TakesForm() })
}

func withForm() []dialect.Surface { return only(dialect.Surface.TakesForm) }

// plainOf are those of the surfaces that do not stream.
func plainOf(surfaces []dialect.Surface) []dialect.Surface {
	return slices.DeleteFunc(surfaces, dialect.Surface.Streaming)
}

// listed are the surfaces that name one of what another path lists.
func listed() []dialect.Surface {
	return only(func(s dialect.Surface) bool { return s.ListPath() != "" })
}

// relayed are the surfaces for whose answer a gateway has to ask an upstream.
func relayed() []dialect.Surface { return only(dialect.Surface.Relayed) }

// charged are the relayed surfaces whose calls cost something.
func charged() []dialect.Surface {
	return only(func(s dialect.Surface) bool { return s.Relayed() && !s.Free() })
}

// answeringJSON are the relayed surfaces whose answers are JSON, or events of it.
func answeringJSON() []dialect.Surface {
	return only(func(s dialect.Surface) bool { return s.Relayed() && !s.Binary() })
}

// listing are the relayed surfaces whose answers hold a list, which must not be empty.
func listing() []dialect.Surface {
	return only(func(s dialect.Surface) bool {
		e, _ := s.Details()
		return s.Relayed() && !s.Binary() && e.Holds == dialect.ShapeList
	})
}

// countable are the surfaces whose input has parts that cannot be counted when they are corrupt.
func countable() []dialect.Surface {
	return only(func(s dialect.Surface) bool {
		return s.Generates() || s == dialect.Embeddings || s == dialect.Transcriptions || s == dialect.CountTokens
	})
}

// counting reports whether the surface counts tokens, which not every upstream can do: one that cannot answers 404.
func counting(s dialect.Surface) bool { return s == dialect.CountTokens }

// convertible are the surfaces whose requests a gateway may have to convert to another API format.
func convertible() []dialect.Surface {
	return slices.DeleteFunc(relayed(), counting)
}

// refusing are the surfaces on which an upstream refuses a prompt on policy grounds.
func refusing() []dialect.Surface {
	return only(func(s dialect.Surface) bool { return s.Generates() || s == dialect.Images })
}

// LoadVariant is the variant of circumstances that take many calls to create. [Judge] cannot judge such a case from a single exchange; package load
// produces its findings.
const LoadVariant = "under-load"

// loadCaseSurfaces are the surfaces that have load cases, each together with its streaming twin.
func loadCaseSurfaces() []dialect.Surface {
	return only(func(s dialect.Surface) bool {
		_, streams := s.Twin()
		return streams && !s.Streaming()
	})
}

func sole(sentence string) []Variant { return soleOn(all(), sentence) }

func soleOn(surfaces []dialect.Surface, sentence string) []Variant {
	return []Variant{{Sentence: sentence, Surfaces: surfaces}}
}

// ListVariant is the variant that requests the list of all models instead of one model.
const ListVariant = "list"

func listVariant(sentence string) Variant {
	return Variant{Name: ListVariant, Sentence: sentence, Surfaces: listed()}
}

// circumstances is read-only after its making.
var circumstances = []Circumstance{
	{"missing-parameter", "http:400", "valid JSON without a required field (no messages / no input / no model)", Edge, ReachMay, []Variant{
		{Name: "no-model", Sentence: "the request body has no model field", Surfaces: naming()},
		{Name: "no-input", Sentence: "the request body has no messages, input, prompt, query, file or contents field", Surfaces: withBody()},
		{Name: "other-name", Sentence: "the form contains the file in a field with the wrong name", Surfaces: withForm()},
	}},
	{"malformed-parameter", "http:400", "a field of the wrong type or out of range", Edge, ReachMay, append(invalidVariants(),
		refusedParameter("refused-400", "the upstream rejects a parameter with 400 and its own error object"),
		refusedParameter("refused-404", "a parameter refers to something that the upstream does not have, so the upstream returns 404 with its own error object"),
		refusedParameter("refused-413", "the upstream rejects the input as too large, with 413 and its own error object"),
		refusedParameter("refused-422", "the upstream rejects a parameter with 422 and its own error object, in which the code is a number"),
	)},
	{"missing-key", "http:401", "no credential", Edge, ReachNever, []Variant{
		{Sentence: "the request carries no key", Surfaces: all()},
		listVariant("a request for the model list without a key"),
	}},
	{"wrong-key", "http:401", "a well-formed key that was never issued", Edge, ReachNever, []Variant{
		{Name: "header", Sentence: "the key is in the API format's own header", Surfaces: all()},
		{Name: "query", Sentence: "the key is in the URL's query string, as ?key=KEY", Surfaces: only(dialect.Surface.KeyInQuery)},
		listVariant("a request for the model list with a key that was never issued"),
	}},
	{"revoked-key", "http:403", "a key that was valid and was withdrawn", Account, ReachNever, []Variant{
		{Sentence: "a call with a revoked key for a model that the key was previously allowed to use", Surfaces: all()},
		listVariant("a request for the model list with a revoked key"),
	}},
	{"no-model-access", "http:403", "a valid key that may not use the asked model", Account, ReachNever, soleOn(relayed(), "the request names a model that is not in the key's model list or group")},
	{"unknown-path", "http:404", "a path under the API root that does not exist (and the right path with the wrong method)", Edge, ReachMay, []Variant{
		{Name: "no-such-path", Sentence: "a nonexistent path that is similar to the endpoint's own path", Surfaces: plain()},
		{Name: "get", Sentence: "a browser-like GET request for a path that does not exist", Surfaces: plain()},
		{Name: Uncounted, Sentence: "a request to count tokens for a model whose upstream cannot count tokens", Surfaces: only(counting),
			Needs: Account, Status: &unsupported},
		{Name: "wrong-method", Sentence: "a DELETE request to the endpoint's own path", Surfaces: plainOf(withBody())},
	}},
	{"unknown-model", "http:404", "a model name that does not exist", Edge, ReachMay, sole("this row requires the status 404; the row code:model_not_found also requires the code model_not_found")},
	{"over-rate-limit", "http:429", "more requests in a window than the key's limit", Full, ReachNever, []Variant{
		{Sentence: "gatecert sends requests until the gateway refuses one, then judges the refusal", Surfaces: all()},
		{Name: LoadVariant, Sentence: "clients send more calls than the limit allows: one at a time, many at once, and again after a pause", Surfaces: loadCaseSurfaces()},
	}},
	{"upstream-error", "http:5xx", "the provider fails", Relay, ReachMust, []Variant{
		{Name: "error-object", Sentence: "the upstream returns 500 with its own error object", Surfaces: relayed()},
		{Name: "error-401", Sentence: "the upstream rejects the gateway's key with 401 and its own error object", Surfaces: relayed(), Status: &unblamed},
		{Name: "error-402", Sentence: "the gateway's upstream account is empty, so the upstream returns 402 with its own error object", Surfaces: relayed(), Status: &unblamed},
		{Name: "error-403", Sentence: "the upstream rejects the gateway's key with 403 and its own error object", Surfaces: relayed(), Status: &unblamed},
		{Name: "own-words", Sentence: "the gateway's account is empty at an upstream that is itself a gateway, so the upstream returns 403 with the code insufficient_user_quota", Surfaces: relayed(), Status: &unblamed},
		{Name: "numeric-code", Sentence: "the upstream returns 500 with an error object in which the code is a number", Surfaces: relayed()},
		{Name: "error-429", Sentence: "the upstream rate-limits the gateway and returns 429 with Retry-After and its own error object", Surfaces: relayed(), Status: &limitedByUpstream},
		{Name: "error-529", Sentence: "the upstream is overloaded and returns 529 with its own error object", Surfaces: relayed()},
		{Name: "compressed-error", Sentence: "the upstream returns 500 with its own error object, compressed with gzip", Surfaces: relayed()},
		{Name: "redirect", Sentence: "the upstream redirects the call to another host", Surfaces: relayed()},
		{Name: "first-event-error", Sentence: "the upstream's stream begins with its own error event", Surfaces: streaming()},
		{Name: "lifecycle-then-error", Sentence: "the upstream begins its stream normally, then sends its own error event before any content", Surfaces: announcing()},
		{Name: "mid-stream", Sentence: "the upstream sends its own error event in the middle of the content", Surfaces: streaming(), MidStream: true},
		{Name: "answer-with-error", Sentence: "the upstream sends a partial answer that contains an error object", Surfaces: only(dialect.Surface.Generates), MidStream: true},
		{Name: "error-after-reasoning", Sentence: "the upstream sends its own error event in the middle of the reasoning", Surfaces: streaming(), MidStream: true},
		{Name: "cut-tool-call", Sentence: "the upstream breaks the connection in the middle of a tool call", Surfaces: streaming(), MidStream: true},
		{Name: "ended-tool-call", Sentence: "the upstream's stream ends cleanly in the middle of a tool call, without a finish event", Surfaces: streaming(), MidStream: true},
		{Name: LoadVariant, Sentence: "the upstream fails on some of the calls while the others succeed", Surfaces: loadCaseSurfaces(), Needs: Full},
	}},
	{"gateway-error", "http:5xx", "the gateway's own part fails (its store is gone)", Store, ReachMay, sole("the database that contains the callers' keys is unavailable")},

	{"invalid-parameters", "code:invalid_request", "a well-formed body with invalid parameters", Edge, ReachMay, invalidVariants()},
	{"malformed-body", "code:bad_request_body", "a body that is not JSON", Edge, ReachMay, []Variant{
		{Name: "cut-json", Sentence: "the JSON is cut off in the middle", Surfaces: withJSON()},
		{Name: "not-json", Sentence: "plain text sent as application/json", Surfaces: withJSON()},
		{Name: "text-after", Sentence: "a JSON object followed by text", Surfaces: plainOf(withJSON())},
		{Name: "no-boundary", Sentence: "a multipart form whose Content-Type has no boundary", Surfaces: withForm()},
		{Name: "cut-form", Sentence: "a multipart form that is cut off in the middle of a part", Surfaces: withForm()},
		{Name: "form-body", Sentence: "a form sent as application/x-www-form-urlencoded", Surfaces: plainOf(withJSON())},
	}},
	{"unreadable-body", "code:read_request_body_failed", "a body that cannot be read to its end: short of its Content-Length, over the size limit, or with a broken Content-Encoding", Edge, ReachMay, []Variant{
		{Name: "short-body", Sentence: "the body is shorter than its Content-Length", Surfaces: withBody()},
		{Name: "broken-gzip", Sentence: "the gzip body is cut off in the middle", Surfaces: withBody()},
		{Name: "oversize", Sentence: "the body exceeds the gateway's declared size limit", Surfaces: withBody()},
	}},
	{"unconvertible-request", "code:convert_request_failed", "a request that is valid in the caller's dialect and cannot be expressed in the provider's", Account, ReachNever, soleOn(convertible(), "the request uses a feature that only the client's API format has")},
	{"sensitive-content", "code:sensitive_words_detected", "a prompt with a word on the gateway's list", Account, ReachNever, soleOn(relayed(), "the prompt contains a word on the gateway's list of sensitive words")},
	{"blocked-prompt", "code:prompt_blocked", "the provider refuses the prompt on policy grounds", Relay, ReachMust, []Variant{
		{Sentence: "the upstream refuses the prompt in the way that its API format defines", Surfaces: refusing()},
	}},
	{"denied-access", "code:access_denied", "a valid key used where its permissions or group do not reach (for example outside its IP list)", Account, ReachNever, sole("the key's permissions or group do not allow the request")},
	{"absent-model", "code:model_not_found", "a model name that does not exist", Edge, ReachMay, sole("a model name invented for this call")},
	{"unsupported-api", "code:invalid_api_type", "a route whose channel has an API type that the gateway does not support", Account, ReachNever, soleOn(relayed(), "the model's channel has an unsupported type")},
	{"no-channel", "code:get_channel_failed", "a known model for which no channel is available", Account, ReachNever, soleOn(relayed(), "the model is listed and priced, but no channel serves it")},
	{"channel-without-key", "code:channel:no_available_key", "a channel all of whose keys are disabled", Account, ReachNever, soleOn(relayed(), "every key of the model's channel is disabled")},
	{"channel-with-bad-key", "code:channel:invalid_key", "a channel whose key the provider (or the channel type) rejects", Account, ReachMay, soleOn(relayed(), "the upstream rejects the channel's key")},
	{"bad-model-mapping", "code:channel:model_mapped_error", "a channel whose model mapping is cyclic or unreadable", Account, ReachNever, soleOn(relayed(), "the channel's model mapping is cyclic")},
	{"slow-upstream", "code:channel:response_time_exceeded", "the provider does not answer within the gateway's limit", Relay, ReachMust, []Variant{
		{Name: "no-answer", Sentence: "the upstream never answers", Surfaces: relayed()},
		{Name: "stalled-answer", Sentence: "the upstream starts its answer and then stalls", Surfaces: relayed(), MidStream: true},
		{Name: LoadVariant, Sentence: "the upstream hangs or stalls on some of the calls while the others succeed", Surfaces: loadCaseSurfaces(), Needs: Full},
	}},
	{"spent-account", "code:insufficient_user_quota", "the key's owner has no quota left", Account, ReachNever, soleOn(charged(), "the account that owns the key has no quota left")},
	{"spent-key", "code:pre_consume_token_quota_failed", "the owner has quota, the key's own budget is too small for the pre-deduction", Account, ReachNever, soleOn(charged(), "the key's own budget is too small")},
	{"unpriced-model", "code:model_price_error", "a routed model without a usable price", Account, ReachNever, soleOn(charged(), "the model has a channel but no price")},
	{"uncountable-input", "code:count_token_failed", "input whose tokens cannot be counted (for example a corrupt image or audio part)", Account, ReachNever, soleOn(countable(), "the input's tokens cannot be counted")},
	{"unreachable-upstream", "code:do_request_failed", "the provider refuses, resets or cannot be resolved", Relay, ReachMust, []Variant{
		{Name: "reset", Sentence: "the upstream resets the connection", Surfaces: relayed()},
		{Name: "closed", Sentence: "the upstream closes the connection without a response", Surfaces: relayed()},
		{Name: "refused", Sentence: "nothing is listening on the channel's address", Surfaces: relayed(), Reach: ReachNever, Needs: Account},
	}},
	{"bad-upstream-response", "code:bad_response", "the provider answers 200 with something that is not an answer (broken JSON, HTML, an error object)", Relay, ReachMust, []Variant{
		{Name: "broken-json", Sentence: "the upstream returns 200 with malformed JSON", Surfaces: answeringJSON()},
		{Name: "html", Sentence: "the upstream returns 200 with an HTML page", Surfaces: relayed()},
		{Name: "error-object", Sentence: "the upstream returns 200 with an error object", Surfaces: relayed()},
		{Name: "null", Sentence: "the upstream returns 200 with the JSON value null", Surfaces: plainOf(relayed())},
	}},
	{"bad-upstream-status", "code:bad_response_status_code", "the provider answers with a status that is no success, without a usable error object", Relay, ReachMust, []Variant{
		{Name: "html-502", Sentence: "the upstream returns 502 with an HTML page", Surfaces: relayed()},
		{Name: "empty-503", Sentence: "the upstream returns 503 with an empty body", Surfaces: relayed()},
		{Name: "foreign-500", Sentence: "the upstream returns 500 with JSON that is not an error object", Surfaces: relayed()},
		{Name: "html-404", Sentence: "the upstream returns 404 with an HTML page, which is the upstream's fault and not the client's", Surfaces: charged()},
	}},
	{"empty-upstream-response", "code:empty_response", "the provider answers 200 with an empty body, no choices, or a stream with no content", Relay, ReachMust, []Variant{
		{Name: "empty-body", Sentence: "the upstream returns 200 with an empty body", Surfaces: relayed()},
		{Name: "no-content", Sentence: "the upstream returns 200 with no choices, or a stream without content", Surfaces: listing()},
		{Name: "empty-stream", Sentence: "the upstream returns 200 with an event stream that contains no events", Surfaces: streaming()},
	}},
	{"truncated-upstream-response", "code:read_response_body_failed", "the provider's body breaks off: short Content-Length, cut chunk, broken encoding", Relay, ReachMust, []Variant{
		{Name: "short-body", Sentence: "the upstream's body is shorter than its Content-Length", Surfaces: plainOf(relayed())},
		{Name: "cut-chunk", Sentence: "the upstream's chunked body ends without its last chunk", Surfaces: plainOf(relayed())},
		{Name: "broken-gzip", Sentence: "the upstream's gzip body is cut off in the middle", Surfaces: plainOf(relayed())},
		{Name: "cut-stream", Sentence: "the upstream breaks the connection in the middle of the content", Surfaces: streaming(), MidStream: true},
		{Name: "ended-early", Sentence: "the upstream's stream ends cleanly in the middle of the content, without a finish event", Surfaces: streaming(), MidStream: true},
	}},
	{"unserializable-result", "code:json_marshal_failed", "the gateway cannot serialise what it has to send", Account, ReachMay, soleOn(answeringJSON(), "the gateway would have to send a value that JSON cannot represent")},
	{"failing-store-reads", "code:query_data_error", "the gateway's database fails on read", Store, ReachMay, sole("reads from the database fail")},
	{"failing-store-writes", "code:update_data_error", "the gateway's database fails on write", Store, ReachMay, soleOn(charged(), "writes to the database fail")},
}

// announcing are the streams that begin with an event without content: a role, message_start, response.created.
func announcing() []dialect.Surface {
	return slices.DeleteFunc(streaming(), func(s dialect.Surface) bool { return s.Dialect() == dialect.Gemini })
}

// refusedParameter is a way in which only the upstream finds out that a parameter is wrong.
func refusedParameter(name, sentence string) Variant {
	return Variant{Name: name, Sentence: sentence, Surfaces: relayed(), Reach: ReachMust, Needs: Relay, Status: &refusedByUpstream}
}

func invalidVariants() []Variant {
	return []Variant{
		{Name: "wrong-type", Sentence: "a field (messages, input, prompt, query, file or contents) has the wrong type", Surfaces: withBody()},
		{Name: "out-of-range", Sentence: "a temperature of 99", Surfaces: only(dialect.Surface.Generates)},
	}
}

// Circumstances returns the 37 circumstances in the contract's order. The caller may modify the returned slice.
func Circumstances() []Circumstance {
	all := slices.Clone(circumstances)
	for i := range all {
		all[i] = all[i].clone()
	}
	return all
}

// clone is a copy that shares nothing with the contract.
func (c Circumstance) clone() Circumstance {
	c.Variants = slices.Clone(c.Variants)
	for i := range c.Variants {
		c.Variants[i].Surfaces = slices.Clone(c.Variants[i].Surfaces)
		if rule := c.Variants[i].Status; rule != nil {
			own := rule.clone()
			c.Variants[i].Status = &own
		}
	}
	return c
}

// CircumstanceByID finds a circumstance by its id. ok is false if there is none with this id.
func CircumstanceByID(id string) (c Circumstance, ok bool) {
	i := slices.IndexFunc(circumstances, func(c Circumstance) bool { return c.ID == id })
	if i < 0 {
		return Circumstance{}, false
	}
	return circumstances[i].clone(), true
}

// Variant finds a variant by name.
func (c Circumstance) Variant(name string) (v Variant, ok bool) {
	i := slices.IndexFunc(c.Variants, func(v Variant) bool { return v.Name == name })
	if i < 0 {
		return Variant{}, false
	}
	return c.Variants[i], true
}
