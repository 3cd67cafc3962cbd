package secondgateway

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// ask is a request, whatever its API format.
type ask struct {
	kind string
	// model is the name at the upstream, askedFor what the caller calls it.
	model, askedFor string
	turns           []turn
	// inputs are what embeddings are made of.
	inputs    []string
	maxTokens int
	stream    bool
	// images are the data of pictures in base64.
	images []string
	// special names a member that only some API formats can express, and the one that can.
	special, speaks string
}

// turn is one message of a conversation.
type turn struct{ role, text string }

// texts are all texts of a request in one.
func (a *ask) texts() string {
	var all strings.Builder
	for _, t := range a.turns {
		all.WriteString(t.text + "\n")
	}
	return all.String()
}

func (a *ask) promptTokens() int { return len(a.texts())/4 + 1 }

// countable refuses what the tokenizer cannot count: its own control words, and pictures that cannot be decoded.
func (a *ask) countable() *Failure {
	bad := strings.Contains(a.texts(), "<|endoftext|>")
	for _, image := range a.images {
		if _, err := base64.StdEncoding.DecodeString(image); err != nil {
			bad = true
		}
	}
	if bad {
		return fail(400, "count_token_failed", "The tokens of the input cannot be counted. Check the input and send it again.")
	}
	return nil
}

// expressible refuses what has no equivalent in the format of the channel.
func (a *ask) expressible(channelType string) *Failure {
	what := ""
	switch {
	case a.special != "" && a.speaks != channelType:
		what = "the parameter “" + a.special + "”"
	case len(a.images) > 0:
		what = "pictures"
	case a.kind == embeddings && channelType == anthropic:
		what = "embeddings"
	}
	if what == "" {
		return nil
	}
	return fail(400, "convert_request_failed", "The upstream of this model has no equivalent for "+what+".")
}

// path is where the upstream's format has the endpoint.
func (a *ask) path(format string) string {
	switch {
	case a.kind == embeddings:
		return "/v1/embeddings"
	case format == anthropic:
		return "/v1/messages"
	default:
		return "/v1/chat/completions"
	}
}

// body is the request in the upstream's format.
func (a *ask) body(format string) []byte {
	if a.kind == embeddings {
		raw, _ := json.Marshal(map[string]any{"model": a.model, "input": a.inputs})
		return raw
	}
	turns, system := []map[string]string{}, ""
	for _, t := range a.turns {
		role := map[string]string{"model": "assistant", "": "user"}[t.role]
		if role == "" {
			role = t.role
		}
		if role == "system" && format == anthropic {
			system += t.text
			continue
		}
		turns = append(turns, map[string]string{"role": role, "content": t.text})
	}
	body := map[string]any{"model": a.model, "messages": turns, "max_tokens": a.maxTokens, "stream": a.stream}
	if system != "" {
		body["system"] = system
	}
	raw, _ := json.Marshal(body)
	return raw
}
