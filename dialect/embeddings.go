package dialect

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// Embeddings is OpenAI's embeddings endpoint.
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

func (embeddings) Body(a Answer) any {
	data := List{}
	for i, v := range a.vectors(inputs(a.Request["input"])) {
		var embedding any = v
		if a.Request["encoding_format"] == "base64" {
			embedding = packed(v)
		}
		data = append(data, Object{"object": "embedding", "index": i, "embedding": embedding})
	}
	return a.extended(Object{
		"object": "list", "data": data, "model": a.Model,
		"usage": Object{"prompt_tokens": a.PromptTokens, "total_tokens": a.PromptTokens},
	})
}

// inputs counts the texts of a valid input: an array of token numbers is one.
func inputs(input any) int {
	elements, ok := input.(List)
	if !ok || isTokens(input) {
		return 1
	}
	return len(elements)
}

// vectors returns those of the answer; where it has pieces and no vectors, they are made up for n inputs, of length 1 as
// embeddings are.
func (a Answer) vectors(n int) [][]float64 {
	if a.Vectors != nil || len(a.Pieces) == 0 {
		return a.Vectors
	}
	made := make([][]float64, n)
	for i := range made {
		made[i] = make([]float64, 8)
		made[i][i%8] = 1
	}
	return made
}

// packed is a vector as OpenAI's clients ask for it by default: base64 of little-endian float32.
func packed(v []float64) string {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// embed is Gemini's embedContent.
type embed struct{ gemini }

// Refusal returns an error, because a vector cannot express a refusal.
func (embed) Refusal() *Problem {
	return &Problem{Status: statusBadRequest, Message: "The content was blocked for SAFETY."}
}

func (embed) Texts(doc Object) []string { return textsIn(doc["content"]) }

func (embed) Check(doc Object) *Problem {
	return firstProblem(doc, required("content"), optional("content", "a content object with parts", hasParts))
}

func (embed) Body(a Answer) any {
	values := []float64{}
	for _, v := range a.vectors(1) {
		values = v
	}
	return Object{"embedding": Object{"values": values}}
}

// batchEmbed is Gemini's batchEmbedContents.
type batchEmbed struct{ embed }

func (batchEmbed) Texts(doc Object) []string { return textsIn(doc["requests"]) }

func (b batchEmbed) Check(doc Object) *Problem {
	return firstProblem(doc, required("requests"), each("requests", "requests with content", func(v any) bool {
		request, ok := v.(Object)
		return ok && b.embed.Check(request) == nil
	}))
}

func (batchEmbed) Body(a Answer) any {
	embeddings := List{}
	requests, _ := a.Request["requests"].(List)
	for _, v := range a.vectors(len(requests)) {
		embeddings = append(embeddings, Object{"values": v})
	}
	return Object{"embeddings": embeddings}
}
