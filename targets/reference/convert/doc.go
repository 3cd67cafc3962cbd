// Package convert translates requests, answers, streams and errors between the API formats, for the reference gateway.
//
// Clients use ten surfaces, upstreams three protocols. Everything is translated into a neutral form and from there into
// the other side's, so that every surface and every protocol is written once:
//
//	client  --Decode-->        Request          --Encode-->                     upstream
//	client  <--EncodeAnswer--  Answer           <--DecodeAnswer--               upstream
//	client  <--StreamEncoder-- pieces, an end   <--DecodeStream--               upstream
//	client  <--EncodeError--   dialect.Problem  Refusal <--DecodeRefusal--      upstream
//
// The forms that clients get are those of package dialect, which also writes the mock upstream's.
//
// The neutral form has a conversation of texts and images with one text as its answer, and texts with vectors as
// theirs. Whatever else a client asks for is kept as a [Need]: [Encode] passes it on to an upstream that can express it,
// and refuses the request for one that cannot. Nothing is dropped silently except what does not change an answer, such as
// user, metadata or store, and fields that the API format does not know.
//
// The package does no I/O, keeps no state between calls, and trusts neither side: everything is bounded, and an error
// quotes nothing of either.
package convert
