package convert

import "encoding/json"

// responseForm is the response object of POST /v1/responses, whole or as the events of a stream carry it.
type responseForm struct {
	ID         string          `json:"id"`
	Object     string          `json:"object"`
	CreatedAt  int64           `json:"created_at"`
	Status     string          `json:"status"`
	Error      *string         `json:"error"`
	Incomplete *incomplete     `json:"incomplete_details"`
	Model      string          `json:"model"`
	Output     []outputItem    `json:"output"`
	Usage      *responseUsage  `json:"usage"`
	Gateway    json.RawMessage `json:"gateway,omitzero"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type outputItem struct {
	ID      string       `json:"id"`
	Type    string       `json:"type"`
	Status  string       `json:"status"`
	Role    string       `json:"role"`
	Content []outputText `json:"content"`
}

type outputText struct {
	Type        string   `json:"type"`
	Text        string   `json:"text"`
	Annotations []string `json:"annotations"`
}

type responseUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
	Total  int `json:"total_tokens"`
}

// responseBegun is the object while nothing has been said.
func responseBegun(a Answer, annotation json.RawMessage) responseForm {
	return responseForm{
		ID: nativeID("resp_", a.ID), Object: "response", CreatedAt: a.Created, Status: "in_progress", Model: a.Model,
		Output: []outputItem{}, Gateway: annotation,
	}
}

// responseAnswer is the object when all has been said. What the limit or the policy cut short is incomplete.
func responseAnswer(a Answer, annotation json.RawMessage) responseForm {
	form := responseBegun(a, annotation)
	form.Status = "completed"
	switch a.Finish {
	case FinishLength:
		form.Status, form.Incomplete = "incomplete", &incomplete{"max_output_tokens"}
	case FinishFilter:
		form.Status, form.Incomplete = "incomplete", &incomplete{"content_filter"}
	default: // it was done
	}
	item := messageItem(a, form.Status)
	item.Content = append(item.Content, saidText(a.Text))
	form.Output = append(form.Output, item)
	form.Usage = &responseUsage{a.PromptTokens, a.CompletionTokens, a.PromptTokens + a.CompletionTokens}
	return form
}

// messageItem is the output's only item, without its content.
func messageItem(a Answer, status string) outputItem {
	return outputItem{
		ID: nativeID("msg_", a.ID), Type: "message", Status: status, Role: "assistant", Content: []outputText{},
	}
}

func saidText(text string) outputText {
	return outputText{Type: "output_text", Text: text, Annotations: []string{}}
}
