package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/gatecert/gatecert/dialect"
)

// MaxAnswer is the maximum size of a whole response in bytes. A longer response is not accepted.
const MaxAnswer = 32 << 20

// The ways in which an upstream fails to send a response. None of the wrapping errors quotes the upstream.
var (
	// ErrNotAnswer is returned if the received data is not a response: broken JSON, HTML, null, an error object, a wrong shape, or more data than the
	// limits allow.
	ErrNotAnswer = errors.New("the upstream's response is invalid")
	// ErrEmpty is returned if a response is complete but contains nothing: no body, no choices, no content, no vectors.
	ErrEmpty = errors.New("the upstream's response is empty")
	// ErrBlocked is returned if the upstream refuses the prompt on policy grounds.
	ErrBlocked = errors.New("the upstream blocked the prompt")
	// ErrTruncated is returned if a stream ends, cleanly or not, before the protocol's own finish.
	ErrTruncated = errors.New("the upstream's stream was cut off")
)

// Answer is a whole response in the neutral form.
type Answer struct {
	// ID is the upstream's id. A gateway may replace it with its own. [EncodeAnswer] adds the prefix of the surface.
	ID string
	// Model is the model name to show to the caller.
	Model string
	// Created is in Unix seconds. It is 0 if the protocol does not provide it.
	Created int64
	// Text is the text of the response. It is empty only for embeddings, and if Media or Native is set.
	Text string
	// End has the upstream's count of tokens, 0 when it gave none.
	dialect.End
	// Vectors contains one vector for each input of an embeddings call. Each vector has at least one number.
	Vectors [][]float64
	// Base64 is copied from the request.
	Base64 bool
	// Media is a response that is not JSON. It is nil for all other responses.
	Media *Media
	// Native is the whole response to a request that was passed on without conversion.
	Native map[string]json.RawMessage
}

// Media is a response such as audio.
type Media struct {
	Type    string
	Content []byte
}

// DecodeAnswer decodes an upstream's whole response with a success status. req is the corresponding request.
//
// The error wraps [ErrNotAnswer], [ErrEmpty] or [ErrBlocked].
func DecodeAnswer(p dialect.Dialect, req Request, body []byte) (Answer, error) {
	pr, ok := codecs[p]
	if !ok {
		return Answer{}, notAnswer("the upstream's protocol is unknown")
	}
	if len(body) > MaxAnswer {
		return Answer{}, notAnswer(fmt.Sprintf("the body is longer than %d MiB", MaxAnswer>>20))
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return Answer{}, fmt.Errorf("%w: no body", ErrEmpty)
	}
	if body[0] != '{' {
		return Answer{}, notAnswer("the body is not a JSON object")
	}
	if req.Native != nil {
		return nativeAnswer(req.Surface, body)
	}
	answer, err := pr.answer(req, body)
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

func notAnswer(what string) error { return fmt.Errorf("%w: %s", ErrNotAnswer, what) }

// verdict says whether a finished answer holds anything, and if not, whose will that was.
func verdict(text string, finish dialect.Finish, refused bool) error {
	switch {
	case text != "":
		return nil
	case refused || finish == dialect.FinishFilter:
		return ErrBlocked
	default:
		return fmt.Errorf("%w: no content", ErrEmpty)
	}
}

// checkVectors refuses vectors that are not one per input, or empty.
func checkVectors(vectors [][]float64, want int) ([][]float64, error) {
	if len(vectors) != want {
		return nil, notAnswer("the body does not have one vector for each input")
	}
	for _, v := range vectors {
		if len(v) == 0 {
			return nil, fmt.Errorf("%w: a vector has no numbers", ErrEmpty)
		}
	}
	return vectors, nil
}

// field tells a member that is absent from one that is null or empty.
type field[T any] struct {
	present bool
	null    bool
	value   T
}

// empty reports whether the member is absent or null.
func (f field[T]) empty() bool { return !f.present || f.null }

// UnmarshalJSON implements [json.Unmarshaler].
func (f *field[T]) UnmarshalJSON(data []byte) error {
	f.present, f.null = true, string(data) == "null"
	return json.Unmarshal(data, &f.value)
}

// count is a number of tokens or seconds. What an upstream counts is paid for, so that a negative or absurd number
// makes the answer unusable rather than somebody rich.
type count int64

const maxCount = 1 << 40

// UnmarshalJSON implements [json.Unmarshaler]. It returns an error for anything but null and 0..2^40.
func (c *count) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || n < 0 || n > maxCount {
		return errors.New("not a count")
	}
	*c = count(n)
	return nil
}
