package mutants

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/targets/reference"
)

// Permitted returns all permitted behaviours. The first, "none", changes nothing.
func Permitted() []PermittedBehaviour {
	return slices.Concat([]PermittedBehaviour{
		{"none", "The reference gateway is unchanged.", all()},
	}, permittedErrors(), permittedWire(), permittedStreams(), permittedConduct())
}

// permittedErrors are other contents of the same errors.
func permittedErrors() []PermittedBehaviour {
	return []PermittedBehaviour{
		{"other-words", "Error messages are short and contain no useful information.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Message = "no" })},
		{"another-language", "Error messages mix several languages and contain quotation marks, line breaks and special characters.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				//nolint:gosmopolitan // other languages are the point
				f.Message = "请求失败：“" + string(f.Code) + "”\n\t„Bitte später“ ⏳ — لاحقًا <b>&amp;</b> select a model from the list at 10:30 (UTC)"
			})},
		{"more-fields", "Error responses have fields that the API format does not define, both inside and outside the error object.",
			changeError(moreFields)},
		{"other-5xx", "When the gateway or the upstream fails, the gateway returns a different 5xx status than the reference gateway.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				others := map[int]int{500: 503, 502: 500, 503: 529, 504: 502}
				if other, ok := others[f.Status]; ok {
					f.Status = other
				}
			})},
		{"uncountable-as-500", "The gateway returns 500 instead of 400 if the input's tokens cannot be counted. The contract permits both.",
			setStatus(500, withCode(reference.CountToken))},
		{"wrong-method-as-404", "The gateway returns 404 instead of 405 for a wrong method. The contract permits both.",
			setStatus(404, withStatus(405))},
		{"rate-limit-without-a-code", "A 429 response has no code, because the contract does not specify a code for 429.",
			setCode("", withCode(reference.RateLimited))},
		{"gemini-code-in-the-status", "On the Gemini endpoints, the code is in error.status, where the contract permits it.",
			all(changeError(editError(codeAsStatus), in(dialect.Gemini)), changeStreamError(editErrorEvent(codeAsStatus), in(dialect.Gemini)))},
		{"upstream-429-as-bad-status", "If the upstream returns 429, the gateway returns a 5xx status, as for any other bad status.",
			replaceBy(reference.BadResponseStatus, withCode(reference.RateLimited), upstreamStatus(429))},
		{"upstream-403-as-bad-status", "The gateway treats the upstream's 403 like any other bad status: only a 401 counts as a rejection of the gateway's key.",
			replaceBy(reference.BadResponseStatus, withCode(reference.InvalidChannelKey), upstreamStatus(403))},
		{"count-unsupported-as-501", "On the count-tokens endpoint, the gateway returns 501, as some clients expect, if the model's upstream cannot count tokens.",
			all(setStatus(501, on(dialect.CountTokens), withStatus(404), at(reference.Dial)),
				setCode(reference.ConvertRequest, on(dialect.CountTokens), withStatus(501)))},
		{"type-null", "In errors on the OpenAI endpoints, the type field is null, as on Azure.",
			changeError(editError(func(e map[string]any) { e["type"] = nil }), in(dialect.OpenAI))},
		{"anthropic-code-in-the-details", "On the Anthropic endpoints, the code is in error.details.error_code, where Anthropic's SDKs read it.",
			all(changeError(editError(codeInDetails), in(dialect.Anthropic)), changeStreamError(editErrorEvent(codeInDetails), in(dialect.Anthropic)))},
		{"long-messages", "On the chat endpoint, every error message is 80 KB long.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Message = strings.Repeat("too long ", 9<<10) }, on(dialect.Chat, dialect.ChatStream))},
		{"prose-about-tables", "Error messages contain words such as file, line, select and update but do not reveal any internals.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				f.Message = "File \"request body\", line 1: please select a model from the list, or update your plan to set a higher limit"
			})},
		{"json-indented", "The JSON of error responses is indented and ends with a line break.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				var out bytes.Buffer
				if json.Indent(&out, a.Body, "", "\t") == nil {
					a.Body = append(out.Bytes(), '\n')
				}
			})},
		{"json-escaped", "Every letter of an error message is written as a JSON escape sequence.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				var escaped strings.Builder
				for _, r := range c.Failure.Message {
					fmt.Fprintf(&escaped, `\u%04x`, r)
				}
				a.Body = bytes.Replace(a.Body, encode(c.Failure.Message), []byte(`"`+escaped.String()+`"`), 1)
			})},
	}
}

