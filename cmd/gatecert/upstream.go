package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/targets/upstream"
)

type upstreamCommand struct {
	Listen          string    `help:"Address to listen on. Default: ${default}." default:"127.0.0.1:9901"`
	Keys            []string  `help:"API keys to accept. Default: any key." placeholder:"KEY"`
	UpstreamProfile string    `help:"Make healthy responses match a model's responses in timing and length: ttft=lognormal:200ms,itl=20ms,tokens=256. GET /_gatecert/model returns what the mock upstream sent, and when. Default: respond immediately." placeholder:"MODEL"`
	Token           string    `help:"Token that requests to /_gatecert/ must contain. Default: no token on loopback addresses; on other addresses, a new token, which the command prints." env:"GATECERT_UPSTREAM_TOKEN"`
	ReadyFile       readyFile `help:"Create this file when the mock upstream is ready, and remove the file at exit." placeholder:"FILE" type:"path"`
}

// Help implements kong's HelpProvider.
func (upstreamCommand) Help() string {
	return `The mock upstream speaks the OpenAI, Anthropic and Gemini APIs. A directive in the prompt makes the mock upstream fail:
  curl http://127.0.0.1:9901/v1/chat/completions -H 'Authorization: Bearer any' -H 'Content-Type: application/json' \
    -d '{"model":"m","messages":[{"role":"user","content":"[[gatecert token=a status=503 body=html]] hi"}]}'
  curl http://127.0.0.1:9901/_gatecert/seen/a

The second call shows the requests that arrived with token=a. If the address is not a loopback address, add
-H 'Authorization: Bearer TOKEN' to the second call. For the meaning of each word of a directive, run gatecert list directives.`
}

func (u upstreamCommand) Run(ctx context.Context, c *console) (err error) {
	if err := u.ReadyFile.clear(); err != nil {
		return err
	}
	model, err := playedModel(u.UpstreamProfile)
	if err != nil {
		return err
	}
	token, made := controlToken(u.Listen, u.Token)
	server, err := upstream.Listen(ctx, u.Listen, upstream.New(upstream.Options{Keys: u.Keys, ControlToken: token, Model: model}))
	if err != nil {
		return listenFault("--listen", err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(c.out, "mock upstream at %s\n", server.URL())
	if made {
		fmt.Fprintf(c.out, "Other machines may be able to reach this address, so /_gatecert/ requires a token. Set the token in the profile: upstream.token: %s\n", token)
	}
	if err := u.ReadyFile.write(server.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	return u.ReadyFile.clear()
}

// listenFault says what to do about an address that cannot be listened on.
func listenFault(flag string, err error) error {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%w: use %s to choose a free address, such as 127.0.0.1:9902", err, flag)
	}
	return err
}

// playedModel reads --upstream-profile; "" plays no model.
func playedModel(text string) (upstream.Model, error) {
	if text == "" {
		return upstream.Model{}, nil
	}
	model, err := upstream.ParseModel(text)
	if err != nil {
		return model, fmt.Errorf("%w: --upstream-profile: %w", errUsage, err)
	}
	return model, nil
}

// controlToken is the token of a mock upstream: the one that is given, none on loopback, and elsewhere a new one.
func controlToken(listen, given string) (token string, made bool) {
	host, _, err := net.SplitHostPort(listen)
	if given != "" || err == nil && load.IsLoopback(host) {
		return given, false
	}
	return strings.ToLower(rand.Text()), true
}
