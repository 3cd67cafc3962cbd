package secondgateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// whole is an answer of either format of an upstream, or an event of its stream.
type whole struct {
	Error any `json:"error"`
	// OpenAI
	Choices []struct {
		Message, Delta struct {
			Content string `json:"content"`
		}
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	// Anthropic
	Type       string                  `json:"type"`
	Content    []struct{ Text string } `json:"content"`
	StopReason string                  `json:"stop_reason"`
	Delta      struct {
		Text       string `json:"text"`
		StopReason string `json:"stop_reason"`
	} `json:"delta"`

	Usage struct {
		TotalTokens  int `json:"total_tokens"`
		OutputTokens int `json:"output_tokens"`
	} `json:"usage"`
}

// readWhole reads an answer that is not a stream.
func (g *Gateway) readWhole(format string, raw []byte) (reply, *Failure) {
	var members map[string]json.RawMessage
	var body whole
	if json.Unmarshal(raw, &members) != nil || members == nil || json.Unmarshal(raw, &body) != nil || body.Error != nil { //nolint:musttag // a name in any case will do
		return reply{}, unusable()
	}
	var r reply
	if format == anthropic {
		if members["content"] == nil {
			return reply{}, unusable()
		}
		for _, part := range body.Content {
			r.add(part.Text)
		}
		r.finish = finishOf(body.StopReason)
	} else {
		if members["choices"] == nil {
			return reply{}, unusable()
		}
		for _, choice := range body.Choices {
			r.add(choice.Message.Content)
			r.finish = choice.FinishReason
		}
	}
	r.tokens = body.Usage.TotalTokens + body.Usage.OutputTokens + 1
	return r, g.judge(r)
}

func (r *reply) add(text string) {
	if text != "" {
		r.pieces = append(r.pieces, text)
	}
}

// judge finds what is wrong with a reply that came to its end.
func (g *Gateway) judge(r reply) *Failure {
	switch {
	case len(r.pieces) == 0 && r.finish == "content_filter":
		return blocked()
	case len(r.pieces) == 0 && !g.skips("empty"):
		return empty()
	case r.finish == "" && !g.skips("unfinished"):
		return brokenOff()
	}
	return nil
}

// finishOf is Anthropic's reason in OpenAI's words.
func finishOf(reason string) string {
	switch reason {
	case "refusal":
		return "content_filter"
	case "max_tokens":
		return "length"
	case "":
		return ""
	default:
		return "stop"
	}
}

func (g *Gateway) readVectors(raw []byte) (reply, *Failure) {
	var members map[string]json.RawMessage
	var data []struct {
		Embedding json.RawMessage `json:"embedding"`
	}
	if json.Unmarshal(raw, &members) != nil || members["data"] == nil || json.Unmarshal(members["data"], &data) != nil {
		return reply{}, unusable()
	}
	r := reply{tokens: 1, finish: "stop"}
	for _, d := range data {
		r.vectors = append(r.vectors, d.Embedding)
	}
	if len(data) == 0 && !g.skips("empty") {
		return r, empty()
	}
	return r, nil
}

// readStream reads events until the stream ends. With a failure, the reply has the pieces that came before it.
func (g *Gateway) readStream(format string, from io.Reader, heard func()) (reply, *Failure) {
	r := reply{tokens: 1}
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		heard()
		data, isData := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:"))
		if isData && string(bytes.TrimSpace(data)) != "[DONE]" {
			var event whole
			if json.Unmarshal(data, &event) != nil || event.Error != nil { //nolint:musttag // a name in any case will do
				return r, unusable()
			}
			r.take(format, event)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return r, g.judge(r)
		default:
			return r, brokenOff()
		}
	}
}

// take adds an event to the reply.
func (r *reply) take(format string, event whole) {
	if format == anthropic {
		r.add(event.Delta.Text)
		if event.Delta.StopReason != "" {
			r.finish = finishOf(event.Delta.StopReason)
		}
	}
	for _, choice := range event.Choices {
		r.add(choice.Delta.Content)
		if choice.FinishReason != "" {
			r.finish = choice.FinishReason
		}
	}
	r.tokens = max(r.tokens, event.Usage.OutputTokens+len(r.pieces))
}
