package reference

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
)

const (
	ampleQuota = 1_000_000_000_000
	smallQuota = 1_000_000
	// spentBudget is enough for ordinary models, but not for one token of the expensive one.
	spentBudget = 5_000

	ordinaryInput  = 1_000 // one unit a token
	ordinaryOutput = 2_000
	expensivePrice = 10_000_000

	everyone = "default"
	staff    = "staff"
)

// seedKey is a key with the user who owns it.
type seedKey struct {
	secret string
	quota  int64
	status string
	budget any
	models []string
	ips    []string
	rate   RateLimit
}

// seedModel is a model with its prices. A nil price leaves it unpriced.
type seedModel struct {
	name          string
	input, output any
}

// seedChannel is a channel with its models and keys.
type seedChannel struct {
	protocol   string
	address    string
	mapping    any
	annotation any
	group      string
	models     []string
	key        string
	keyless    bool // the key exists, but is disabled
}

func seed(ctx context.Context, s *store, f Fixtures, o Options) error {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, k := range seedKeys(f, o) {
			if err := insertKey(ctx, tx, k); err != nil {
				return err
			}
		}
		for _, m := range seedModels(f) {
			if _, err := change(ctx, tx, `INSERT INTO models (name, input_price, output_price) VALUES (?, ?, ?)`,
				m.name, m.input, m.output); err != nil {
				return err
			}
		}
		for priority, c := range seedChannels(f, o) {
			if err := insertChannel(ctx, tx, c, priority); err != nil {
				return err
			}
		}
		_, err := change(ctx, tx, `INSERT INTO words (word) VALUES (?)`, f.Word)
		return err
	})
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

func seedKeys(f Fixtures, o Options) []seedKey {
	k := f.Keys
	return []seedKey{
		{secret: k.Valid, quota: ampleQuota, status: "active"},
		{secret: k.Revoked, quota: ampleQuota, status: "revoked"},
		{secret: k.NoModelAccess, quota: ampleQuota, status: "active", models: []string{f.Models.ViaOpenAI}},
		{secret: k.DeniedIP, quota: ampleQuota, status: "active", ips: []string{"203.0.113.0/24"}},
		{secret: k.SpentAccount, quota: 0, status: "active"},
		{secret: k.SpentKey, quota: ampleQuota, status: "active", budget: spentBudget},
		{secret: k.Limited, quota: ampleQuota, status: "active", rate: o.Rate},
		{secret: k.Small, quota: smallQuota, status: "active", budget: smallQuota},
	}
}

func seedModels(f Fixtures) []seedModel {
	m := f.Models
	models := []seedModel{
		{m.Unpriced, nil, nil},
		{m.Expensive, expensivePrice, expensivePrice},
	}
	for _, name := range []string{
		m.Chat, m.Messages, m.Gemini, m.Embeddings, m.Images, m.Speech, m.Transcriptions, m.Moderations, m.Rerank,
		m.ViaOpenAI, m.ViaAnthropic, m.ViaGemini, m.Unrouted, m.Keyless,
		m.BadKey, m.BadMapping, m.UnreadableMapping, m.Unsupported, m.Dead, m.Unmarshalable, m.Restricted,
		m.BadKeyAnthropic, m.DeadAnthropic, m.UnmarshalableAnthropic,
	} {
		models = append(models, seedModel{name, ordinaryInput, ordinaryOutput})
	}
	return models
}

