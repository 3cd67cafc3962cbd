package mutants

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// upstreamCallMutants call the upstream too often, too early or for too long.
func upstreamCallMutants() []Mutant {
	return []Mutant{
		mutant("retries-multiplied", "Two layers of the gateway each make three attempts, so the gateway calls a failing upstream nine times per request.",
			changeAttempts(func(_ *reference.Call, allowed int) int { return 9 * allowed }),
			warns(contract.RetriesBounded, append(badStatuses("*"), "code:bad_response_status_code/**",
				"code:do_request_failed/*/*/reset", "code:do_request_failed/*/*/closed")...)),
		mutant("retries-on-gemini-streams", "On the streaming Gemini endpoint, the gateway calls a failing upstream once more than limits.attempts allows.",
			changeAttempts(func(c *reference.Call, allowed int) int {
				if c.Surface == dialect.GenerateStream {
					allowed++
				}
				return allowed
			}),
			warns(contract.RetriesBounded, append(badStatuses(dialect.GenerateStream), "code:bad_response_status_code/*/gemini-stream/*",
				"code:do_request_failed/*/gemini-stream/reset", "code:do_request_failed/*/gemini-stream/closed")...)),
		mutant("upstream-called-before-quota", "The gateway calls the upstream before it reserves quota for the call.",
			moveBehind(reference.Dial, reference.Reserve),
			warns(contract.UpstreamUnused, "code:insufficient_user_quota/**", "code:pre_consume_token_quota_failed/**")),
		mutant("upstream-called-before-screening", "The gateway checks the input for sensitive words only after it has sent the input to the upstream.",
			moveBehind(reference.Dial, reference.Screen),
			warns(contract.UpstreamUnused, "code:sensitive_words_detected/**")),
		mutant("upstream-called-before-key-check",
			"The gateway refuses a revoked key, or a key used from an IP address that is not allowed, only after the upstream has responded.",
			moveBehind(reference.Dial, reference.Admit),
			passes("**/models", "**/models/list"), // without an upstream
			warns(contract.UpstreamUnused, "http:403/revoked-key/**", "code:access_denied/**")),
		mutant("upstream-called-before-counting", "The gateway sends input to the upstream even if it cannot count the input's tokens.",
			countLate,
			// A completion's token ids cannot be expressed in the upstream's API, and those of embeddings cannot carry the
			// token by which the mock upstream recognises the call.
			passes("code:count_token_failed/*/completions", "code:count_token_failed/*/embeddings"),
			warns(contract.UpstreamUnused, "code:count_token_failed/**")),
		mutant("refused-prompts-sent-later", "The gateway refuses a prompt with a sensitive word but sends the prompt to the upstream 300 ms later.",
			sendRefusedLater,
			warns(contract.UpstreamUnused, "code:sensitive_words_detected/**")),
		mutant("slow-upstream-call-not-cancelled", "When an upstream call times out, the gateway does not cancel it, although no client is waiting for the response.",
			func(o *reference.Options) { o.Hooks.Transport = append(o.Hooks.Transport, neverCancel) },
			warns(contract.UpstreamFreed, "code:channel:response_time_exceeded/**")),
	}
}

// collateralMutants let one caller's failure take down the others.
func collateralMutants() []Mutant {
	return []Mutant{
		mutant("bad-upstream-key-closes-endpoint", "Once the upstream has rejected the gateway's key, the chat endpoint returns 503 to every client.",
			closeOnBadKey,
			warns(contract.NoCollateral, "code:channel:invalid_key/*/chat"),
			atLeastOne(Expectation{Cases: []contract.Pattern{"*/*/chat/**"}, Verdict: contract.Untestable})),
	}
}

func closeOnBadKey(o *reference.Options) {
	var closed atomic.Bool
	wrap(reference.Authorize, func(ctx context.Context, c *reference.Call, authorize reference.Handler) error {
		if closed.Load() && c.Surface == dialect.Chat {
			return reference.Refuse(reference.GetChannel, nil)
		}
		return authorize(ctx, c)
	})(o)
	changeFailure(func(*reference.Call, *reference.Failure) { closed.Store(true) }, withCode(reference.InvalidChannelKey), on(dialect.Chat))(o)
}

