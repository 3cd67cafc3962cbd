package exchange_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

// A call with something wrong about it, and what the gateway made of it.
func ExampleClient_Do() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"message":"%s sent no messages"}}`, r.Header.Get("Authorization"))
	}))
	defer gateway.Close()

	client := exchange.NewClient(exchange.Limits{}, nil)
	defer client.Close()
	observation, err := client.Do(context.Background(), exchange.Call{
		Surface: dialect.Chat, BaseURL: gateway.URL, Key: "sk-0123456789", Model: "any", Prompt: "hi",
		Edits: []exchange.Edit{{Path: "messages", Delete: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(observation.Sent.Body))
	fmt.Println(observation.Status, string(observation.Body))
	fmt.Println(observation.Leaks)
	// Output:
	// {"max_tokens":16,"model":"any"}
	// 400 {"error":{"message":"Bearer [caller key] sent no messages"}}
	// [{caller key body}]
}
