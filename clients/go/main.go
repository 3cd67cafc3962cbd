// Command gatecert-clients is the adapter for the Go client libraries that gatecert clients uses. For example, gatecert-clients openai implements the
// line protocol of docs/clients.md for github.com/openai/openai-go. It is a separate module and binary because the libraries take minutes to compile.
// With -tags one, it contains only the first version of Anthropic's library, for CI.
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