// billingMutants charge for calls that failed.
func billingMutants() []Mutant {
	return []Mutant{
		mutant("empty-answers-charged", "On the chat endpoint, the gateway charges for an empty upstream response.",
			loseRefund(withCode(reference.EmptyResponse), on(dialect.Chat)),
			warns(contract.NotBilled, "code:empty_response/*/chat/*")),
		mutant("blocked-prompts-charged", "On the messages endpoint, the gateway charges for a prompt that the upstream refused.",
			loseRefund(withCode(reference.PromptBlocked), on(dialect.Messages)),
			warns(contract.NotBilled, "code:prompt_blocked/*/messages")),
		mutant("broken-streams-charged", "The gateway never refunds the quota reserved for a truncated chat stream.",
			loseRefund(on(dialect.ChatStream), causedBy(convert.ErrTruncated)),
			warns(contract.NotBilled, "code:read_response_body_failed/*/chat-stream/*", "http:5xx/upstream-error/chat-stream/*-tool-call")),
		mutant("second-refund-lost", "If two calls to the Gemini endpoint fail in succession, the gateway refunds only the first.",
			func(o *reference.Options) {
				var failures atomic.Int64
				second := func(*reference.Call, *reference.Failure) bool { return failures.Add(1) == 2 }
				loseRefund(on(dialect.GenerateContent), withCode(reference.BadResponse), second)(o)
			},
			atLeastOne(warns(contract.NotBilled, "code:bad_response/*/gemini/*"))),
	}
}

// substitutionMutants answer a request that was not made.
func substitutionMutants() []Mutant {
	embeddings := []dialect.Surface{dialect.Embeddings}
	return []Mutant{
		mutant("embeddings-from-a-cache", "The gateway answers every embeddings request from a cache and never calls the upstream.",
			cacheEmbeddings,
			Expectation{
				Cases: append(onSurfaces(embeddings, upstreamFails()...),
					"http:400/malformed-parameter/embeddings/refused-*", "code:do_request_failed/*/embeddings/reset", "code:do_request_failed/*/embeddings/closed"),
				Verdict: contract.Untestable, Breaks: []contract.Requirement{contract.NotSuccess},
			},
			fails(contract.NotSuccess, onSurfaces(embeddings, "code:convert_request_failed/*",
				"code:invalid_api_type/*", "code:channel:model_mapped_error/*", "code:channel:invalid_key/*", "code:json_marshal_failed/*",
				"code:do_request_failed/*")...)),
		mutant("unknown-models-substituted", "On the embeddings endpoint, the gateway replaces an unknown model with the default model.",
			wrap(reference.Authorize, func(ctx context.Context, c *reference.Call, authorize reference.Handler) error {
				err := authorize(ctx, c)
				if c.Surface == dialect.Embeddings && err != nil && reference.FailureOf(err).Code == reference.ModelNotFound {
					c.SetModel(reference.FixtureModels().Embeddings)
					return authorize(ctx, c)
				}
				return err
			}),
			Expectation{Cases: onSurfaces(embeddings, "*/*"), Verdict: contract.Error}),
	}
}

// countLate counts the input's tokens before the upstream is called, but refuses after it.
func countLate(o *reference.Options) {
	var refusals sync.Map // by call
	wrap(reference.Count, func(ctx context.Context, c *reference.Call, count reference.Handler) error {
		if err := count(ctx, c); err != nil {
			refusals.Store(c, err)
		}
		return nil
	})(o)
	wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
		err := dial(ctx, c)
		if refusal, _ := refusals.LoadAndDelete(c); refusal != nil {
			err, _ = refusal.(error)
		}
		return err
	})(o)
}

// sendRefusedLater calls the upstream with prompts that were refused, as a queue that nobody emptied would.
func sendRefusedLater(o *reference.Options) {
	var pick, dial reference.Handler
	o.Hooks.Handler = append(o.Hooks.Handler, func(name reference.HandlerName, next reference.Handler) reference.Handler {
		switch name {
		case reference.Pick:
			pick = next
		case reference.Dial:
			dial = next
		case reference.Screen:
			return func(ctx context.Context, c *reference.Call) error {
				refusal := next(ctx, c)
				if refusal != nil {
					later := *c // c ends with the refusal
					go func() {
						time.Sleep(300 * time.Millisecond)
						ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 100*time.Millisecond)
						defer cancel() // nobody reads the answer
						if pick(ctx, &later) == nil {
							_ = dial(ctx, &later)
						}
					}()
				}
				return refusal
			}
		default:
		}
		return next
	})
}

func cacheEmbeddings(o *reference.Options) {
	wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
		if c.Surface != dialect.Embeddings {
			return dial(ctx, c)
		}
		body, err := convert.EncodeAnswer(c.Surface, invented(c), nil)
		if err != nil {
			return reference.Refuse(reference.MarshalJSON, err)
		}
		return c.Answer(ctx, http.StatusOK, body)
	})(o)
	wrap(reference.Deliver, func(ctx context.Context, c *reference.Call, deliver reference.Handler) error {
		if c.Reply.Begun() {
			return nil
		}
		return deliver(ctx, c)
	})(o)
}
