package reference

import (
	"crypto/rand"
	"encoding/hex"
)

// Fixtures are the seeded keys, models and words, by purpose. Keys differ from gateway to gateway.
type Fixtures struct {
	Keys   Keys
	Models Models
	// Word is on the gateway's list of sensitive words.
	Word string
	// UpstreamKey is the key that every working channel sends. The upstream should accept only this key.
	UpstreamKey string
	// RejectedUpstreamKey is the key that the channel of Models.BadKey sends.
	RejectedUpstreamKey string
}

// Keys are the callers' keys. Each belongs to a different user, so that calls with one key never change another key's balance.
type Keys struct {
	Valid         string // every model of its group, ample quota
	Revoked       string // has been revoked
	NoModelAccess string // may use Models.ViaOpenAI only
	DeniedIP      string // only from 203.0.113.0/24 (RFC 5737)
	SpentAccount  string // its owner's quota is 0
	SpentKey      string // ample quota, but a budget too small for Models.Expensive
	Limited       string // Options.Rate
	Small         string // a modest quota and budget that every call visibly charges
}

// Models are the model names that clients request. They are the same in every gateway.
type Models struct {
	Chat       string // on an OpenAI channel
	Messages   string // on an Anthropic channel
	Gemini     string // on a Gemini channel
	Embeddings string // on an OpenAI channel
	// Images, Speech, Transcriptions, Moderations and Rerank are on OpenAI channels too.
	Images, Speech, Transcriptions, Moderations, Rerank string

	// ViaOpenAI, ViaAnthropic and ViaGemini are the same three channels by protocol. A request on any surface is converted to the channel's protocol
	// or refused.
	ViaOpenAI    string
	ViaAnthropic string
	ViaGemini    string

	Unpriced        string // routed, without a price
	Unrouted        string // priced, without a channel
	Keyless         string // every key of its channel is disabled
	BadKey          string // the upstream rejects its channel's key
	BadKeyAnthropic string // the same on an Anthropic channel
	DeadAnthropic   string // like Dead, on an Anthropic channel

	UnmarshalableAnthropic string // like Unmarshalable, on an Anthropic channel
	BadMapping             string // its channel's model mapping is cyclic
	UnreadableMapping      string // its channel's model mapping is not JSON
	Unsupported            string // its channel uses a protocol that the gateway does not support
	Dead                   string // its channel's upstream does not exist
	Unmarshalable          string // its channel's annotation is not JSON
	Expensive              string // one token costs more than Keys.SpentKey has
	Restricted             string // its channel serves another group of users
}

func newFixtures() Fixtures {
	return Fixtures{
		Keys: Keys{
			Valid: newSecret("sk-gc-"), Revoked: newSecret("sk-gc-"), NoModelAccess: newSecret("sk-gc-"),
			DeniedIP: newSecret("sk-gc-"), SpentAccount: newSecret("sk-gc-"), SpentKey: newSecret("sk-gc-"),
			Limited: newSecret("sk-gc-"), Small: newSecret("sk-gc-"),
		},
		Models:              FixtureModels(),
		Word:                "grumblewort",
		UpstreamKey:         newSecret("pk-gc-"),
		RejectedUpstreamKey: newSecret("pk-gc-"),
	}
}

// FixtureModels returns the models of [Fixtures].
func FixtureModels() Models {
	return Models{
		Chat: "gc-chat", Messages: "gc-messages", Gemini: "gc-gemini", Embeddings: "gc-embeddings",
		Images: "gc-images", Speech: "gc-speech", Transcriptions: "gc-transcriptions", Moderations: "gc-moderations", Rerank: "gc-rerank",
		ViaOpenAI: "gc-via-openai", ViaAnthropic: "gc-via-anthropic", ViaGemini: "gc-via-gemini",
		Unpriced: "gc-unpriced", Unrouted: "gc-unrouted", Keyless: "gc-keyless", BadKey: "gc-bad-key",
		BadKeyAnthropic: "gc-bad-key-anthropic", DeadAnthropic: "gc-dead-anthropic", UnmarshalableAnthropic: "gc-unmarshalable-anthropic",
		BadMapping: "gc-bad-mapping", UnreadableMapping: "gc-unreadable-mapping", Unsupported: "gc-unsupported",
		Dead: "gc-dead", Unmarshalable: "gc-unmarshalable", Expensive: "gc-expensive", Restricted: "gc-restricted",
	}
}

// newSecret returns the prefix and 128 random bits in hexadecimal.
func newSecret(prefix string) string {
	var bits [16]byte
	rand.Read(bits[:]) // never fails (crypto/rand, since Go 1.24)
	return prefix + hex.EncodeToString(bits[:])
}
