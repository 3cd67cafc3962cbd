package convert

import (
	"github.com/gatecert/gatecert/dialect"
)

// response reads a body of POST /v1/responses.
func (d *decoder) response(o object) {
	d.model(o)
	if instructions, ok := o.text("instructions"); ok && instructions != "" {
		d.system([]Part{{Text: instructions}})
	}
	d.responseInput(o)
	d.req.MaxTokens = o.integer("max_output_tokens", 1, maxInteger)
	d.sampling(o, "top_p", 2)
	d.stream(o, dialect.Responses, dialect.ResponsesStream)
	d.needText(o, "previous_response_id", "previous_response_id")
	d.needList(o, "tools", "tools")
	d.needFlag(o, "background", "background")
	d.needInteger(o, "top_logprobs", "logprobs", 0, 20, 0)
	d.needText(o, "truncation", "truncation", "disabled")
	d.needList(o, "include", "include")
	d.needObject(o, "prompt", "prompt_template")
	d.needReference(o, "conversation")
	if text, ok := o.object("text"); ok {
		d.needObject(text, "format", "text_format", "text")
		d.needText(text, "verbosity", "verbosity")
	}
	if reasoning, ok := o.object("reasoning"); ok {
		d.needText(reasoning, "effort", "reasoning_effort")
		d.needText(reasoning, "summary", "reasoning_summary")
	}
}

// needReference keeps a field that is an id or an object with one.
func (d *decoder) needReference(o object, key string) {
	switch v, _ := o.get(key); v.(type) {
	case nil:
	case string, map[string]any:
		d.keep(o, key, key)
	default:
		d.refuse(o.name(key), "must be a string or an object")
	}
}

// responseInput reads the input: a text, or an array of items.
func (d *decoder) responseInput(o object) {
	v, ok := o.need("input")
	if !ok {
		return
	}
	if _, items := v.([]any); items {
		for _, item := range o.objects("input") {
			d.responseItem(item)
		}
		return
	}
	s, ok := read[string](o, "input", "a string or an array of items")
	if ok && s == "" {
		d.refuse("input", "must not be empty")
	}
	d.req.Turns = append(d.req.Turns, Turn{Role: User, Parts: []Part{{Text: s}}})
}

// responseItem reads an item. One without a type is a message, which is how people write them by hand.
func (d *decoder) responseItem(item object) {
	kind, typed := item.text("type")
	switch {
	case !typed || kind == "message":
	case kind == "item_reference":
		d.add("item_reference", item.fields)
		return
	case kind == "reasoning":
		d.add("reasoning_item", item.fields)
		return
	default:
		// Every other item is a tool's call or its output, and more kinds of them appear every year.
		d.add("tools", item.fields)
		return
	}
	if _, ok := item.need("role"); !ok {
		return
	}
	switch role := item.choice("role", "system", "developer", "user", "assistant"); role {
	case "system", "developer":
		d.system(d.textParts(item, "content"))
	case "user":
		d.req.Turns = append(d.req.Turns, Turn{Role: User, Parts: d.responseContent(item)})
	case "assistant":
		d.req.Turns = append(d.req.Turns, Turn{Role: Assistant, Parts: d.responseContent(item)})
	}
}

func (d *decoder) responseContent(item object) []Part {
	return d.content(item, "content", "parts", func(p object) []Part {
		switch kind := p.requiredText("type"); kind {
		case "input_text", "output_text", "text":
			return d.textPart(p)
		case "refusal":
			return d.refusalPart(p)
		case "input_image":
			if !p.has("file_id") {
				return d.openAIImage(p, "image_url")
			}
			d.add("file", p.fields)
		case "input_file":
			d.add("file", p.fields)
		case "input_audio":
			d.add(kind, p.fields)
		case "":
		default:
			d.refuse(p.name("type"), "is not a known kind of content")
		}
		return nil
	})
}
