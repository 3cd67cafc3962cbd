package convert

import (
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// maxGeminiStop is how many stop sequences Gemini takes.
const maxGeminiStop = 5

// generate reads a body of POST /v1beta/models/{model}:generateContent or :streamGenerateContent.
func (d *decoder) generate(o object, model string) {
	if model == "" {
		d.refuse("model", "is required")
	}
	d.setModel(model)
	d.req.Stream = d.req.Surface == dialect.GenerateStream
	if system, ok := o.object("systemInstruction"); ok {
		d.system(d.geminiParts(system))
	}
	for _, c := range o.objects("contents") {
		turn := Turn{Role: User}
		if c.choice("role", "user", "model") == "model" {
			turn.Role = Assistant
		}
		if turn.Parts = d.geminiParts(c); len(turn.Parts) > 0 { // else it was nothing but needs
			d.req.Turns = append(d.req.Turns, turn)
		}
	}
	if config, ok := o.object("generationConfig"); ok {
		d.generationConfig(config)
	}
	d.needList(o, "safetySettings", "safety_settings")
	d.needList(o, "tools", "tools")
	d.needText(o, "cachedContent", "cached_content")
}

func (d *decoder) generationConfig(o object) {
	d.req.MaxTokens = o.integer("maxOutputTokens", 1, maxInteger)
	d.sampling(o, "topP", 2)
	d.req.Stop = o.texts("stopSequences", maxGeminiStop)
	d.needInteger(o, "topK", "top_k", 0, maxInteger)
	d.needInteger(o, "candidateCount", "n", 1, 8, 1)
	d.penalties(o, "presencePenalty", "frequencyPenalty")
	d.needInteger(o, "seed", "seed", -maxInteger-1, maxInteger)
	d.needFlag(o, "responseLogprobs", "logprobs")
	d.needText(o, "responseMimeType", "response_mime_type", "text/plain")
	d.needObject(o, "responseSchema", "response_schema")
	d.needObject(o, "responseJsonSchema", "response_json_schema")
	d.needObject(o, "thinkingConfig", "thinking")
	d.needList(o, "responseModalities", "modalities", "TEXT")
	d.needObject(o, "speechConfig", "modalities")
}

func (d *decoder) geminiParts(o object) []Part {
	var parts []Part
	for _, p := range o.objects("parts") {
		switch {
		case p.has("functionCall"), p.has("functionResponse"), p.has("executableCode"), p.has("codeExecutionResult"):
			d.add("tools", p.fields)
		case p.has("inlineData"):
			if data, ok := p.object("inlineData"); ok {
				parts = append(parts, d.geminiMedia(p, data, "data")...)
			}
		case p.has("fileData"):
			if data, ok := p.object("fileData"); ok {
				parts = append(parts, d.geminiMedia(p, data, "fileUri")...)
			}
		case p.flag("thought"):
			d.add("thinking", p.fields)
		default:
			parts = append(parts, d.textPart(p)...)
		}
	}
	return parts
}

// geminiMedia reads inline or stored media. The neutral form has images only.
func (d *decoder) geminiMedia(part, media object, key string) []Part {
	mediaType, content := media.requiredText("mimeType"), media.requiredText(key)
	if !strings.HasPrefix(mediaType, "image/") {
		d.add("file", part.fields)
		return nil
	}
	if key == "data" {
		return []Part{{Image: &Image{MediaType: mediaType, Data: content}}}
	}
	return []Part{{Image: &Image{MediaType: mediaType, URL: content}}}
}
