// Package anthropicv2client is the adapter for the second version of Anthropic's library.
package anthropicv2client

import (
	"context"
	"errors"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"

	"github.com/gatecert/gatecert/clients/go/internal/adapter"
)

// Library returns the library behind this adapter.
func Library() adapter.Library {
	return adapter.Library{
		Module:   "github.com/anthropics/anthropic-sdk-go/v2",
		Surfaces: []string{"messages", "messages-stream"},
		Call:     callAnthropic,
		Describe: func(err error, into *adapter.Answer) {
			var failed *anthropic.Error
			if errors.As(err, &failed) {
				into.Typed, into.Status = true, failed.StatusCode
				into.Fields = map[string]string{"err.Type()": string(failed.Type()), "err.ErrorCode()": string(failed.ErrorCode())}
				into.Raw = adapter.Parsed(failed.RawJSON(), "err.RawJSON()")
			}
		},
	}
}

func callAnthropic(ctx context.Context, a adapter.Ask) (text string, err error) {
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
