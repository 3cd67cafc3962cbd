// Package reference is a small real LLM gateway, so that the harness has a target that meets the whole error contract.
//
// It keeps users, keys, prices, channels and a ledger in a SQLite file, speaks the ten surfaces of package contract to
// callers and the three provider protocols of package dialect to providers. Every error of the contract arises from
// its own cause: a renamed table, a provider that is not there, a budget that does not suffice. No code path returns
// a code because somebody asked for it.
//
// A call goes through named stages, in this order; the first that fails ends it:
//
//	authenticate → admit → limit → read → decode → authorise → screen → count → price → reserve → pick → dial → deliver
//	└──────────────── nothing is spent and nobody is called ───────────────────────┘   │        └─ the provider ─┘
//	                                                                    refunded when anything after it fails
//
// The seed (see [Fixtures]) holds one key or model for each circumstance that the contract asks for.
package reference
