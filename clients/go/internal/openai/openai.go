// Package openaiclient is the adapter for OpenAI's library.
package openaiclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"

	"github.com/gatecert/gatecert/clients/go/internal/adapter"
)

// Library returns the library behind this adapter.
func Library() adapter.Library {
	return adapter.Library{
		Module:   "github.com/openai/openai-go/v3",
		Surfaces: []string{"chat", "responses", "chat-stream", "responses-stream", "embeddings"},
		Call:     callOpenAI,
		Describe: func(err error, into *adapter.Answer) {
			var failed *openai.Error
			var broken *ssestream.StreamError
			switch {
			case errors.As(err, &failed):
				into.Typed, into.Status = true, failed.StatusCode
				into.Fields = map[string]string{"err.Code": failed.Code, "err.Type": failed.Type, "err.Param": failed.Param}
				into.Raw = adapter.Parsed(failed.RawJSON(), "err.RawJSON()")
			case errors.As(err, &broken):
				into.Typed, into.Raw = true, adapter.Parsed(string(broken.Event.Data), "err.Event.Data")
			}
		},
	}
}

func callOpenAI(ctx context.Context, a adapter.Ask) (text string, err error) {
	client := openai.NewClient(option.WithBaseURL(a.BaseURL+"/v1"), option.WithAPIKey(a.Key))
	chat := openai.ChatCompletionNewParams{Model: a.Model, MaxTokens: openai.Int(16), Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(a.Prompt)}}
	whole := responses.ResponseNewParams{
		Model: a.Model, MaxOutputTokens: openai.Int(16), Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(a.Prompt)},
	}
	switch a.Surface {
	case "embeddings":
		got, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: a.Model, Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String(a.Prompt)}})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d vectors", len(got.Data)), nil
	case "responses":
		got, err := client.Responses.New(ctx, whole)
		if err != nil {
			return "", err
		}
		return got.OutputText(), nil
	case "responses-stream":
		stream := client.Responses.NewStreaming(ctx, whole)
		for stream.Next() {
			if event := stream.Current(); event.Type == "response.output_text.delta" {
				text += event.Delta
			}
		}
		return text, stream.Err()
	case "chat-stream":
		stream := client.Chat.Completions.NewStreaming(ctx, chat)
		for stream.Next() {
			if choices := stream.Current().Choices; len(choices) > 0 {
				text += choices[0].Delta.Content
			}
		}
		return text, stream.Err()
	default:
		got, err := client.Chat.Completions.New(ctx, chat)
		if err != nil || len(got.Choices) == 0 {
			return "", err
		}
		return got.Choices[0].Message.Content, nil
	}
}
