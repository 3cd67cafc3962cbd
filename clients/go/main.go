// Command gatecert-clients is the adapter of the Go client libraries for gatecert clients: gatecert-clients openai speaks the lines
// of docs/clients.md for github.com/openai/openai-go. It is a module and a binary of its own because the libraries take minutes to
// compile; with -tags one it has Anthropic's first alone, for CI.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/clients/go/internal/adapter"
)

func main() {
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	l, ok := libraries()[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: gatecert-clients "+strings.Join(slices.Sorted(maps.Keys(libraries())), "|"))
		os.Exit(2)
	}
	if err := adapter.Serve(l); err != nil {
		fmt.Fprintln(os.Stderr, "gatecert-clients:", err)
		os.Exit(1)
	}
}
