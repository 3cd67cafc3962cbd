package upstream

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/distribution"
)

// Model describes a model that the upstream imitates: how long it takes to produce the first token of a response and each later one, and how many
// tokens a response has. The zero value imitates no model: responses are sent at once. Use a model to measure gateways without a GPU.
type Model struct {
	TTFT, ITL, Tokens distribution.Distribution
}

// The limits of a model.
const (
	maxModelTokens  = 100_000
	defaultMaxWords = 256 // tokens of an answer where the model does not say how many
)

// ErrModel is returned if a model cannot be parsed. Its text states the reason.
var ErrModel = errors.New("invalid model")

// ParseModel parses a model such as "ttft=lognormal:200ms,itl=20ms,tokens=256". A missing duration is 0, and a missing number of tokens is 256. Each
// value may be a distribution: uniform:A-B, normal:MEAN:SPREAD, lognormal:MEDIAN:SIGMA or exp:MEAN.
func ParseModel(text string) (Model, error) {
	var d Directive
	words, seen := modelWords(), map[string]bool{}
	for field := range strings.SplitSeq(text, ",") {
		if err := parseWord(&d, strings.TrimSpace(field), words, seen); err != nil {
			return Model{}, fmt.Errorf("%w: %w", ErrModel, err)
		}
	}
	return d.Model, nil
}

// IsZero reports whether no model is imitated.
func (m Model) IsZero() bool { return m == Model{} }

// String returns the model in the form that [ParseModel] parses.
func (m Model) String() string { return strings.Join(m.words(), ",") }

// Words returns the model as words of a directive: "ttft=200ms itl=20ms".
func (m Model) Words() string { return strings.Join(m.words(), " ") }

// MostTokens returns the number of tokens that hardly any response of the model exceeds.
func (m Model) MostTokens() int { return cmp.Or(int(m.Tokens.Most()), defaultMaxWords) }

func (m Model) words() (words []string) {
	for _, w := range modelWords() {
		for _, value := range w.format(Directive{Model: m}) {
			words = append(words, w.Name+"="+value)
		}
	}
	return words
}

const (
	timesValues  = "a duration, or uniform:A-B, normal:MEAN:SPREAD, lognormal:MEDIAN:SIGMA or exp:MEAN"
	tokensValues = "1 … 100000, or a distribution of numbers in this range" //nolint:gosec // tokens of a text
)

// modelWords are the words of a directive by which the upstream plays a model.
func modelWords() []word {
	times := func(value string) (distribution.Distribution, error) {
		return distribution.ParseDuration(value, maxWait)
	}
	counts := func(value string) (distribution.Distribution, error) {
		return distribution.ParseCount(value, maxModelTokens)
	}
	return []word{
		fieldWord("ttft", timesValues, "Simulate a model: wait this long, then send the response header and the first token.",
			func(d *Directive) *distribution.Distribution { return &d.Model.TTFT }, times, distribution.Distribution.String),
		fieldWord("itl", timesValues, "Simulate a model: wait this long before each token after the first.",
			func(d *Directive) *distribution.Distribution { return &d.Model.ITL }, times, distribution.Distribution.String),
		fieldWord("tokens", tokensValues, "Simulate a model: answer with this many tokens, one per event, but no more than the request allows. Default 256.",
			func(d *Directive) *distribution.Distribution { return &d.Model.Tokens }, counts, distribution.Distribution.String),
	}
}

// plain reports whether a directive asks for nothing but a healthy answer that a model may play.
func (d Directive) plain() bool {
	return reflect.DeepEqual(d, Directive{Token: d.Token, Model: d.Model})
}

// modelFor returns the model that answers a request, the zero value for none. It returns [ErrDirective] when the directive asks for
// one where no text is generated.
func (u *Upstream) modelFor(op dialect.Operation, d Directive) (Model, error) {
	_, generates := op.(dialect.StreamingOperation)
	switch {
	case !d.Model.IsZero() && !generates:
		return Model{}, fmt.Errorf("%w: only endpoints that generate text can simulate a model, but this endpoint does not generate text", ErrDirective)
	case !d.Model.IsZero():
		return d.Model, nil
	case generates && d.plain():
		return u.model, nil
	default:
		return Model{}, nil
	}
}

// allowedTokens returns how many tokens a request allows for its answer.
func allowedTokens(doc dialect.Object) int {
	config, _ := doc["generationConfig"].(dialect.Object)
	if config == nil {
		config, _ = doc["generation_config"].(dialect.Object)
	}
	for _, v := range []any{doc["max_completion_tokens"], doc["max_tokens"], doc["max_output_tokens"], config["maxOutputTokens"], config["max_output_tokens"]} {
		if n, ok := v.(float64); ok && n >= 1 && n < maxModelTokens {
			return int(n)
		}
	}
	return maxModelTokens
}

// modelWord returns the n-th token of an answer: each is one token in OpenAI's tokenizers too.
func modelWord(n int) string {
	words := [...]string{" the", " river", " runs", " through", " a", " green", " and", " quiet", " valley", " where", " old", " trees", " stand", " near", " small", " houses"}
	if n == 0 {
		return "So"
	}
	return words[n%len(words)]
}

// schedule returns when the tokens of an answer are due, since its request arrived. What it returns is asked for each of them once,
// in order.
func (m Model) schedule(tokens int, sample func(distribution.Distribution) time.Duration) func(n int) time.Duration {
	at := sample(m.TTFT)
	return func(n int) time.Duration {
		if n > 0 && n < tokens {
			at += sample(m.ITL)
		}
		return at
	}
}
