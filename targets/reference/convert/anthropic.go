package convert

import (
	"encoding/json"

	"github.com/gatecert/gatecert/dialect"
)

// anthropicMaxTokens stands in where a caller set no limit: the protocol demands one.
const anthropicMaxTokens = 4096

func writeAnthropic(w *writer, req Request, model string) string {
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
		messages = append(messages, members{"role": turn.Role, "content": contentOf(w, turn, anthropicImage(w))})
	}
	if len(messages) == 0 {
		w.refuse("a conversation with no turns")
	}
	w.set(messages, "messages")
	w.set(anthropicMaxTokens, "max_tokens")
	setNumber(w, req.MaxTokens, "max_tokens")
	if req.Temperature != nil && *req.Temperature > 1 {
		w.refuse("a temperature above 1")
	}
	setNumber(w, req.Temperature, "temperature")
	setNumber(w, req.TopP, "top_p")
	w.setStop(req.Stop, maxSequences, "stop_sequences")
	if req.Stream {
		w.set(true, "stream")
	}
	return "/v1/messages"
}

func anthropicImage(w *writer) func(Image) members {
	return func(i Image) members {
		if i.Detail != "" {
			w.refuse("an image's detail")
		}
		source := members{"type": "base64", "media_type": i.MediaType, "data": i.Data}
		if i.URL != "" {
			source = members{"type": "url", "url": i.URL}
		}
		return members{"type": "image", "source": source}
	}
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

func readAnthropic(_ Request, body []byte) (Answer, error) {
	var in anthropicAnswer
	if err := json.Unmarshal(body, &in); err != nil {
		return Answer{}, notAnswer("the body is malformed or has the wrong shape")
	}
	if !in.Error.empty() {
		return Answer{}, errorInstead(body)
	}
	if !in.Content.present {
		return Answer{}, notAnswer("the body has no content field")
	}
	out := Answer{ID: in.ID, Model: in.Model, End: dialect.End{
		Finish: finishOf(dialect.Anthropic, in.StopReason), PromptTokens: int(in.Usage.Input), CompletionTokens: int(in.Usage.Output),
	}}
	for _, block := range in.Content.value {
		if block.Type == "text" {
			out.Text += block.Text
		}
	}
	return out, verdict(out.Text, out.Finish, false)
}

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
		return "", notAnswer("an event is malformed or has the wrong shape")
	}
	if name == "error" || in.Type == "error" || !in.Error.empty() {
		return "", errorInstead(data)
	}
	switch in.Type {
	case "":
		return "", notAnswer("an event has no type")
	case "message_start":
		l.PromptTokens, l.CompletionTokens = int(in.Message.Usage.Input), int(in.Message.Usage.Output)
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
			l.Finish = finishOf(dialect.Anthropic, in.Delta.StopReason)
		}
		// The counts here are of the whole answer, not of what came since message_start.
		l.PromptTokens = max(l.PromptTokens, int(in.Usage.Input))
		l.CompletionTokens = max(l.CompletionTokens, int(in.Usage.Output))
	case "message_stop":
		l.finished, l.closed = true, true
	}
	return "", nil
}
