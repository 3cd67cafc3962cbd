package clients

import (
	"github.com/gatecert/gatecert/dialect"
)

// Protocol is the version of the line protocol.
const Protocol = 1

// hello is the first line of an adapter.
type hello struct {
	Protocol int               `json:"protocol"`
	Package  string            `json:"package"`
	Version  string            `json:"version"`
	Runtime  string            `json:"runtime"`
	Surfaces []dialect.Surface `json:"surfaces"`
	// Parallel is how many calls the adapter makes at once. 0 and 1 mean one at a time.
	Parallel int `json:"parallel"`
}

// ask is a line to an adapter: one call.
type ask struct {
	ID      string          `json:"id"`
	Surface dialect.Surface `json:"surface"`
	BaseURL string          `json:"base_url"`
	Key     string          `json:"key"`
	Model   string          `json:"model"`
	Prompt  string          `json:"prompt"`
	Stream  bool            `json:"stream"`
}

// answer is a line of an adapter: how a call ended.
type answer struct {
	ID string `json:"id"`
	// OK means that the client raised no error.
	OK bool `json:"ok"`
	// Class is the name of the error's class. Typed means that this class is one of the client's own.
	Class string `json:"class"`
	Typed bool   `json:"typed"`
	// Status is the HTTP status that the error reports, or 0 if it reports none.
	Status  int    `json:"status"`
	Message string `json:"message"`
	// Fields contains the texts in fields of the error, by the expression that reads them, such as "err.code". Raw contains the texts in an unparsed
	// body in the error.
	Fields map[string]string `json:"fields"`
	Raw    map[string]string `json:"raw"`
	// Text is the part of the response that the client delivered.
	Text string `json:"text"`
}

// PlaceholderKey is the key that clients receive. The recorder replaces it with the key of the case, so that no gateway key
// reaches a client library.
const PlaceholderKey = "gatecert-placeholder-key"
