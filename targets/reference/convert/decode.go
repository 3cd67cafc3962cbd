package convert

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// maxModel bounds a model's name in bytes; it ends up in paths, logs and stores.
const maxModel = 256

// Decode decodes the body of a call on a surface into the neutral form. The model comes from modelFromPath on the Gemini surfaces and from the body
// elsewhere. The body's stream field, where the dialect has one, decides between a surface and its streaming twin, regardless of which of the two was
// passed.
//
// It checks the type and range of every known field and ignores unknown fields. Every error is a [*Problem].
func Decode(surface dialect.Surface, modelFromPath string, body []byte) (Request, error) {
	d := &decoder{req: Request{Surface: surface}, snakeToo: surface.Dialect() == dialect.Gemini}
	tree, err := parse(body)
	if err != nil {
		return Request{}, &Problem{Code: CodeBadRequestBody, Message: err.Error()}
	}
	fields, ok := tree.(map[string]any)
	if !ok {
		return Request{}, &Problem{Code: CodeInvalidRequest, Message: "the body must be a JSON object"}
	}
	root := object{d: d, fields: fields}
	switch surface {
	case dialect.Chat, dialect.ChatStream:
		d.chat(root)
	case dialect.Completions:
		d.completion(root)
	case dialect.Responses, dialect.ResponsesStream:
		d.response(root)
	case dialect.Messages, dialect.MessagesStream:
		d.message(root)
	case dialect.GenerateContent, dialect.GenerateStream:
		d.generate(root, modelFromPath)
	case dialect.Embeddings:
		d.embed(root)
	default:
		d.native(surface, body)
	}
	if d.problem != nil {
		return Request{}, d.problem
	}
	return d.req, nil
}

// decoder gathers one request and the first problem found in it.
type decoder struct {
	req     Request
	problem *Problem
	// snakeToo accepts proto field names beside the JSON names.
	snakeToo bool
}

// refuse notes what is wrong with a field, if nothing was wrong before. A param of "" speaks of the body.
func (d *decoder) refuse(param, what string) {
	if d.problem == nil {
		message := what
		if param != "" {
			message = param + " " + what
		}
		d.problem = &Problem{Code: CodeInvalidRequest, Param: param, Message: message}
	}
}

func (d *decoder) model(o object) { d.setModel(o.requiredText("model")) }

func (d *decoder) setModel(name string) {
	if len(name) > maxModel {
		d.refuse("model", fmt.Sprintf("must have at most %d bytes", maxModel))
	}
	d.req.Model = name
}

// sampling reads the fields that all dialects share: the temperature up to the hottest, and the one they spell differently.
func (d *decoder) sampling(o object, topP string, hottest float64) {
	d.req.Temperature = o.number("temperature", 0, hottest)
	d.req.TopP = o.number(topP, 0, 1)
}

// stream reads the stream field and chooses between the surface's twins.
func (d *decoder) stream(o object, whole, streaming dialect.Surface) {
	d.req.Surface = whole
	if d.req.Stream = o.flag("stream"); d.req.Stream {
		d.req.Surface = streaming
	}
}

// system adds an instruction: to the system text while no turn has been said, else as a turn of its own, since its
// place then matters.
func (d *decoder) system(parts []Part) {
	if len(d.req.Turns) > 0 {
		d.req.Turns = append(d.req.Turns, Turn{Role: System, Parts: parts})
		return
	}
	for _, p := range parts {
		if p.Image != nil {
			d.add("system_image", p.Image.MediaType)
			continue
		}
		d.req.System = strings.TrimPrefix(d.req.System+"\n\n"+p.Text, "\n\n")
	}
}

// add keeps a need with what the caller wrote.
func (d *decoder) add(feature string, value any) {
	if slices.ContainsFunc(d.req.Needs, func(n Need) bool { return n.Feature == feature }) {
		return
	}
	raw, err := json.Marshal(value)
	if err != nil {
		// A tree that was parsed can be written again; were it not so, the request could not be passed on.
		d.refuse(feature, "cannot be read")
		return
	}
	d.req.Needs = append(d.req.Needs, Need{Feature: feature, Value: raw})
}

// needNumber keeps a number within low..high as a need, unless it asks for what is so anyway.
func (d *decoder) needNumber(o object, key, feature string, low, high, idle float64) {
	if f := o.number(key, low, high); f != nil && *f != idle {
		d.keep(o, key, feature)
	}
}

// needInteger keeps a whole number within low..high as a need, unless it is one of the idle ones.
func (d *decoder) needInteger(o object, key, feature string, low, high int, idle ...int) {
	if n := o.integer(key, low, high); n != nil && !slices.Contains(idle, *n) {
		d.keep(o, key, feature)
	}
}

func (d *decoder) needFlag(o object, key, feature string) {
	if o.flag(key) {
		d.keep(o, key, feature)
	}
}

// needText keeps a string as a need, unless it is empty or one of the idle words.
func (d *decoder) needText(o object, key, feature string, idle ...string) {
	if s, ok := o.text(key); ok && s != "" && !slices.Contains(idle, s) {
		d.keep(o, key, feature)
	}
}

// needList keeps an array that is not empty as a need, unless it equals idle.
func (d *decoder) needList(o object, key, feature string, idle ...any) {
	if list, ok := o.list(key); ok && len(list) > 0 && !reflect.DeepEqual(list, idle) {
		d.keep(o, key, feature)
	}
}

// needObject keeps an object as a need, unless it is empty or its type is one of the idle words.
func (d *decoder) needObject(o object, key, feature string, idle ...string) {
	inner, ok := o.object(key)
	if !ok || len(inner.fields) == 0 {
		return
	}
	if len(idle) > 0 {
		if kind, ok := inner.text("type"); ok && slices.Contains(idle, kind) {
			return
		}
	}
	d.keep(o, key, feature)
}

func (d *decoder) keep(o object, key, feature string) {
	if v, ok := o.get(key); ok {
		d.add(feature, v)
	}
}
