package load

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func readFrom(in io.Reader, method string, limit int64) (response, error) {
	r := responseReader{in: bufio.NewReaderSize(in, 64), limit: limit}
	return r.read(method)
}

func TestRead(t *testing.T) {
	for _, row := range []struct {
		sentence, wire, method string
		status                 int
		body                   string
		keep                   bool
		transferErr            string
	}{
		{"a counted body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", 200, "hello", true, ""},
		{"an empty counted body", "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n", "", 429, "", true, ""},
		{"a chunked body with an extension and a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n", "", 200, "hello", true, ""},
		{"chunked wins over a length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "", 200, "hi", true, ""},
		{"a body until the end of the connection", "HTTP/1.1 200 OK\r\n\r\nhello", "", 200, "hello", false, ""},
		{"a connection that the gateway closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "", 200, "hi", false, ""},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "", 200, "hi", false, ""},
		{"HTTP/1.0 that is kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "", 200, "hi", true, ""},
		{"interim responses before the final one", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "", 200, "hi", true, ""},
		{"a response to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", http.MethodHead, 200, "", true, ""},
		{"204 without a body", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "", 204, "", true, ""},
		{"lines that end in LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "", 200, "hi", true, ""},
		{"a header longer than the buffer", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 500) + "\r\nContent-Length: 2\r\n\r\nhi", "", 200, "hi", true, ""},
		{"a body longer than the buffer", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + strings.Repeat("y", 900), "", 200, strings.Repeat("y", 900), true, ""},

		{"a body shorter than its length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "", 200, "hel", false, "unexpected EOF"},
		{"a chunk that is cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "", 200, "hel", false, "unexpected EOF"},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "", 200, "hi", false, "unexpected EOF"},
		{"a chunk size that is not a number", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", 200, "", false, `the response is not valid HTTP: a chunk has the invalid size "zz"`},
		{"a chunk longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", "", 200, "he", false, "the response is not valid HTTP: a chunk is longer than its declared size"},
		{"a body over the limit", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + strings.Repeat("z", 2000), "", 200, strings.Repeat("z", 1001), false, "the response is too long: its body is larger than 1000 bytes"},
		{"an endless body over the limit", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("z", 5000), "", 200, strings.Repeat("z", 1001), false, "the response is too long: its body is larger than 1000 bytes"},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(row.wire), iotest.OneByteReader(strings.NewReader(row.wire)), iotest.DataErrReader(strings.NewReader(row.wire))} {
				got, err := readFrom(in, row.method, 1000)
				require.NoError(t, err)
				assert.Equal(t, row.status, got.status)
				assert.Equal(t, row.body, string(got.body))
				assert.Equal(t, row.keep, got.reusable)
				assert.False(t, got.end.Before(got.firstByte))
				if row.transferErr == "" {
					assert.NoError(t, got.transferErr)
				} else {
					assert.EqualError(t, got.transferErr, row.transferErr)
				}
			}
		})
	}
}

func TestReadNoHead(t *testing.T) {
	for _, row := range []struct {
		sentence, wire string
		want           error
	}{
		{"nothing", "", io.EOF},
		{"half a status line", "HTTP/1.", io.ErrUnexpectedEOF},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-Le", io.ErrUnexpectedEOF},
		{"another protocol", "SSH-2.0-OpenSSH\r\n", errNotHTTP},
		{"HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00\n", errNotHTTP},
		{"a status that is not a number", "HTTP/1.1 abc\r\n\r\n", errNotHTTP},
		{"a negative status", "HTTP/1.1 -12\r\n\r\n", errNotHTTP},
		{"a field without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", errNotHTTP},
		{"a length that is not a number", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", errNotHTTP},
		{"two lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", errNotHTTP},
		{"an upgrade that was not requested", "HTTP/1.1 101 Switching Protocols\r\n\r\n", errNotHTTP},
		{"an endless header", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20_000), errTooLong},
		{"an endless line", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 100_000), errTooLong},
		{"endless interim responses", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 200_000), errTooLong},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			_, err := readFrom(strings.NewReader(row.wire), "", 1000)
			assert.ErrorIs(t, err, row.want)
		})
	}
}

