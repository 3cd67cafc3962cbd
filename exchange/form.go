package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

// cutFromForm is how many bytes are missing from the end of a [CutForm]: the last boundary and a part of the file.
const cutFromForm = 256

// buildForm builds the body of a call whose clients send a multipart form.
func buildForm(call Call, object dialect.Object) (body payload, mediaType string, err error) {
	text := dialect.EncodeForm(object)
	mediaType = dialect.FormType
	switch call.Fault {
	case NoFault:
		body = payload{head: text, form: object}
	case NoBoundary:
		body, mediaType = payload{head: text}, dialect.FormTypeWithoutBoundary
	case CutForm:
		body = payload{head: text[:max(len(text)/2, len(text)-cutFromForm)]}
	default:
		if body, err = withFault(call, text); err != nil {
			return payload{}, "", err
		}
	}
	if call.Fault != BrokenGzip { // its bytes are no form, and shown as they are
		body.shown = shownForm(object)
	}
	return body, mediaType, nil
}

// shownForm is a form in which each file is described in place of its bytes.
func shownForm(object dialect.Object) []byte {
	shown := maps.Clone(object)
	for name, value := range object {
		content, ok := dialect.FileContent(value)
		if !ok {
			continue
		}
		file := maps.Clone(value.(dialect.Object)) //nolint:forcetypeassert // a file is one
		delete(file, "base64")
		file["text"] = describeBytes(content)
		shown[name] = file
	}
	return bytes.ReplaceAll(dialect.EncodeForm(shown), []byte(padMark), []byte("… padding …"))
}

// describeBytes says what bytes are that are not shown.
func describeBytes(content []byte) string {
	return fmt.Sprintf("[%d bytes, SHA-256 %x]", len(content), sha256.Sum256(content))
}

// fileOverhead is how much longer a command may be than a file of a few bytes.
const fileOverhead = 64

// curlForm adds the fields of a form to a command line that makes the form itself. A file comes from the standard input.
func (r *request) curlForm(line string, redactor *redact.Redactor) string {
	input := ""
	for _, name := range dialect.FormFields(r.body.form) {
		value := r.body.form[name]
		content, isFile := dialect.FileContent(value)
		if !isFile {
			line += " --form-string " + r.quote(name+"="+redactor.Text(dialect.FormText(value)))
			continue
		}
		file, _ := value.(dialect.Object)
		word := name + "=@-;filename=" + dialect.FormText(file["filename"])
		if kind, ok := file["type"].(string); ok {
			word += ";type=" + kind
		}
		line += " -F " + r.quote(word)
		content, _ = redactor.Bytes(content)
		if input = r.output(content) + " | "; len(input) > fileOverhead+2*len(content) {
			input = "printf %s " + base64.StdEncoding.EncodeToString(content) + " | base64 -d | "
		}
	}
	return input + line
}

// isForm reports whether the body is a whole form, which curl can make itself.
func (r *request) isForm() bool {
	return r.body.form != nil && strings.HasPrefix(r.header.Get("Content-Type"), dialect.FormTypeWithoutBoundary)
}
