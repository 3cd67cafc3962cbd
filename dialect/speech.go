package dialect

import (
	"bytes"
	"slices"
)

// Speech is OpenAI's speech synthesis endpoint. Its responses are audio, not JSON.
const Speech Surface = "speech"

var speechEndpoint = Endpoint{
	Surface: Speech, Dialect: OpenAI, Label: "spch",
	Path: "/v1/audio/speech", UnknownPath: "/v1/audio/no-such-path",
	Input: "input", Media: "audio", Large: true,
	body:      func(a Ask) Object { return Object{"input": a.Prompt, "voice": "alloy"} },
	operation: speech{},
}

// speech is OpenAI's synthesis of speech as the upstream serves it.
type speech struct{ openAI }

func (speech) Texts(doc Object) []string { return textsIn(doc["input"]) }

func (speech) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("input"), optional("input", "a non-empty string", isText),
		required("voice"), optional("voice", "a string or an object with an id", func(v any) bool { return isText(v) || isObject(v) }),
		optional("response_format", "mp3, wav or pcm", func(v any) bool { return v == "mp3" || v == "wav" || v == "pcm" }),
		optional("speed", "a number from 0.25 to 4", func(v any) bool { n, ok := v.(float64); return ok && n >= 0.25 && n <= 4 }),
	)
}

// Body is not used, because the response is not JSON.
func (speech) Body(Answer) any { return nil }

// Media returns the audio of a response: one frame of silence for each piece.
func (speech) Media(a Answer) (mediaType string, content []byte) {
	switch n := len(a.Pieces); a.Request["response_format"] {
	case "wav":
		return "audio/wav", wav(n * silence)
	case "pcm":
		return "audio/pcm", bytes.Repeat([]byte{0, 0}, n*silence)
	default:
		return "audio/mpeg", slices.Repeat(mp3Frame(), n)
	}
}

// mp3Frame is a frame of MPEG-1 layer III, mono, 32 kbit/s at 44.1 kHz: 26 ms of silence in 104 bytes, since all its sizes are 0.
func mp3Frame() []byte {
	frame := make([]byte, 104)
	copy(frame, []byte{0xff, 0xfb, 0x10, 0xc4})
	return frame
}
