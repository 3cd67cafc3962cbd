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
	// errQuota is returned when a user's quota does not suffice.
	errQuota = errors.New("the user's quota does not suffice")
	// errBudget is returned when a key's own budget does not suffice.
	errBudget = errors.New("the key's budget does not suffice")
	// errNotHeld is returned when a hold was settled or refunded already.
	errNotHeld = errors.New("nothing is held for this call")
)

// hold is money set aside for one call, in quota units.
type hold struct {
	requestID string
	userID    int64
	keyID     int64
	model     string
	units     int64
}

// ledger moves money. A call's money is first held, and then settled (the caller pays for what came of it and gets
// the rest back) or refunded in whole; each happens once, in one transaction.
type ledger struct {
	store  *store
	logger *slog.Logger

	mu sync.Mutex
	// owed are refunds that the store would not take. There are never more than calls that were under way when it
	// began to fail: while it fails nothing new is held.
	owed []hold
}

// hold sets money aside. It returns errQuota or errBudget when there is not enough.
func (l *ledger) hold(ctx context.Context, h hold) error {
	l.payOwed(ctx)
	return l.store.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		changed, err := change(ctx, tx, `UPDATE users SET quota = quota - ?1 WHERE id = ?2 AND quota >= ?1`, h.units, h.userID)
		if err != nil {
			return err
		}
		if changed == 0 {
			return errQuota
		}
		changed, err = change(ctx, tx, `UPDATE keys SET budget = budget - ?1 WHERE id = ?2 AND (budget IS NULL OR budget >= ?1)`, h.units, h.keyID)
		if err != nil {
			return err
		}
		if changed == 0 {
			return errBudget
		}
		_, err = change(ctx, tx, `INSERT INTO ledger (request_id, user_id, key_id, model, held, charged, state) VALUES (?, ?, ?, ?, ?, 0, 'held')`,
			h.requestID, h.userID, h.keyID, h.model, h.units)
		return err
	})
}

// settle charges a part of what is held and gives the rest back. A charge never exceeds the hold: a caller is not
// made to pay more than was agreed to before the call.
func (l *ledger) settle(ctx context.Context, h hold, charge int64) error {
	return l.release(ctx, h, min(charge, h.units), "settled")
}

// refund gives back all that is held, and reports whether the store took it. If not, it is tried again before the
// next hold.
func (l *ledger) refund(ctx context.Context, h hold) bool {
	err := l.release(ctx, h, 0, "refunded")
	if err == nil || errors.Is(err, errNotHeld) {
		return true
	}
	l.logger.LogAttrs(ctx, slog.LevelError, "refund put off", slog.String("request_id", h.requestID), slog.Any("cause", err))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owed = append(l.owed, h)
	return false
}

// payOwed tries the refunds that were put off, until the store refuses one again.
func (l *ledger) payOwed(ctx context.Context) {
	for {
		l.mu.Lock()
		if len(l.owed) == 0 {
			l.mu.Unlock()
			return
		}
		h := l.owed[0]
		l.owed = l.owed[1:]
		l.mu.Unlock()
		if !l.refund(ctx, h) {
			return
		}
	}
}

func (l *ledger) release(ctx context.Context, h hold, charge int64, state string) error {
	return l.store.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		changed, err := change(ctx, tx, `UPDATE ledger SET state = ?, charged = ? WHERE request_id = ? AND state = 'held'`,
			state, charge, h.requestID)
		if err != nil {
			return err
		}
		if changed == 0 {
			return fmt.Errorf("%w: %s", errNotHeld, h.requestID)
		}
		back := h.units - charge
		if _, err = change(ctx, tx, `UPDATE users SET quota = quota + ? WHERE id = ?`, back, h.userID); err != nil {
			return err
		}
		_, err = change(ctx, tx, `UPDATE keys SET budget = budget + ? WHERE id = ? AND budget IS NOT NULL`, back, h.keyID)
		return err
	})
}

// reserve is the stage that takes the money before anything is spent: the user's quota first, then the key's budget.
func (g *Gateway) reserve(ctx context.Context, c *call) error {
	h := hold{requestID: c.id, userID: c.account.userID, keyID: c.account.keyID, model: c.model.name, units: c.cost}
	if err := g.ledger.hold(ctx, h); err != nil {
		return err
	}
	c.held = &h
	return nil
}

// settle charges a call for what it used.
func (g *Gateway) settle(ctx context.Context, c *call, input, output int) error {
	if err := g.ledger.settle(ctx, *c.held, c.model.cost(int64(input), int64(output))); err != nil {
		return err
	}
	c.held = nil
	return nil
}

// refund gives back what a call still holds, if anything.
func (g *Gateway) refund(ctx context.Context, c *call) {
	if c.held != nil && !g.bends.keep(g, c) {
		g.ledger.refund(ctx, *c.held)
		c.held = nil
	}
}

// balance is what a key and its owner have left, in quota units.
type balance struct {
	Quota int64 `json:"quota"`
	// Budget is nil for a key that only its owner's quota bounds.
	Budget *int64 `json:"budget"`
}

// balance reads what an account has left, once what is owed to it was paid.
func (l *ledger) balance(ctx context.Context, a account) (balance, error) {
	l.payOwed(ctx)
	var b balance
	err := l.store.row(ctx, `SELECT u.quota, k.budget FROM keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`,
		[]any{a.keyID}, &b.Quota, &b.Budget)
	return b, err
}
