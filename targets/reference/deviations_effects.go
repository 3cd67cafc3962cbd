package reference

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// effectDeviations answer well and do harm: to the provider, to the caller's money.
func effectDeviations() []Deviation {
	return []Deviation{
		{
			Name:     "retries-multiplied",
			Sentence: "Two layers retry, each three times: a failing provider is asked nine times for one call.",
			Turns: []Turn{warns(contract.RetriesBounded,
				"http:5xx/upstream-error/*/error-object", "code:bad_response_status_code/**",
				"code:do_request_failed/*/*/reset", "code:do_request_failed/*/*/closed")},
			bend: func(b *bends) {
				b.attempts = append(b.attempts, func(_ *call, allowed int) int { return 9 * allowed })
			},
		},
		{
			Name:     "retries-on-gemini-streams",
			Sentence: "On one surface a call is tried once more than was agreed.",
			Turns: []Turn{
				stays("http:5xx/*/*/mid-stream"),
				warns(contract.RetriesBounded, "http:5xx/upstream-error/gemini-stream/*", "code:bad_response_status_code/*/gemini-stream/*",
					"code:do_request_failed/*/gemini-stream/reset", "code:do_request_failed/*/gemini-stream/closed"),
			},
			bend: func(b *bends) {
				b.attempts = append(b.attempts, func(c *call, allowed int) int {
					if c.surface == dialect.GenerateStream {
						allowed++
					}
					return allowed
				})
			},
		},
		{
			Name:     "provider-asked-before-the-money",
			Sentence: "The provider is asked at once, and the money for it looked for meanwhile.",
			Turns:    []Turn{warns(contract.UpstreamUnused, "code:insufficient_user_quota/**", "code:pre_consume_token_quota_failed/**")},
			bend:     after("dial", "reserve"),
		},
		{
			Name:     "provider-asked-before-the-words",
			Sentence: "Input is screened while the provider already reads it.",
			Turns:    []Turn{warns(contract.UpstreamUnused, "code:sensitive_words_detected/**")},
			bend:     after("dial", "screen"),
		},
		{
			Name:     "provider-asked-before-the-key",
			Sentence: "Keys that were withdrawn, or are used from the wrong place, are noticed once the provider has answered.",
			Turns:    []Turn{warns(contract.UpstreamUnused, "http:403/revoked-key/**", "code:access_denied/**")},
			bend:     after("dial", "admit"),
		},
		{
			Name:     "provider-asked-before-the-count",
			Sentence: "Input that cannot be counted is sent to the provider all the same.",
			// A completion's token ids cannot be expressed in the provider's API, and those of embeddings cannot carry the
			// token by which the provider knows the call again.
			Turns: []Turn{
				stays("code:count_token_failed/*/completions", "code:count_token_failed/*/embeddings"),
				warns(contract.UpstreamUnused, "code:count_token_failed/**"),
			},
			bend: together(
				wrapping("count", func(_ *Gateway, count step) step {
					return func(ctx context.Context, c *call) error {
						_ = count(ctx, c) // it will fail again
						return nil
					}
				}),
				wrapping("dial", func(g *Gateway, dial step) step {
					return func(ctx context.Context, c *call) error {
						err := dial(ctx, c)
						return cmp.Or(g.count(ctx, c), err)
					}
				}),
			),
		},
		{
			Name:     "slow-provider-not-hung-up-on",
			Sentence: "A provider that was too slow is left to work on, for an answer that nobody waits for.",
			Turns:    []Turn{warns(contract.UpstreamFreed, "code:channel:response_time_exceeded/**")},
			bend:     func(b *bends) { b.provider = append(b.provider, detach) },
		},
		{
			Name:     "empty-answers-charged",
			Sentence: "An answer that turned out empty is charged for, on chat.",
			Turns:    []Turn{warns(contract.NotBilled, "code:empty_response/*/chat/*")},
			bend:     keeping(func(c *call) bool { return c.failed.code == emptyResponse && c.surface == dialect.Chat }),
		},
		{
			Name:     "blocked-prompts-charged",
			Sentence: "A prompt that the provider refused is charged for, on messages.",
			Turns:    []Turn{warns(contract.NotBilled, "code:prompt_blocked/*/messages")},
			bend:     keeping(func(c *call) bool { return c.failed.code == promptBlocked && c.surface == dialect.Messages }),
		},
		{
			Name:     "broken-streams-charged",
			Sentence: "What was held for a stream that broke off is never given back.",
			Turns:    []Turn{warns(contract.NotBilled, "code:read_response_body_failed/*/chat-stream/*")},
			bend: keeping(func(c *call) bool {
				return c.surface == dialect.ChatStream && errors.Is(c.failed, convert.ErrTruncated)
			}),
		},
		{
			Name:     "second-refund-lost",
			Sentence: "Of two calls that failed one after the other, only the first is given its money back.",
			Turns:    []Turn{some(warns(contract.NotBilled, "code:bad_response/*/gemini/*"))},
			bend: func(b *bends) {
				var failures atomic.Int64
				keeping(func(c *call) bool {
					return c.surface == dialect.GenerateContent && c.failed.code == badResponse && failures.Add(1) == 2
				})(b)
			},
		},
		{
			Name:     "embeddings-from-a-cache",
			Sentence: "Embeddings are answered from a cache that takes every text for one it knows: the provider is never asked.",
			Turns: []Turn{
				{
					Cases: append(onSurfaces([]dialect.Surface{dialect.Embeddings}, providerHasToFail()...),
						"code:do_request_failed/*/embeddings/reset", "code:do_request_failed/*/embeddings/closed"),
					Verdict: contract.Untestable, Breaks: []contract.Requirement{contract.NotSuccess},
				},
				fails(contract.NotSuccess, onSurfaces([]dialect.Surface{dialect.Embeddings}, "code:convert_request_failed/*",
					"code:invalid_api_type/*", "code:channel:model_mapped_error/*", "code:channel:invalid_key/*", "code:json_marshal_failed/*",
					"code:do_request_failed/*")...),
			},
			bend: together(
				wrapping("dial", func(g *Gateway, dial step) step {
					return func(ctx context.Context, c *call) error {
						if c.surface != dialect.Embeddings {
							return dial(ctx, c)
						}
						body, err := convert.EncodeAnswer(c.surface, madeUp(c), nil)
						if err != nil {
							return refuse(marshalJSON, err)
						}
						return c.answer(ctx, http.StatusOK, body)
					}
				}),
				wrapping("deliver", func(_ *Gateway, deliver step) step {
					return func(ctx context.Context, c *call) error {
						if c.reply.begun {
							return nil
						}
						return deliver(ctx, c)
					}
				}),
			),
		},
		{
			Name:     "unknown-models-substituted",
			Sentence: "On embeddings a model that does not exist is taken for the default one, and answered.",
			Turns:    []Turn{{Cases: onSurfaces([]dialect.Surface{dialect.Embeddings}, "*/*"), Verdict: contract.Error}},
			bend: wrapping("authorise", func(g *Gateway, authorise step) step {
				return func(ctx context.Context, c *call) error {
					err := authorise(ctx, c)
					if c.surface == dialect.Embeddings && err != nil && failureOf(err).code == modelNotFound {
						c.asked.Model = g.fixtures.Models.Embeddings
						return authorise(ctx, c)
					}
					return err
				}
			}),
		},
	}
}

// providerHasToFail are the rows and circumstances that only a provider can bring about.
func providerHasToFail() []string {
	return []string{
		"http:5xx/upstream-error", "code:channel:response_time_exceeded/*", "code:bad_response/*", "code:bad_response_status_code/*",
		"code:empty_response/*", "code:read_response_body_failed/*",
	}
}

// keeping keeps the money of some of the calls that failed.
func keeping(which func(*call) bool) func(*bends) {
	return func(b *bends) {
		b.keeps = append(b.keeps, func(_ *Gateway, c *call) bool { return c.failed != nil && which(c) })
	}
}
