package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/targets/upstream"
)

type upstreamCommand struct {
	Listen string   `help:"Address to listen on. Default: ${default}." default:"127.0.0.1:9901"`
	Keys   []string `help:"API keys to accept. Default: any." placeholder:"KEY"`
}

// Help implements kong's HelpProvider.
func (upstreamCommand) Help() string {
	return `The mock upstream speaks the OpenAI, Anthropic and Gemini APIs. A directive in the prompt makes it fail:
  curl http://127.0.0.1:9901/v1/chat/completions -H 'Authorization: Bearer any' -H 'Content-Type: application/json' \
    -d '{"model":"m","messages":[{"role":"user","content":"[[gatecert token=a status=503 body=html]] hi"}]}'
  curl http://127.0.0.1:9901/_gatecert/seen/a

The second call shows what arrived with token=a. gatecert list directives explains every word of a directive.`
}

func (u upstreamCommand) Run(ctx context.Context, c *console) (err error) {
	server, err := upstream.Listen(ctx, u.Listen, upstream.New(upstream.Options{Keys: u.Keys}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(c.out, "mock upstream at %s\n", server.URL())
	<-ctx.Done()
	return nil
}
