package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/targets/upstream"
)

type upstreamCommand struct {
	Listen string   `help:"Address to listen on. Default: ${default}." default:"127.0.0.1:9901"`
	Keys   []string `help:"Provider keys to accept. Default: any." placeholder:"KEY"`
}

// Help implements kong's HelpProvider.
func (upstreamCommand) Help() string {
	return `It speaks the OpenAI, Anthropic and Gemini provider protocols and does what a directive in the prompt says:
  curl http://127.0.0.1:9901/v1/chat/completions -H 'Authorization: Bearer any' -H 'Content-Type: application/json' \
    -d '{"model":"m","messages":[{"role":"user","content":"[[gatecert token=a status=503 body=html]] hi"}]}'
  curl http://127.0.0.1:9901/_gatecert/seen/a

gatecert list directives shows the words.`
}

func (u upstreamCommand) Run(ctx context.Context, c *console) (err error) {
	server, err := upstream.Listen(ctx, u.Listen, upstream.New(upstream.Options{Keys: u.Keys}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(c.out, "upstream at %s\n", server.URL())
	<-ctx.Done()
	return nil
}
