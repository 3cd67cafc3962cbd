package gatecert_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// A gateway that has one model, and a code of its own for models that it does not have.
func Example() {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"gpt-4o-mini"`) {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"no_model"}}`)
			return
		}
		fmt.Fprint(w, `{"choices":[{"message":{"role":"assistant","content":"Hello!"}}]}`)
	}))
	defer gateway.Close()

	certification, err := gatecert.New(gatecert.Config{
		Target:   profile.FromURL(gateway.URL, "sk-test", "gpt-4o-mini"),
		Rows:     []string{"code:model_not_found"},
		Surfaces: []string{"chat"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := certification.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("verdict:", run.Verdict())
	for _, c := range run.Cases {
		fmt.Println(c.Verdict, c.ID)
		for _, f := range c.Findings {
			if f.Level == contract.Must {
				fmt.Println(" ", f)
			}
		}
	}
	// Output:
	// verdict: fail
	// fail code:model_not_found/absent-model/chat
	//   MUST code: got "no_model", want "model_not_found" in error.code
}

// New checks a configuration before anything is sent.
func ExampleNew() {
	target := profile.FromURL("https://gateway.example", "sk-test", "gpt-4o-mini")
	_, err := gatecert.New(gatecert.Config{Target: target, Rows: []string{"http:418"}})
	fmt.Println(errors.Is(err, gatecert.ErrUsage))
	fmt.Println(err)

	target.Surfaces = []dialect.Surface{dialect.Chat, dialect.Messages}
	certification, err := gatecert.New(gatecert.Config{Target: target, Rows: []string{"http:401"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range certification.Cases() {
		fmt.Println(c.ID())
	}
	// Output:
	// true
	// usage: no row matches "http:418": to see all 32 rows, run gatecert list rows
	// http:401/missing-key/chat
	// http:401/missing-key/messages
	// http:401/wrong-key/chat/header
	// http:401/wrong-key/messages/header
}

// A driver prepares the gateway: here the reference gateway, which meets the whole contract. Progress follows the run.
func ExampleCertification_Run() {
	certification, err := gatecert.New(gatecert.Config{
		Driver:   reference.Driver{},
		Rows:     []string{"code:bad_response"},
		Surfaces: []string{"chat", "messages-stream"},
		Progress: func(p gatecert.Progress) {
			if p.Last == nil && p.Running == 0 {
				fmt.Printf("%s: %d of %d cases\n", p.Phase, p.Done, p.Total)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := certification.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Verdict(), run.Target.Name)
	// Output:
	// prepare: 0 of 0 cases
	// controls: 0 of 0 cases
	// done: 7 of 7 cases
	// pass reference
}
