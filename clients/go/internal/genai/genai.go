// Package genaiclient is the adapter for Google's library.
package genaiclient

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genai"

	"github.com/gatecert/gatecert/clients/go/internal/adapter"
)

// Library returns the library behind this adapter.
func Library() adapter.Library {
	return adapter.Library{
		Module:   "google.golang.org/genai",
		Surfaces: []string{"gemini", "gemini-stream"},
		Call:     callGenAI,
		Describe: func(err error, into *adapter.Answer) {
			var failed genai.APIError
			if !errors.As(err, &failed) {
				return
			}
			into.Typed, into.Status = true, failed.Code
			into.Fields = map[string]string{"err.Status": failed.Status}
			for i, detail := range failed.Details {
				for name, value := range detail {
					adapter.Texts(value, fmt.Sprintf("err.Details[%d][%q]", i, name), into.Fields)
				}
			}
		},
	}
}

func callGenAI(ctx context.Context, a adapter.Ask) (text string, err error) {
	client, err := genai.NewClient(ctx, &genai.ClientConfig{APIKey: a.Key, Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: a.BaseURL}})
	if err != nil {
		return "", err
	}
	config := &genai.GenerateContentConfig{MaxOutputTokens: 16}
	if !a.Stream {
		got, err := client.Models.GenerateContent(ctx, a.Model, genai.Text(a.Prompt), config)
		if err != nil {
			return "", err
		}
		return got.Text(), nil
	}
	for got, err := range client.Models.GenerateContentStream(ctx, a.Model, genai.Text(a.Prompt), config) {
		if err != nil {
			return text, err
		}
		text += got.Text()
	}
	return text, nil
}
