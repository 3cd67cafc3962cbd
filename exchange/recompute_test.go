package exchange

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

const oneToken, otherToken = "0123456789ab", "fedcba987654"

// recordedCall is what reports show of a call with a fault, under a token.
func recordedCall(t *testing.T, s dialect.Surface, fault Fault, token string) (Call, contract.Sent) {
	t.Helper()
	call := Call{
		Surface: s, BaseURL: "http://gateway.test", Key: "[caller key]", Model: "m-" + token, Prompt: "[[gatecert token=" + token + "]] Say hello.",
		Fault: fault, OversizeBytes: 100_000,
	}
	req, err := build(call)
	require.NoError(t, err)
	return call, req.sent(redact.New(), 64<<10)
}

func TestARecordedRequestIsRecomputed(t *testing.T) {
	for _, s := range []dialect.Surface{dialect.Chat, dialect.Messages, dialect.GenerateContent, dialect.Transcriptions} {
		for _, fault := range append(Faults(), NoFault) {
			form := fault == NoBoundary || fault == CutForm
			if s.TakesForm() && (fault == CutJSON || fault == NotJSON || fault == TextAfter || fault == FormBody) || !s.TakesForm() && form {
				continue
			}
			t.Run(string(s)+" "+string(fault), func(t *testing.T) {
				call, _ := recordedCall(t, s, fault, oneToken)
				_, sent := recordedCall(t, s, fault, otherToken)
				found, err := Recomputed(call, oneToken, sent)
				require.NoError(t, err)
				if fault != BrokenGzip { // the half of it may end before the token
					assert.Contains(t, []string{otherToken, ""}, found)
				}
				for _, other := range append(Faults(), NoFault) {
					if call.Fault = other; other != fault {
						_, err := Recomputed(call, oneToken, sent)
						assert.ErrorIs(t, err, ErrOtherRequest, "as %s", other)
					}
				}
			})
		}
	}
}

func TestARequestThatWasEditedIsAnotherOne(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault Fault
		edit  func(*contract.Sent)
		want  string
	}{
		{"nothing", NoFault, func(*contract.Sent) {}, ""},
		{"a connection that was kept", NoFault, func(s *contract.Sent) { s.Kept, s.Curl = true, keptComment+s.Curl }, ""},
		{"a connection that was kept, in an earlier log", NoFault, func(s *contract.Sent) { s.Kept, s.Curl = true, earlierKeptComment+s.Curl }, ""},
		{"the variable of another key", NoFault, func(s *contract.Sent) {
			s.Curl = strings.Replace(s.Curl, `"$GATEWAY_KEY"`, `"$GATEWAY_KEY_SPENT_KEY"`, 1)
		}, ""},
		{"a command in place of the key", NoFault, func(s *contract.Sent) { s.Curl = strings.Replace(s.Curl, `"$GATEWAY_KEY"`, `"$(id)"`, 1) }, "its curl line is"},
		{"a token that is none", NoFault, func(s *contract.Sent) { s.Body = bytes.ReplaceAll(s.Body, []byte(otherToken), []byte("fedcba98765G")) }, "its body is"},
		{"a longer token", NoFault, func(s *contract.Sent) { s.Body = bytes.ReplaceAll(s.Body, []byte(otherToken), []byte(otherToken+"0")) }, "its body is"},
		{"two tokens", NoFault, func(s *contract.Sent) { s.Body = bytes.Replace(s.Body, []byte(otherToken), []byte(oneToken), 1) }, "its body is"},
		{"half of the half", ShortBody, func(s *contract.Sent) { s.Body = s.Body[:len(s.Body)/2] }, "its body is"},
		{"a body that is not too short", ShortBody, func(s *contract.Sent) { s.Header["Content-Length"] = []string{strconv.FormatInt(s.BodySize, 10)} }, "its Content-Length of"},
		{"nothing declared", ShortBody, func(s *contract.Sent) { delete(s.Header, "Content-Length") }, "its Content-Length of"},
		{"a length that does not fit", NoFault, func(s *contract.Sent) { s.Header["Content-Length"] = []string{"7"} }, "its Content-Length of"},
		{"a body that is not too large", Oversize, func(s *contract.Sent) { s.BodySize = 100 }, "its body has 100 bytes, expected 100000"},
		{"a packed body of something else", BrokenGzip, func(s *contract.Sent) { s.Body = halfGzip([]byte(strings.Repeat("hello ", 100))) }, "its body is not the first half"},
		{"a packed body that is whole", BrokenGzip, func(s *contract.Sent) { s.Body = []byte("{}") }, "its body is not the first half"},
		{"a packed body that is none", BrokenGzip, func(s *contract.Sent) { s.Body = nil }, "its body is not the first half"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call, _ := recordedCall(t, dialect.Chat, tt.fault, oneToken)
			_, sent := recordedCall(t, dialect.Chat, tt.fault, otherToken)
			tt.edit(&sent)
			_, err := Recomputed(call, oneToken, sent)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrOtherRequest)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}
