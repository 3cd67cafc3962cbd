package hall

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Entry is a listed log.
type Entry struct {
	// Path is the path of the log in the folder. It is not safe to show.
	Path string
	// Digest is the SHA-256 of the decompressed log, in hexadecimal.
	Digest string
	// Signer is the id of the key that signed the log's certificate, or "" for a log without a certificate.
	Signer string
	// Run is the run without its evidence.
	Run runlog.Run
	// answers are what the gateway answered, by case.
	answers map[string]string
}

// ID identifies the entry in URLs. It is the beginning of the digest.
func (e Entry) ID() string { return e.Digest[:16] }

// key is the name of the gateway as it is compared: its case does not matter.
func (e Entry) key() string { return strings.ToLower(strings.TrimSpace(e.Run.Target.Name)) }

func (e Entry) day() time.Time { return dayOf(e.Run.Footer.Ended) }

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// entry reads and checks one log by itself, without a view to the others.
func (h Hall) entry(ctx context.Context, s source) (Entry, *Refusal) {
	log, err := readLog(h.folder, s.path)
	if err != nil {
		return Entry{}, refused(Unreadable, "%v", err)
	}
	sum := sha256.Sum256(log)
	e := Entry{Path: s.path, Digest: hex.EncodeToString(sum[:])}
	run, err := h.options.Auditor.Sound(log)
	switch {
	case err != nil && !errors.Is(err, certificate.ErrUnsound):
		return e, refused(Unreadable, "%v", err)
	case run.Incomplete() != "":
		return e, refused(Incomplete, "%s", run.Incomplete())
	case run.ContractDigest != contract.Digest():
		return e, refused(OtherContract, "the run was judged against contract %.80s, but this hall lists only runs judged against contract %s: repeat the run with this version of gatecert", run.ContractDigest, contract.Digest())
	case err != nil:
		return e, refused(Unverified, "%v", err)
	}
	if e.Signer, err = h.signer(ctx, s, log); err != nil {
		return e, refused(Unverified, "%v", err)
	}
	if refusal := h.check(run); refusal != nil {
		return e, refusal
	}
	run = published(run)
	e.answers = answersOf(run)
	e.Run = lean(run)
	return e, nil
}

var (
	errUnsigned = errors.New("the log has no certificate: create one with gatecert certify")
	errNoKey    = errors.New("the log has a certificate, but there is no key to verify it: specify the public key with --key FILE")
)

// signer is the id of the key that signed the certificate of a log, "" where there is none and none is needed.
func (h Hall) signer(ctx context.Context, s source, log []byte) (string, error) {
	switch {
	case !s.certified && h.options.Signed:
		return "", errUnsigned
	case !s.certified:
		return "", nil
	case len(h.options.Keys) == 0:
		return "", errNoKey
	}
	var cert certificate.Certificate
	var err error
	if cert.Report, err = readSmall(h.folder, path.Join(path.Dir(s.path), certificate.ReportFile)); err != nil {
		return "", err
	}
	if cert.Envelope, err = readSmall(h.folder, path.Join(path.Dir(s.path), certificate.EnvelopeFile)); err != nil {
		return "", err
	}
	for _, key := range h.options.Keys {
		if _, err = h.options.Auditor.Verify(ctx, log, cert, key); err == nil {
			return key.KeyID()
		}
	}
	return "", err
}

// check refuses a sound run that has no place in a hall.
func (h Hall) check(run runlog.Run) *Refusal {
	today, ended := dayOf(h.options.Today), dayOf(run.Footer.Ended)
	age := int(today.Sub(ended).Hours() / 24)
	leftOut := h.leftOut(run)
	switch {
	case strings.TrimSpace(run.Target.Name) == "":
		return refused(Unnamed, "the run does not name its gateway: set name in the profile")
	case !slices.ContainsFunc(run.Cases, says):
		return refused(Inconclusive, "no case in the run could be judged")
	case len(run.Selection.Rows) > 0:
		return refused(Partial, "the run covers only selected rows: %s", plain.Joined(run.Selection.Rows))
	case len(run.Selection.Cases) > 0:
		return refused(Partial, "the run covers only %s", plain.Count(len(run.Selection.Cases), "selected case"))
	case len(leftOut) > 0:
		return refused(Partial, "the run did not test %s that could be tested with this profile: %s", plain.Count(len(leftOut), "endpoint"), plain.Joined(leftOut))
	case age < -1: // the clock of another machine, and another zone
		return refused(Future, "the run ended on %s, which is in the future: today is %s", date(ended), date(today))
	case age > MaxAge:
		return refused(Expired, "the run ended on %s, %d days ago: runs are listed for only %d days", date(ended), age, MaxAge)
	}
	return nil
}

