// Command gatecert-clients is the adapter of the Go client libraries for gatecert clients: gatecert-clients openai speaks the lines
// of docs/clients.md for github.com/openai/openai-go. It is a module and a binary of its own because the libraries take minutes to
// compile.
package main

import (
	"fmt"
	"os"

	"github.com/gatecert/gatecert/clients/go/internal/adapter"
	anthropicclient "github.com/gatecert/gatecert/clients/go/internal/anthropic"
	anthropicv2client "github.com/gatecert/gatecert/clients/go/internal/anthropicv2"
	genaiclient "github.com/gatecert/gatecert/clients/go/internal/genai"
	openaiclient "github.com/gatecert/gatecert/clients/go/internal/openai"
)

func main() {
	libraries := map[string]adapter.Library{
		"openai": openaiclient.Library(), "anthropic": anthropicclient.Library(), "anthropic-v2": anthropicv2client.Library(), "genai": genaiclient.Library(),
	}
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	l, ok := libraries[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: gatecert-clients openai|anthropic|anthropic-v2|genai")
		os.Exit(2)
	}
	if err := adapter.Serve(l); err != nil {
		fmt.Fprintln(os.Stderr, "gatecert-clients:", err)
		os.Exit(1)
	}
}
