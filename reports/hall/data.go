package hall

import (
	"encoding/json"
	"io"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// DataSchema is the version of data.json. docs/schema/hall.schema.json describes this format.
const DataSchema = "gatecert.hall/1"

// Data is data.json: the machine-readable form of the hall. Addresses are relative to it, and every text is safe to show.
type Data struct {
	Schema string `json:"schema"`
	// Tool is the version of gatecert that created the hall.
	Tool string `json:"tool"`
	// AsOf is the day from which the age of a run is counted.
	AsOf string `json:"as_of"`
	// ContractDigest is the SHA-256 of the contract by which every run was judged.
	ContractDigest string `json:"contract_digest"`
	// Level is the certification level of every run.
	Level string `json:"level"`
	// Gateways are sorted by name.
	Gateways  []DataGateway `json:"gateways"`
	NotListed []DataRefusal `json:"not_listed"`
}

// DataGateway is a gateway with its current run.
type DataGateway struct {
	Name string `json:"name"`
	// Claim names the part of the contract that the gateway publishes and is judged by.
	Claim   string `json:"claim"`
	BaseURL string `json:"base_url"`
	// Page is the page with the gateway's runs. Badge is an image of its result.
	Page  string `json:"page"`
	Badge string `json:"badge"`
	// Rows are the rows of the gateway's current run, in the order of the contract.
	Rows []DataRow `json:"rows"`
	// Runs are the gateway's listed runs, newest first.
	Runs []DataRun `json:"runs"`
}

// DataRow is the result of a row.
type DataRow struct {
	ID contract.RowID `json:"id"`
	// Verdict is the worst verdict of the row's cases, or not-run if the row has no cases.
	Verdict string `json:"verdict"`
	// Cases counts the row's cases by verdict.
	Cases runlog.Counts `json:"cases"`
	// Evidence is a page with every request and response of the row and their curl commands.
	Evidence string `json:"evidence"`
}

// DataRun is a listed run.
type DataRun struct {
	ID      string    `json:"run_id"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Tool    string    `json:"tool"`
	// Current is set for the newest run of the newest version.
	Current  bool             `json:"current"`
	Verdict  contract.Verdict `json:"verdict"`
	Sentence string           `json:"sentence"`
	Evidence string           `json:"evidence"`
	// Log is the log of the run, and LogDigest the SHA-256 of its decompressed content.
	Log       string `json:"log"`
	LogDigest string `json:"log_digest"`
	// SignedBy is the ID of the key that signed the run's certificate.
	SignedBy string `json:"signed_by,omitempty"`
	// Changes are the changes since the previous run; the first run has none.
	Changes *DataChanges `json:"changes,omitempty"`
}

// DataChanges counts the cases that changed from one run to the next.
type DataChanges struct {
	Worse   int `json:"worse"`
	Changed int `json:"changed"`
	Better  int `json:"better"`
	New     int `json:"new"`
	Gone    int `json:"gone"`
	Same    int `json:"same"`
}

// DataRefusal is a log that is not listed.
type DataRefusal struct {
	Log    string `json:"log"`
	Kind   Kind   `json:"kind"`
	Reason string `json:"reason"`
}

// Data returns the content of data.json.
func (h Hall) Data() Data {
	d := Data{
		Schema: DataSchema, Tool: version.Tool(), AsOf: date(h.options.Today), ContractDigest: contract.Digest(), Level: h.Scope,
		Gateways: []DataGateway{}, NotListed: []DataRefusal{},
	}
	for _, g := range h.Gateways {
		d.Gateways = append(d.Gateways, h.dataGateway(g))
	}
	for _, r := range h.Refused {
		d.NotListed = append(d.NotListed, DataRefusal{plain.Text(r.Path, maxReason), r.Kind, r.Reason})
	}
	return d
}

func (h Hall) dataGateway(g Gateway) DataGateway {
	run := g.Current.Run
	out := DataGateway{
		Name: g.Name, Claim: claim(run), BaseURL: plain.Text(run.Target.BaseURL, maxName), Page: gatewayPage(g), Badge: badgeFile(g),
		Rows: []DataRow{}, Runs: []DataRun{},
	}
	for _, row := range reports.NewMatrix(run).Rows {
		out.Rows = append(out.Rows, DataRow{row.ID, string(row.Verdict), row.Counts, evidencePage(g.Current, string(row.ID))})
	}
	for i, e := range g.Runs {
		r := DataRun{
			ID: plain.Text(e.Run.RunID, maxName), Version: plain.Text(e.Run.Target.Version, maxName), Started: e.Run.Started.UTC(),
			Ended: e.Run.Footer.Ended.UTC(), Tool: plain.Text(e.Run.Tool, maxName), Current: e.Digest == g.Current.Digest,
			Verdict: e.Run.Verdict(), Sentence: e.sentence(), Evidence: evidencePage(e, ""), Log: runFolder(e) + packedLog,
			LogDigest: "sha256:" + e.Digest, SignedBy: e.Signer,
		}
		if diff, ok := g.diff(i); ok {
			r.Changes = &DataChanges{
				diff.Count(reports.Worse), diff.Count(reports.Changed), diff.Count(reports.Better),
				diff.Count(reports.Appeared), diff.Count(reports.Gone), diff.Count(reports.Same),
			}
		}
		out.Runs = append(out.Runs, r)
	}
	return out
}

func (h Hall) dataFile(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(h.Data())
}
