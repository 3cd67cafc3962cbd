package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print the version as JSON, together with the format versions of the log and the report."`
}

func (v versionCommand) Run(c *console) error {
	build := version.Current()
	if !v.JSON {
		_, err := fmt.Fprintf(c.out, "gatecert %s\ncontract %s\n", build, contract.Digest())
		return err
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		version.Build
		Platform string `json:"platform"`
		Contract string `json:"contract_digest"`
		Log      string `json:"log_format"`
		Report   string `json:"report_format"`
	}{build, runtime.GOOS + "/" + runtime.GOARCH, contract.Digest(), runlog.Schema, reports.ReportSchema})
}
