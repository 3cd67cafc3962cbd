package exchange

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// ErrOtherRequest is returned if a recorded request differs from that of a call. Its text describes the difference.
var ErrOtherRequest = errors.New("an unexpected request")

// Recomputed compares a recorded request with that of a call whose secrets are replaced by their names, as in the record. token is the part of the
// call that differs each time. In its place, the record may contain any other token of the same length, but the same one everywhere. Recomputed
// returns that token, or "" if the record contains none.
//
// Recomputed returns [ErrOtherRequest] if the method, URL, header, body, fault or curl line differs.
func Recomputed(call Call, token string, sent contract.Sent) (found string, err error) {
	call.Sampled = sampledIn(sent.Header)
	req, text := rebuilt(call)
	t := template{token: token}
	if call.Fault == BrokenGzip {
		if err := t.gzip(text, sent); err != nil {
			return t.found, err
		}
		req.body = payload{head: sent.Body} // packed bytes have no token that could be replaced
	}
	capture := Limits{}.withDefaults().Capture
	want := req.sent(redact.New(), capture)
	if cut := string(want.Body); call.Fault == ShortBody && req.body.shown == nil && t.match(cut, string(sent.Body)) {
		req.body.head = sent.Body // a token that is cut off cannot be found in a line that goes on
		want.Curl = req.curl(redact.New(), capture)
	}
	for _, part := range []struct{ what, want, got string }{
		{"endpoint", string(want.Surface), string(sent.Surface)},
		{"fault", want.Fault, sent.Fault},
		{"method", want.Method, sent.Method},
		{"URL", want.URL, sent.URL},
		{"body", string(want.Body), string(sent.Body)},
		{"curl line", anyKey(want.Curl), anyKey(withoutKeptComment(sent))},
	} {
		if !t.match(part.want, part.got) {
			return t.found, fmt.Errorf("%w: its %s is %s", ErrOtherRequest, part.what, difference(part.want, part.got))
		}
	}
	if err := t.headers(want.Header, sent.Header); err != nil {
		return t.found, err
	}
	if call.Fault == Oversize && sent.BodySize != want.BodySize {
		return t.found, fmt.Errorf("%w: its body has %d bytes, expected %d", ErrOtherRequest, sent.BodySize, want.BodySize)
	}
	return t.found, checkFraming(call, sent)
}

// rebuilt is the request of a call as reports show it, and the text of its body before it is packed.
func rebuilt(call Call) (req *request, text []byte) {
	req, err := buildPlain(call)
	if err != nil {
		return notShown(call), nil
	}
	req.shown = req
	call.Fault = NoFault
	if body, _, err := buildPayload(call); err == nil {
		text = body.head
	}
	return req, text
}

// keptComment stands before the curl line of a call on a connection that was used before. Logs of earlier versions have earlierKeptComment.
const (
	keptComment        = "# this was the second request on its connection: to send two, give curl the URL twice\n"
	earlierKeptComment = "# it was the second request on its connection: name the URL twice to send two\n"
)

// withoutKeptComment is the curl line of a call without the comment, if the call may have it.
func withoutKeptComment(sent contract.Sent) string {
	if !sent.Kept {
		return sent.Curl
	}
	if line, found := strings.CutPrefix(sent.Curl, keptComment); found {
		return line
	}
	return strings.TrimPrefix(sent.Curl, earlierKeptComment)
}

// keyName matches the shell variable of a key. Which key it was cannot be seen in a record: all have one name there.
var keyName = regexp.MustCompile(`"\$GATEWAY_KEY_[A-Z0-9_]+"`)

func anyKey(line string) string { return keyName.ReplaceAllString(line, `"$$GATEWAY_KEY"`) }

// template is a text with tokens in it, in place of which another may have others.
type template struct{ token, found string }

// match reports whether a text is the wanted one with one other token.
func (t *template) match(want, got string) bool {
	return len(want) == len(got) && t.begins(want, got)
}

