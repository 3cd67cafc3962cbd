package main

import (
	"io"
	"slices"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/targets/profile"
)

// hide replaces the secrets of a profile in everything that is printed from now on. Whatever quotes a gateway is redacted where it
// is captured; this is for the rest, such as the error of a connection.
func (c *console) hide(p profile.Profile) {
	searched, _ := p.SearchedSecrets()
	searched = slices.DeleteFunc(searched, func(s redact.Secret) bool {
		return s.What == profile.UpstreamAddress // who cannot reach it has to see which it is
	})
	if len(searched) == 0 {
		return
	}
	redactor := redact.New(searched...)
	c.out, c.err = hiding{c.out, redactor}, hiding{c.err, redactor}
}

// hiding is a writer that replaces secrets. Each of them has to come in one piece, as one line of text does.
type hiding struct {
	to       io.Writer
	redactor *redact.Redactor
}

// Write implements io.Writer.
func (h hiding) Write(text []byte) (int, error) {
	clean, _ := h.redactor.Bytes(text)
	if _, err := h.to.Write(clean); err != nil {
		return 0, err
	}
	return len(text), nil
}