// permittedWire are other ways to send the same answers.
func permittedWire() []PermittedBehaviour {
	return []PermittedBehaviour{
		{"http2", "The gateway uses TLS, and it uses HTTP/2 with clients that support HTTP/2.",
			func(o *reference.Options) { o.TLS = true }},
		{"chunked", "The gateway sends responses in chunks, without a Content-Length.",
			changeAnswer(writeWith(inChunks(7)))},
		{"byte-by-byte", "The gateway sends 4xx errors one byte at a time.",
			changeError(writeWith(inChunks(1)), with4xx)},
		{"speech-as-it-comes", "The gateway forwards audio as it arrives. If the upstream's audio is cut off, the gateway closes the connection.",
			changeError(writeWith(halfOfAudio), on(dialect.Speech), at(reference.Deliver), withCode(reference.ReadResponseBody, reference.ResponseTime))},
		{"compressed", "The gateway compresses responses and streams although the client did not ask for compression.",
			all(changeAnswer(func(_ *reference.Call, a *reference.Answer) {
				a.Header.Set("Content-Encoding", "gzip")
				a.Body = gzipped(a.Body)
			}), setStreamHeader("Content-Encoding", "gzip"),
				changeEvents(func(_ *reference.Call, events []byte) []byte { return gzipped(events) }))},
		{"charset", "The Content-Type header includes a charset.",
			all(changeType(func(kind string) string { return strings.Replace(kind, "/json", "/json; charset=utf-8", 1) }),
				setStreamHeader("Content-Type", "text/event-stream;charset=UTF-8"))},
		{"content-type-in-capitals", "The value of the Content-Type header contains capital letters, which do not change its meaning.",
			all(changeType(strings.ToUpper), setStreamHeader("Content-Type", "Text/Event-Stream"))},
		{"header-order", "Header fields are in an unusual order and in lower case, and the gateway closes the connection after each response.",
			changeAnswer(writeWith(byHand))},
		{"interim-answers", "The gateway sends early hints (103) before every response.",
			changeAnswer(writeWith(earlyHints))},
		{"another-request-id", "The request id is in the header X-Correlation-ID instead of X-Request-ID.",
			all(changeAnswer(func(_ *reference.Call, a *reference.Answer) { renameRequestID(a.Header) }),
				changeEvents(func(c *reference.Call, events []byte) []byte {
					renameRequestID(c.Reply.Header())
					return events
				}))},
	}
}

// permittedStreams are other ways to write the same events.
func permittedStreams() []PermittedBehaviour {
	replaceAll := func(old, with string) change {
		return changeEvents(func(_ *reference.Call, events []byte) []byte {
			return bytes.ReplaceAll(events, []byte(old), []byte(with))
		})
	}
	return []PermittedBehaviour{
		{"crlf-in-streams", "The lines of an event stream end with CR LF.",
			replaceAll("\n", "\r\n")},
		{"comments-in-streams", "The gateway sends a keep-alive comment before every event of a stream.",
			changeEvents(prependText(": keep-alive\n\n"))},
		{"fields-in-streams", "Stream events also have an id field and a retry field, and their data field has no space after the colon.",
			replaceAll("data: ", "id:7\nretry:3000\ndata:")},
		{"error-event-in-several-lines", "The JSON of an error event is indented, and each line of the JSON is in a separate data field.",
			changeStreamError(indentEvent)},
		{"error-events-named-message", `Error events have the name "message", which is EventSource's default.`,
			changeStreamError(prependText("event: message\n"), in(dialect.OpenAI))},
		{"response-failed-after-the-error", "After the error event, a stream of the Responses API ends with response.failed and [DONE].",
			changeStreamError(appendEvents("event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\"}}\n\n"+done),
				on(dialect.ResponsesStream))},
		{"blank-line-while-waiting", "The gateway begins a stream with a blank line and a retry field before it calls the upstream, so it can report an upstream failure only as an event.",
			beginWith("\nretry: 3000\n\n")},
		{"role-while-waiting", "The gateway sends the first chunk of a chat stream, which contains only the role, before it calls the upstream, so it can report an upstream failure only as an event.",
			beginWith("data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n", dialect.ChatStream)},
		{"comment-while-waiting", "The gateway begins a stream with a comment before it calls the upstream, so it can report an upstream failure only as an event.",
			beginWith(": waiting\n\n")},
	}
}

