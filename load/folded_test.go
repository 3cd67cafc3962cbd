package load

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	foldedEnd  = `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + "data: [DONE]\n\n"
	foldedFail = `data: {"error":{"message":"broken","type":"server_error","param":null,"code":"do_request_failed"}}` + "\n\n"
)

// chatPiece is an event of a chat stream with a text.
func chatPiece(text string) string {
	return fmt.Sprintf(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%q},"finish_reason":null}]}`+"\n\n", text)
}

// chatPieces are n events with one word each.
func chatPieces(n int) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(chatPiece(fmt.Sprintf("word%d ", i)))
	}
	return all.String()
}

// readStream reads a stream over the wire, byte by byte where small is set.
func readStream(t *testing.T, body string, small bool) response {
	t.Helper()
	var wire io.Reader = strings.NewReader(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	if small {
		wire = iotest.OneByteReader(wire)
	}
	r := responseReader{in: bufio.NewReader(wire), limit: 1 << 20}
	r.stream.marks, _ = dialect.ChatStream.PieceMarks()
	r.stream.finish, _ = dialect.ChatStream.FinishMarks()
	got, err := r.read(http.MethodPost)
	require.NoError(t, err)
	require.NoError(t, got.transferErr)
	return got
}

// Of a long stream what is kept is small, and whatever is read off it is the same as of the whole: its outcome, its tokens, its size.
func TestLongStreamsAreFolded(t *testing.T) {
	long := chatPieces(500)
	words := tokenCounter{func(text string) int { return len(strings.Fields(text)) }}
	for _, row := range []struct {
		sentence, body string
		outcome        runlog.Outcome
		violated       contract.Requirement
		kept           int // at most so many bytes
		words          int
	}{
		{"a short stream", chatPieces(3) + foldedEnd, runlog.Admitted, "", 2 << 10, 3},
		{"a long one", long + foldedEnd, runlog.Admitted, "", 6 << 10, 500},
		{"one with comments in between", chatPieces(250) + ": wait\n\n" + chatPieces(250) + foldedEnd, runlog.Admitted, "", 6 << 10, 500},
		{"one with an event of several lines", chatPieces(100) + "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"x \"}}]}\n\n" + chatPieces(100) + foldedEnd, runlog.Admitted, "", 6 << 10, 201},
		{"one with CR LF", strings.ReplaceAll(long+foldedEnd, "\n", "\r\n"), runlog.Admitted, "", 1 << 20, 500},
		{"an error at the end", long + foldedFail, runlog.Error5xx, "", 6 << 10, -1},
		{"content after an error", long + foldedFail + chatPieces(2) + foldedEnd, runlog.Wrong, contract.StreamEnd, 8 << 10, -1},
		{"content after the end", long + foldedEnd + chatPieces(40), runlog.Admitted, "", 16 << 10, -1},
		{"an end that is missing", long, runlog.Wrong, contract.StreamEnd, 6 << 10, -1},
		{"broken JSON in the middle", chatPieces(250) + "data: {\"choices\n\n" + chatPieces(250) + foldedEnd, "", "", 6 << 10, -1},
		{"an answer with an error in it", chatPieces(250) + strings.Replace(chatPiece("x"), `"id"`, `"error":{"message":"m"},"id"`, 1) + chatPieces(100) + foldedEnd, "", "", 64 << 10, -1},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			request := testRequest(t, dialect.ChatStream, contract.Case{})
			for _, small := range []bool{false, true} {
				got := readStream(t, row.body, small)
				assert.Equal(t, int64(len(row.body)), got.size)
				assert.LessOrEqual(t, len(got.body), row.kept)
				assert.Equal(t, strings.Count(row.body, `"content"`), got.pieces)
				found := newClassifier().response(request, got)
				whole := got
				whole.body, whole.folded = []byte(row.body), folded{}
				of := newClassifier().response(request, whole)
				assert.Equal(t, of.outcome, found.outcome, "as of the whole")
				assert.Equal(t, requirementsOf(of.findings), requirementsOf(found.findings), "as of the whole")
				if row.outcome != "" {
					assert.Equal(t, row.outcome, found.outcome, "%v", found.findings)
				}
				if row.violated != "" {
					assert.Contains(t, requirementsOf(found.findings), row.violated)
				}
				if row.words >= 0 {
					n, _, from := words.count(request, got)
					assert.Equal(t, row.words, n)
					assert.Equal(t, TokensOfTokenizer, from)
				}
			}
		})
	}
}

func requirementsOf(findings []contract.Finding) (all []contract.Requirement) {
	for _, f := range findings {
		all = append(all, f.Requirement)
	}
	return all
}