func seedChannels(f Fixtures, o Options) []seedChannel {
	m := f.Models
	working := func(protocol string, models ...string) seedChannel {
		names := make(map[string]string, len(models))
		for _, model := range models {
			names[model] = "upstream-" + model
		}
		mapping, _ := json.Marshal(names) // a map of strings always marshals
		return seedChannel{
			protocol: protocol, address: o.Upstream, mapping: string(mapping), group: everyone, models: models, key: f.UpstreamKey,
		}
	}
	channels := []seedChannel{
		working("openai", m.Chat, m.Embeddings, m.Images, m.Speech, m.Transcriptions, m.Moderations, m.Rerank, m.ViaOpenAI, m.Unpriced, m.Expensive),
		working("anthropic", m.Messages, m.ViaAnthropic),
		working("gemini", m.Gemini, m.ViaGemini),
	}
	// The others are working channels with one fault each.
	faultyOf := func(protocol, model string, fault func(*seedChannel)) {
		c := working(protocol, model)
		fault(&c)
		channels = append(channels, c)
	}
	faulty := func(model string, fault func(*seedChannel)) { faultyOf("openai", model, fault) }
	badKey := func(c *seedChannel) { c.key = f.RejectedUpstreamKey }
	annotated := func(c *seedChannel) { c.annotation = `{"region":` }
	dead := func(c *seedChannel) { c.address = o.DeadUpstream }
	faulty(m.Keyless, func(c *seedChannel) { c.keyless = true })
	faulty(m.BadKey, badKey)
	faultyOf("anthropic", m.BadKeyAnthropic, badKey)
	faulty(m.BadMapping, func(c *seedChannel) { c.mapping = fmt.Sprintf(`{%q:"gc-loop","gc-loop":%[1]q}`, m.BadMapping) })
	faulty(m.UnreadableMapping, func(c *seedChannel) { c.mapping = `{not json` })
	faulty(m.Unsupported, func(c *seedChannel) { c.protocol = "telegraph" })
	faulty(m.Dead, dead)
	faultyOf("anthropic", m.DeadAnthropic, dead)
	faulty(m.Unmarshalable, annotated)
	faultyOf("anthropic", m.UnmarshalableAnthropic, annotated)
	faulty(m.Restricted, func(c *seedChannel) { c.group = staff })
	return channels
}

func insertKey(ctx context.Context, tx *sql.Tx, k seedKey) error {
	var userID int64
	if err := tx.QueryRowContext(ctx, `INSERT INTO users (quota, user_group) VALUES (?, ?) RETURNING id`,
		k.quota, everyone).Scan(&userID); err != nil {
		return fmt.Errorf("%w: %w", ErrStoreWrite, err)
	}
	var kind, requests, window, burst any
	if k.rate.Requests > 0 {
		kind, requests, window = string(k.rate.Kind), k.rate.Requests, k.rate.Window.Milliseconds()
	}
	if k.rate.Burst > 0 {
		burst = k.rate.Burst
	}
	_, err := change(ctx, tx, `INSERT INTO keys
		(hash, user_id, status, budget, allowed_models, allowed_ips, rate_kind, rate_requests, rate_window_ms, rate_burst)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		hashKey(k.secret), userID, k.status, k.budget, jsonList(k.models), jsonList(k.ips), kind, requests, window, burst)
	return err
}

func insertChannel(ctx context.Context, tx *sql.Tx, c seedChannel, priority int) error {
	var channelID int64
	if err := tx.QueryRowContext(ctx, `INSERT INTO channels
		(protocol, base_url, mapping, annotation, enabled, user_group, priority) VALUES (?, ?, ?, ?, 1, ?, ?) RETURNING id`,
		c.protocol, c.address, c.mapping, c.annotation, c.group, priority).Scan(&channelID); err != nil {
		return fmt.Errorf("%w: %w", ErrStoreWrite, err)
	}
	for _, model := range c.models {
		if _, err := change(ctx, tx, `INSERT INTO channel_models (model, channel_id) VALUES (?, ?)`, model, channelID); err != nil {
			return err
		}
	}
	_, err := change(ctx, tx, `INSERT INTO channel_keys (channel_id, secret, enabled) VALUES (?, ?, ?)`, channelID, c.key, !c.keyless)
	return err
}

// jsonList encodes a list for the store: NULL for nil, which means no restriction.
func jsonList(list []string) any {
	if list == nil {
		return nil
	}
	text, _ := json.Marshal(list) // a list of strings always marshals
	return string(text)
}

// hashKey is the form in which the store keeps a caller's key.
func hashKey(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
