package hall

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/gatecert/gatecert/contract"
)

// plainSlug matches the names that need no digest to be unique. It does not match the names of folder indexes and of Windows devices.
var (
	plainSlug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]|\.[a-z0-9-]){0,39}$`)
	reserved  = regexp.MustCompile(`^(index|con|prn|aux|nul|com\d|lpt\d)(\.|$)`)
)

// slug makes a part of an address from a gateway's name, which may be anything. Two names never have the same slug: where the name has
// to be changed, a digest of it follows.
func slug(name string) string {
	if plainSlug.MatchString(name) && !reserved.MatchString(name) {
		return name
	}
	const most, digits = 30, 16
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name)
	kept = strings.Trim(kept[:min(len(kept), most)], "-")
	sum := sha256.Sum256([]byte(name))
	if kept == "" {
		kept = "gateway"
	}
	return kept + "_" + hex.EncodeToString(sum[:])[:digits]
}

// rowFile is the name of the page of a row.
func rowFile(id contract.RowID) string {
	return strings.ReplaceAll(string(id), ":", "-") + ".html"
}
