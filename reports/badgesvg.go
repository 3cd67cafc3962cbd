package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gatecert/gatecert/reports/runlog"
)

// The dimensions of a badge in pixels. The font with which the badge will be drawn is unknown, so the text is stretched to its width.
const (
	badgeHeight = 20
	badgeChar   = 6.6 // of a character of 11 pixels, on average
	badgeMargin = 6
)

// badgeColors are the colours of shields.io's names, dark enough for white text (4.5 to 1).
var badgeColors = map[string]string{"brightgreen": "#1b7a3d", "yellow": "#8a6100", "red": "#c13a07", "lightgrey": "#5f6770"}

// BadgeSVG writes the badge of [Badge] as a self-contained image. It returns only errors of w.
func BadgeSVG(w io.Writer, run runlog.Run) error {
	b := newBadge(run)
	label, message := badgeWidth(b.Label), badgeWidth(b.Message)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img" aria-label="%s: %s">`+"\n",
		label+message, badgeHeight, xmlText(b.Label), xmlText(b.Message))
	fmt.Fprintf(&out, `<title>%s: %s</title>`+"\n", xmlText(b.Label), xmlText(b.Message))
	fmt.Fprintf(&out, `<clipPath id="r"><rect width="%d" height="%d" rx="3"/></clipPath>`+"\n", label+message, badgeHeight)
	fmt.Fprintf(&out, `<g clip-path="url(#r)"><rect width="%d" height="%d" fill="#444b54"/><rect x="%[1]d" width="%[3]d" height="%[2]d" fill="%[4]s"/></g>`+"\n",
		label, badgeHeight, message, badgeColors[b.Color])
	out.WriteString(`<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">` + "\n")
	fmt.Fprintf(&out, `<text x="%d" y="14" textLength="%d">%s</text>`+"\n", badgeMargin, label-2*badgeMargin, xmlText(b.Label))
	fmt.Fprintf(&out, `<text x="%d" y="14" textLength="%d">%s</text>`+"\n", label+badgeMargin, message-2*badgeMargin, xmlText(b.Message))
	out.WriteString("</g>\n</svg>\n")
	return flush(w, &out)
}

func badgeWidth(text string) int {
	return int(float64(utf8.RuneCountInString(text))*badgeChar) + 2*badgeMargin
}

func xmlText(s string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(s)) // a buffer does not fail
	return out.String()
}
