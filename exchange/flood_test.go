//go:build !race

// One goroutine reads each flood, and takes thirty times as long with the race detector: minutes.

package exchange

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

const floodKey = "sk-Zq3vT8Lm2pXw9RbY"

// floods are bodies of about the size that ask for as much work as their bytes allow.
func floods(size int) map[string]string {
	fill := func(pattern string) string { return strings.Repeat(pattern, size/len(pattern)) }
	events := func(each func(i int) string) string {
		var out strings.Builder
		for i := 0; out.Len() < size; i++ {
			out.WriteString("data: " + each(i) + "\n\n")
		}
		return out.String()
	}
	letter := func(i int) string { return string(floodKey[i%len(floodKey)]) }
	var oneEvent strings.Builder
	for i := 0; oneEvent.Len() < size/5; i++ {
		oneEvent.WriteString(`{"text":"` + letter(i) + `"},`)
	}
	return map[string]string{
		"one endless line":                 fill("x"),
		"empty lines":                      fill("\n"),
		"data lines without an event":      fill("data: x\r\n"),
		"comments":                         fill(": x\n\n"),
		"small events":                     events(func(int) string { return "1" }),
		"a key, letter by letter":          events(func(i int) string { return `{"text":"` + letter(i) + `"}` }),
		"a key in two data lines a letter": events(func(i int) string { return `{"text":` + "\ndata: " + `"` + letter(i) + `"}` }),
		"a key in the texts of one event":  "data: [" + oneEvent.String() + "1]\n\n",
		"keys":                             fill(floodKey),
		"beginnings of keys":               fill(floodKey[:len(floodKey)-1]),
		"masks":                            fill("**a"),
		"masked keys":                      fill("sk-Zq3vT8L****9RbY "),
		"escapes":                          fill(`\u0073`),
		"escapes of escapes":               fill(`%255C`),
		"entities":                         fill("&#x73;"),
		"ports":                            fill("18901 "),
		"hosts":                            fill("127.0.0.1 "),
		"brackets":                         fill("["),
		"nested objects":                   fill(`{"a":`),
		"violations of the format":         fill("\xff\n"),
		"names of events":                  fill("event: x\n\n"),
	}
}

// floodReader reads a body of a hostile gateway in pieces of one byte, and judges the answer.
func floodReader(body, contentType string) contract.Observation {
	redactor := redact.New(redact.Secret{What: "caller key", Value: floodKey}, redact.Secret{What: "upstream address", Value: "127.0.0.1:18901"})
	o := Observe(&http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(body))),
	}, contract.Sent{}, Limits{}, redactor)
	contract.IsSuccess(dialect.ChatStream, o)
	c := contract.CaseOf("gateway-error", dialect.ChatStream, "")
	contract.Judge(c, o)
	return o
}

// Every byte of a hostile answer costs a bounded time, whatever the bytes are and however small the pieces. Where the time grew
// with the square of the size, 512 KiB would take half a minute or more. It is the time of the processors, which other programs do not change.
func TestAFloodIsReadInLinearTime(t *testing.T) {
	for name, body := range floods(512 << 10) {
		for _, contentType := range []string{"text/event-stream", "application/json"} {
			began := processorTime(t)
			o := floodReader(body, contentType)
			took := processorTime(t) - began
			assert.Less(t, took, 5*time.Second, "%s as %s", name, contentType)
			assert.False(t, bytes.Contains(o.Body, []byte(floodKey)), name)
		}
	}
}

// processorTime is how long the processors have worked for this process.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkFlood(b *testing.B) {
	for _, size := range []int{1 << 20, 4 << 20} {
		for name, body := range floods(size) {
			b.Run(fmt.Sprintf("%s/%dMiB", name, size>>20), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					floodReader(body, "text/event-stream")
				}
			})
		}
	}
}
