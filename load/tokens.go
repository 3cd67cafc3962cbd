package load

import (
	"github.com/gatecert/gatecert/dialect"
)

// TokenSource is the source of a response's output token count.
type TokenSource string

// The sources.
const (
	// TokensUnknown means that the endpoint has no output tokens, or that the response was not a success.
	TokensUnknown TokenSource = ""
	// TokensOfUsage means that the response reports its tokens.
	TokensOfUsage TokenSource = "usage"
	// TokensOfTokenizer means that the tokenizer in [Options.CountTokens] counted the tokens of the text.
	TokensOfTokenizer TokenSource = "tokenizer"
	// TokensOfEvents means that each event of the stream that adds to the response is counted as a token.
	TokensOfEvents TokenSource = "events"
)

// TokenSources returns all sources, most reliable first.
func TokenSources() []TokenSource {
	return []TokenSource{TokensOfUsage, TokensOfTokenizer, TokensOfEvents}
}

// tokenCounter counts the tokens of answers.
type tokenCounter struct {
	// text counts those of a text; nil where there is no tokenizer.
	text func(string) int
}

// count returns the output and the input tokens of a response, and by what the former are known. Of an answer that is not a stream
// only the usage is read: its text may be anywhere in it.
func (c tokenCounter) count(r *wireRequest, resp response) (output, input int, from TokenSource) {
	if resp.status/100 != 2 {
		return 0, 0, TokensUnknown
	}
	if u, ok := r.surface.UsageIn(resp.body); ok && (u.Output > 0 || resp.pieces == 0) {
		return u.Output, u.Input, TokensOfUsage
	}
	switch {
	case resp.pieces == 0:
		return 0, 0, TokensUnknown
	case c.text == nil:
		return resp.pieces, 0, TokensOfEvents
	default:
		return c.stream(r.pieces, resp.body, resp.folded), 0, TokensOfTokenizer
	}
}

func (c tokenCounter) stream(marks dialect.PieceMarks, body []byte, f folded) int {
	if f.after > 0 {
		body = body[:f.after]
	}
	var text []byte
	eachPiece(marks, body, func(piece string) { text = append(text, piece...) })
	return c.text(string(append(text, f.text...)))
}
