package fleet

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
)

// ErrTarget is returned for a target that a worker was not started for.
var ErrTarget = errors.New("a target that this worker was not started for")

// allowed are the URLs that a worker may send to.
type allowed []*url.URL

// newAllowed reads them. It returns [ErrTarget] for a text that is not an absolute URL.
func newAllowed(targets []string) (allowed, error) {
	var list allowed
	for _, text := range targets {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, fmt.Errorf("%w: %.60q is not a URL such as https://gateway.example", ErrTarget, text)
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
		if u.Scheme == target.Scheme && authority(u) == authority(target) && within && !strings.Contains(u.Path, "..") {
			return true
		}
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

// checkCall returns [ErrTarget] for a call that goes elsewhere, by itself or by the one before it.
func (a allowed) checkCall(c exchange.Call) error {
	for call := &c; call != nil; call = call.First {
		if !a.allows(call.BaseURL) {
			return fmt.Errorf("%w: %.100q", ErrTarget, call.BaseURL)
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
