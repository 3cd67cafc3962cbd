package convert_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestEncodeErrorWritesTheDialectsEnvelope(t *testing.T) {
	full := convert.APIError{Status: 404, Code: "model_not_found", Message: "No <such> model.", Type: "invalid_request_error", Param: "model"}
	bare := convert.APIError{Status: 429, Message: "Slow down."}
	for _, tc := range []struct {
		surface    dialect.Surface
		full, bare string
	}{
		{
			dialect.Chat,
			`{"error":{"message":"No \u003csuch\u003e model.","type":"invalid_request_error","param":"model","code":"model_not_found"}}`,
			`{"error":{"message":"Slow down.","type":"rate_limit_error","param":null,"code":null}}`,
		},
		{
			dialect.Messages,
			`{"type":"error","error":{"type":"not_found_error","message":"No \u003csuch\u003e model.","code":"model_not_found"}}`,
			`{"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}`,
		},
		{
			dialect.GenerateContent,
			`{"error":{"code":404,"message":"No \u003csuch\u003e model.","status":"NOT_FOUND","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"model_not_found","domain":"gatecert"}]}}`,
			`{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}`,
		},
	} {
		for _, surface := range dialect.Surfaces() {
			if surface.Dialect() == tc.surface.Dialect() {
				assert.Equal(t, tc.full, string(convert.EncodeError(surface, full)), surface)
				assert.Equal(t, tc.bare, string(convert.EncodeError(surface, bare)), surface)
			}
		}
	}
}

func TestEncodeErrorNamesTheStatusInTheDialectsWords(t *testing.T) {
	for _, tc := range []struct {
		status                    int
		openAI, anthropic, google string
	}{
		{400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
		{401, "authentication_error", "authentication_error", "UNAUTHENTICATED"},
		{402, "invalid_request_error", "billing_error", "RESOURCE_EXHAUSTED"},
		{403, "permission_error", "permission_error", "PERMISSION_DENIED"},
		{404, "invalid_request_error", "not_found_error", "NOT_FOUND"},
		{405, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
		{409, "invalid_request_error", "invalid_request_error", "ABORTED"},
		{413, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
		{429, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"},
		{499, "invalid_request_error", "invalid_request_error", "CANCELLED"},
		{500, "server_error", "api_error", "INTERNAL"},
		{501, "server_error", "api_error", "UNIMPLEMENTED"},
		{502, "server_error", "api_error", "UNAVAILABLE"},
		{503, "server_error", "api_error", "UNAVAILABLE"},
		{504, "server_error", "timeout_error", "DEADLINE_EXCEEDED"},
		{529, "server_error", "overloaded_error", "UNAVAILABLE"},
		{0, "server_error", "api_error", "INTERNAL"},
	} {
		e := convert.APIError{Status: tc.status, Message: "m"}
		assert.Contains(t, string(convert.EncodeError(dialect.Chat, e)), `"type":"`+tc.openAI+`"`, tc.status)
		assert.Contains(t, string(convert.EncodeError(dialect.Messages, e)), `"type":"`+tc.anthropic+`"`, tc.status)
		assert.Contains(t, string(convert.EncodeError(dialect.GenerateContent, e)), `"status":"`+tc.google+`"`, tc.status)
	}
}

func TestStreamErrorsAreTheDialectsOwnEvent(t *testing.T) {
	for surface, want := range map[dialect.Surface]string{
		dialect.ChatStream:      "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":\"bad_response\"}}\n\n",
		dialect.ResponsesStream: "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":\"bad_response\"}}\n\n",
		dialect.MessagesStream: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"," +
			"\"code\":\"bad_response\"}}\n\n",
		dialect.GenerateStream: "data: {\"error\":{\"code\":502,\"message\":\"m\",\"status\":\"UNAVAILABLE\",\"details\":[{" +
			"\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"bad_response\",\"domain\":\"gatecert\"}]}}\n\n",
	} {
		e, err := convert.NewStreamEncoder(surface, convert.Head{}, nil)
		require.NoError(t, err)
		assert.Equal(t, want, string(e.Error(convert.APIError{Status: 502, Code: "bad_response", Message: "m"})))
	}
}
