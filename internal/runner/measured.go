package runner

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/distribution"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/internal/workload"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

// Measured states how the requests of a measurement differ from the healthy call of a surface.
type Measured struct {
	// Model is the model that the mock upstream imitates. The zero value means none.
	Model upstream.Model
	// Usage requests token usage in streams if the API reports it only on request.
	Usage bool
	// Workload generates the prompts. The zero value keeps the prompt of the healthy call.
	Workload workload.Shape
	// Prefix is the number of tokens of text with which all prompts begin.
	Prefix int
	// Models are the requested models with their weights. An empty list means the profile's own
	// models.
	Models []Weighted
	// Count counts the tokens of a text.
	Count func(string) int
}

// Weighted is a name with its share of the requests, relative to the other weights.
type Weighted struct {
	Name   string
	Weight int
}

// maxKinds is how many kinds of requests a load may mix.
const maxKinds = 16

// ErrMix is returned for a mix of more kinds of requests than a load can have, or for a surface that cannot use the prompts of a workload.
var ErrMix = errors.New("invalid mix of requests")

// MeasuredHeader returns the header of a measurement's log. The caller adds the settings of the measurement.
func MeasuredHeader(p profile.Profile, kind runlog.MeasuredKind, command []string, surfaces ...dialect.Surface) runlog.MeasuredHeader {
	return runlog.MeasuredHeader{
		RunID: runID(), Tool: version.Tool(), Started: time.Now().Round(0).UTC(), Kind: kind, Target: targetInfo(p, surfaces),
		Command: p.ShownCommand(command), Surfaces: surfaces,
	}
}

// Mix returns the requests of a measurement: each of the surfaces combined with each of the models.
func (m Measured) Mix(p profile.Profile, surfaces []Weighted) ([]load.Request, error) {
	models := m.Models
	if len(models) == 0 {
		models = []Weighted{{Weight: 1}}
	}
	if len(surfaces)*len(models) > maxKinds {
		return nil, fmt.Errorf("%w: %s and %s form %d kinds of requests, but at most %d are allowed", ErrMix, plain.Count(len(surfaces), "endpoint"), plain.Count(len(models), "model"), len(surfaces)*len(models), maxKinds)
	}
	var mix []load.Request
	for _, s := range surfaces {
		for _, model := range models {
			r, err := m.request(p, dialect.Surface(s.Name), model.Name)
			if err != nil {
				return nil, err
			}
			r.Weight = s.Weight * model.Weight
			mix = append(mix, r)
		}
	}
	return mix, nil
}

// request returns the request of a surface, with a variant for each prompt of the workload.
func (m Measured) request(p profile.Profile, s dialect.Surface, model string) (load.Request, error) {
	r := load.Request{Name: string(s), Call: m.call(p, s, model, workload.Prompt{})}
	if model != "" {
		r.Name += " " + model
	}
	prompts := m.Workload.Prompts(maxVariants, m.Count)
	if len(prompts) > 0 && !s.Generates() {
		return r, fmt.Errorf("%w: the endpoint %s does not generate text: use --prompt-tokens, --output-tokens and --dataset only with endpoints that do", ErrMix, s)
	}
	for _, prompt := range prompts {
		r.Variants = append(r.Variants, m.call(p, s, model, prompt))
	}
	if len(r.Variants) > 0 {
		r.Call = r.Variants[0]
	}
	return r, nil
}

// maxVariants is how many prompts a kind of request alternates between. Each request is made unique besides.
const maxVariants = 512

// call is the call with a prompt; the zero prompt is the healthy one.
func (m Measured) call(p profile.Profile, s dialect.Surface, asked string, prompt workload.Prompt) exchange.Call {
	text, before := "", ""
	if len(prompt.Turns) > 0 {
		text = prompt.Last()
	}
	if m.Prefix > 0 {
		before = workload.Text(rand.New(rand.NewPCG(m.Workload.Seed, 2)), m.Prefix) + " "
	}
	if !p.Upstream.Present() {
		// Unlike all others from its first word on: no cache answers it, not even one of prefixes.
		if text == "" {
			text = "say hello."
		}
		text = load.TokenPlaceholder + ": " + text
	}
	model := m.Model
	if !model.IsZero() && model.Tokens.IsZero() && prompt.MaxTokens > 0 {
		model.Tokens, _ = distribution.ParseCount(strconv.Itoa(prompt.MaxTokens), workload.MaxTokens) // a number
	}
	call := targets.PromptCall(p, s, load.TokenPlaceholder, model.Words(), before, text)
	switch {
	case asked != "":
		call.Model = asked
	case p.Upstream.Present():
		call.Model = p.Models.Routed(s)
	}
	call.MaxTokens = prompt.MaxTokens
	if call.MaxTokens == 0 && !m.Model.IsZero() {
		call.MaxTokens = m.Model.MostTokens()
	}
	if len(prompt.Turns) > 1 {
		call.Edits = append(call.Edits, earlierTurns(s, call.Prompt, prompt.Turns)...)
	}
	if m.Usage && s == dialect.ChatStream {
		call.Edits = append(call.Edits, exchange.Edit{Path: "stream_options.include_usage", Value: true})
	}
	return call
}

// earlierTurns are the edits that put the turns before the last one in front of it, in the words of the format. Where an endpoint has no
// conversations, they go into the prompt.
func earlierTurns(s dialect.Surface, last string, turns []workload.Turn) []exchange.Edit {
	var system strings.Builder
	var messages dialect.List
	for i, t := range turns {
		text := t.Text
		if i == len(turns)-1 {
			text = last
		}
		role := t.Role
		switch e := s.Endpoint(); {
		case role == "system" && (e == dialect.Messages || e == dialect.GenerateContent):
			system.WriteString(text + "\n")
			continue
		case e == dialect.GenerateContent:
			if role == "assistant" {
				role = "model"
			}
			messages = append(messages, dialect.Object{"role": role, "parts": dialect.List{dialect.Object{"text": text}}})
		default:
			messages = append(messages, dialect.Object{"role": role, "content": text})
		}
	}
	switch s.Endpoint() {
	case dialect.Chat:
		return []exchange.Edit{{Path: "messages", Value: messages}}
	case dialect.Messages:
		if system.String() == "" {
			return []exchange.Edit{{Path: "messages", Value: messages}}
		}
		return []exchange.Edit{{Path: "messages", Value: messages}, {Path: "system", Value: system.String()}}
	case dialect.Responses:
		return []exchange.Edit{{Path: "input", Value: messages}}
	case dialect.GenerateContent:
		if system.String() == "" {
			return []exchange.Edit{{Path: "contents", Value: messages}}
		}
		return []exchange.Edit{
			{Path: "contents", Value: messages}, {Path: "systemInstruction", Value: dialect.Object{"parts": dialect.List{dialect.Object{"text": system.String()}}}},
		}
	default: // completions have one prompt
		var text strings.Builder
		for _, t := range turns[:len(turns)-1] {
			text.WriteString(t.Text + "\n\n")
		}
		return []exchange.Edit{{Path: "prompt", Value: text.String() + last}}
	}
}
