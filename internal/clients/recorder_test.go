package clients

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

func TestTheGatewayGetsTheKeyOfTheCase(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	var body string
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		seen, body = r, string(raw)
		refused(w, r)
	}))
	defer gateway.Close()
	transport := newTransport(nil)
	defer transport.CloseIdleConnections()
	call := exchange.Call{
		Surface: dialect.Chat, BaseURL: gateway.URL + "/base", Key: "sk-real", Model: "m", Prompt: "p",
		Header: map[string]string{"X-Route": "a", "Accept": "text/html"},
	}

	handler, err := gatewayHandler(call, false, transport)
	require.NoError(t, err)
	made, _ := played(t, "honest", enough, handler.ServeHTTP)
	require.Len(t, made.Attempts, 1)
	assert.Equal(t, 429, made.Attempts[0].Status)
	assert.Equal(t, "/base/v1/chat/completions", seen.URL.Path)
	assert.Equal(t, "Bearer sk-real", seen.Header.Get("Authorization"))
	assert.Equal(t, "a", seen.Header.Get("X-Route"))
	assert.NotEqual(t, "text/html", seen.Header.Get("Accept"), "the client's own stays")
	assert.Empty(t, seen.Header.Get("X-Forwarded-For"))
	assert.JSONEq(t, `{"model":"m","messages":[{"role":"user","content":"p"}]}`, body)

	call.Key = ""
	handler, err = gatewayHandler(call, false, transport)
	require.NoError(t, err)
	_, _ = played(t, "honest", enough, handler.ServeHTTP)
	assert.NotContains(t, seen.Header, "Authorization", "the case is about a missing key")

	call.Fault = exchange.CutJSON
	handler, err = gatewayHandler(call, true, transport)
	require.NoError(t, err)
	made, _ = played(t, "honest", enough, handler.ServeHTTP)
	assert.Equal(t, 429, made.Attempts[0].Status)
	assert.NotContains(t, body, `"p"}]}`, "the request of the case stands in the place of the client's")
	assert.Contains(t, body, `"model":"m"`)
}

func TestAGatewayThatDoesNotAnswerIsMetByTheClient(t *testing.T) {
	t.Parallel()
	gateway := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer gateway.Close()
	transport := newTransport(nil)
	defer transport.CloseIdleConnections()
	handler, err := gatewayHandler(exchange.Call{Surface: dialect.Chat, BaseURL: gateway.URL, Key: "k", Model: "m"}, false, transport)
	require.NoError(t, err)
	made, _ := played(t, "honest", enough, handler.ServeHTTP)
	require.Len(t, made.Attempts, 1)
	assert.Zero(t, made.Attempts[0].Status)
	assert.True(t, made.Attempts[0].Broken)
}
