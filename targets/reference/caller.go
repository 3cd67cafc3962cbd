package reference

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// caller is a key, what it permits, and the user who owns it.
type caller struct {
	keyID   int64
	userID  int64
	group   string
	revoked bool
	// models are those the key may use; nil means all.
	models []string
	// networks are those the key may be used from; nil means all.
	networks []netip.Prefix
	// rate is zero when the key is not limited.
	rate RateLimit
}

// caller finds a key. It returns [errNoRow] for one that was never issued.
func (s *store) caller(ctx context.Context, secret string) (caller, error) {
	var (
		a                  caller
		status             string
		models, addresses  sql.NullString
		requests, windowMS sql.NullInt64
		kind               sql.NullString
		burst              sql.NullInt64
	)
	err := s.row(ctx, `SELECT k.id, k.user_id, u.user_group, k.status, k.allowed_models, k.allowed_ips, 
			k.rate_kind, k.rate_requests, k.rate_window_ms, k.rate_burst
		FROM keys k JOIN users u ON u.id = k.user_id WHERE k.hash = ?`, []any{hashKey(secret)},
		&a.keyID, &a.userID, &a.group, &status, &models, &addresses, &kind, &requests, &windowMS, &burst)
	if err != nil {
		return caller{}, err
	}
	a.revoked = status != "active"
	a.rate = RateLimit{
		Kind: contract.LimiterKind(kind.String), Requests: int(requests.Int64),
		Window: time.Duration(windowMS.Int64) * time.Millisecond, Burst: int(burst.Int64),
	}
	if models.Valid {
		if err := json.Unmarshal([]byte(models.String), &a.models); err != nil {
			return caller{}, fmt.Errorf("%w: allowed models: %w", ErrStoreRead, err)
		}
	}
	if addresses.Valid {
		if err := json.Unmarshal([]byte(addresses.String), &a.networks); err != nil {
			return caller{}, fmt.Errorf("%w: allowed addresses: %w", ErrStoreRead, err)
		}
	}
	return a, nil
}

// authenticate is the handler that finds the key and its owner.
func (g *Gateway) authenticate(ctx context.Context, c *Call) error {
	secret := credential(c.Request)
	if secret == "" {
		return unauthorized("A key is required.")
	}
	a, err := g.store.caller(ctx, secret)
	if errors.Is(err, errNoRow) {
		return unauthorized("The key is not valid.")
	}
	if err != nil {
		return err
	}
	c.caller = a
	return nil
}

func unauthorized(message string) *Failure {
	return Refuse(AccessDenied, nil).with(http.StatusUnauthorized, message).WithHeader("WWW-Authenticate", `Bearer realm="gateway"`)
}

// credential reads the key from where an API format puts it, "" for none. Only Gemini's may stand in the query, since
// queries end up in logs.
func credential(r *http.Request) string {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if key := cmp.Or(r.Header.Get("X-Api-Key"), r.Header.Get("X-Goog-Api-Key")); key != "" {
		return key
	}
	if surfaceOfPrefix(r).Dialect() == dialect.Gemini {
		return r.URL.Query().Get("key")
	}
	return ""
}

// admit is the handler that refuses keys that are revoked or used from the wrong address.
func (g *Gateway) admit(_ context.Context, c *Call) error {
	if c.caller.revoked {
		return Refuse(AccessDenied, nil).with(http.StatusForbidden, "The key was revoked.")
	}
	if !reachableFrom(c.caller.networks, c.Request.RemoteAddr) {
		return Refuse(AccessDenied, nil).with(http.StatusForbidden, "The key may not be used from this address.")
	}
	return nil
}

// reachableFrom looks at the address of the connection alone: any client can write forwarding headers.
func reachableFrom(networks []netip.Prefix, remote string) bool {
	if networks == nil {
		return true
	}
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	address = address.Unmap()
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(address) })
}
