package reports

import (
	"net/textproto"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
)

// mediaText describes the body of a response that is not text, and of which a log has the digest only: "312 bytes of
// audio/mpeg, SHA-256 b911…". It is "" for any other body.
func mediaText(o contract.Observation) string {
	if o.BodyDigest == "" {
		return ""
	}
	text := bytesCount(o.BodySize)
	if mediaType := contentType(o.Header); mediaType != "" {
		text += " of " + plain.Text(mediaType, 60)
	}
	return text + ", SHA-256 " + plain.Text(o.BodyDigest, 64)
}

func bytesCount(n int64) string { return plain.Count(n, "byte") }

func contentType(header map[string][]string) string {
	return textproto.MIMEHeader(header).Get("Content-Type")
}

// isForm reports whether a request says that its body is a multipart form.
func isForm(s contract.Sent) bool {
	mediaType, _, _ := strings.Cut(contentType(s.Header), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "multipart/form-data")
}

// formParams are the fields of a request whose body is a whole multipart form. ok is false for any other body, as one that is
// cut off or has no boundary.
func formParams(s contract.Sent) (params []harParam, ok bool) {
	parts, err := dialect.FormParts(contentType(s.Header), s.Body)
	if err != nil || s.Fault != "" {
		return nil, false
	}
	for _, part := range parts {
		if part.Name == "" {
			return nil, false
		}
		text, encoding := harText(part.Content)
		params = append(params, harParam{Name: part.Name, Value: text, FileName: part.FileName, ContentType: part.Type, Encoding: encoding})
	}
	return params, len(params) > 0
}