// permittedConduct are other ways to come to the same answers.
func permittedConduct() []PermittedBehaviour {
	return []PermittedBehaviour{
		{breaker, "After five failures in a row, the gateway refuses every call with 503 for 300 ms.",
			circuitBreaker(5, 300*time.Millisecond)},
		{"upstream-places-freed-late", "Each endpoint has 48 slots for upstream calls, and further calls wait for a free slot. The gateway frees the slot of a failed call only after one second.",
			upstreamSlots(48, func(_ *reference.Call, err error, free func()) {
				if err == nil {
					free()
					return
				}
				time.AfterFunc(time.Second, free)
			})},
		{"newer-version-refused", "The gateway rejects a version of Anthropic's API that it does not know, as Anthropic's own API does.",
			wrap(reference.Decode, func(ctx context.Context, c *reference.Call, decode reference.Handler) error {
				field, known := dialect.Anthropic.Version()
				if version := c.Request.Header.Get(field); version != "" && version != known {
					return reference.Refuse(reference.InvalidRequest, nil)
				}
				return decode(ctx, c)
			})},
		{"slow-but-in-time", "On the completions endpoint, the gateway waits an extra 250 ms before it responds.",
			wrap(reference.Limit, func(ctx context.Context, c *reference.Call, limit reference.Handler) error {
				if c.Surface == dialect.Completions {
					_ = wait.For(ctx, 250*time.Millisecond)
				}
				return limit(ctx, c)
			})},
		{"limits-tokens-too", "The rate-limited key also has a token limit, as the profile declares. The gateway counts the tokens of a call when the call ends.",
			limitTokens},
		{"limits-tokens-apart", "The rate-limited key has separate limits on input tokens and output tokens, reported in Anthropic's header fields.",
			limitTokensApart},
		{"slots-freed-late", "The rate-limited key also has a limit on concurrent calls. When a caller disconnects, the gateway frees the slot one second later.",
			all(limitConcurrent, changeSlot(func(c *reference.Call, release func()) {
				if c.Request.Context().Err() == nil {
					release()
				} else {
					time.AfterFunc(time.Second, release)
				}
			}))},
		{"slots-freed-by-the-upstream",
			"The rate-limited key also has a limit on concurrent calls. If a caller disconnects, the gateway does not free the slot until the upstream call ends.",
			all(limitConcurrent, wrap(reference.Dial, ofLimited(ignoreDisconnect)), wrap(reference.Deliver, ofLimited(ignoreDisconnect)))},
		{"redirects-followed-without-key", "The gateway follows upstream redirects to any host, but without the channel's key.",
			followRedirects("Authorization", "X-Api-Key", "X-Goog-Api-Key")},
		{"retries-within-bounds", "If an upstream call fails and a retry may succeed, the gateway makes up to three attempts, as the profile declares.",
			func(o *reference.Options) { o.Retries = 2 }},
		{"refund-booked-late", "The gateway refunds a failed embeddings call 150 ms after the response.",
			func(o *reference.Options) {
				o.Hooks.Refund = append(o.Hooks.Refund, func(c *reference.Call, refund func()) func() {
					if c.Failure == nil || c.Surface != dialect.Embeddings {
						return refund
					}
					return func() { time.AfterFunc(150*time.Millisecond, refund) }
				})
			}},
	}
}

