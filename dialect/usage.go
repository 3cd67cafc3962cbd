package dialect

import "encoding/json"

// usage is what the API formats call the tokens of a call.
type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	InputTokens      int `json:"input_tokens"`
	OutputTokens     int `json:"output_tokens"`
}

type geminiUsed struct {
	PromptTokenCount     int `json:"promptTokenCount"`
	CandidatesTokenCount int `json:"candidatesTokenCount"`
}

// TokensUsed is how many tokens an answer says that its call took: those of the prompt, and those of the answer. ok is false where it says nothing
// that can be read. It reads whole answers, not streams.
func TokensUsed(body []byte) (input, output int, ok bool) {
	var answer struct {
		Usage         usage      `json:"usage"`
		UsageMetadata geminiUsed `json:"usageMetadata"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return 0, 0, false
	}
	u, g := answer.Usage, answer.UsageMetadata
	for _, part := range []int{u.PromptTokens, u.CompletionTokens, u.InputTokens, u.OutputTokens, g.PromptTokenCount, g.CandidatesTokenCount} {
		if part < 0 || part > maxTokens {
			return 0, 0, false
		}
	}
	input, output = u.PromptTokens+u.InputTokens+g.PromptTokenCount, u.CompletionTokens+u.OutputTokens+g.CandidatesTokenCount
	return input, output, input+output > 0
}

// maxTokens is more than any call takes.
const maxTokens = 1 << 30
