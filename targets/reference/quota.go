package reference

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

var (
	// errQuota is returned when a user's quota is too small.
	errQuota = errors.New("the user's quota is too small")
	// errBudget is returned when a key's own budget is too small.
	errBudget = errors.New("the key's budget is too small")
	// errNotReserved is returned when a reservation was settled or refunded already.
	errNotReserved = errors.New("no quota is reserved for this call")
)

// reservation is quota that is reserved for one call.
type reservation struct {
	requestID string
	userID    int64
	keyID     int64
	model     string
	units     int64 // of quota
}

// quotaLedger reserves quota for calls. A reservation is settled (the caller pays for the answer and gets the rest back)
// or refunded in full; each happens once, in one transaction.
type quotaLedger struct {
	store  *store
	logger *slog.Logger

	mu sync.Mutex
	// owed are refunds that the store did not take. There are never more of them than there were open calls when it began
	// to fail: while it fails, nothing new is reserved.
	owed []reservation
}

// reserve reserves quota. It returns [errQuota] or [errBudget] when there is not enough.
func (l *quotaLedger) reserve(ctx context.Context, r reservation) error {
	l.payOwed(ctx)
	return l.store.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := mustChange(ctx, tx, errQuota, `UPDATE users SET quota = quota - ?1 WHERE id = ?2 AND quota >= ?1`, r.units, r.userID)
		if err != nil {
			return err
		}
		err = mustChange(ctx, tx, errBudget,
			`UPDATE keys SET budget = budget - ?1 WHERE id = ?2 AND (budget IS NULL OR budget >= ?1)`, r.units, r.keyID)
		if err != nil {
			return err
		}
		_, err = change(ctx, tx, `INSERT INTO ledger (request_id, user_id, key_id, model, held, charged, state) VALUES (?, ?, ?, ?, ?, 0, 'held')`,
			r.requestID, r.userID, r.keyID, r.model, r.units)
		return err
	})
}

// settle charges a part of a reservation and gives the rest back. A charge never exceeds the reservation: no caller pays
// more than was agreed before the call.
func (l *quotaLedger) settle(ctx context.Context, r reservation, charge int64) error {
	return l.release(ctx, r, min(charge, r.units), "settled")
}

// refund gives a reservation back, and reports whether the store took it. If not, it is tried again before the next
// reservation.
func (l *quotaLedger) refund(ctx context.Context, r reservation) bool {
	err := l.release(ctx, r, 0, "refunded")
	if err == nil || errors.Is(err, errNotReserved) {
		return true
	}
	l.logger.LogAttrs(ctx, slog.LevelError, "refund postponed", slog.String("request_id", r.requestID), slog.Any("cause", err))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owed = append(l.owed, r)
	return false
}

// payOwed tries the postponed refunds, until the store refuses one again.
func (l *quotaLedger) payOwed(ctx context.Context) {
	for {
		l.mu.Lock()
		if len(l.owed) == 0 {
			l.mu.Unlock()
			return
		}
		r := l.owed[0]
		l.owed = l.owed[1:]
		l.mu.Unlock()
		if !l.refund(ctx, r) {
			return
		}
	}
}

func (l *quotaLedger) release(ctx context.Context, r reservation, charge int64, state string) error {
	return l.store.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := mustChange(ctx, tx, fmt.Errorf("%w: %s", errNotReserved, r.requestID),
			`UPDATE ledger SET state = ?, charged = ? WHERE request_id = ? AND state = 'held'`, state, charge, r.requestID)
		if err != nil {
			return err
		}
		back := r.units - charge
		if _, err = change(ctx, tx, `UPDATE users SET quota = quota + ? WHERE id = ?`, back, r.userID); err != nil {
			return err
		}
		_, err = change(ctx, tx, `UPDATE keys SET budget = budget + ? WHERE id = ? AND budget IS NOT NULL`, back, r.keyID)
		return err
	})
}

// reserve is the handler that reserves the most that the call can cost: of the user's quota first, then of the key's
// budget.
func (g *Gateway) reserve(ctx context.Context, c *Call) error {
	if c.Surface.Free() {
		return nil
	}
	r := reservation{requestID: c.id, userID: c.caller.userID, keyID: c.caller.keyID, model: c.model.name, units: c.cost}
	if err := g.quota.reserve(ctx, r); err != nil {
		return err
	}
	c.reserved = &r
	return nil
}

func (g *Gateway) settle(ctx context.Context, c *Call, input, output int) error {
	g.countTokens(c, input, output)
	if c.reserved == nil { // the call is free
		return nil
	}
	if err := g.quota.settle(ctx, *c.reserved, c.model.cost(int64(input), int64(output))); err != nil {
		return err
	}
	c.reserved = nil
	return nil
}

// refund gives back what is still reserved for a call, if anything.
func (g *Gateway) refund(ctx context.Context, c *Call) {
	if r := c.reserved; r != nil {
		c.reserved = nil
		apply(c, c.hooks.Refund, func() { g.quota.refund(ctx, *r) })()
	}
}

// balance is what a key and its owner have left, in quota units.
type balance struct {
	Quota int64 `json:"quota"`
	// Budget is nil for a key without a budget of its own.
	Budget *int64 `json:"budget"`
}

// balance reads what a caller has left, after paying what is owed.
func (l *quotaLedger) balance(ctx context.Context, c caller) (balance, error) {
	l.payOwed(ctx)
	var b balance
	err := l.store.row(ctx, `SELECT u.quota, k.budget FROM keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`,
		[]any{c.keyID}, &b.Quota, &b.Budget)
	return b, err
}
