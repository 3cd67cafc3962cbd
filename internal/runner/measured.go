package runner

import (
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

// Measured says how the requests of a measurement differ from the healthy call of a surface.
type Measured struct {
	// Model is played by the mock upstream. The zero value asks for none.
	Model upstream.Model
	// MaxTokens bounds an answer, 0 for 16 tokens. With a Model it defaults to what that gives.
	MaxTokens int
	// Usage asks for the usage of streams where an API has it on request.
	Usage bool
}

// MeasuredHeader returns the header of a measurement's log. The caller adds what is asked of the measurement.
func MeasuredHeader(p profile.Profile, kind runlog.MeasuredKind, command []string, surfaces ...dialect.Surface) runlog.MeasuredHeader {
	return runlog.MeasuredHeader{
		RunID: runID(), Tool: version.Tool(), Started: time.Now().Round(0).UTC(), Kind: kind, Target: targetInfo(p, surfaces),
		Command: p.ShownCommand(command), Surfaces: surfaces,
	}
}

// Mix returns the requests of a measurement on a surface.
func (m Measured) Mix(p profile.Profile, s dialect.Surface) []load.Request {
	return []load.Request{m.Request(p, s)}
}

// Request returns the request of a surface.
func (m Measured) Request(p profile.Profile, s dialect.Surface) load.Request {
	text := ""
	if !p.Upstream.Present() {
		text = load.TokenPlaceholder + ": say hello." // unlike all others: no cache answers it
	}
	call := targets.PromptCall(p, s, load.TokenPlaceholder, m.Model.Words(), text)
	if p.Upstream.Present() {
		call.Model = p.Models.Routed(s)
	}
	call.MaxTokens = m.MaxTokens
	if call.MaxTokens == 0 && !m.Model.IsZero() {
		call.MaxTokens = m.Model.MostTokens()
	}
	if m.Usage && s == dialect.ChatStream {
		call.Edits = append(call.Edits, exchange.Edit{Path: "stream_options.include_usage", Value: true})
	}
	return load.Request{Name: string(s), Call: call}
}
