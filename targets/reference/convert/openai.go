package convert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// openAI speaks the protocol of OpenAI's chat completions and embeddings.
type openAI struct{}

func (openAI) header() http.Header { return http.Header{} }

func (openAI) place(feature string) ([]string, bool) {
	switch feature {
	case "logit_bias", "presence_penalty", "frequency_penalty", "seed", "response_format", "reasoning_effort", "verbosity":
		return []string{feature}, true
	default:
		return nil, false
	}
}

func (openAI) write(w *writer, req Request, model string) string {
	w.set(model, "model")
	if req.Surface == dialect.Embeddings {
		w.set(openAIInput(req.Inputs), "input")
		w.set("float", "encoding_format")
		w.setInt(req.Dimensions, "dimensions")
		return "/v1/embeddings"
	}
	var messages []any
	if req.System != "" {
		messages = append(messages, members{"role": "system", "content": req.System})
	}
	for _, turn := range w.conversation(req) {
		messages = append(messages, members{"role": turn.Role, "content": openAIContent(w, turn)})
	}
	w.set(messages, "messages")
	w.setInt(req.MaxTokens, "max_tokens")
	w.setFloat(req.Temperature, "temperature")
	w.setFloat(req.TopP, "top_p")
	w.setStop(req.Stop, maxStop, "stop")
	if req.Stream {
		w.set(true, "stream")
		// Without it a stream tells nothing of the tokens that are to be paid for.
		w.set(true, "stream_options", "include_usage")
	}
	return "/v1/chat/completions"
}

// openAIInput writes inputs in the form they came in: one as itself, several as an array.
func openAIInput(inputs []Input) any {
	list := make([]any, 0, len(inputs))
	for _, in := range inputs {
		if in.Tokens != nil {
			list = append(list, in.Tokens)
		} else {
			list = append(list, in.Text)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func openAIContent(w *writer, turn Turn) any {
	if len(turn.Parts) == 1 && turn.Parts[0].Image == nil {
		return turn.Parts[0].Text
	}
	parts := make([]any, 0, len(turn.Parts))
	for _, p := range turn.Parts {
		if p.Image == nil {
			parts = append(parts, members{"type": "text", "text": p.Text})
			continue
		}
		if turn.Role != User {
			w.refuse("an image in a turn that is not the user's")
		}
		image := members{"url": cmp.Or(p.Image.URL, "data:"+p.Image.MediaType+";base64,"+p.Image.Data)}
		if p.Image.URL != "" && !isWebAddress(p.Image.URL) {
			w.refuse("an image in the caller's file store")
		}
		if p.Image.Detail != "" {
			image["detail"] = p.Image.Detail
		}
		parts = append(parts, members{"type": "image_url", "image_url": image})
	}
	return parts
}

func isWebAddress(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

type openAIAnswer struct {
	ID      string                `json:"id"`
	Created count                 `json:"created"`
	Model   string                `json:"model"`
	Choices field[[]openAIChoice] `json:"choices"`
	Data    field[[]openAIVector] `json:"data"`
	Usage   openAIUsage           `json:"usage"`
	Error   field[any]            `json:"error"`
}

// openAIChoice is a choice of a whole answer, which has a message, or of a stream's chunk, which has a delta.
type openAIChoice struct {
	Message openAISaid `json:"message"`
	Delta   openAISaid `json:"delta"`
	Finish  string     `json:"finish_reason"`
}

type openAISaid struct {
	Content string `json:"content"`
	Refusal string `json:"refusal"`
}

type openAIVector struct {
	Index     int       `json:"index"`
	Embedding []float64 `json:"embedding"`
}

type openAIUsage struct {
	Prompt     count `json:"prompt_tokens"`
	Completion count `json:"completion_tokens"`
}

func (openAI) answer(req Request, body []byte) (Answer, error) {
	var in openAIAnswer
	if err := json.Unmarshal(body, &in); err != nil {
		return Answer{}, notAnswer("broken or of the wrong shape")
	}
	if !in.Error.empty() {
		return Answer{}, errorInstead(body)
	}
	out := Answer{
		ID: in.ID, Model: in.Model, Created: int64(in.Created), Base64: req.Base64,
		PromptTokens: int(in.Usage.Prompt), CompletionTokens: int(in.Usage.Completion),
	}
	if req.Surface == dialect.Embeddings {
		if !in.Data.present {
			return Answer{}, notAnswer("without data")
		}
		vectors, err := openAIVectors(in.Data.value, len(req.Inputs))
		out.Vectors = vectors
		return out, err
	}
	if !in.Choices.present {
		return Answer{}, notAnswer("without choices")
	}
	if len(in.Choices.value) == 0 {
		return Answer{}, fmt.Errorf("%w: no choices", ErrEmpty)
	}
	choice := in.Choices.value[0]
	out.Text, out.Finish = choice.Message.Content, openAIFinish(choice.Finish)
	return out, verdict(out.Text, out.Finish, choice.Message.Refusal != "")
}

// openAIVectors puts vectors in the order of their inputs. They may come in any order, each exactly once.
func openAIVectors(data []openAIVector, want int) ([][]float64, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: no data", ErrEmpty)
	}
	slices.SortStableFunc(data, func(a, b openAIVector) int { return cmp.Compare(a.Index, b.Index) })
	vectors := make([][]float64, 0, len(data))
	for i, v := range data {
		if v.Index != i {
			return nil, notAnswer("with vectors that are numbered wrongly")
		}
		vectors = append(vectors, v.Embedding)
	}
	return checkVectors(vectors, want)
}

// openAIFinish reads a finish_reason. Those that the hub does not know end an answer like any other.
func openAIFinish(reason string) dialect.Finish {
	switch reason {
	case "length":
		return dialect.FinishLength
	case "content_filter":
		return dialect.FinishFilter
	default:
		return dialect.FinishStop
	}
}

func (openAI) listener() listener { return &openAIListener{} }

// openAIListener reads chat.completion.chunk events. A finish_reason completes the answer; the usage and [DONE] may
// still follow it.
type openAIListener struct{ streamState }

func (l *openAIListener) event(_ string, data []byte) (string, error) {
	if string(data) == "[DONE]" {
		l.finished, l.closed = true, true
		l.finish = cmp.Or(l.finish, dialect.FinishStop)
		return "", nil
	}
	var in openAIAnswer
	if err := json.Unmarshal(data, &in); err != nil {
		return "", notAnswer("an event that is broken or of the wrong shape")
	}
	if !in.Error.empty() {
		return "", errorInstead(data)
	}
	if !in.Choices.present {
		return "", notAnswer("an event without choices")
	}
	if u := in.Usage; u != (openAIUsage{}) {
		l.prompt, l.completion = int(u.Prompt), int(u.Completion)
	}
	if len(in.Choices.value) == 0 {
		return "", nil
	}
	choice := in.Choices.value[0]
	if choice.Delta.Refusal != "" {
		l.refused = true
	}
	if choice.Finish != "" {
		l.finished, l.finish = true, openAIFinish(choice.Finish)
	}
	return choice.Delta.Content, nil
}
