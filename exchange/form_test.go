package exchange

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

func TestAFormIsSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		file, head, err := r.FormFile("file")
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		defer file.Close()
		_, _ = w.Write([]byte(r.FormValue("model") + "/" + r.FormValue("prompt") + "/" + head.Filename + "/" + head.Header.Get("Content-Type")))
	}))
	defer server.Close()
	call := Call{Surface: dialect.Transcriptions, BaseURL: server.URL, Model: "m", Prompt: "hi é"}

	o := observe(t, client(t, Limits{}), call)
	assert.Equal(t, "m/hi é/speech.wav/audio/wav", string(o.Body))
	assert.Contains(t, string(o.Sent.Body), "[1644 bytes, SHA-256 ", "a file is described, not shown")
	assert.Contains(t, string(o.Sent.Body), "hi é")
	assert.Greater(t, o.Sent.BodySize, int64(1644))

	for fault, status := range map[Fault]int{NoBoundary: 400, CutForm: 400, BrokenGzip: 400, ShortBody: 400, Oversize: 200} {
		call.Fault, call.OversizeBytes = fault, 8192
		o = observe(t, client(t, Limits{}), call)
		assert.Equal(t, status, o.Status, fault)
	}
	call.Fault, call.Edits = NoFault, []Edit{{Path: "file", Delete: true}}
	assert.Equal(t, 404, observe(t, client(t, Limits{}), call).Status, "an edit is about a field of the form")

	call.Fault = CutJSON
	_, err := client(t, Limits{}).Do(t.Context(), call)
	require.ErrorIs(t, err, ErrFault, "a form is not JSON")
}

// curl makes the form itself; a shell reads the line, with a curl that prints its arguments and what it is fed.
func TestCurlMakesAForm(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	call := Call{Surface: dialect.Transcriptions, BaseURL: "http://h", Key: "sk-mine", Model: "m", Prompt: "it's sk-upstream"}
	line := curlOf(t, call)
	assert.NotContains(t, line, "multipart/form-data", "curl has a boundary of its own")
	assert.Less(t, len(line), 1000, "reports cut lines that are longer")
	script := `GATEWAY_KEY=sk-mine; curl() { printf '<%s>' "$@"; base64 | tr -d '\n'; }; ` + line
	out, err := exec.Command(shell, "-c", script).CombinedOutput()
	require.NoError(t, err, string(out))
	file, _ := dialect.FileContent(dialect.Transcriptions.Body(dialect.Ask{})["file"])
	assert.Contains(t, string(out), `<--form-string><model=m><--form-string><prompt=it's [upstream key]><-F><file=@-;filename=speech.wav;type=audio/wav>`)
	assert.True(t, strings.HasSuffix(string(out), base64.StdEncoding.EncodeToString(file)))

	for _, call.Fault = range []Fault{NoBoundary, CutForm} {
		req, err := build(call)
		require.NoError(t, err)
		line := req.curl(redact.New(), 1<<20)
		assert.Contains(t, line, "-H 'Content-Type: multipart/form-data")
		out, err := exec.Command(shell, "-c", `curl() { cat; }; `+line).CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Equal(t, string(req.body.head), string(out), call.Fault)
	}
}

// Audio is kept as a digest; text that calls itself audio is kept as it is.
func TestAudioIsKeptAsADigest(t *testing.T) {
	answers := map[string]struct{ mediaType, body string }{
		"/audio": {"audio/mpeg", "\xff\xfb\x10\xc4\x00"}, "/text": {"audio/mpeg", `{"error":{"message":"no"}}`}, "/silence": {"audio/pcm", "\x00\x00"},
		"/broken": {"application/json", "\xff\xfe"}, "/empty": {"audio/mpeg", ""},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", answers[r.URL.Path].mediaType)
		_, _ = w.Write([]byte(answers[r.URL.Path].body))
	}))
	defer server.Close()
	for path, digested := range map[string]bool{"/audio": true, "/silence": true, "/text": false, "/broken": false, "/empty": false} {
		o := observe(t, client(t, Limits{}), Call{Surface: dialect.Speech, BaseURL: server.URL, Path: path})
		assert.Equal(t, int64(len(answers[path].body)), o.BodySize)
		if digested {
			assert.Len(t, o.BodyDigest, 64, path)
			assert.Empty(t, o.Body, path)
			continue
		}
		assert.Empty(t, o.BodyDigest, path)
		assert.Equal(t, answers[path].body, string(o.Body), path)
	}
}

// A request without a body has none, whatever its prompt.
func TestAModelIsAskedForWithoutABody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode([]any{r.Method, r.URL.Path, r.ContentLength, r.Header.Get("Content-Type")})
	}))
	defer server.Close()
	o := observe(t, client(t, Limits{}), Call{Surface: dialect.Models, BaseURL: server.URL, Model: "a/b:c", Prompt: "hi"})
	assert.JSONEq(t, `["GET","/v1/models/a/b:c",0,""]`, string(o.Body))
	assert.Empty(t, o.Sent.Body)
}
