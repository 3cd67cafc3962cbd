package main

import (
	"context"
	"errors"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func anthropicLibrary() library {
	return library{
		module:   "github.com/anthropics/anthropic-sdk-go",
		surfaces: []string{"messages", "messages-stream"},
		call:     callAnthropic,
		describe: func(err error, into *answer) {
			var failed *anthropic.Error
			if errors.As(err, &failed) {
				into.Typed, into.Status = true, failed.StatusCode
				into.Fields = map[string]string{"err.Type()": string(failed.Type())}
				into.Raw = parsed(failed.RawJSON(), "err.RawJSON()")
			}
		},
	}
}

func callAnthropic(ctx context.Context, a ask) (text string, err error) {
	client := anthropic.NewClient(option.WithBaseURL(a.BaseURL), option.WithAPIKey(a.Key))
	params := anthropic.MessageNewParams{
		Model: anthropic.Model(a.Model), MaxTokens: 16, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(a.Prompt))},
	}
	if a.Stream {
		stream := client.Messages.NewStreaming(ctx, params)
		for stream.Next() {
			text += stream.Current().Delta.Text
		}
		return text, stream.Err()
	}
	got, err := client.Messages.New(ctx, params)
	if err != nil {
		return "", err
	}
	for _, block := range got.Content {
		text += block.Text
	}
	return text, nil
}
