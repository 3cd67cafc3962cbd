package clients

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain makes the binary of these tests an adapter when its first argument asks for it: adapters get no environment that could.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "adapter" {
		os.Exit(adapterProgram(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// adapterOf is the binary of these tests as an adapter that behaves in a way.
func adapterOf(behaviour string) Adapter {
	return Adapter{Name: behaviour, Command: []string{os.Args[0], "adapter", behaviour}}
}

// adapterProgram behaves well or badly. It returns an exit code.
func adapterProgram(behaviour string) int {
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	switch behaviour {
	case "ends":
		fmt.Fprintln(os.Stderr, "cannot load\nthe library is missing \x1b[31m")
		return 3
	case "silent":
		time.Sleep(time.Minute)
	case "babbles":
		say("hello!")
	case "newer":
		say(`{"protocol":2,"surfaces":["chat"]}`)
		time.Sleep(time.Minute)
	case "no-surface":
		say(`{"protocol":1,"surfaces":["telepathy"]}`)
		time.Sleep(time.Minute)
	}
	parallel := 4
	if behaviour == "hangs" {
		parallel = 1
	}
	environment, _ := json.Marshal(strings.Join(os.Environ(), " ") + " " + strings.Join(os.Args, " "))
	say(`{"protocol":1,"package":"stub","version":"1","runtime":%s,"surfaces":["chat"],"parallel":%d}`, environment, parallel)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var a ask
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			return 1
		}
		switch behaviour {
		case "crashes":
			fmt.Fprintln(os.Stderr, "panic: the adapter is broken")
			return 2
		case "crashes-on-one":
			if strings.Contains(a.Prompt, "poison") {
				return 2
			}
		case "hangs":
			time.Sleep(time.Minute)
		case "floods-a-line":
			say("%s", strings.Repeat("x", maxLine+1))
		case "floods-lines":
			for {
				say(`{"id":"nobody-asked"}`)
			}
		case "invents":
			say(`{"id":%q,"ok":true,"text":"an answer"}`, a.ID)
			continue
		}
		answerAsked(behaviour, a, say)
	}
	return 0
}

// answerAsked makes the call: as often as the name of the behaviour says.
func answerAsked(behaviour string, a ask, say func(string, ...any)) {
	attempts := 1
	switch behaviour {
	case "retries":
		attempts = 3
	case "never-stops":
		attempts = 3 * MaxAttempts
	}
	status, body := 0, ""
	for i := range attempts {
		if i > 0 && behaviour == "retries" {
			time.Sleep(20 * time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if behaviour == "goes-away" {
			ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
		}
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, a.BaseURL+"/v1/chat/completions",
			strings.NewReader(`{"model":"`+a.Model+`","messages":[{"role":"user","content":"`+a.Prompt+`"}]}`))
		request.Header.Set("Authorization", "Bearer "+a.Key)
		status = 0
		if response, err := http.DefaultClient.Do(request); err == nil {
			raw, _ := io.ReadAll(response.Body)
			status, body = response.StatusCode, string(raw)
			_ = response.Body.Close()
		}
		cancel()
	}
	if behaviour == "lies" {
		say(`{"id":%q,"ok":true,"text":"all is well"}`, a.ID)
		return
	}
	said, _ := json.Marshal(answer{ID: a.ID, OK: status == 200, Class: "StubError", Typed: true, Status: status, Message: body, Fields: map[string]string{"err.key": a.Key}})
	say("%s", said)
}
