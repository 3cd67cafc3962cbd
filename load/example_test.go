package load_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

func ExampleEngine_Run() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`)
	}))
	defer gateway.Close()

	engine := load.NewEngine(load.Options{})
	defer engine.Close()
	m, err := engine.Run(context.Background(), load.Phase{
		Name: "steady",
		Mix: []load.Request{{Name: "chat", Call: exchange.Call{
			Surface: dialect.Chat, BaseURL: gateway.URL, Key: "sk-example", Model: "m", Prompt: "Say hi.",
		}}},
		Rate: 100, For: 100 * time.Millisecond,
		Embedded: true, // the gateway runs in this process
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Sent, "requests,", m.Of(load.AllRequests, runlog.Admitted).Count, "admitted:", m.Verdict())
	// Output: 10 requests, 10 admitted: pass
}
