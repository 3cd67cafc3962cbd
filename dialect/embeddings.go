package dialect

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// Embeddings is OpenAI's embeddings.
const Embeddings Surface = "embeddings"

var embeddingsEndpoint = Endpoint{
	Surface: Embeddings, Dialect: OpenAI, Label: "embd",
	Path: "/v1/embeddings", UnknownPath: "/v1/embeddings/no-such-path",
	Input: "input", Answers: "data",
	body:      func(a Ask) Object { return Object{"input": a.Prompt} },
	operation: embeddings{},
}

// embeddings is OpenAI's embeddings.
type embeddings struct{ openAI }

func (embeddings) Texts(doc Object) []string { return textsIn(doc["input"]) }

func (embeddings) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("input"), optional("input", "a string or a non-empty array of strings or tokens", isInput),
		optional("encoding_format", "float or base64", func(v any) bool { return v == "float" || v == "base64" }),
		atLeastOne("dimensions"),
	)
}

func (embeddings) Body(c Answer) any {
	data := List{}
	if c.Outcome == Complete {
		for i := range inputs(c.Request["input"]) {
			var embedding any = vector(i)
			if c.Request["encoding_format"] == "base64" {
				embedding = packed(vector(i))
			}
			data = append(data, Object{"object": "embedding", "index": i, "embedding": embedding})
		}
	}
	return Object{
		"object": "list", "data": data, "model": c.Model,
		"usage": Object{"prompt_tokens": c.PromptTokens, "total_tokens": c.PromptTokens},
	}
}

// inputs counts the texts of a valid input: an array of token numbers is one.
func inputs(input any) int {
	elements, ok := input.(List)
	if !ok || isTokens(input) {
		return 1
	}
	return len(elements)
}

// vector is the embedding of the i-th input, of length 1 as embeddings are.
func vector(i int) []float32 {
	v := make([]float32, 8)
	v[i%len(v)] = 1
	return v
}

// packed is a vector as OpenAI's clients ask for it by default: base64 of little-endian float32.
func packed(v []float32) string {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
