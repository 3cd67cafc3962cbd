package exchange

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

func TestACallCarriesItsTrace(t *testing.T) {
	sent := func(c Call) contract.Sent {
		c.Surface, c.BaseURL, c.Model = dialect.Chat, "http://gateway.test", "m"
		req, err := build(c)
		require.NoError(t, err)
		return req.sent(redact.New(), 1<<10)
	}
	s := sent(Call{ID: "0123456789ab"})
	assert.Equal(t, []string{"00-67617465636572740123456789ab6763-0123456789ab0001-00"}, s.Header["Traceparent"])
	assert.Equal(t, []string{"gatecert-0123456789ab"}, s.Header["X-Request-Id"])
	assert.Contains(t, s.Curl, "-H 'Traceparent: 00-67617465636572740123456789ab6763-0123456789ab0001-00'")
	assert.Contains(t, s.Curl, "-H 'X-Request-Id: gatecert-0123456789ab'")
	context, ok := s.Trace()
	assert.True(t, ok)
	assert.Equal(t, contract.TraceContext{TraceID: "67617465636572740123456789ab6763", SpanID: "0123456789ab0001"}, context)

	context, _ = sent(Call{ID: "0123456789abcdef", Sampled: true}).Trace()
	assert.Equal(t, contract.TraceContext{TraceID: "67617465636572740123456789abcdef", SpanID: "0123456789abcdef", Sampled: true}, context)

	own := sent(Call{ID: "0123456789ab", Header: map[string]string{"traceparent": "", "x-request-id": "mine"}})
	assert.NotContains(t, own.Header, "Traceparent", "a profile's own field comes first")
	assert.Equal(t, "mine", own.RequestID())
	assert.NotContains(t, sent(Call{}).Header, "Traceparent")
	assert.NotContains(t, sent(Call{ID: "plan"}).Header, "X-Request-Id")
}

// A load is sent without, unless it was asked for: nobody looks for one request of many.
func TestALoadIsTracedOnRequest(t *testing.T) {
	call := Call{Surface: dialect.Chat, BaseURL: "http://gateway.test", Model: "m", ID: "gatecerttokenxxx"}
	req, err := Prepare(call, redact.New())
	require.NoError(t, err)
	assert.NotContains(t, req.Header, "Traceparent")
	assert.NotContains(t, req.Header, "X-Request-Id")
	call.Sampled = true
	req, err = Prepare(call, redact.New())
	require.NoError(t, err)
	assert.Equal(t, []string{"00-6761746563657274gatecerttokenxxx-gatecerttokenxxx-01"}, req.Header["Traceparent"], "the engine puts a token there")
}
