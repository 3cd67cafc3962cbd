// Command gatecert-clients is the adapter of the Go client libraries for gatecert clients: gatecert-clients openai speaks the lines
// of docs/clients.md for github.com/openai/openai-go. It is a module and a binary of its own because the libraries take minutes to
// compile.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// ask is one call to make.
type ask struct {
	ID      string `json:"id"`
	Surface string `json:"surface"`
	BaseURL string `json:"base_url"`
	Key     string `json:"key"`
	Model   string `json:"model"`
	Prompt  string `json:"prompt"`
	Stream  bool   `json:"stream"`
}

// answer is how a call ended.
type answer struct {
	ID      string            `json:"id"`
	OK      bool              `json:"ok"`
	Class   string            `json:"class,omitempty"`
	Typed   bool              `json:"typed,omitempty"`
	Status  int               `json:"status,omitempty"`
	Message string            `json:"message,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	Raw     map[string]string `json:"raw,omitempty"`
	Text    string            `json:"text,omitempty"`
}

// library is a client library.
type library struct {
	module   string
	surfaces []string
	// call returns what was delivered, also beside an error.
	call func(ctx context.Context, a ask) (text string, err error)
	// describe fills in what is known of an error.
	describe func(err error, into *answer)
}

func main() {
	libraries := map[string]library{"openai": openaiLibrary(), "anthropic": anthropicLibrary(), "genai": genaiLibrary()}
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	l, ok := libraries[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: gatecert-clients openai|anthropic|genai")
		os.Exit(2)
	}
	if err := serve(l); err != nil {
		fmt.Fprintln(os.Stderr, "gatecert-clients:", err)
		os.Exit(1)
	}
}

const (
	parallel = 8
	maxLine  = 1 << 20
	maxText  = 2000
)

// serve makes the calls that stand on standard input, up to parallel at once, until it ends.
func serve(l library) error {
	out := struct {
		sync.Mutex
		*json.Encoder
	}{Encoder: json.NewEncoder(os.Stdout)}
	hello := map[string]any{
		"protocol": 1, "package": l.module, "version": versionOf(l.module), "runtime": runtime.Version(), "surfaces": l.surfaces, "parallel": parallel,
	}
	if err := out.Encode(hello); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var a ask
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return err
		}
		go func() {
			got := answer{ID: a.ID}
			text, err := l.call(context.Background(), a)
			if got.Text = clip(text); err == nil {
				got.OK = true
			} else {
				got.Class, got.Message = strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), clip(err.Error())
				l.describe(err, &got)
			}
			out.Lock()
			defer out.Unlock()
			_ = out.Encode(got) // who asked has gone
		}()
	}
	return lines.Err()
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }

// versionOf is the version of a module that this binary was built with.
func versionOf(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module })
	if i < 0 {
		return "unknown"
	}
	return info.Deps[i].Version
}

// texts are all texts and numbers inside a JSON value, by the path that leads there.
func texts(value any, path string, found map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			texts(member, path+"."+name, found)
		}
	case []any:
		for i, element := range v {
			texts(element, fmt.Sprintf("%s[%d]", path, i), found)
		}
	case string:
		found[path] = clip(v)
	}
}

// parsed are the texts of raw JSON.
func parsed(raw, path string) map[string]string {
	var value any
	if json.Unmarshal([]byte(raw), &value) != nil {
		return nil
	}
	found := map[string]string{}
	texts(value, path, found)
	return found
}