// begins reports whether a text begins like the wanted one, as far as it goes.
func (t *template) begins(want, got string) bool {
	for len(got) > 0 {
		at := strings.Index(want, t.token)
		if at < 0 || at >= len(got) {
			return strings.HasPrefix(want, got) || t.ends(want[:min(len(want), len(got))], got)
		}
		if got[:at] != want[:at] {
			return false
		}
		want, got = want[at+len(t.token):], got[at:]
		one := got[:min(len(got), len(t.token))]
		got = got[len(one):]
		if !t.isToken(one) {
			return false
		}
	}
	return true
}

// ends reports whether two texts of one length end in the beginning of a token, and are the same before it.
func (t *template) ends(want, got string) bool {
	for n := min(len(t.token)-1, len(want)); n > 0 && len(want) == len(got); n-- {
		if before := len(want) - n; want[before:] == t.token[:n] && want[:before] == got[:before] {
			return t.isToken(got[before:])
		}
	}
	return false
}

// isToken reports whether a text is the token, or the beginning of one that was cut off.
func (t *template) isToken(text string) bool {
	if !hexadecimal(text) || t.found != "" && !strings.HasPrefix(t.found, text) {
		return false
	}
	if len(text) == len(t.token) {
		t.found = text
	}
	return true
}

func hexadecimal(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

func (t *template) headers(want, got http.Header) error {
	names := slices.Sorted(maps.Keys(want))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, known := want[name]; !known {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if name == "Content-Length" {
			continue // that of the body, which may be longer than its record: names stand for secrets there
		}
		if !slices.EqualFunc(want[name], got[name], t.match) {
			return fmt.Errorf("%w: its header %s is %s", ErrOtherRequest, name, difference(list(want[name]), list(got[name])))
		}
	}
	return nil
}

func list(values []string) string { return strings.Join(values, ", ") }

// packedSlack is by how many bytes the packed forms of two texts may differ in length that differ in their tokens.
const packedSlack = 16

// gzip checks that a body is the first half of a packed text.
func (t *template) gzip(text []byte, sent contract.Sent) error {
	if text == nil && len(sent.Body) == 0 {
		return nil // a call that is not shown
	}
	var unpacked []byte
	packed, err := gzip.NewReader(bytes.NewReader(sent.Body))
	if err == nil {
		unpacked, err = io.ReadAll(io.LimitReader(packed, int64(len(text))+1))
	}
	missing := len(halfGzip(text)) - len(sent.Body)
	if missing > packedSlack || missing < -packedSlack || !errors.Is(err, io.ErrUnexpectedEOF) || !t.begins(string(text), string(unpacked)) {
		return fmt.Errorf("%w: its body is not the first half of the expected compressed body", ErrOtherRequest)
	}
	return nil
}

// checkFraming checks that only a body that is to be too short is.
func checkFraming(call Call, sent contract.Sent) error {
	declared := list(sent.Header["Content-Length"])
	short := call.Fault == ShortBody
	if declared == "" && !short {
		return nil
	}
	size, err := strconv.ParseInt(declared, 10, 64)
	if err != nil || short && size <= sent.BodySize || !short && size != sent.BodySize {
		return fmt.Errorf("%w: its Content-Length of %.20q does not match its body of %d bytes", ErrOtherRequest, declared, sent.BodySize)
	}
	return nil
}

// maxDifference bounds what is quoted of each of two texts, in bytes.
const maxDifference = 60

// difference quotes two texts from shortly before they differ.
func difference(want, got string) string {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	from := max(0, at-maxDifference/3)
	excerpt := func(text string) string {
		text = text[min(from, len(text)):]
		return strconv.Quote(text[:min(len(text), maxDifference)])
	}
	return fmt.Sprintf("%s, expected %s", cmp.Or(excerpt(got), `""`), excerpt(want))
}
