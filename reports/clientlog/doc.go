// Package clientlog represents how real clients handled a gateway's responses, and renders this data as a table on the terminal, Markdown, and JSON.
//
//	log.go        what was observed: clients, calls, attempts
//	finding.go    differences from the action that a row demands
//	sentence.go   one sentence about a client's behaviour
//	group.go      clients with the same behaviour
//	advice.go     which other status would make clients behave correctly
//	behaviour.go  the behaviour of a client version, and differences between versions
//	terminal.go, markdown.go, json.go   the renderers
//
// Everything from a client or a gateway is treated as hostile text: its size is limited when it is read, and it is escaped when it is shown. Nothing
// in this package changes a verdict on the gateway.
package clientlog
