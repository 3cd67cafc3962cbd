// Package clientlog contains, as data, what real clients made of a gateway's answers, and renders it: a table on the terminal,
// Markdown, and JSON.
//
//	log.go        what was seen: clients, calls, attempts
//	finding.go    what is compared with the action that a row asks for
//	sentence.go   one sentence for what a client did
//	group.go      clients that did the same
//	advice.go     where another status would make clients do the right thing
//	behaviour.go  what a version of a client did, and how another version differs
//	terminal.go, markdown.go, json.go   the renderers
//
// Everything from a client or a gateway is hostile text: it is bounded where it is read, and escaped where it is shown. Nothing
// here changes a verdict on the gateway.
package clientlog
