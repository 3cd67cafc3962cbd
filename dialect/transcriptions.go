package dialect

import (
	"encoding/binary"
	"strconv"
)

// Transcriptions is OpenAI's speech transcription endpoint. Its requests are multipart forms.
const Transcriptions Surface = "transcriptions"

var transcriptionsEndpoint = Endpoint{
	Surface: Transcriptions, Dialect: OpenAI, Label: "trns",
	Path: "/v1/audio/transcriptions", UnknownPath: "/v1/audio/no-such-path",
	Input: "file", Answers: "text", Holds: ShapeText, Form: true,
	body: func(a Ask) Object {
		return Object{"prompt": a.Prompt, "file": NewFile("speech.wav", "audio/wav", wav(silence))}
	},
	operation: transcriptions{},
}

// transcriptions is OpenAI's transcription as the upstream serves it.
type transcriptions struct{ openAI }

// Texts returns the strings of the prompt, which tells a model the topic of the speech.
func (transcriptions) Texts(doc Object) []string { return textsIn(doc["prompt"]) }

func (transcriptions) Check(doc Object) *Problem {
	return firstProblem(doc,
		required("file"), optional("file", "a file", isFile),
		namesModel(),
		optional("response_format", "json or verbose_json", func(v any) bool { return v == "json" || v == "verbose_json" }),
		optional("temperature", "a number from 0 to 1", func(v any) bool {
			text, _ := v.(string)
			n, err := strconv.ParseFloat(text, 64)
			return err == nil && n >= 0 && n <= 1
		}),
	)
}

func (transcriptions) Body(a Answer) any {
	body := Object{
		"text": a.text(),
		"usage": Object{
			"type": "tokens", "input_tokens": a.PromptTokens, "output_tokens": a.CompletionTokens,
			"total_tokens": a.PromptTokens + a.CompletionTokens,
		},
	}
	if a.Request["response_format"] == "verbose_json" {
		body["task"], body["language"], body["duration"] = "transcribe", "english", 0.1
	}
	return a.extended(body)
}

// silence is how many samples a tenth of a second has at 8 kHz: OpenAI refuses speech that is shorter.
const silence = 800

// wav is silence as a WAV file: PCM of 16 bits, mono, 8 kHz.
func wav(samples int) []byte {
	const header, rate, width = 44, 8000, 2
	size := uint32(samples * width) //nolint:gosec // a few thousand
	out := make([]byte, 0, header+int(size))
	out = append(out, "RIFF"...)
	out = binary.LittleEndian.AppendUint32(out, header-8+size)
	out = append(out, "WAVEfmt "...)
	out = binary.LittleEndian.AppendUint32(out, 16)         // bytes of this part
	out = binary.LittleEndian.AppendUint16(out, 1)          // PCM
	out = binary.LittleEndian.AppendUint16(out, 1)          // channels
	out = binary.LittleEndian.AppendUint32(out, rate)       // samples a second
	out = binary.LittleEndian.AppendUint32(out, rate*width) // bytes a second
	out = binary.LittleEndian.AppendUint16(out, width)      // bytes a sample
	out = binary.LittleEndian.AppendUint16(out, 8*width)    // bits a sample
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, size)
	return append(out, make([]byte, size)...)
}
