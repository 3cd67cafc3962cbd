package reference

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // a format whose size can be read
	_ "image/jpeg" // "
	_ "image/png"  // "
	"math"

	"github.com/tiktoken-go/tokenizer/codec"

	"github.com/gatecert/gatecert/targets/reference/convert"
)

// The price in tokens that OpenAI charges for images in high detail: a base price, and a price for each tile of 512 by 512 pixels.
const (
	imageBase = 85
	imageTile = 170
	tileSize  = 512
	// unseenImage stands for an image given by URL: one of 1024 by 1024 pixels.
	unseenImage = imageBase + 4*imageTile
	// maxSide bounds the pixels on a side of an image. No upstream accepts so many.
	maxSide = 1 << 16
)

var (
	errNoSuchToken = errors.New("the token id is outside the vocabulary")
	errNotImage    = errors.New("not an image")
)

// tokenizer counts in cl100k_base. One instance serves all calls.
type tokenizer struct {
	codec *codec.Codec
}

// newTokenizer names the one vocabulary: the library's function that takes a name would link all of its vocabularies, 10 MB.
func newTokenizer() *tokenizer { return &tokenizer{codec: codec.NewCl100kBase()} }

// count counts the tokens of an answer. A text that cannot be counted costs nothing.
func (t *tokenizer) count(text string) int {
	n, err := t.codec.Count(text)
	if err != nil {
		return 0
	}
	return n
}

// text returns what token ids stand for. It returns [errNoSuchToken] for an id outside the vocabulary.
func (t *tokenizer) text(ids []int) (string, error) {
	unsigned := make([]uint, len(ids))
	for i, id := range ids {
		if id < 0 {
			return "", errNoSuchToken
		}
		unsigned[i] = uint(id)
	}
	text, err := t.codec.Decode(unsigned)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoSuchToken, err)
	}
	return text, nil
}

// texts returns what inputs of token ids stand for. It leaves out ids outside the vocabulary: [Gateway.count] refuses
// them.
func (t *tokenizer) texts(inputs []convert.Input) []string {
	var texts []string
	for _, input := range inputs {
		if text, err := t.text(input.Tokens); err == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// request counts the tokens of everything a model would read.
func (t *tokenizer) request(asked convert.Request) (int64, error) {
	var total int64
	for _, text := range textsOf(asked) {
		n, err := t.codec.Count(text)
		if err != nil {
			return 0, err
		}
		total += int64(n)
	}
	for _, input := range asked.Inputs {
		if _, err := t.text(input.Tokens); err != nil {
			return 0, err
		}
		total += int64(len(input.Tokens))
	}
	for _, turn := range asked.Turns {
		for _, part := range turn.Parts {
			if part.Image == nil {
				continue
			}
			n, err := imageTokens(*part.Image)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}

// imageTokens counts an image by its size. It returns [errNotImage] for other data.
func imageTokens(i convert.Image) (int64, error) {
	if i.URL != "" {
		return unseenImage, nil
	}
	data, err := base64.StdEncoding.DecodeString(i.Data)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotImage, err)
	}
	if isWebP(data) {
		return unseenImage, nil // the standard library cannot read its size
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotImage, err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxSide || config.Height > maxSide {
		return 0, fmt.Errorf("%w: %d by %d pixels", errNotImage, config.Width, config.Height)
	}
	tiles := math.Ceil(float64(config.Width)/tileSize) * math.Ceil(float64(config.Height)/tileSize)
	return imageBase + int64(tiles)*imageTile, nil
}

func isWebP(data []byte) bool {
	return len(data) > 16 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
}

// count is the handler that counts what the call is charged for: the input's tokens, or what its endpoint has instead.
func (g *Gateway) count(_ context.Context, c *Call) error {
	tokens, err := g.units(c.asked)
	if err != nil {
		return Refuse(CountToken, err)
	}
	c.tokens = tokens
	return nil
}
