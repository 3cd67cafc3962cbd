package convert

import (
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// maxSeed is the largest whole number that survives a reader which takes every number for a double.
const maxSeed = 1 << 53

// maxStop is how many stop sequences OpenAI takes.
const maxStop = 4

// chat reads a body of POST /v1/chat/completions.
func (d *decoder) chat(o object) {
	d.model(o)
	for _, m := range o.objects("messages") {
		d.chatMessage(m)
	}
	d.req.MaxTokens = o.integer("max_completion_tokens", 1, maxInteger)
	if old := o.integer("max_tokens", 1, maxInteger); old != nil {
		if d.req.MaxTokens != nil {
			d.refuse("max_tokens", "cannot be combined with max_completion_tokens")
		}
		d.req.MaxTokens = old
	}
	d.sampling(o, "top_p", 2)
	d.req.Stop = d.stop(o)
	d.stream(o, dialect.Chat, dialect.ChatStream)
	if options, ok := o.object("stream_options"); ok {
		d.req.IncludeUsage = options.flag("include_usage")
	}
	d.needInteger(o, "n", "n", 1, 128, 1)
	d.penalties(o, "presence_penalty", "frequency_penalty")
	d.needInteger(o, "seed", "seed", -maxSeed, maxSeed)
	d.needObject(o, "logit_bias", "logit_bias")
	d.needFlag(o, "logprobs", "logprobs")
	d.needInteger(o, "top_logprobs", "logprobs", 0, 20, 0)
	d.needObject(o, "response_format", "response_format", "text")
	d.needText(o, "reasoning_effort", "reasoning_effort")
	d.needText(o, "verbosity", "verbosity")
	d.needList(o, "tools", "tools")
	d.needList(o, "functions", "tools")
	d.needList(o, "modalities", "modalities", "text")
	d.needObject(o, "audio", "modalities")
	d.needObject(o, "web_search_options", "web_search")
}

// penalties reads the two penalties, which OpenAI and Gemini share under two spellings.
func (d *decoder) penalties(o object, presence, frequency string) {
	d.needNumber(o, presence, "presence_penalty", -2, 2, 0)
	d.needNumber(o, frequency, "frequency_penalty", -2, 2, 0)
}

// stop reads OpenAI's stop, a string or an array of them.
func (d *decoder) stop(o object) []string {
	v, ok := o.get("stop")
	if !ok {
		return nil
	}
	switch v := v.(type) {
	case string:
		if v == "" {
			d.refuse("stop", "must not be empty")
		}
		return []string{v}
	case []any:
		return o.texts("stop", maxStop)
	default:
		d.refuse("stop", "must be a string or an array of strings")
		return nil
	}
}

func (d *decoder) chatMessage(m object) {
	if _, ok := m.need("role"); !ok {
		return
	}
	switch role := m.choice("role", "system", "developer", "user", "assistant", "tool", "function"); role {
	case "system", "developer":
		d.system(d.textParts(m, "content"))
	case "user":
		d.req.Turns = append(d.req.Turns, Turn{Role: User, Parts: d.chatContent(m)})
	case "assistant":
		d.assistantMessage(m)
	case "tool", "function":
		d.add("tools", m.fields)
	}
}

// assistantMessage reads an assistant's turn, which may consist of nothing but calls, or of a refusal.
func (d *decoder) assistantMessage(m object) {
	d.needList(m, "tool_calls", "tools")
	d.needObject(m, "function_call", "tools")
	d.needObject(m, "audio", "modalities")
	if _, spoken := m.get("content"); !spoken {
		if refusal, ok := m.text("refusal"); ok {
			d.req.Turns = append(d.req.Turns, Turn{Role: Assistant, Parts: []Part{{Text: refusal}}})
			return
		}
		if m.has("tool_calls") || m.has("function_call") || m.has("audio") {
			return
		}
	}
	d.req.Turns = append(d.req.Turns, Turn{Role: Assistant, Parts: d.chatContent(m)})
}

// content reads content that must be there: a string, or an array whose members part reads. what names them for people.
func (d *decoder) content(m object, key, what string, part func(object) []Part) (parts []Part) {
	v, ok := m.need(key)
	if !ok {
		return nil
	}
	if _, plain := v.([]any); !plain {
		s, _ := read[string](m, key, "a string or an array of "+what)
		return []Part{{Text: s}}
	}
	for _, p := range m.objects(key) {
		parts = append(parts, part(p)...)
	}
	return parts
}

// textParts reads content that is a string or an array of text parts.
func (d *decoder) textParts(m object, key string) []Part {
	return d.content(m, key, "parts", func(p object) []Part {
		if kind := p.requiredText("type"); kind != "text" && kind != "input_text" {
			d.refuse(p.name("type"), "must be text: "+m.name(key)+" can contain only text")
		}
		return d.textPart(p)
	})
}

// textPart reads a text part, whose text must be there and may be empty.
func (d *decoder) textPart(p object) []Part {
	p.need("text")
	s, _ := p.text("text")
	return []Part{{Text: s}}
}

func (d *decoder) refusalPart(p object) []Part {
	refusal, _ := p.text("refusal")
	return []Part{{Text: refusal}}
}

func (d *decoder) chatContent(m object) []Part {
	return d.content(m, "content", "parts", func(p object) []Part {
		switch kind := p.requiredText("type"); kind {
		case "text":
			return d.textPart(p)
		case "image_url":
			p.need("image_url")
			if image, ok := p.object("image_url"); ok {
				return d.openAIImage(image, "url")
			}
		case "input_audio", "file":
			d.add(kind, p.fields)
		case "refusal":
			return d.refusalPart(p)
		case "":
		default:
			d.refuse(p.name("type"), "is not a known kind of content")
		}
		return nil
	})
}

// openAIImage reads an image as OpenAI writes it: an address, which may be a data: URL, and a detail.
func (d *decoder) openAIImage(o object, key string) []Part {
	image := &Image{}
	if detail := o.choice("detail", "auto", "low", "high"); detail != "auto" {
		image.Detail = detail
	}
	address := o.requiredText(key)
	if inline, ok := strings.CutPrefix(address, "data:"); ok {
		head, data, found := strings.Cut(inline, ",")
		mediaType, encoded := strings.CutSuffix(head, ";base64")
		if !found || !encoded || mediaType == "" {
			d.refuse(o.name(key), "must be a base64 data URL with a media type")
		}
		image.MediaType, image.Data = mediaType, data
		return []Part{{Image: image}}
	}
	d.webAddress(o.name(key), address)
	image.URL = address
	return []Part{{Image: image}}
}

func (d *decoder) webAddress(param, address string) {
	if !isWebAddress(address) {
		d.refuse(param, "must be an http, https or data URL")
	}
}
