package convert

import (
	"encoding/json"
	"net/http"

	"github.com/gatecert/gatecert/dialect"
)

// anthropicMaxTokens stands in where a caller set no limit: the protocol demands one.
const anthropicMaxTokens = 4096

// anthropic speaks the protocol of Anthropic's messages.
type anthropic struct{}

func (anthropic) header() http.Header { return http.Header{"Anthropic-Version": {"2023-06-01"}} }

func (anthropic) place(feature string) ([]string, bool) {
	return []string{feature}, feature == "top_k"
}

func (anthropic) write(w *writer, req Request, model string) string {
	if req.Surface == dialect.Embeddings {
		w.refuse("an embedding")
		return ""
	}
	w.set(model, "model")
	if req.System != "" {
		w.set(req.System, "system")
	}
	var messages []any
	for _, turn := range w.conversation(req) {
		if turn.Role == System {
			w.refuse("a system message after the first turn")
		}
		messages = append(messages, members{"role": turn.Role, "content": anthropicContent(w, turn)})
	}
	if len(messages) == 0 {
		w.refuse("a conversation without a turn")
	}
	w.set(messages, "messages")
	w.set(anthropicMaxTokens, "max_tokens")
	w.setInt(req.MaxTokens, "max_tokens")
	if req.Temperature != nil && *req.Temperature > 1 {
		w.refuse("a temperature above 1")
	}
	w.setFloat(req.Temperature, "temperature")
	w.setFloat(req.TopP, "top_p")
	w.setStop(req.Stop, maxSequences, "stop_sequences")
	if req.Stream {
		w.set(true, "stream")
	}
	return "/v1/messages"
}

func anthropicContent(w *writer, turn Turn) any {
	if len(turn.Parts) == 1 && turn.Parts[0].Image == nil {
		return turn.Parts[0].Text
	}
	blocks := make([]any, 0, len(turn.Parts))
	for _, p := range turn.Parts {
		if p.Image == nil {
			blocks = append(blocks, members{"type": "text", "text": p.Text})
			continue
		}
		source := members{"type": "base64", "media_type": p.Image.MediaType, "data": p.Image.Data}
		if p.Image.URL != "" {
			source = members{"type": "url", "url": p.Image.URL}
		}
		switch {
		case turn.Role != User:
			w.refuse("an image in a turn that is not the user's")
		case p.Image.Detail != "":
			w.refuse("an image's detail")
		case p.Image.URL != "" && !isWebAddress(p.Image.URL):
			w.refuse("an image in the caller's file store")
		}
		blocks = append(blocks, members{"type": "image", "source": source})
	}
	return blocks
}

type anthropicAnswer struct {
	ID         string                  `json:"id"`
	Model      string                  `json:"model"`
	Content    field[[]anthropicBlock] `json:"content"`
	StopReason string                  `json:"stop_reason"`
	Usage      anthropicUsage          `json:"usage"`
	Error      field[any]              `json:"error"`
}

type anthropicBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type anthropicUsage struct {
	Input  count `json:"input_tokens"`
	Output count `json:"output_tokens"`
}

func (anthropic) answer(_ Request, body []byte) (Answer, error) {
	var in anthropicAnswer
	if err := json.Unmarshal(body, &in); err != nil {
		return Answer{}, notAnswer("broken or of the wrong shape")
	}
	if !in.Error.empty() {
		return Answer{}, errorInstead(body)
	}
	if !in.Content.present {
		return Answer{}, notAnswer("without content")
	}
	out := Answer{
		ID: in.ID, Model: in.Model, Finish: anthropicFinish(in.StopReason),
		PromptTokens: int(in.Usage.Input), CompletionTokens: int(in.Usage.Output),
	}
	for _, block := range in.Content.value {
		if block.Type == "text" {
			out.Text += block.Text
		}
	}
	return out, verdict(out.Text, out.Finish, false)
}

// anthropicFinish reads a stop_reason. Those that the hub does not know end an answer like any other.
func anthropicFinish(reason string) dialect.Finish {
	switch reason {
	case "max_tokens", "model_context_window_exceeded":
		return dialect.FinishLength
	case "refusal":
		return dialect.FinishFilter
	default:
		return dialect.FinishStop
	}
}

func (anthropic) listener() listener { return &anthropicListener{} }

// anthropicListener reads the events message_start … message_stop. Only message_stop completes the answer. Kinds of
// event that it does not know are passed over, as the protocol asks of its readers.
type anthropicListener struct{ streamState }

type anthropicEvent struct {
	Type    string `json:"type"`
	Message struct {
		Usage anthropicUsage `json:"usage"`
	} `json:"message"`
	Block anthropicBlock `json:"content_block"`
	Delta struct {
		Type       string `json:"type"`
		Text       string `json:"text"`
		StopReason string `json:"stop_reason"`
	} `json:"delta"`
	Usage anthropicUsage `json:"usage"`
	Error field[any]     `json:"error"`
}

func (l *anthropicListener) event(name string, data []byte) (string, error) {
	var in anthropicEvent
	if err := json.Unmarshal(data, &in); err != nil {
		return "", notAnswer("an event that is broken or of the wrong shape")
	}
	if name == "error" || in.Type == "error" || !in.Error.empty() {
		return "", errorInstead(data)
	}
	switch in.Type {
	case "":
		return "", notAnswer("an event without a type")
	case "message_start":
		l.prompt, l.completion = int(in.Message.Usage.Input), int(in.Message.Usage.Output)
	case "content_block_start":
		if in.Block.Type == "text" {
			return in.Block.Text, nil
		}
	case "content_block_delta":
		if in.Delta.Type == "text_delta" {
			return in.Delta.Text, nil
		}
	case "message_delta":
		if in.Delta.StopReason != "" {
			l.finish = anthropicFinish(in.Delta.StopReason)
		}
		// The counts here are of the whole answer, not of what came since message_start.
		l.prompt = max(l.prompt, int(in.Usage.Input))
		l.completion = max(l.completion, int(in.Usage.Output))
	case "message_stop":
		l.finished, l.closed = true, true
	}
	return "", nil
}