func moreFields(c *reference.Call, a *reference.Answer) {
	var outer map[string]any
	if json.Unmarshal(a.Body, &outer) != nil {
		return
	}
	outer["request_id"], outer["detail"] = c.ID(), []any{}
	inner, _ := outer["error"].(map[string]any)
	inner["retryable"], inner["doc_url"] = false, "https://gateway.example/docs/errors"
	a.Body = encode(outer)
}

func codeAsStatus(e map[string]any) {
	details, _ := e["details"].([]any)
	if len(details) == 0 {
		return
	}
	info, _ := details[0].(map[string]any)
	e["status"] = info["reason"]
	delete(e, "details")
}

func renameRequestID(h http.Header) {
	const name = "X-Request-ID"
	if id := h.Get(name); id != "" {
		h.Del(name)
		h.Set("X-Correlation-ID", id)
	}
}

// indentEvent writes each line of the indented error as a data field of its own.
func indentEvent(_ *reference.Call, events []byte) []byte {
	head, data, _ := bytes.Cut(events, []byte("data: "))
	var out bytes.Buffer
	if json.Indent(&out, bytes.TrimSpace(data), "data: ", "  ") != nil {
		return events
	}
	return append(append(append(head, "data: "...), out.Bytes()...), "\n\n"...)
}

func setStreamHeader(name, value string) change {
	return changeEvents(func(c *reference.Call, events []byte) []byte {
		if !c.Reply.Begun() {
			c.Reply.Header().Set(name, value)
		}
		return events
	})
}

// gzipped compresses content into one member of a gzip file. Members that follow one another are one content.
func gzipped(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// beginWith begins every stream, or those on some surfaces, with some bytes, once all is checked that the gateway can check by itself.
func beginWith(text string, on ...dialect.Surface) change {
	return func(o *reference.Options) {
		o.Hooks.Timeout = append(o.Hooks.Timeout, func(c *reference.Call, allowed time.Duration) time.Duration {
			chosen := len(on) == 0 || slices.Contains(on, c.Surface)
			if chosen && c.Surface.Streaming() && !c.Reply.Begun() {
				_ = c.BeginStream([]byte(text)) // a client that is gone is noticed later
			}
			return allowed
		})
	}
}

// codeInDetails moves the code to error.details.error_code.
func codeInDetails(e map[string]any) {
	e["details"] = map[string]any{"error_code": e["code"]}
	delete(e, "code")
}

// circuitBreaker refuses all calls for a time after a number of failures in a row, whosever fault they are.
func circuitBreaker(failures int64, open time.Duration) change {
	return func(o *reference.Options) {
		var inRow, openUntil atomic.Int64
		wrap(reference.Authenticate, func(ctx context.Context, c *reference.Call, authenticate reference.Handler) error {
			if time.Now().UnixNano() < openUntil.Load() {
				return reference.Refuse(reference.GetChannel, nil)
			}
			return authenticate(ctx, c)
		})(o)
		changeFailure(func(_ *reference.Call, f *reference.Failure) {
			if f.Handler != reference.Authenticate && inRow.Add(1) >= failures {
				inRow.Store(0)
				openUntil.Store(time.Now().Add(open).UnixNano())
			}
		})(o)
		wrap(reference.Deliver, func(ctx context.Context, c *reference.Call, deliver reference.Handler) error {
			err := deliver(ctx, c)
			if err == nil {
				inRow.Store(0)
			}
			return err
		})(o)
	}
}

// halfOfAudio sends audio with 200, and closes the connection in the middle.
func halfOfAudio(_ context.Context, r *reference.Reply, _ *reference.Answer) error {
	r.Header().Del("Content-Length")
	r.Header().Set("Content-Type", "audio/mpeg")
	if err := r.Events([]byte("\xff\xfb\x10\xc4\x00\x00")); err != nil {
		return err
	}
	return closeConnection(context.Background(), r, nil)
}

// changeType changes the Content-Type of complete answers.
func changeType(of func(kind string) string) change {
	return changeAnswer(func(_ *reference.Call, a *reference.Answer) {
		a.Header.Set("Content-Type", of(a.Header.Get("Content-Type")))
	})
}
