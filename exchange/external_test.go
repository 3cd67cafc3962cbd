package exchange

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

func TestPrepareReturnsTheWholeRequest(t *testing.T) {
	call := Call{Surface: dialect.Messages, BaseURL: "http://gateway.test/root", Key: "sk-caller-0123456789", Model: "m", Prompt: "hi"}
	got, err := Prepare(call, redact.New())
	require.NoError(t, err)
	assert.Equal(t, "POST", got.Method)
	assert.Equal(t, "http://gateway.test/root/v1/messages", got.URL)
	assert.Equal(t, http.Header{
		"Anthropic-Version": {"2023-06-01"}, "Content-Type": {jsonType}, "User-Agent": {userAgent}, "X-Api-Key": {call.Key},
	}, got.Header)
	assert.JSONEq(t, `{"model":"m","max_tokens":16,"messages":[{"role":"user","content":"hi"}]}`, string(got.Body))
	assert.NotContains(t, got.Sent.Curl, call.Key)
	assert.Equal(t, []string{"[caller key]"}, got.Sent.Header["X-Api-Key"])
}

func TestPrepareRefusesFaultsThatOnlyAClientSends(t *testing.T) {
	for _, fault := range []Fault{ShortBody, Oversize} {
		_, err := Prepare(Call{Surface: dialect.Chat, BaseURL: "http://gateway.test", Fault: fault, OversizeBytes: 1 << 20}, redact.New())
		assert.ErrorIs(t, err, ErrFault)
	}
	_, err := Prepare(Call{Surface: dialect.Chat, BaseURL: "nowhere"}, redact.New())
	assert.ErrorIs(t, err, ErrURL)
}

func TestObserveAnAnswerOfAnotherTransport(t *testing.T) {
	resp := &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: io.NopCloser(strings.NewReader("data: sk-upstream-0123456789\n\ndata: b\n\n")),
	}
	o := Observe(resp, contract.Sent{Method: "POST"}, Limits{}, redact.New(redact.Secret{What: "upstream key", Value: "sk-upstream-0123456789"}))
	assert.Equal(t, "POST", o.Sent.Method)
	require.NotNil(t, o.Stream)
	require.Len(t, o.Stream.Events, 2)
	assert.Equal(t, "[upstream key]", string(o.Stream.Events[0].Data))
	assert.Equal(t, []contract.Leak{{What: "upstream key", Where: "event 1"}}, o.Leaks)
	assert.Zero(t, o.Timing, "the instants are whoever's that took the answer in")
	assert.Zero(t, o.Stream.Events[1].At)
}
