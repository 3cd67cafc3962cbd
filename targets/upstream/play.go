package upstream

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/distribution"
	"github.com/gatecert/gatecert/internal/wait"
)

// playing is one answer of a model.
type playing struct {
	model  Model
	answer dialect.Answer
	tokens int
	// due returns when a token is due, since the request arrived. It is asked for each of them once, in order.
	due     func(n int) time.Duration
	arrived time.Time
	// sentAt are the instants at which the tokens were sent, one for all where the answer is not streamed.
	sentAt   []time.Time
	streamed bool
}

func newPlaying(m Model, a dialect.Answer, arrived time.Time) *playing {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	p := &playing{model: m, answer: a, arrived: arrived, tokens: defaultMaxWords}
	if !m.Tokens.IsZero() {
		p.tokens = min(m.Tokens.Count(random), maxModelTokens)
	}
	if allowed := allowedTokens(a.Request); allowed < p.tokens {
		p.tokens, p.answer.Finish = allowed, dialect.FinishLength
	}
	p.answer.CompletionTokens = p.tokens
	p.due = m.schedule(p.tokens, func(d distribution.Distribution) time.Duration { return d.Duration(random) })
	return p
}

// play answers a valid request as the model does.
func (u *Upstream) play(ctx context.Context, s sender, op dialect.Operation, p *playing) outcome {
	streamer, _ := op.(dialect.StreamingOperation)
	p.streamed = streamer != nil && streamer.WantsStream(p.answer.Request)
	var how outcome
	if p.streamed {
		how = p.stream(ctx, s, streamer)
	} else {
		how = p.whole(ctx, s, op)
	}
	u.played.add(p, how == complete)
	return how
}

// whole sends the answer in one piece, when its last token is due.
func (p *playing) whole(ctx context.Context, s sender, op dialect.Operation) outcome {
	var text strings.Builder
	last := time.Duration(0)
	for n := range p.tokens {
		text.WriteString(modelWord(n))
		last = p.due(n)
	}
	p.answer.Pieces = []string{text.String()}
	if wait.For(ctx, time.Until(p.arrived.Add(last))) != nil {
		return interrupted
	}
	p.sentAt = append(p.sentAt, time.Now())
	return s.send(ctx, newResponse(wholeReply(op, http.StatusOK, p.answer), Directive{}))
}

// stream sends each token as an event when it is due, and makes the event only then: thousands of answers are played at once.
func (p *playing) stream(ctx context.Context, s sender, op dialect.StreamingOperation) outcome {
	form := op.Stream(dialect.Answer{Request: p.answer.Request}) // how the endpoint frames a stream
	writer := op.Writer(p.answer)
	separator := "["
	frame := func(events []dialect.Event) (bytes []byte) {
		for _, e := range events {
			if !form.Array {
				bytes = append(bytes, e.Bytes()...)
				continue
			}
			bytes, separator = append(append(bytes, separator...), e.Data...), ",\r\n"
		}
		return bytes
	}
	control := http.NewResponseController(s.w)
	for n := range p.tokens {
		if wait.For(ctx, time.Until(p.arrived.Add(p.due(n)))) != nil {
			return interrupted
		}
		events := writer.Piece(modelWord(n))
		if n == 0 {
			events = append(writer.Open(), events...)
			maps.Copy(s.w.Header(), streamHeader(op, form))
			s.answered(http.StatusOK, nil)
			s.w.WriteHeader(http.StatusOK)
		}
		p.sentAt = append(p.sentAt, time.Now())
		if !s.write(ctx, frame(events)) || control.Flush() != nil {
			return interrupted
		}
	}
	end := frame(writer.Close(p.answer.End))
	if form.Array {
		end = append(end, ']')
	}
	if !s.write(ctx, end) || control.Flush() != nil {
		return interrupted
	}
	return complete
}
