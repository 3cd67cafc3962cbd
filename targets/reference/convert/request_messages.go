package convert

import (
	"github.com/gatecert/gatecert/dialect"
)

// maxSequences bounds the stop sequences of a dialect that names no limit itself.
const maxSequences = 1024

// message reads a body of POST /v1/messages.
func (d *decoder) message(o object) {
	d.model(o)
	if o.has("system") {
		d.system(d.textParts(o, "system"))
	}
	for _, m := range o.objects("messages") {
		d.messageTurn(m)
	}
	o.need("max_tokens")
	d.req.MaxTokens = o.integer("max_tokens", 1, maxInteger)
	d.sampling(o, "top_p", 1)
	d.req.Stop = o.texts("stop_sequences", maxSequences)
	d.stream(o, dialect.Messages, dialect.MessagesStream)
	d.needInteger(o, "top_k", "top_k", 0, maxInteger)
	d.needList(o, "tools", "tools")
	d.needList(o, "mcp_servers", "tools")
	d.needObject(o, "thinking", "thinking", "disabled")
	d.needReference(o, "container")
	d.needObject(o, "output_config", "output_config")
}

func (d *decoder) messageTurn(m object) {
	if _, ok := m.need("role"); !ok {
		return
	}
	turn := Turn{Role: User}
	if m.choice("role", "user", "assistant") == "assistant" {
		turn.Role = Assistant
	}
	turn.Parts = d.content(m, "content", "blocks", d.block)
	if len(turn.Parts) > 0 { // else it was nothing but needs
		d.req.Turns = append(d.req.Turns, turn)
	}
}

func (d *decoder) block(b object) []Part {
	switch b.requiredText("type") {
	case "text":
		return d.textPart(b)
	case "image":
		b.need("source")
		if source, ok := b.object("source"); ok {
			return d.imageSource(source)
		}
	case "document", "search_result", "container_upload":
		d.add("file", b.fields)
	case "thinking", "redacted_thinking":
		d.add("thinking", b.fields)
	case "tool_use", "tool_result", "server_tool_use", "web_search_tool_result":
		d.add("tools", b.fields)
	case "":
	default:
		d.refuse(b.name("type"), "is not a known kind of content")
	}
	return nil
}

func (d *decoder) imageSource(source object) []Part {
	source.need("type")
	switch source.choice("type", "base64", "url", "file") {
	case "base64":
		return []Part{{Image: &Image{MediaType: source.requiredText("media_type"), Data: source.requiredText("data")}}}
	case "url":
		address := source.requiredText("url")
		d.webAddress(source.name("url"), address)
		return []Part{{Image: &Image{URL: address}}}
	case "file":
		d.add("file", source.fields)
	}
	return nil
}
