package fleet

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/load"
)

// ErrTarget is returned for a target that a worker is not allowed to send to.
var ErrTarget = errors.New("this worker is not allowed to send to this target (--allow-target)")

// ErrAllow is returned if a target that a worker may send to is not a URL, or if no target is named.
var ErrAllow = errors.New("invalid --allow-target")

// allowed are the URLs that a worker may send to.
type allowed []*url.URL

// newAllowed reads them. It returns [ErrAllow] for a text that is not an absolute URL.
func newAllowed(targets []string) (allowed, error) {
	var list allowed
	for _, text := range targets {
		if strings.Contains(text, "@") { // not quoted: it may be a password
			return nil, fmt.Errorf("%w: the URL contains a user name or a password", ErrAllow)
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, fmt.Errorf("%w: %.60q is not a URL such as https://gateway.example", ErrAllow, text)
		}
		list = append(list, u)
	}
	return list, nil
}

// allows reports whether a URL is one of the targets, or below one.
func (a allowed) allows(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	for _, target := range a {
		root := strings.TrimSuffix(target.Path, "/")
		within := u.Path == root || strings.HasPrefix(u.Path, root+"/")
		if u.Scheme == target.Scheme && authority(u) == authority(target) && within && !climbs(u) {
			return true
		}
	}
	return false
}

// climbs reports whether a path has a segment that leads upwards, in whatever encoding.
func climbs(u *url.URL) bool {
	path := u.EscapedPath()
	for range 3 { // a gateway may decode what it passes on
		for _, segment := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
			if segment == ".." || segment == "." {
				return true
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return true
		}
		path = decoded
	}
	return false
}

// authority is the host with its port.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// missing returns the first of some URLs that is none of the targets, "" where all are.
func (a allowed) missing(urls []string) string {
	for _, text := range urls {
		if !a.allows(text) {
			return text
		}
	}
	return ""
}

// named reports whether a host is that of a target.
func (a allowed) named(host string) bool {
	for _, target := range a {
		if strings.EqualFold(host, target.Host) || strings.EqualFold(host, target.Hostname()) {
			return true
		}
	}
	return false
}

// checkCall returns [ErrTarget] for a call that goes elsewhere, by itself or by the one before it.
func (a allowed) checkCall(c exchange.Call) error {
	for call := &c; call != nil; call = call.First {
		built, err := exchange.Prepare(*call, redact.New())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTarget, err)
		}
		if !a.allows(call.BaseURL) || !a.allows(built.URL) {
			return fmt.Errorf("%w: %.100q", ErrTarget, call.BaseURL)
		}
		if host := built.Header.Get("Host"); host != "" && !a.named(host) {
			return fmt.Errorf("%w: the Host header field %.100q does not name an allowed target", ErrTarget, host)
		}
	}
	return nil
}

// checkPhase returns [ErrTarget] for a phase of which a request goes elsewhere.
func (a allowed) checkPhase(p load.Phase) error {
	for _, r := range p.Mix {
		for _, c := range append(r.Variants, r.Call) {
			if err := a.checkCall(c); err != nil {
				return err
			}
		}
	}
	return nil
}