// leftOut are the endpoints that the profile of a run offers at its level, and that were not selected.
func (h Hall) leftOut(run runlog.Run) (surfaces []dialect.Surface) {
	offer, err := h.options.Auditor.OfferOf(run.Target.Profile)
	if err != nil {
		return nil // the audit has read it
	}
	for _, c := range contract.Cases() {
		asked := slices.Contains(run.Selection.Surfaces, c.Surface) || slices.Contains(surfaces, c.Surface)
		if !asked && !c.IsLoad() && run.Selection.Level.Includes(c.Level()) && offer.Offers(c) {
			surfaces = append(surfaces, c.Surface)
		}
	}
	return surfaces
}

// says reports whether a case says something about the gateway.
func says(c runlog.Case) bool {
	switch c.Verdict {
	case contract.Pass, contract.Warn, contract.ExpectedFail, contract.Fail:
		return true
	default:
		return false
	}
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02") }

// published is a run as strangers may see it. A failure that the baseline of its author expected is a failure. The command line of a
// load case is left out, because the audit does not make it again, and so are the addresses and commands of who ran it.
func published(run runlog.Run) runlog.Run {
	run.TraceURL, run.Command = "", nil
	run.Cases = slices.Clone(run.Cases)
	for i := range run.Cases {
		c := &run.Cases[i]
		if c.Verdict == contract.ExpectedFail {
			c.Verdict, c.Reason = contract.Fail, ""
		}
		if c.Load != nil && c.Observation != nil {
			o := *c.Observation
			o.Sent.Curl = ""
			c.Observation = &o
		}
	}
	footer := runlog.Conclude(run.Header, run.Cases, run.Footer.Ended)
	if run.Footer.Verdict == contract.Error {
		footer.Verdict, _ = contract.Worst(footer.Verdict, contract.Error) // the gateway was not healthy at the end
	}
	footer.Notes = run.Footer.Notes
	run.Footer = &footer
	return run
}

// The limits for what a hall keeps of a case in memory, regardless of the size of its log.
const (
	keptFindings = 20
	keptText     = 500 // bytes
)

// lean is a run without its evidence: what matrices, totals and differences are made of.
func lean(run runlog.Run) runlog.Run {
	run.Target.Profile = ""
	run.Controls = slices.Clone(run.Controls)
	for i := range run.Controls {
		c := &run.Controls[i]
		c.Observation, c.Detail = nil, kept(c.Detail)
	}
	for i := range run.Cases { // the caller's own copy
		c := &run.Cases[i]
		c.Scenario, c.Observation, c.Reason, c.Revised = nil, nil, kept(c.Reason), ""
		if c.Load != nil {
			c.Load = new(runlog.LoadSummary)
		}
		c.Findings = slices.Clone(c.Findings[:min(len(c.Findings), keptFindings)])
		for j := range c.Findings {
			f := &c.Findings[j]
			f.Want, f.Got = kept(f.Want), kept(f.Got)
		}
	}
	return run
}

// kept is the beginning of a text. It does not keep the rest in memory.
func kept(s string) string { return strings.Clone(s[:min(len(s), keptText)]) }

// log reads the log of an entry once more.
func (h Hall) log(e Entry) ([]byte, error) {
	log, err := readLog(h.folder, e.Path)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(log); hex.EncodeToString(sum[:]) != e.Digest {
		return nil, errors.New("the file changed while it was being read: run the command again")
	}
	return log, nil
}

// evidence reads the run of an entry once more, with all that its log holds.
func (h Hall) evidence(e Entry) (runlog.Run, error) {
	log, err := h.log(e)
	if err != nil {
		return runlog.Run{}, err
	}
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		return runlog.Run{}, err
	}
	return published(run), nil
}

// sentence is the result of an entry.
func (e Entry) sentence() string { return reports.Sentence(e.Run) }
