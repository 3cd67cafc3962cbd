package convert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// writeOpenAI writes the protocol of OpenAI's chat completions and embeddings.
func writeOpenAI(w *writer, req Request, model string) string {
	w.set(model, "model")
	if req.Surface == dialect.Embeddings {
		w.set(openAIInput(req.Inputs), "input")
		w.set("float", "encoding_format")
		setNumber(w, req.Dimensions, "dimensions")
		return "/v1/embeddings"
	}
	var messages []any
	if req.System != "" {
		messages = append(messages, members{"role": "system", "content": req.System})
	}
	for _, turn := range w.conversation(req) {
		messages = append(messages, members{"role": turn.Role, "content": contentOf(w, turn, openAIImage)})
	}
	w.set(messages, "messages")
	setNumber(w, req.MaxTokens, "max_tokens")
	setNumber(w, req.Temperature, "temperature")
	setNumber(w, req.TopP, "top_p")
	w.setStop(req.Stop, maxStop, "stop")
	if req.Stream {
		w.set(true, "stream")
		// Without it a stream tells nothing of the tokens that are to be paid for.
		w.set(true, "stream_options.include_usage")
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

func openAIImage(i Image) members {
	image := members{"url": cmp.Or(i.URL, "data:"+i.MediaType+";base64,"+i.Data)}
	if i.Detail != "" {
		image["detail"] = i.Detail
	}
	return members{"type": "image_url", "image_url": image}
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

func readOpenAI(req Request, body []byte) (Answer, error) {
	var in openAIAnswer
	if err := json.Unmarshal(body, &in); err != nil {
		return Answer{}, notAnswer("the body is malformed or has the wrong shape")
	}
	if !in.Error.empty() {
		return Answer{}, errorInstead(body)
	}
	out := Answer{
		ID: in.ID, Model: in.Model, Created: int64(in.Created), Base64: req.Base64,
		End: dialect.End{PromptTokens: int(in.Usage.Prompt), CompletionTokens: int(in.Usage.Completion)},
	}
	if req.Surface == dialect.Embeddings {
		if !in.Data.present {
			return Answer{}, notAnswer("the body has no data field")
		}
		vectors, err := openAIVectors(in.Data.value, len(req.Inputs))
		out.Vectors = vectors
		return out, err
	}
	if !in.Choices.present {
		return Answer{}, notAnswer("the body has no choices field")
	}
	if len(in.Choices.value) == 0 {
		return Answer{}, fmt.Errorf("%w: no choices", ErrEmpty)
	}
	choice := in.Choices.value[0]
	out.Text, out.Finish = choice.Message.Content, finishOf(dialect.OpenAI, choice.Finish)
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
			return nil, notAnswer("the index numbers of the vectors are wrong")
		}
		vectors = append(vectors, v.Embedding)
	}
	return checkVectors(vectors, want)
}

// openAIListener reads chat.completion.chunk events. A finish_reason completes the answer; the usage and [DONE] may
// still follow it.
type openAIListener struct{ streamState }

func (l *openAIListener) event(_ string, data []byte) (string, error) {
	if string(data) == "[DONE]" {
		l.finished, l.closed = true, true
		l.Finish = cmp.Or(l.Finish, dialect.FinishStop)
		return "", nil
	}
	var in openAIAnswer
	if err := json.Unmarshal(data, &in); err != nil {
		return "", notAnswer("an event is malformed or has the wrong shape")
	}
	if !in.Error.empty() {
		return "", errorInstead(data)
	}
	if !in.Choices.present {
		return "", notAnswer("an event has no choices field")
	}
	if u := in.Usage; u != (openAIUsage{}) {
		l.PromptTokens, l.CompletionTokens = int(u.Prompt), int(u.Completion)
	}
	if len(in.Choices.value) == 0 {
		return "", nil
	}
	choice := in.Choices.value[0]
	if choice.Delta.Refusal != "" {
		l.refused = true
	}
	if choice.Finish != "" {
		l.finished, l.Finish = true, finishOf(dialect.OpenAI, choice.Finish)
	}
	return choice.Delta.Content, nil
}
