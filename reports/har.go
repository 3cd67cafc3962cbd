package reports

import (
	"cmp"
	"encoding/base64"
	"io"
	"maps"
	"net/textproto"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The types of HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/. Fields that begin with _ are gatecert's own.
type harLog struct {
	Version string            `json:"version"`
	Creator map[string]string `json:"creator"`
	Entries []harEntry        `json:"entries"`
	Comment string            `json:"comment"`
}

type harEntry struct {
	Started  string      `json:"startedDateTime"`
	Time     float64     `json:"time"` // milliseconds, the sum of the timings
	Request  harRequest  `json:"request"`
	Response harResponse `json:"response"`
	Cache    struct{}    `json:"cache"`
	Timings  harTimings  `json:"timings"`
	Comment  string      `json:"comment"`
	// Case is the id of the case, or "control" for a control call. Verdict is the case's.
	Case    string           `json:"_case"`
	Verdict contract.Verdict `json:"_verdict,omitempty"`
	// Events are the events of a stream, each with the milliseconds at which it was complete.
	Events []harEvent `json:"_events,omitempty"`
	// Upstream is what the mock upstream received.
	Upstream *contract.Seen `json:"_upstream,omitempty"`
}

type harEvent struct {
	At   float64 `json:"at_ms"`
	Name string  `json:"name,omitempty"`
	Data string  `json:"data"`
}

type harRequest struct {
	Method      string     `json:"method"`
	URL         string     `json:"url"`
	HTTPVersion string     `json:"httpVersion"`
	Cookies     []struct{} `json:"cookies"`
	Headers     []harPair  `json:"headers"`
	QueryString []harPair  `json:"queryString"`
	PostData    *harPost   `json:"postData,omitempty"`
	HeadersSize int        `json:"headersSize"`
	BodySize    int64      `json:"bodySize"`
	Fault       string     `json:"_fault,omitempty"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harPost struct {
	MimeType string `json:"mimeType"`
	// Params are the fields of a multipart form. Text is then "": HAR has one or the other.
	Params   []harParam `json:"params"`
	Text     string     `json:"text"`
	Encoding string     `json:"_encoding,omitempty"`
}

// harParam is a field of a form. The value of a file is a description of it.
type harParam struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	FileName    string `json:"fileName,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Encoding    string `json:"_encoding,omitempty"`
}

type harResponse struct {
	Status      int        `json:"status"`
	StatusText  string     `json:"statusText"`
	HTTPVersion string     `json:"httpVersion"`
	Cookies     []struct{} `json:"cookies"`
	Headers     []harPair  `json:"headers"`
	Content     harContent `json:"content"`
	RedirectURL string     `json:"redirectURL"`
	HeadersSize int        `json:"headersSize"`
	BodySize    int64      `json:"bodySize"`
	Error       string     `json:"_error,omitempty"`
}

type harContent struct {
	Size     int64  `json:"size"`
	MimeType string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	// Digest is the SHA-256 of a body that is not text. It is not kept, as Comment says.
	Digest  string `json:"_sha256,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// harTimings are in milliseconds; -1 means that a phase does not apply.
type harTimings struct {
	Blocked float64 `json:"blocked"`
	DNS     float64 `json:"dns"`
	Connect float64 `json:"connect"`
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
	SSL     float64 `json:"ssl"`
}

// HAR writes exchanges.har with every exchange in the log, control calls first, redacted as captured. It returns only errors of w.
func HAR(w io.Writer, run runlog.Run) error {
	log := harLog{
		Version: "1.2", Creator: map[string]string{"name": "gatecert", "version": plain.Text(run.Tool, nameLimit)}, Entries: []harEntry{},
		Comment: targetName(run) + ": " + Sentence(run),
	}
	for _, c := range run.Controls {
		if c.Observation != nil {
			entry := newHAREntry(*c.Observation, c.At)
			entry.Case, entry.Comment = "control", plain.Text(c.Kind+" control on "+string(c.Surface)+" "+c.Phase+" the cases", textLimit)
			log.Entries = append(log.Entries, entry)
		}
	}
	for _, c := range run.Cases {
		if c.Observation != nil {
			entry := newHAREntry(*c.Observation, c.Started)
			entry.Case, entry.Verdict, entry.Comment = plain.Text(c.ID, nameLimit), c.Verdict.OrError(), ""
			if c.Verdict != contract.Pass {
				entry.Comment = Headline(c)
			}
			log.Entries = append(log.Entries, entry)
		}
	}
	return encodeJSON(w, map[string]harLog{"log": log})
}

func newHAREntry(o contract.Observation, at time.Time) harEntry {
	proto := cmp.Or(o.Proto, "HTTP/1.1")
	entry := harEntry{
		Started: at.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Request: harRequest{
			Method: o.Sent.Method, URL: o.Sent.URL, HTTPVersion: proto, Cookies: []struct{}{}, Headers: harPairs(o.Sent.Header),
			QueryString: harQuery(o.Sent.URL), HeadersSize: -1, BodySize: o.Sent.BodySize, Fault: o.Sent.Fault,
		},
		Response: harResponse{
			Status: o.Status, StatusText: statusTexts[o.Status], HTTPVersion: proto, Cookies: []struct{}{}, Headers: harPairs(o.Header),
			RedirectURL: textproto.MIMEHeader(o.Header).Get("Location"), HeadersSize: -1, BodySize: o.BodySize,
		},
		Timings:  harTimes(o.Timing),
		Upstream: o.Upstream,
	}
	entry.Time = entry.Timings.Send + entry.Timings.Wait + entry.Timings.Receive
	if len(o.Sent.Body) > 0 {
		entry.Request.PostData = newHARPost(o.Sent)
	}
	content := &entry.Response.Content
	content.Size, content.MimeType = o.BodySize, contentType(o.Header)
	content.Text, content.Encoding = harText(o.Body)
	if text := mediaText(o); text != "" {
		content.Digest, content.Comment = plain.Text(o.BodyDigest, nameLimit), "the body is not text and was not kept: "+text
	}
	switch {
	case o.Failure != nil:
		entry.Response.Error = string(o.Failure.Kind) + ": " + o.Failure.Detail
	case o.TransferError != "":
		entry.Response.Error = "transfer interrupted: " + o.TransferError
	case o.Cut != "":
		entry.Response.Error = "gatecert stopped reading: " + o.Cut
	}
	if o.Stream != nil {
		for _, e := range o.Stream.Events {
			entry.Events = append(entry.Events, harEvent{milliseconds(e.At), e.Name, string(e.Data)})
		}
	}
	return entry
}

func newHARPost(s contract.Sent) *harPost {
	post := &harPost{MimeType: contentType(s.Header), Params: []harParam{}}
	if params, ok := formParams(s); ok {
		post.Params = params
		return post
	}
	post.Text, post.Encoding = harText(s.Body)
	return post
}

// harText returns content as text, or in base64 when it is not valid UTF-8.
func harText(content contract.Bytes) (text, encoding string) {
	if utf8.Valid(content) {
		return string(content), ""
	}
	return base64.StdEncoding.EncodeToString(content), "base64"
}

func harPairs(header map[string][]string) []harPair {
	pairs := []harPair{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			pairs = append(pairs, harPair{name, value})
		}
	}
	return pairs
}

func harQuery(address string) []harPair {
	u, err := url.Parse(address)
	if err != nil {
		return []harPair{}
	}
	return harPairs(u.Query())
}

// harTimes divides a call into waiting and receiving. The time to send is not measured separately.
func harTimes(t contract.Timing) harTimings {
	wait := t.FirstByte
	if wait == 0 || wait > t.End {
		wait = t.End
	}
	return harTimings{Blocked: -1, DNS: -1, Connect: -1, SSL: -1, Wait: milliseconds(wait), Receive: milliseconds(t.End - wait)}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// statusTexts are the reason phrases of RFC 9110 that gateways send. HAR wants one; a log does not keep the status line.
var statusTexts = map[int]string{
	200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
	301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 413: "Content Too Large",
	414: "URI Too Long", 415: "Unsupported Media Type", 417: "Expectation Failed", 421: "Misdirected Request",
	422: "Unprocessable Content", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
	429: "Too Many Requests", 431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
	500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
	505: "HTTP Version Not Supported", 507: "Insufficient Storage",
}
