//go:build !one

package main

import (
	"github.com/gatecert/gatecert/clients/go/internal/adapter"
	anthropicclient "github.com/gatecert/gatecert/clients/go/internal/anthropic"
	anthropicv2client "github.com/gatecert/gatecert/clients/go/internal/anthropicv2"
	genaiclient "github.com/gatecert/gatecert/clients/go/internal/genai"
	openaiclient "github.com/gatecert/gatecert/clients/go/internal/openai"
)

func libraries() map[string]adapter.Library {
	return map[string]adapter.Library{
		"openai": openaiclient.Library(), "anthropic": anthropicclient.Library(), "anthropic-v2": anthropicv2client.Library(), "genai": genaiclient.Library(),
	}
}
