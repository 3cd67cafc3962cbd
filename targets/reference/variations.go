package reference

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// Variations returns all permitted variations. The first is none at all.
func Variations() []Variation {
	return slices.Concat([]Variation{{
		Name:     "none",
		Sentence: "The gateway is as it should be.",
		bend:     func(*bends) {},
	}}, errorVariations(), wireVariations(), streamVariations(), conductVariations())
}

// errorVariations are other words for the same errors.
func errorVariations() []Variation {
	return []Variation{
		{
			Name:     "other-words",
			Sentence: "Messages are short and say nothing that anybody has to know.",
			bend:     failing(func(_ *call, f *failure) { f.message = "no" }),
		},
		{
			Name:     "another-language",
			Sentence: "Messages are in the caller's language, with quotes, line ends and signs of all kinds.",
			bend: failing(func(_ *call, f *failure) {
				//nolint:gosmopolitan // other languages are the point
				f.message = "请求失败：“" + string(f.code) + "”\n\t„Bitte später“ ⏳ — لاحقًا <b>&amp;</b> select a model from the list at 10:30 (UTC)"
			}),
		},
		{
			Name:     "more-fields",
			Sentence: "Errors have fields that the dialect does not know, inside and outside of the object.",
			bend: answering(func(c *call, a *wholeAnswer) {
				var outer map[string]any
				if json.Unmarshal(a.body, &outer) != nil {
					return
				}
				outer["request_id"], outer["detail"] = c.id, []any{}
				inner, _ := outer["error"].(map[string]any)
				inner["retryable"], inner["doc_url"] = false, "https://gateway.example/docs/errors"
				a.body = written(outer)
			}),
		},
		{
			Name:     "other-5xx",
			Sentence: "Failures of the gateway's side have other statuses of the class, each the next one.",
			bend: failing(func(_ *call, f *failure) {
				others := map[int]int{500: 503, 502: 500, 503: 529, 504: 502}
				if other, ok := others[f.status]; ok {
					f.status = other
				}
			}),
		},
		{
			Name:     "uncountable-as-500",
			Sentence: "Input that cannot be counted is answered 500, which the contract leaves open.",
			bend:     taking(500, coded(countToken)),
		},
		{
			Name:     "wrong-method-as-404",
			Sentence: "A method that a path does not understand is answered 404, which is as right as 405.",
			bend:     taking(404, answered(405)),
		},
		{
			Name:     "rate-limit-without-a-code",
			Sentence: "A 429 has no code, which is the one error that needs none.",
			bend:     failing(func(_ *call, f *failure) { f.code = "" }, coded(rateLimited)),
		},
		{
			Name:     "gemini-code-in-the-status",
			Sentence: "On the Gemini routes the code stands in error.status, where the contract lets it stand.",
			bend: together(
				answering(inError(codeAsStatus), speaking(dialect.Gemini)),
				breaking(inErrorEvent(codeAsStatus), speaking(dialect.Gemini)),
			),
		},
		{
			Name:     "json-indented",
			Sentence: "Errors are indented, and end with a new line.",
			bend: answering(func(_ *call, a *wholeAnswer) {
				var out bytes.Buffer
				if json.Indent(&out, a.body, "", "\t") == nil {
					a.body = append(out.Bytes(), '\n')
				}
			}),
		},
		{
			Name:     "json-escaped",
			Sentence: "Every letter of a message is written as an escape.",
			bend: answering(func(c *call, a *wholeAnswer) {
				var escaped strings.Builder
				for _, r := range c.failed.message {
					fmt.Fprintf(&escaped, `\u%04x`, r)
				}
				a.body = bytes.Replace(a.body, written(c.failed.message), []byte(`"`+escaped.String()+`"`), 1)
			}),
		},
	}
}

