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

// TokensUsed returns the numbers of prompt and response tokens that a response states for its call. ok is false if the response does not state them
// in a readable form. TokensUsed reads complete responses, not streams.
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
