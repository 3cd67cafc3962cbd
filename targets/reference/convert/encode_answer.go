package convert

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// EncodeAnswer writes an answer in the form of a surface; a streaming surface gets that of its twin. An annotation
// that is not nil goes into the field "gateway" as it stands.
//
// It fails when the annotation is no JSON, when a vector holds what JSON has no number for, and on a surface it does
// not know.
func EncodeAnswer(surface dialect.Surface, a Answer, annotation json.RawMessage) ([]byte, error) {
	if a.Native != nil {
		return encodeNativeAnswer(a, annotation)
	}
	var form any
	switch surface {
	case dialect.Chat, dialect.ChatStream:
		form = chatAnswer(a, annotation)
	case dialect.Completions:
		form = completionAnswer(a, annotation)
	case dialect.Responses, dialect.ResponsesStream:
		form = responseAnswer(a, annotation)
	case dialect.Messages, dialect.MessagesStream:
		form = messageAnswer(a, annotation)
	case dialect.GenerateContent, dialect.GenerateStream:
		form = generateAnswer(a, annotation)
	case dialect.Embeddings:
		form = embeddingsAnswer(a, annotation)
	default:
		return nil, fmt.Errorf("encode answer: no form for surface %q", surface)
	}
	body, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return body, nil
}

// nativeID gives an answer's id the prefix of its surface in place of a provider's.
func nativeID(prefix, id string) string {
	for _, other := range []string{"chatcmpl-", "cmpl-", "resp_", "msg_"} {
		id = strings.TrimPrefix(id, other)
	}
	return prefix + id
}

// openAIForm is what chat completions, completions and their chunks have in common.
type openAIForm struct {
	ID      string          `json:"id"`
	Object  string          `json:"object"`
	Created int64           `json:"created"`
	Model   string          `json:"model"`
	Choices []any           `json:"choices"`
	Usage   *openAISpent    `json:"usage,omitempty"`
	Gateway json.RawMessage `json:"gateway,omitzero"`
}

type openAISpent struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func spent(prompt, completion int) *openAISpent {
	return &openAISpent{Prompt: prompt, Completion: completion, Total: prompt + completion}
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

type chatChoice struct {
	Index    int         `json:"index"`
	Message  chatMessage `json:"message"`
	Logprobs *string     `json:"logprobs"`
	Finish   Finish      `json:"finish_reason"`
}

func chatAnswer(a Answer, annotation json.RawMessage) any {
	return openAIForm{
		ID: nativeID("chatcmpl-", a.ID), Object: "chat.completion", Created: a.Created, Model: a.Model,
		Choices: []any{chatChoice{Message: chatMessage{Role: "assistant", Content: a.Text}, Finish: a.Finish}},
		Usage:   spent(a.PromptTokens, a.CompletionTokens), Gateway: annotation,
	}
}

type completionChoice struct {
	Text     string  `json:"text"`
	Index    int     `json:"index"`
	Logprobs *string `json:"logprobs"`
	Finish   Finish  `json:"finish_reason"`
}

func completionAnswer(a Answer, annotation json.RawMessage) any {
	return openAIForm{
		ID: nativeID("cmpl-", a.ID), Object: "text_completion", Created: a.Created, Model: a.Model,
		Choices: []any{completionChoice{Text: a.Text, Finish: a.Finish}},
		Usage:   spent(a.PromptTokens, a.CompletionTokens), Gateway: annotation,
	}
}

type messageForm struct {
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	Role         string          `json:"role"`
	Model        string          `json:"model"`
	Content      []textBlock     `json:"content"`
	StopReason   *string         `json:"stop_reason"`
	StopSequence *string         `json:"stop_sequence"`
	Usage        messageUsage    `json:"usage"`
	Gateway      json.RawMessage `json:"gateway,omitzero"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type messageUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

func messageAnswer(a Answer, annotation json.RawMessage) any {
	reason := a.Finish.anthropic()
	return messageForm{
		ID: nativeID("msg_", a.ID), Type: "message", Role: "assistant", Model: a.Model,
		Content: []textBlock{{"text", a.Text}}, StopReason: &reason,
		Usage: messageUsage{a.PromptTokens, a.CompletionTokens}, Gateway: annotation,
	}
}

// anthropic writes a finish as a stop_reason.
func (f Finish) anthropic() string {
	switch f {
	case FinishLength:
		return "max_tokens"
	case FinishFilter:
		return "refusal"
	default:
		return "end_turn"
	}
}

// gemini writes a finish as a finishReason.
func (f Finish) gemini() string {
	switch f {
	case FinishLength:
		return "MAX_TOKENS"
	case FinishFilter:
		return "SAFETY"
	default:
		return "STOP"
	}
}

type generateForm struct {
	Candidates []generateCandidate `json:"candidates"`
	Usage      *generateUsage      `json:"usageMetadata,omitempty"`
	Model      string              `json:"modelVersion"`
	ID         string              `json:"responseId"`
	Gateway    json.RawMessage     `json:"gateway,omitzero"`
}

type generateCandidate struct {
	Content generateContent `json:"content"`
	Finish  string          `json:"finishReason,omitempty"`
	Index   int             `json:"index"`
}

type generateContent struct {
	Parts []generatePart `json:"parts"`
	Role  string         `json:"role"`
}

type generatePart struct {
	Text string `json:"text"`
}

type generateUsage struct {
	Prompt     int `json:"promptTokenCount"`
	Candidates int `json:"candidatesTokenCount"`
	Total      int `json:"totalTokenCount"`
}

// generated is a candidate of one text.
func generated(text, finish string) []generateCandidate {
	content := generateContent{Parts: []generatePart{{text}}, Role: "model"}
	return []generateCandidate{{Content: content, Finish: finish}}
}

func generateAnswer(a Answer, annotation json.RawMessage) any {
	return generateForm{
		Candidates: generated(a.Text, a.Finish.gemini()),
		Usage:      &generateUsage{a.PromptTokens, a.CompletionTokens, a.PromptTokens + a.CompletionTokens},
		Model:      a.Model, ID: nativeID("", a.ID), Gateway: annotation,
	}
}

type embeddingsForm struct {
	Object  string          `json:"object"`
	Data    []vectorForm    `json:"data"`
	Model   string          `json:"model"`
	Usage   embeddingsSpent `json:"usage"`
	Gateway json.RawMessage `json:"gateway,omitzero"`
}

type embeddingsSpent struct {
	Prompt int `json:"prompt_tokens"`
	Total  int `json:"total_tokens"`
}

type vectorForm struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

func embeddingsAnswer(a Answer, annotation json.RawMessage) any {
	data := make([]vectorForm, 0, len(a.Vectors))
	for i, v := range a.Vectors {
		form := vectorForm{Object: "embedding", Index: i, Embedding: v}
		if a.Base64 {
			form.Embedding = packed(v)
		}
		data = append(data, form)
	}
	return embeddingsForm{
		Object: "list", Data: data, Model: a.Model, Usage: embeddingsSpent{a.PromptTokens, a.PromptTokens}, Gateway: annotation,
	}
}

// packed is a vector as OpenAI packs it: base64 of little-endian 32-bit floats.
func packed(vector []float64) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
