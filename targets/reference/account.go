package reference

import (
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

// account is a key with what it permits, and the user who owns it.
type account struct {
	keyID   int64
	userID  int64
	group   string
	revoked bool
	// models are those the key may use; nil means all.
	models []string
	// networks are those the key may be used from; nil means all.
	networks []netip.Prefix
	// rate has no requests when the key is not limited.
	rate RateLimit
}

// account finds a key. It returns errAbsent when it was never issued.
func (s *store) account(ctx context.Context, secret string) (account, error) {
	var (
		a                  account
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
		return account{}, err
	}
	a.revoked = status != "active"
	a.rate = RateLimit{
		Kind: contract.LimiterKind(kind.String), Requests: int(requests.Int64),
		Window: time.Duration(windowMS.Int64) * time.Millisecond, Burst: int(burst.Int64),
	}
	if models.Valid {
		if err := json.Unmarshal([]byte(models.String), &a.models); err != nil {
			return account{}, fmt.Errorf("%w: allowed models: %w", errQuery, err)
		}
	}
	if addresses.Valid {
		if err := json.Unmarshal([]byte(addresses.String), &a.networks); err != nil {
			return account{}, fmt.Errorf("%w: allowed addresses: %w", errQuery, err)
		}
	}
	return a, nil
}

// authenticate is the stage that finds out who calls.
func (g *Gateway) authenticate(ctx context.Context, c *call) error {
	secret := credential(c.request)
	if secret == "" {
		return unauthorised("A key is required.")
	}
	a, err := g.store.account(ctx, secret)
	if errors.Is(err, errAbsent) {
		return unauthorised("The key is not valid.")
	}
	if err != nil {
		return err
	}
	c.account = a
	return nil
}

func unauthorised(message string) *failure {
	return refuse(accessDenied, nil).with(http.StatusUnauthorized, message).saying("WWW-Authenticate", `Bearer realm="gateway"`)
}

// credential takes the key from where one of the dialects puts it. The query is Gemini's alone, since queries end up
// in logs.
func credential(r *http.Request) string {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	if key := r.Header.Get("X-Goog-Api-Key"); key != "" {
		return key
	}
	if surfaceOfPrefix(r).Dialect() == dialect.Gemini {
		return r.URL.Query().Get("key")
	}
	return ""
}

// admit is the stage that turns away keys that were withdrawn or are used from the wrong place.
func (g *Gateway) admit(_ context.Context, c *call) error {
	if c.account.revoked {
		return refuse(accessDenied, nil).with(http.StatusForbidden, "The key was withdrawn.")
	}
	if !reachableFrom(c.account.networks, c.request.RemoteAddr) {
		return refuse(accessDenied, nil).with(http.StatusForbidden, "The key is not permitted from this address.")
	}
	return nil
}

// reachableFrom goes by the address of the connection alone: forwarding headers are the caller's to write.
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
