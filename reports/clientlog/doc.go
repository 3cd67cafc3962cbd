// Package clientlog represents how real clients handled a gateway's responses, and renders this data as a table on the terminal, Markdown, and JSON.
//
//	log.go        what was seen: clients, calls, attempts
//	finding.go    what is compared with the action that a row asks for
//	sentence.go   one sentence for what a client did
//	group.go      clients that did the same
//	advice.go     where another status would make clients do the right thing
//	behaviour.go  what a version of a client did, and how another version differs
//	terminal.go, markdown.go, json.go   the renderers
//
// Everything from a client or a gateway is treated as hostile text: its size is limited when it is read, and it is escaped when it is shown. Nothing
// in this package changes a verdict on the gateway.
package clientlog
