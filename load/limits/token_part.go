package limits

// TokenPart states which tokens of a call a limit counts.
type TokenPart string

// The parts. Some APIs limit the tokens of prompts and of responses separately.
const (
	AllTokens    TokenPart = ""
	InputTokens  TokenPart = "input"
	OutputTokens TokenPart = "output"
)

// TokenCount contains the numbers of tokens in a call's prompt and in its response.
type TokenCount struct{ Input, Output int }

// Of returns how many of the tokens belong to a part.
func (c TokenCount) Of(p TokenPart) int {
	switch p {
	case InputTokens:
		return c.Input
	case OutputTokens:
		return c.Output
	default:
		return c.Input + c.Output
	}
}

// unit names the tokens of a part: "tokens", "input tokens".
func (p TokenPart) unit() string {
	if p == AllTokens {
		return "tokens"
	}
	return string(p) + " tokens"
}