func TestReadFirstEvent(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
	stream, err := readFrom(strings.NewReader(head+"8\r\ndata: a\n\r\n1\r\n\n\r\n0\r\n\r\n"), "", 1000)
	require.NoError(t, err)
	assert.False(t, stream.firstEvent.IsZero())

	comment, err := readFrom(strings.NewReader(head+"6\r\n: hi\n\n\r\n0\r\n\r\n"), "", 1000)
	require.NoError(t, err)
	assert.True(t, comment.firstEvent.IsZero(), "a comment is not an event")

	plain, err := readFrom(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ndata: a\n\n"), "", 1000)
	require.NoError(t, err)
	assert.True(t, plain.firstEvent.IsZero(), "not an event stream")
}

// The instants do not depend on the pieces in which a stream comes.
func TestEventsAreFoundWhereverTheStreamIsCut(t *testing.T) {
	marks, _ := dialect.ChatStream.PieceMarks()
	for _, end := range []string{"\n", "\r\n", "\r"} {
		stream := []byte(": hello" + end + end + "event: x" + end + `data: {"choices":[{"delta":{"role":"assistant"}}]}` + end + end +
			`data: {"choices":[{"delta":{"content":"a"}}]}` + end + end + ": ping" + end + end +
			`data: {"choices":[{"delta":{"content":"b"}}]}` + end + end + "data: [DONE]" + end + end)
		for _, size := range []int{1, 2, 3, 5, 50, len(stream)} {
			r := streamReader{marks: marks}
			start := time.Now()
			for at := 0; at < len(stream); {
				at = min(at+size, len(stream))
				r.read(stream[:at], start.Add(time.Duration(at)*time.Millisecond))
			}
			require.Equal(t, 2, r.pieces, "%q in pieces of %d", end, size)
			require.False(t, r.firstEvent.IsZero())
			require.False(t, r.firstPiece.Before(r.firstEvent))
			require.Len(t, r.gaps.micros, 1)
			require.Equal(t, r.lastPiece.Sub(r.firstPiece), time.Duration(r.gaps.micros[0])*time.Microsecond)
			var texts []string
			eachPiece(marks, stream, func(text string) { texts = append(texts, text) })
			require.Equal(t, []string{"a", "b"}, texts)
			r.reset()
			require.Nil(t, r.gaps)
			require.Equal(t, marks, r.marks, "the next stream is of the same surface")
		}
	}
}

// A stream with more events than any answer has tokens takes no more memory than its bound.
func TestGapsAreBounded(t *testing.T) {
	marks, _ := dialect.ResponsesStream.PieceMarks()
	r := streamReader{marks: marks}
	event, now := []byte(`data: {"delta":"a"}`), time.Now()
	for range maxGaps + 100 {
		now = now.Add(time.Millisecond)
		r.event(event, now)
	}
	assert.Equal(t, maxGaps+100, r.pieces)
	assert.Len(t, r.gaps.micros, maxGaps)
}

// FuzzRead: whatever comes, reading ends within the limits, and where net/http reads a body it reads the same.
func FuzzRead(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n")
	f.Add("HTTP/1.0 200 OK\r\n\r\nx")
	f.Fuzz(func(t *testing.T, wire string) {
		got, err := readFrom(strings.NewReader(wire), http.MethodPost, 1000)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(got.body), 1001)
		if got.transferErr != nil || got.status < 200 || strings.Contains(wire, "HTTP/1.1 1") {
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(wire)), &http.Request{Method: http.MethodPost})
		if err != nil {
			return
		}
		defer resp.Body.Close()
		want, err := io.ReadAll(resp.Body)
		if err == nil && !errors.Is(err, io.ErrUnexpectedEOF) && resp.StatusCode >= 200 && len(want) <= 1000 {
			require.Equal(t, string(want), string(got.body))
		}
	})
}
