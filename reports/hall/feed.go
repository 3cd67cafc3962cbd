package hall

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports/plain"
)

// feedFile is the name of the feed.
const feedFile = "feed.atom"

// shownInFeed is how many runs the feed has, the newest.
const shownInFeed = 100

// feed is an Atom feed: https://www.rfc-editor.org/rfc/rfc4287.
type feed struct {
	XMLName   xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Updated   string   `xml:"updated"`
	Author    string   `xml:"author>name"`
	Generator string   `xml:"generator"`
	Links     []link   `xml:"link"`
	Entries   []item   `xml:"entry"`
}

type link struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type item struct {
	ID      string  `xml:"id"`
	Title   string  `xml:"title"`
	Updated string  `xml:"updated"`
	Links   []link  `xml:"link"`
	Content content `xml:"content"`
}

type content struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// feedPage writes a feed with an entry for each run that is listed. Its text is the result, and what changed since the run before it.
func (h Hall) feedPage(w io.Writer) error {
	type run struct {
		g     Gateway
		place int
	}
	var runs []run
	for _, g := range h.Gateways {
		for i := range g.Runs {
			runs = append(runs, run{g, i})
		}
	}
	entry := func(r run) Entry { return r.g.Runs[r.place] }
	slices.SortFunc(runs, func(a, b run) int {
		return cmp.Or(entry(b).Run.Footer.Ended.Compare(entry(a).Run.Footer.Ended), cmp.Compare(entry(a).Digest, entry(b).Digest))
	})
	f := feed{
		ID: urn("gatecert hall", h.options.URL, h.Scope), Title: "gatecert hall of results, level " + h.Scope,
		Author: "gatecert", Generator: version.Tool(), Updated: instant(entry(runs[0]).Run.Footer.Ended),
		Links: []link{{"alternate", "text/html", h.address("index.html")}},
	}
	if h.options.URL != "" {
		f.Links = append(f.Links, link{"self", "application/atom+xml", h.address(feedFile)})
	}
	for _, r := range runs[:min(len(runs), shownInFeed)] {
		e := entry(r)
		text := e.sentence() + "."
		if d, ok := r.g.diff(r.place); ok {
			text += " Changes since the previous run: " + d.Sentence() + "."
		}
		name := plain.Text(strings.TrimSpace(e.Run.Target.Name+" "+e.Run.Target.Version), maxName)
		f.Entries = append(f.Entries, item{
			ID: urn("gatecert run", e.Digest), Title: name, Updated: instant(e.Run.Footer.Ended),
			Links: []link{{"alternate", "text/html", h.address(gatewayPage(r.g))}}, Content: content{"text", text},
		})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(f); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// address is absolute where it is known where the pages are published, and relative to the feed elsewhere.
func (h Hall) address(page string) string {
	if h.options.URL == "" {
		return page
	}
	return strings.TrimSuffix(h.options.URL, "/") + "/" + page
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// urn names what has these parts: a UUID of version 8 (RFC 9562), made from their SHA-256.
func urn(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	digits := hex.EncodeToString(id)
	return "urn:uuid:" + strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}