// wireVariations are other ways to bring the same answers over the wire.
func wireVariations() []Variation {
	return []Variation{
		{
			Name:     "http2",
			Sentence: "The gateway is served over TLS, and over HTTP/2 to whoever understands it.",
			bend:     func(b *bends) { b.secure = true },
		},
		{
			Name:     "chunked",
			Sentence: "Answers are sent in chunks, without a Content-Length.",
			bend:     always(sending(inPieces(7))),
		},
		{
			Name:     "byte-by-byte",
			Sentence: "Errors of the caller's making come a byte at a time.",
			bend:     answering(sending(inPieces(1)), func(_ *call, f *failure) bool { return f.status < 500 }),
		},
		{
			Name:     "compressed",
			Sentence: "Answers and streams are compressed, though nobody asked for it.",
			bend: together(
				always(func(_ *call, a *wholeAnswer) {
					a.header.Set("Content-Encoding", "gzip")
					a.body = gzipped(a.body)
				}),
				func(b *bends) {
					b.events = append(b.events, func(c *call, events []byte) []byte {
						if !c.reply.begun {
							c.reply.Header().Set("Content-Encoding", "gzip")
						}
						return gzipped(events)
					})
				},
			),
		},
		{
			Name:     "charset",
			Sentence: "The content types name their charset.",
			bend: together(
				always(func(_ *call, a *wholeAnswer) { a.header.Set("Content-Type", "application/json; charset=utf-8") }),
				streamHeader("Content-Type", "text/event-stream;charset=UTF-8"),
			),
		},
		{
			Name:     "content-type-in-capitals",
			Sentence: "The content types are written in capitals, which mean the same.",
			bend: together(
				always(func(_ *call, a *wholeAnswer) { a.header.Set("Content-Type", "Application/JSON") }),
				streamHeader("Content-Type", "Text/Event-Stream"),
			),
		},
		{
			Name:     "header-order",
			Sentence: "The header fields come in another order, in small letters, and the connection is closed behind them.",
			bend:     always(sending(byHand)),
		},
		{
			Name:     "interim-answers",
			Sentence: "Before an answer come early hints.",
			bend: always(sending(func(_ context.Context, r *reply, a *wholeAnswer) error {
				r.WriteHeader(http.StatusEarlyHints)
				return r.whole(a.status, a.body)
			})),
		},
		{
			Name:     "another-request-id",
			Sentence: "The request id has another of the names that are common for it.",
			bend: func(b *bends) {
				rename := func(h http.Header) {
					if id := h.Get("X-Request-ID"); id != "" {
						h.Del("X-Request-ID")
						h.Set("X-Correlation-ID", id)
					}
				}
				b.whole = append(b.whole, func(_ *call, a *wholeAnswer) { rename(a.header) })
				b.events = append(b.events, func(c *call, events []byte) []byte {
					rename(c.reply.Header())
					return events
				})
			},
		},
	}
}

// streamVariations are other ways to write the same events.
func streamVariations() []Variation {
	events := func(bend func([]byte) []byte) func(*bends) {
		return func(b *bends) {
			b.events = append(b.events, func(_ *call, events []byte) []byte { return bend(events) })
		}
	}
	return []Variation{
		{
			Name:     "crlf-in-streams",
			Sentence: "The lines of a stream end with CR LF.",
			bend:     events(func(e []byte) []byte { return bytes.ReplaceAll(e, []byte("\n"), []byte("\r\n")) }),
		},
		{
			Name:     "comments-in-streams",
			Sentence: "Before every event of a stream there is a comment that keeps the connection alive.",
			bend:     events(func(e []byte) []byte { return append([]byte(": keep-alive\n\n"), e...) }),
		},
		{
			Name:     "fields-in-streams",
			Sentence: "Events have an id and a retry, and no space after the colon.",
			bend: events(func(e []byte) []byte {
				return bytes.ReplaceAll(e, []byte("data: "), []byte("id:7\nretry:3000\ndata:"))
			}),
		},
		{
			Name:     "error-event-in-several-lines",
			Sentence: "The error event is indented, each line of it a data line.",
			bend: breaking(func(_ *call, events []byte) []byte {
				head, data, _ := bytes.Cut(events, []byte("data: "))
				var out bytes.Buffer
				if json.Indent(&out, bytes.TrimSpace(data), "data: ", "  ") != nil {
					return events
				}
				return append(append(append(head, "data: "...), out.Bytes()...), "\n\n"...)
			}),
		},
		{
			Name:     "comment-while-waiting",
			Sentence: "A stream is begun with a comment as soon as the call is paid for, so that a later failure can only be an event.",
			bend: wrapping("dial", func(_ *Gateway, dial step) step {
				return func(ctx context.Context, c *call) error {
					if c.asked.Stream {
						var err error
						if c.stream, err = convert.NewStreamEncoder(c.surface, convert.Head{ID: c.answerID(), Model: c.asked.Model}, nil); err != nil {
							return refuse(marshalJSON, err)
						}
						if err := c.say([]byte(": waiting\n\n")); err != nil {
							return err
						}
					}
					return dial(ctx, c)
				}
			}),
		},
	}
}

