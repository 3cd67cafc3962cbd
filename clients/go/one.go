//go:build one

package main

import (
	"github.com/gatecert/gatecert/clients/go/internal/adapter"
	anthropicclient "github.com/gatecert/gatecert/clients/go/internal/anthropic"
)

func libraries() map[string]adapter.Library {
	return map[string]adapter.Library{"anthropic": anthropicclient.Library()}
}
