// Package dialect converts what callers and providers say into one another for the reference gateway.
//
// Callers speak ten surfaces, providers three protocols. A hub form stands between them, so that every surface and
// every protocol is written once:
//
//	caller   --Decode-->        Request  --Encode-->                     provider
//	caller   <--EncodeAnswer--  Answer   <--DecodeAnswer--               provider
//	caller   <--StreamEncoder-- Delta... <--DecodeStream--               provider
//	caller   <--EncodeError--   APIError     Refusal <--ProviderError--  provider
//
// The hub carries a conversation of texts and images to one text back, and texts to vectors back. Whatever else a
// caller asks for is kept as a [Need]; [Encode] passes it to a provider that can express it and refuses the request
// for one that cannot. Nothing is dropped in silence but what changes no answer: bookkeeping such as user, metadata
// or store, and fields the dialect does not know.
//
// The package does no input or output of its own, keeps no state between calls, and treats both sides as hostile:
// everything is bounded, and no text of theirs appears in an error.
package convert