// conductVariations are other ways to come to the same answers.
func conductVariations() []Variation {
	return []Variation{
		{
			Name:     "slow-but-in-time",
			Sentence: "One surface takes a quarter of a second for everything.",
			bend: wrapping("limit", func(_ *Gateway, limit step) step {
				return func(ctx context.Context, c *call) error {
					if c.surface == dialect.Completions {
						select {
						case <-time.After(250 * time.Millisecond):
						case <-ctx.Done():
						}
					}
					return limit(ctx, c)
				}
			}),
		},
		{
			Name:     "retries-within-bounds",
			Sentence: "A call is tried three times where that may help, as the profile declares.",
			bend:     func(b *bends) { b.options = append(b.options, func(o *Options) { o.Retries = 2 }) },
		},
		{
			Name:     "refund-booked-late",
			Sentence: "On one surface the money of a failed call is given back shortly after its answer.",
			bend: func(b *bends) {
				b.keeps = append(b.keeps, func(g *Gateway, c *call) bool {
					if c.failed == nil || c.surface != dialect.Embeddings {
						return false
					}
					held := *c.held
					time.AfterFunc(150*time.Millisecond, func() { g.ledger.refund(g.running, held) })
					return true
				})
			},
		},
	}
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

// always bends every whole answer, of success too.
func always(do func(*call, *wholeAnswer)) func(*bends) {
	return func(b *bends) { b.whole = append(b.whole, do) }
}

// streamHeader sets a header field of every stream.
func streamHeader(name, value string) func(*bends) {
	return func(b *bends) {
		b.events = append(b.events, func(c *call, events []byte) []byte {
			if !c.reply.begun {
				c.reply.Header().Set(name, value)
			}
			return events
		})
	}
}

// inPieces sends an answer in chunks of so many bytes.
func inPieces(size int) func(context.Context, *reply, *wholeAnswer) error {
	return func(_ context.Context, r *reply, a *wholeAnswer) error {
		r.begun = true
		r.WriteHeader(a.status)
		for piece := range slices.Chunk(a.body, size) {
			if err := r.chunk(piece); err != nil {
				return err
			}
		}
		return nil
	}
}

// byHand writes an answer without net/http, which sorts the fields.
func byHand(_ context.Context, r *reply, a *wholeAnswer) error {
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	a.header.Set("Connection", "close")
	conn, _, err := r.control.Hijack()
	if err != nil {
		return err
	}
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	names := slices.Sorted(maps.Keys(a.header))
	slices.Reverse(names)
	for _, name := range names {
		fmt.Fprintf(&head, "%s: %s\r\n", strings.ToLower(name), strings.Join(a.header[name], ", "))
	}
	_, err = io.WriteString(conn, head.String()+"\r\n"+string(a.body))
	return errors.Join(err, conn.Close())
}

// gzipped is content as one member of a gzip file; members that follow one another are one content.
func gzipped(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
