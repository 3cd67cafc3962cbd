// Package convert converts requests, responses, streams and errors between the API formats for the reference gateway.
//
// Clients use ten surfaces, and upstreams use three protocols. Everything is converted to a neutral form and from there to the other side's form, so
// that every surface and every protocol is implemented only once:
//
//	client  --Decode-->        Request          --Encode-->                     upstream
//	client  <--EncodeAnswer--  Answer           <--DecodeAnswer--               upstream
//	client  <--StreamEncoder-- pieces, an end   <--DecodeStream--               upstream
//	client  <--EncodeError--   dialect.Problem  Refusal <--DecodeRefusal--      upstream
//
// The forms that clients receive are those of package dialect, which the mock upstream also uses.
//
// The neutral form supports conversations of texts and images with one text as the response, and lists of texts with vectors as the response.
// Everything else that a client requests is kept as a [Need]: [Encode] passes it on to an upstream that can express it, and refuses the request for
// other upstreams. Nothing is dropped silently except what does not change a response, such as user, metadata or store, and fields that the API
// format does not know.
//
// The package does no I/O, keeps no state between calls, and trusts neither side: all sizes are limited, and errors do not quote either side.
package convert
