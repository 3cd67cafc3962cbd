package targets

// Callers differ. What may differ between clients is chosen by the case alone, so that a case is sent in the same way each time.

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

// setAccept sends what clients of all kinds send: SDKs, browsers, and programs that do not say what they accept. The choice
// depends on the case alone, so that a case is sent in the same way each time.
func setAccept(c contract.Case, header map[string]string) {
	accepts := []string{"application/json", "*/*", "text/html, application/json;q=0.9, */*;q=0.8", ""}
	if c.Surface.Streaming() {
		accepts = []string{"text/event-stream", "application/json", "*/*", ""}
	}
	if accept := accepts[choose(c, "", len(accepts))]; accept != "" {
		header["Accept"] = accept
	}
}

// choose returns one of n ways, from 0, to send a case: the same each time, and independent of what else is chosen.
func choose(c contract.Case, what string, n int) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(c.ID() + what)) // never fails
	return int(hash.Sum32() % uint32(n))     //nolint:gosec // a few ways
}

// keptShare is the share of the refused calls that are sent as the second one on their connection, as SDKs do with most:
// one in so many.
const keptShare = 3

// onKeptConnection selects calls that the gateway refuses by itself, so that sending another one first costs nothing. The
// choice depends on the case alone, as long as the gateway has no limit that counts calls.
func (s *Session) onKeptConnection(c contract.Case, pr Request) bool {
	_, fragile := s.AtOnce(1)
	return c.Reach() == contract.ReachNever && !pr.Exclusive() && pr.Repeat <= 1 && pr.Call.Fault == exchange.NoFault &&
		c.Circumstance != contract.OverRateLimit && !s.Limited() && !fragile && choose(c, "connection", keptShare) == 0
}

// TryNewerVersion makes a healthy call with the newer API version of the surface's format, if there is one. If the gateway serves the call, half of
// the cases on the surface use this version from then on. Otherwise, refused names the version and the gateway's response. Clients that send the
// newer version cannot use such a gateway, but the contract does not require it.
func (s *Session) TryNewerVersion(ctx context.Context, surface dialect.Surface) (refused string, err error) {
	call := HealthyCall(s.Profile, surface, newToken())
	if !setNewerVersion(&call) {
		return "", nil
	}
	o, err := s.paced(ctx, call)
	if err != nil {
		return "", err
	}
	ok, detail := contract.IsSuccess(surface, o)
	if s.newer.Store(surface, ok); !ok {
		return fmt.Sprintf("the gateway does not support version %s of the API on %s (%s), so gatecert used the earlier version", surface.Dialect().NewerVersion(), surface, detail), nil
	}
	return "", nil
}

// request is [RequestFor] this session: of what clients do in several ways, it sends what the gateway can serve.
func (s *Session) request(c contract.Case, token string) (Request, error) {
	p, place := s.current()
	s.relays.Store(c, place)
	pr, err := RequestFor(p, c, token)
	if err != nil {
		return pr, err
	}
	if newer, _ := s.newer.Load(c.Surface); newer == true && sentWithNewerVersion(c) {
		setNewerVersion(&pr.Call)
	}
	return pr, nil
}

// sentWithNewerVersion selects the cases that are sent with the newer version where the gateway serves it.
func sentWithNewerVersion(c contract.Case) bool { return choose(c, "version", 2) == 0 }

// setNewerVersion does nothing, and returns false, where the format has no newer version or the profile sets its own.
func setNewerVersion(call *exchange.Call) bool {
	field, _ := call.Surface.Dialect().Version()
	newer := call.Surface.Dialect().NewerVersion()
	if newer == "" {
		return false
	}
	for name := range call.Header {
		if http.CanonicalHeaderKey(name) == field {
			return false
		}
	}
	call.Header[field] = newer
	return true
}
