package convert

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// ErrUnconvertible is returned if a request is valid in the caller's dialect but cannot be expressed in the upstream's. The wrapping error names the
// feature in words that may be shown to the caller.
var ErrUnconvertible = errors.New("the request cannot be converted")

// Outbound is a request to an upstream, without the upstream's address and credential.
type Outbound struct {
	// Path is relative to the upstream's root. It begins with a slash and may contain a query.
	Path   string
	Header http.Header
	Body   []byte
}

// Encode encodes a request in an upstream's protocol. model is the name under which the upstream knows the model. For OpenAI upstreams, every
// conversation is sent to /v1/chat/completions, the endpoint that all of them offer.
//
// The error wraps [ErrUnconvertible].
func Encode(p dialect.Dialect, req Request, model string) (Outbound, error) {
	pr, ok := codecs[p]
	if !ok {
		return Outbound{}, fmt.Errorf("%w: no such protocol", ErrUnconvertible)
	}
	if req.Native != nil {
		return encodeNative(p, req, model)
	}
	w := &writer{protocol: p}
	for _, need := range req.Needs {
		if path, ok := pr.places[need.Feature]; ok {
			w.set(need.Value, path)
		} else {
			w.refuse(need.Feature)
		}
	}
	path := pr.write(w, req, model)
	if w.err != nil {
		return Outbound{}, w.err
	}
	body, err := json.Marshal(w.body)
	if err != nil {
		return Outbound{}, fmt.Errorf("%w: %w", ErrUnconvertible, err)
	}
	return Outbound{Path: path, Header: headerOf(p, req), Body: body}, nil
}

func headerOf(p dialect.Dialect, req Request) http.Header {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	if name, version := p.Version(); name != "" {
		header.Set(name, version)
	}
	if req.Stream {
		header.Set("Accept", "text/event-stream")
	}
	return header
}

type codec struct {
	// places say where in a body a need goes, as a dotted path. What is missing cannot be expressed.
	places map[string]string
	// write fills in the body and returns the path to send it to.
	write func(w *writer, req Request, model string) (path string)
	// answer reads a whole answer to a conversation, or to an embeddings call.
	answer func(req Request, body []byte) (Answer, error)
	// listen returns a reader for the events of one stream.
	listen func() listener
}

var codecs = map[dialect.Dialect]codec{
	dialect.OpenAI: {
		places: map[string]string{
			"logit_bias": "logit_bias", "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty", "seed": "seed",
			"response_format": "response_format", "reasoning_effort": "reasoning_effort", "verbosity": "verbosity",
		},
		write: writeOpenAI, answer: readOpenAI, listen: func() listener { return &openAIListener{} },
	},
	dialect.Anthropic: {
		places: map[string]string{"top_k": "top_k"},
		write:  writeAnthropic, answer: readAnthropic, listen: func() listener { return &anthropicListener{} },
	},
	dialect.Gemini: {
		places: map[string]string{
			"top_k": "generationConfig.topK", "seed": "generationConfig.seed",
			"presence_penalty": "generationConfig.presencePenalty", "frequency_penalty": "generationConfig.frequencyPenalty",
			"response_mime_type": "generationConfig.responseMimeType", "response_schema": "generationConfig.responseSchema",
			"response_json_schema": "generationConfig.responseJsonSchema",
			"safety_settings":      "safetySettings", "cached_content": "cachedContent",
		},
		write: writeGemini, answer: readGemini, listen: func() listener { return &geminiListener{} },
	},
}

// finishes are the protocols' words for the ends that clients learn of. All others end an answer like any other.
var finishes = map[dialect.Dialect]map[string]dialect.Finish{
	dialect.OpenAI: {"length": dialect.FinishLength, "content_filter": dialect.FinishFilter},
	dialect.Anthropic: {
		"max_tokens": dialect.FinishLength, "model_context_window_exceeded": dialect.FinishLength, "refusal": dialect.FinishFilter,
	},
	dialect.Gemini: {
		"MAX_TOKENS": dialect.FinishLength, "SAFETY": dialect.FinishFilter, "RECITATION": dialect.FinishFilter, "BLOCKLIST": dialect.FinishFilter,
		"PROHIBITED_CONTENT": dialect.FinishFilter, "SPII": dialect.FinishFilter, "IMAGE_SAFETY": dialect.FinishFilter,
	},
}

func finishOf(p dialect.Dialect, reason string) dialect.Finish {
	return cmp.Or(finishes[p][reason], dialect.FinishStop)
}

// members is a JSON object in the making.
type members map[string]any

// writer gathers the body of one outbound request and the first thing that cannot be expressed in it.
type writer struct {
	protocol dialect.Dialect
	body     members
	err      error
}

func (w *writer) refuse(what string) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s cannot be expressed in the %s protocol", ErrUnconvertible, what, w.protocol)
	}
}

// set puts a value at a dotted path of names, making the objects on the way.
func (w *writer) set(value any, path string) {
	if w.body == nil {
		w.body = members{}
	}
	at := w.body
	for {
		name, rest, nested := strings.Cut(path, ".")
		if !nested {
			at[name] = value
			return
		}
		inner, ok := at[name].(members)
		if !ok {
			inner = members{}
			at[name] = inner
		}
		at, path = inner, rest
	}
}

func setNumber[T int | float64](w *writer, n *T, path string) {
	if n != nil {
		w.set(*n, path)
	}
}

// setStop puts the stop sequences, if the protocol takes so many.
func (w *writer) setStop(stop []string, limit int, path string) {
	if len(stop) > limit {
		w.refuse(fmt.Sprintf("more than %d stop sequences", limit))
	}
	if len(stop) > 0 {
		w.set(stop, path)
	}
}

// conversation returns the turns of a text request. A completion's prompt is one user turn.
func (w *writer) conversation(req Request) []Turn {
	if len(req.Inputs) == 0 {
		return req.Turns
	}
	if len(req.Inputs) > 1 {
		w.refuse("more than one prompt")
	}
	if req.Inputs[0].Tokens != nil {
		w.refuse("a prompt given as token ids")
	}
	return []Turn{{Role: User, Parts: []Part{{Text: req.Inputs[0].Text}}}}
}

// contentOf writes the parts of a turn: a single text as itself, else a list of texts and of what image makes.
func contentOf(w *writer, turn Turn, image func(Image) members) any {
	if len(turn.Parts) == 1 && turn.Parts[0].Image == nil {
		return turn.Parts[0].Text
	}
	parts := make([]any, 0, len(turn.Parts))
	for _, p := range turn.Parts {
		if p.Image == nil {
			parts = append(parts, members{"type": "text", "text": p.Text})
			continue
		}
		if turn.Role != User {
			w.refuse("an image in a turn that is not from the user")
		}
		parts = append(parts, image(*p.Image))
		if p.Image.URL != "" && !isWebAddress(p.Image.URL) {
			w.refuse("an image whose URL is not an http or https URL")
		}
	}
	return parts
}

func isWebAddress(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}
