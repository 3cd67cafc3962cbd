// Package reference is a small but real LLM gateway that conforms to the whole error contract. Certifications and tests of the harness run against
// it.
//
// It keeps users, keys, prices, channels and a quota ledger in a SQLite file, serves the ten surfaces of package dialect, and calls upstreams in the
// three protocols of package convert. Every error of the contract has a real cause: a renamed table, an upstream that is not there, a budget that is
// too small. No code path returns an error because a test asked for it.
//
// A call to a model runs through these handlers, in this order. The first one that fails ends the call:
//
//	authenticate → admit → limit → read → decode → authorize → screen → count → price → reserve → pick → dial → deliver
//	└────────── no quota is reserved and the upstream is not called ───────────────┘   │        └─── upstream ───┘
//	                                                            refunded when a handler after it fails
//
// [Hooks] are the extension points: package mutants uses them to break gateways. The gateway itself does not know the mutants.
//
// The seed (see [Fixtures]) contains one key or model for each circumstance of the contract.
package reference
