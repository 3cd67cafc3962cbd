package convert

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// completion reads a body of POST /v1/completions.
func (d *decoder) completion(o object) {
	d.model(o)
	d.req.Inputs = d.inputs(o, "prompt")
	d.req.MaxTokens = o.integer("max_tokens", 1, maxInteger)
	d.sampling(o, "top_p", 2)
	d.req.Stop = d.stop(o)
	if o.flag("stream") {
		d.refuse("stream", "is not supported on this endpoint")
	}
	d.needInteger(o, "n", "n", 1, 128, 1)
	d.needInteger(o, "best_of", "best_of", 1, 20, 1)
	d.penalties(o, "presence_penalty", "frequency_penalty")
	d.needInteger(o, "seed", "seed", -maxSeed, maxSeed)
	d.needObject(o, "logit_bias", "logit_bias")
	d.needInteger(o, "logprobs", "logprobs", 0, 5)
	d.needFlag(o, "echo", "echo")
	d.needText(o, "suffix", "suffix")
}

// embed reads a body of POST /v1/embeddings.
func (d *decoder) embed(o object) {
	d.model(o)
	d.req.Inputs = d.inputs(o, "input")
	d.req.Dimensions = o.integer("dimensions", 1, 1<<16)
	d.req.Base64 = o.choice("encoding_format", "float", "base64") == "base64"
}

// maxInputs is how many texts OpenAI embeds in one call.
const maxInputs = 2048

// inputs reads what OpenAI calls prompt or input: a string, an array of strings, token ids, or an array of those.
func (d *decoder) inputs(o object, key string) []Input {
	v, ok := o.need(key)
	if !ok {
		return nil
	}
	if _, plain := v.(string); plain {
		return []Input{{Text: o.requiredText(key)}}
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		d.refuse(o.name(key), "must be a non-empty string or array")
		return nil
	}
	if _, ids := list[0].(json.Number); ids {
		return []Input{{Tokens: d.tokens(o.name(key), list)}}
	}
	if len(list) > maxInputs {
		d.refuse(o.name(key), fmt.Sprintf("must have at most %d elements", maxInputs))
		return nil
	}
	if _, nested := list[0].([]any); !nested {
		inputs := make([]Input, 0, len(list))
		for _, s := range o.texts(key, maxInputs) {
			inputs = append(inputs, Input{Text: s})
		}
		return inputs
	}
	inputs := make([]Input, 0, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", o.name(key), i)
		ids, ok := v.([]any)
		if !ok || len(ids) == 0 {
			d.refuse(at, "must be a non-empty array of token ids")
			return nil
		}
		inputs = append(inputs, Input{Tokens: d.tokens(at, ids)})
	}
	return inputs
}

// tokens reads token ids. Whether a vocabulary holds them is not known here.
func (d *decoder) tokens(at string, list []any) []int {
	ids := make([]int, 0, len(list))
	for i, v := range list {
		number, ok := v.(json.Number)
		id, err := strconv.Atoi(number.String())
		if !ok || err != nil || id < 0 || id > maxInteger {
			d.refuse(fmt.Sprintf("%s[%d]", at, i), "must be a token id")
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}
