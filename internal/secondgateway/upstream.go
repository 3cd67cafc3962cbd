package secondgateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reply is what the upstream answered to a call that it accepted.
type reply struct {
	// pieces are the pieces of the text.
	pieces []string
	// vectors are those of embeddings, as the upstream wrote them.
	vectors []json.RawMessage
	// finish is why the text ended, in OpenAI's words; "" while it has not.
	finish string
	tokens int
}

// slow is the failure of an upstream that does not begin, or does not go on, within the time limit.
func slow() *Failure {
	return fail(504, "channel:response_time_exceeded", "The upstream took too long. Try again. If that does not help, shorten the request.")
}

// ask asks the upstream, at most Attempts times if it does not answer. With a failure, the reply has what had come until then.
func (g *Gateway) ask(ctx context.Context, to channel, a ask) (reply, *Failure) {
	var cancel context.CancelFunc
	if g.Hooks.KeepUpstreamCalls {
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	} else {
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	timer := time.NewTimer(g.Timeout)
	defer timer.Stop()
	type result struct {
		reply   reply
		failure *Failure
	}
	done := make(chan result, 1)
	go func() {
		r, failure := g.attempt(ctx, to, a, func() { timer.Reset(g.Timeout) })
		done <- result{r, failure}
	}()
	select {
	case r := <-done:
		return r.reply, r.failure
	case <-timer.C:
		if g.Hooks.KeepUpstreamCalls {
			return reply{}, slow()
		}
		cancel()
		r := <-done
		return r.reply, slow()
	}
}

// attempt makes the call. heard is called whenever something came from the upstream.
func (g *Gateway) attempt(ctx context.Context, to channel, a ask, heard func()) (reply, *Failure) {
	body := a.body(to.Type)
	for tried := 1; ; tried++ {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL+a.path(to.Type), bytes.NewReader(body)) //nolint:gosec // a gateway calls what its channel names
		if err != nil {
			return reply{}, fail(502, "do_request_failed", "The upstream cannot be called. Try again.")
		}
		request.Header.Set("Content-Type", "application/json")
		if to.Type == anthropic {
			request.Header.Set("X-Api-Key", to.key())
			request.Header.Set("Anthropic-Version", "2023-06-01")
		} else {
			request.Header.Set("Authorization", "Bearer "+to.key())
		}
		response, err := g.client.Do(request) //nolint:gosec // a gateway calls what its channel names
		switch {
		case err == nil:
			defer response.Body.Close()
			heard()
			return g.readReply(to.Type, a, response, heard)
		case tried >= g.Attempts || ctx.Err() != nil:
			return reply{}, fail(502, "do_request_failed", "The upstream cannot be reached. Try again.")
		}
	}
}

// readReply reads the upstream's answer.
func (g *Gateway) readReply(format string, a ask, response *http.Response, heard func()) (reply, *Failure) {
	streamed := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	if response.StatusCode == http.StatusOK && streamed {
		return g.readStream(format, response.Body, heard)
	}
	raw, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return reply{}, brokenOff()
	case response.StatusCode != http.StatusOK:
		return reply{}, refused(response, raw)
	case len(bytes.TrimSpace(raw)) == 0:
		return reply{}, empty()
	}
	if a.kind == embeddings {
		return g.readVectors(raw)
	}
	return g.readWhole(format, raw)
}

func brokenOff() *Failure {
	return fail(502, "read_response_body_failed", "The upstream's response was cut off. Try again.")
}

func empty() *Failure {
	return fail(502, "empty_response", "The upstream answered without any content. Try again.")
}

func unusable() *Failure {
	return fail(502, "bad_response", "The upstream's answer cannot be used. Try again.")
}

func blocked() *Failure {
	return fail(400, "prompt_blocked", "The upstream refuses this prompt because of its policy. Change the prompt.")
}

// refused is the failure of a call that the upstream answered with another status than 200. What it says about the gateway's
// own key or account is never the caller's business.
func refused(response *http.Response, raw []byte) *Failure {
	code, usable := errorIn(raw)
	switch status := response.StatusCode; {
	case status == 401, status == 403:
		return fail(502, "channel:invalid_key", "The upstream does not accept the gateway's credential. Your own key is valid; contact support.")
	case status == 402:
		return fail(503, "get_channel_failed", "The channel of this model is out of service. Try again later.")
	case status == 429:
		failure := fail(429, "", "The upstream is overloaded. Slow down.")
		failure.RetryAfter = "1"
		if _, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 31); err == nil {
			failure.RetryAfter = response.Header.Get("Retry-After")
		}
		return failure
	case usable && code == "content_filter":
		return blocked()
	case usable && (status == 400 || status == 404 || status == 413 || status == 422):
		return fail(400, "invalid_request", "The upstream does not accept a parameter of the request. Check the size of the request and the values of its parameters.")
	case usable && (status == 503 || status == 529):
		return fail(529, "get_channel_failed", "The upstream of this model is overloaded. Try again later.")
	default:
		return fail(502, "bad_response_status_code", "The upstream failed. Try again.")
	}
}

// errorIn finds the error object of any API format. The code is "" where it is not a word.
func errorIn(raw []byte) (code string, usable bool) {
	var body struct {
		Error *struct {
			Message string `json:"message"`
			Code    any    `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &body) != nil || body.Error == nil {
		return "", false
	}
	code, _ = body.Error.Code.(string)
	return code, body.Error.Message != ""
}
