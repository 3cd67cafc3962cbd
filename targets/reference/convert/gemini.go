package convert

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// writeGemini writes the protocol of Gemini's generateContent and batchEmbedContents.
func writeGemini(w *writer, req Request, model string) string {
	// A path may hold a colon, but the last one parts the model from the method.
	at := "/v1beta/models/" + strings.ReplaceAll(url.PathEscape(model), ":", "%3A")
	if req.Surface == dialect.Embeddings {
		w.set(geminiEmbeddings(w, req, model), "requests")
		return at + ":batchEmbedContents"
	}
	if req.System != "" {
		w.set(members{"parts": []any{members{"text": req.System}}}, "systemInstruction")
	}
	var contents []any
	for _, turn := range w.conversation(req) {
		role := "user"
		switch turn.Role {
		case User: // as it stands
		case Assistant:
			role = "model"
		case System:
			w.refuse("a system message after the first turn")
		}
		contents = append(contents, members{"role": role, "parts": geminiParts(w, turn)})
	}
	if len(contents) == 0 {
		w.refuse("a conversation with no turns")
	}
	w.set(contents, "contents")
	setNumber(w, req.MaxTokens, "generationConfig.maxOutputTokens")
	setNumber(w, req.Temperature, "generationConfig.temperature")
	setNumber(w, req.TopP, "generationConfig.topP")
	w.setStop(req.Stop, maxGeminiStop, "generationConfig.stopSequences")
	if req.Stream {
		return at + ":streamGenerateContent?alt=sse"
	}
	return at + ":generateContent"
}

func geminiEmbeddings(w *writer, req Request, model string) []any {
	requests := make([]any, 0, len(req.Inputs))
	for _, in := range req.Inputs {
		if in.Tokens != nil {
			w.refuse("input given as token ids")
		}
		one := members{"model": "models/" + model, "content": members{"parts": []any{members{"text": in.Text}}}}
		if req.Dimensions != nil {
			one["outputDimensionality"] = *req.Dimensions
		}
		requests = append(requests, one)
	}
	return requests
}

func geminiParts(w *writer, turn Turn) []any {
	parts := make([]any, 0, len(turn.Parts))
	for _, p := range turn.Parts {
		switch {
		case p.Image == nil:
			parts = append(parts, members{"text": p.Text})
		case p.Image.Detail != "":
			w.refuse("an image's detail")
		case p.Image.URL == "":
			parts = append(parts, members{"inlineData": members{"mimeType": p.Image.MediaType, "data": p.Image.Data}})
		case p.Image.MediaType == "":
			w.refuse("an image URL without a media type")
		default:
			parts = append(parts, members{"fileData": members{"mimeType": p.Image.MediaType, "fileUri": p.Image.URL}})
		}
	}
	return parts
}

type geminiAnswer struct {
	ID         string                   `json:"responseId"`
	Model      string                   `json:"modelVersion"`
	Candidates field[[]geminiCandidate] `json:"candidates"`
	Feedback   struct {
		Blocked string `json:"blockReason"`
	} `json:"promptFeedback"`
	Usage struct {
		Prompt     count `json:"promptTokenCount"`
		Candidates count `json:"candidatesTokenCount"`
		Thoughts   count `json:"thoughtsTokenCount"`
	} `json:"usageMetadata"`
	Embeddings field[[]struct {
		Values []float64 `json:"values"`
	}] `json:"embeddings"`
	Error field[any] `json:"error"`
}

type geminiCandidate struct {
	Content struct {
		Parts []struct {
			Text    string `json:"text"`
			Thought bool   `json:"thought"`
		} `json:"parts"`
	} `json:"content"`
	Finish string `json:"finishReason"`
}

// text joins the parts that are said aloud.
func (c geminiCandidate) text() string {
	var b strings.Builder
	for _, p := range c.Content.Parts {
		if !p.Thought {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func (a geminiAnswer) candidate() (c geminiCandidate, ok bool) {
	if len(a.Candidates.value) == 0 {
		return c, false
	}
	return a.Candidates.value[0], true
}

// foreign reports whether nothing in it shows that it comes from Gemini. Gemini leaves out empty lists, so that an answer without
// candidates is recognised by its other members.
func (a geminiAnswer) foreign() bool {
	return !a.Candidates.present && a.Feedback.Blocked == "" && a.Model == "" && a.ID == "" && a.Usage.Prompt == 0
}

func readGemini(req Request, body []byte) (Answer, error) {
	var in geminiAnswer
	if err := json.Unmarshal(body, &in); err != nil {
		return Answer{}, notAnswer("the body is malformed or has the wrong shape")
	}
	if !in.Error.empty() {
		return Answer{}, errorInstead(body)
	}
	out := Answer{
		ID: in.ID, Model: in.Model, Base64: req.Base64,
		End: dialect.End{PromptTokens: int(in.Usage.Prompt), CompletionTokens: int(in.Usage.Candidates + in.Usage.Thoughts)},
	}
	if req.Surface == dialect.Embeddings {
		return geminiVectors(out, in, len(req.Inputs))
	}
	if in.foreign() {
		return Answer{}, notAnswer("the body has no candidates")
	}
	candidate, ok := in.candidate()
	if !ok && in.Feedback.Blocked == "" {
		return Answer{}, fmt.Errorf("%w: no candidates", ErrEmpty)
	}
	out.Text, out.Finish = candidate.text(), finishOf(dialect.Gemini, candidate.Finish)
	return out, verdict(out.Text, out.Finish, in.Feedback.Blocked != "")
}

func geminiVectors(out Answer, in geminiAnswer, want int) (Answer, error) {
	if !in.Embeddings.present {
		return Answer{}, notAnswer("the body has no embeddings")
	}
	if len(in.Embeddings.value) == 0 {
		return Answer{}, fmt.Errorf("%w: no embeddings", ErrEmpty)
	}
	for _, e := range in.Embeddings.value {
		out.Vectors = append(out.Vectors, e.Values)
	}
	_, err := checkVectors(out.Vectors, want)
	return out, err
}

// geminiListener reads GenerateContentResponse events. A finishReason completes the answer, and so does a
// blockReason. Usage is repeated with every event and grows.
type geminiListener struct{ streamState }

func (l *geminiListener) event(name string, data []byte) (string, error) {
	var in geminiAnswer
	if err := json.Unmarshal(data, &in); err != nil {
		return "", notAnswer("an event is malformed or has the wrong shape")
	}
	if name == "error" || !in.Error.empty() {
		return "", errorInstead(data)
	}
	if in.foreign() {
		return "", notAnswer("an event has no candidates")
	}
	l.PromptTokens = max(l.PromptTokens, int(in.Usage.Prompt))
	l.CompletionTokens = max(l.CompletionTokens, int(in.Usage.Candidates+in.Usage.Thoughts))
	if in.Feedback.Blocked != "" {
		l.finished, l.refused, l.Finish = true, true, dialect.FinishFilter
	}
	candidate, ok := in.candidate()
	if ok && candidate.Finish != "" {
		l.finished, l.Finish = true, finishOf(dialect.Gemini, candidate.Finish)
	}
	return candidate.text(), nil
}
