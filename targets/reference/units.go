package reference

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// The prices of endpoints that do not count tokens, expressed as input tokens.
const (
	unitsOfImage    = 1000
	unitsOfSecond   = 50 // of audio
	unitsOfDocument = 10
)

var errNotAudio = errors.New("not audio")

// units counts what a call is charged for: images, seconds of audio, characters to speak, documents, or tokens. It returns an
// error for input that cannot be counted.
func (g *Gateway) units(asked convert.Request) (int64, error) {
	doc := asked.Native
	switch asked.Surface {
	case dialect.Images:
		n, given := doc["n"].(float64)
		if !given {
			n = 1
		}
		return int64(n) * unitsOfImage, nil
	case dialect.Speech:
		text, _ := doc["input"].(string)
		return int64(utf8.RuneCountInString(text)), nil
	case dialect.Transcriptions:
		content, _ := dialect.FileContent(doc["file"])
		seconds, err := audioSeconds(content)
		return seconds * unitsOfSecond, err
	case dialect.Rerank:
		documents, _ := doc["documents"].(dialect.List)
		return int64(len(documents)) * unitsOfDocument, nil
	default:
		tokens, err := g.tokenizer.request(asked)
		if err != nil {
			return 0, err
		}
		images, err := nativeImages(doc)
		return tokens + images, err
	}
}

// audioSeconds is the length of a WAV file (RIFF), rounded up; other audio counts as one second for each 4 KB, as at
// 32 kbit/s. It returns [errNotAudio] for what is neither WAV nor MP3.
func audioSeconds(content []byte) (int64, error) {
	const header, bytesOfSecond = 44, 4000
	switch {
	case len(content) >= header && string(content[:4]) == "RIFF" && string(content[8:12]) == "WAVE":
		rate := int64(binary.LittleEndian.Uint32(content[28:32])) // bytes a second
		if rate == 0 {
			return 0, fmt.Errorf("%w: no rate", errNotAudio)
		}
		return (int64(len(content)-header) + rate - 1) / rate, nil
	case len(content) > 3 && (content[0] == 0xff && content[1]&0xe0 == 0xe0 || string(content[:3]) == "ID3"):
		return int64(len(content)/bytesOfSecond) + 1, nil
	default:
		return 0, errNotAudio
	}
}

// nativeImages counts the tokens of the inline images in a body that is passed on as it came: those of Anthropic's messages.
func nativeImages(v any) (total int64, err error) {
	switch v := v.(type) {
	case dialect.List:
		for _, element := range v {
			n, err := nativeImages(element)
			if err != nil {
				return 0, err
			}
			total += n
		}
	case dialect.Object:
		if data, ok := v["data"].(string); ok && v["type"] == "base64" {
			return imageTokens(convert.Image{Data: data})
		}
		for _, member := range v {
			n, err := nativeImages(member)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}
