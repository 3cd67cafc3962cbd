package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/targets/reference"
)

func editBody(edit func(map[string]any)) func(*reference.Call, *reference.Answer) {
	return func(_ *reference.Call, a *reference.Answer) {
		var members map[string]any
		if json.Unmarshal(a.Body, &members) == nil {
			edit(members)
			a.Body = encode(members)
		}
	}
}

func editError(edit func(map[string]any)) func(*reference.Call, *reference.Answer) {
	return func(_ *reference.Call, a *reference.Answer) { a.Body = edited(a.Body, edit) }
}

// edited is a body with the members of its error object changed. A body without such an object stays as it is.
func edited(body []byte, edit func(map[string]any)) []byte {
	var outer map[string]any
	if json.Unmarshal(body, &outer) != nil {
		return body
	}
	inner, ok := outer["error"].(map[string]any)
	if !ok {
		return body
	}
	edit(inner)
	return encode(outer)
}

// encode encodes maps, lists, strings and numbers, which cannot fail.
func encode(v any) []byte {
	body, _ := json.Marshal(v)
	return body
}

// page answers with a page that is not JSON.
func page(contentType, body string) func(*reference.Call, *reference.Answer) {
	return func(_ *reference.Call, a *reference.Answer) {
		a.Header.Set("Content-Type", contentType)
		a.Body = []byte(body)
	}
}

func nothing(_ *reference.Call, a *reference.Answer) {
	a.Header.Del("Content-Type")
	a.Body = nil
}

func setHeader(name, value string) func(*reference.Call, *reference.Answer) {
	return func(_ *reference.Call, a *reference.Answer) { a.Header.Set(name, value) }
}

type writeFunc = func(context.Context, *reference.Reply, *reference.Answer) error

func writeWith(write writeFunc) func(*reference.Call, *reference.Answer) {
	return func(_ *reference.Call, a *reference.Answer) { a.Write = write }
}

func closeConnection(_ context.Context, r *reference.Reply, _ *reference.Answer) error {
	conn, err := r.Hijack()
	if err != nil {
		return err
	}
	return conn.Close()
}

// beginAndClose begins an event stream and closes the connection, without the end of the transfer.
func beginAndClose(_ context.Context, r *reference.Reply, _ *reference.Answer) error {
	if err := r.Events([]byte(": waiting\n\n")); err != nil {
		return err
	}
	conn, err := r.Hijack()
	if err != nil {
		return err
	}
	return conn.Close()
}

// cutOff announces 100 bytes more than it sends; the server then closes the connection.
func cutOff(_ context.Context, r *reference.Reply, a *reference.Answer) error {
	const more = 100
	r.Header().Set("Content-Length", strconv.Itoa(len(a.Body)+more))
	r.WriteHeader(a.Status)
	_, err := r.Write(a.Body)
	return err
}

// endless sends white space after the answer until the client disconnects, or has got more than any client should read.
func endless(ctx context.Context, r *reference.Reply, a *reference.Answer) error {
	const enough = 64 << 20
	r.WriteHeader(a.Status)
	filler := bytes.Repeat([]byte(" "), 64<<10)
	_, err := r.Write(a.Body)
	for sent := 0; err == nil && ctx.Err() == nil && sent < enough; sent += len(filler) {
		_, err = r.Write(filler)
	}
	return err
}

// inChunks sends an answer in chunks of so many bytes.
func inChunks(size int) writeFunc {
	return func(_ context.Context, r *reference.Reply, a *reference.Answer) error {
		r.WriteHeader(a.Status)
		for chunk := range slices.Chunk(a.Body, size) {
			if err := r.Events(chunk); err != nil {
				return err
			}
		}
		return nil
	}
}

// byHand writes an answer without net/http, which sorts the header fields.
func byHand(_ context.Context, r *reference.Reply, a *reference.Answer) error {
	a.Header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	a.Header.Set("Connection", "close")
	conn, err := r.Hijack()
	if err != nil {
		return err
	}
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	names := slices.Sorted(maps.Keys(a.Header))
	slices.Reverse(names)
	for _, name := range names {
		fmt.Fprintf(&head, "%s: %s\r\n", strings.ToLower(name), strings.Join(a.Header[name], ", "))
	}
	_, err = io.WriteString(conn, head.String()+"\r\n"+string(a.Body))
	return errors.Join(err, conn.Close())
}

// earlyHints sends a 103 before the answer.
func earlyHints(_ context.Context, r *reference.Reply, a *reference.Answer) error {
	r.WriteHeader(http.StatusEarlyHints)
	return r.Whole(a.Status, a.Body)
}
