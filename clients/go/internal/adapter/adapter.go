// Package adapter implements the line protocol of docs/clients.md for a client library.
package adapter

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

// Ask is a call that the adapter must make.
type Ask struct {
	ID      string `json:"id"`
	Surface string `json:"surface"`
	BaseURL string `json:"base_url"`
	Key     string `json:"key"`
	Model   string `json:"model"`
	Prompt  string `json:"prompt"`
	Stream  bool   `json:"stream"`
}

// Answer is the outcome of a call.
type Answer struct {
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

// Library is a client library.
type Library struct {
	Module   string
	Surfaces []string
	// Call makes a call and returns the text that the client delivered, even if an error occurred.
	Call func(ctx context.Context, a Ask) (text string, err error)
	// Describe adds what is known about an error to into.
	Describe func(err error, into *Answer)
}

const (
	parallel = 8
	maxLine  = 1 << 20
	maxText  = 2000
)

// Serve makes the calls that it reads from standard input, with at most parallel calls at once, until standard input ends.
func Serve(l Library) error {
	out := struct {
		sync.Mutex
		*json.Encoder
	}{Encoder: json.NewEncoder(os.Stdout)}
	hello := map[string]any{
		"protocol": 1, "package": l.Module, "version": versionOf(l.Module), "runtime": runtime.Version(), "surfaces": l.Surfaces, "parallel": parallel,
	}
	if err := out.Encode(hello); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var a Ask
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return err
		}
		go func() {
			got := Answer{ID: a.ID}
			text, err := l.Call(context.Background(), a)
			if got.Text = clip(text); err == nil {
				got.OK = true
			} else {
				got.Class, got.Message = strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), clip(err.Error())
				l.Describe(err, &got)
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

// Texts collects all strings and numbers inside a JSON value, by path.
func Texts(value any, path string, found map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			Texts(member, path+"."+name, found)
		}
	case []any:
		for i, element := range v {
			Texts(element, fmt.Sprintf("%s[%d]", path, i), found)
		}
	case string:
		found[path] = clip(v)
	}
}

// Parsed returns the strings and numbers in raw JSON, by path.
func Parsed(raw, path string) map[string]string {
	var value any
	if json.Unmarshal([]byte(raw), &value) != nil {
		return nil
	}
	found := map[string]string{}
	Texts(value, path, found)
	return found
}
