package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
)

// auditor knows from a log's profile what its target offers.
var auditor = certificate.Auditor{OfferOf: targets.OfferOf}

type certifyCommand struct {
	Subject string `arg:"" name:"run" help:"The run's folder or run.ndjson file." type:"path"`
	Key     string `required:"" help:"Private key for signing (PEM, Ed25519). To create a key pair, run gatecert keygen." placeholder:"FILE" type:"path"`
	Out     string `help:"Folder for the certificate. Default: the run's folder." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (certifyCommand) Help() string {
	return `gatecert certify writes two files:
  conformance-report.yaml   a report that people and gateway catalogues can read
  conformance.dsse.json     a signed DSSE envelope that contains an in-toto test-result statement about the log and the report
Publish both files together with run.ndjson, so that anyone can check them with gatecert verify.

Before signing, gatecert certify audits the log in the same way as gatecert verify. If the gateway failed, the certificate states that it
failed. In a certificate, failures that the baseline expects count as failures.
Exit codes: 0 conformant; 1 not conformant, or the log does not support its verdicts.`
}

func (r certifyCommand) Run(ctx context.Context, c *console) error {
	log, key, dir, err := readSubject(r.Subject, r.Key, r.Out)
	if err != nil {
		return err
	}
	cert, report, err := auditor.Issue(ctx, log, key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("create the certificate folder: %w (use --out to choose another folder)", err)
	}
	// The envelope comes last: it makes the report a certificate.
	for _, file := range []struct {
		name    string
		content []byte
	}{{certificate.ReportFile, cert.Report}, {certificate.EnvelopeFile, cert.Envelope}} {
		if err := atomicfile.WriteBytes(filepath.Join(dir, file.name), 0o644, file.content); err != nil { // it is meant to be published
			return fmt.Errorf("write the certificate: %w", err)
		}
	}
	fmt.Fprintf(c.out, "certified with the result %s: %s\nwrote %s and %s to %s\n", report.Result, report.Summary, certificate.ReportFile, certificate.EnvelopeFile, dir)
	return certified(report)
}

// certified returns an error for a valid certificate that says that the gateway fails.
func certified(r certificate.Report) error {
	if r.Result == certificate.Failure {
		return shownError{exitNotConformant, "the certificate states that the gateway failed"}
	}
	return nil
}

type verifyCommand struct {
	Subject     string `arg:"" name:"run" help:"The run's folder or run.ndjson file." type:"path"`
	Key         string `required:"" help:"The signer's public key (PEM, Ed25519)." placeholder:"FILE" type:"path"`
	Certificate string `help:"Folder that contains the certificate. Default: the run's folder." placeholder:"DIR" type:"path"`
	againFlags
}

// Help implements kong's HelpProvider.
func (verifyCommand) Help() string {
	return `gatecert verify checks the signature, and checks that the certificate belongs to this log and agrees with it. gatecert verify then
audits the log:
  the log is complete and contains every case that the level, the endpoints and the profile require
  the log contains the control calls for every endpoint
  every verdict follows from the recorded observation, and every request is the one that its case requires

A signature does not prove that the calls were actually made. With --again, gatecert verify reruns a random tenth of the cases
(excluding load cases) and compares the verdicts:
  gatecert verify certified --key release.pub.pem --again https://gateway.example        use the key in $GATEWAY_KEY and the models in the log
  gatecert verify certified --key release.pub.pem --again my-gateway.yaml --seed 7       rerun the cases that seed 7 selects

Exit codes: 0 verified and conformant; 1 not verified, not conformant, or a rerun verdict differs. With --again, also 3 if no case
could run, and 5 if the gateway is unreachable or a case could not be judged.`
}

func (r verifyCommand) Run(ctx context.Context, c *console) error {
	if r.Again == "" && r.Seed != 0 {
		return fmt.Errorf("%w: --seed selects the cases for --again to rerun: add --again TARGET or omit --seed", errUsage)
	}
	log, key, dir, err := readSubject(r.Subject, r.Key, r.Certificate)
	if errors.Is(err, runlog.ErrNoHeader) || errors.Is(err, runlog.ErrSchema) {
		return fmt.Errorf("%w: %w", certificate.ErrNotVerified, err)
	}
	if err != nil {
		return err
	}
	var cert certificate.Certificate
	cert.Report, err = readSmall(filepath.Join(dir, certificate.ReportFile))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the folder %s contains no certificate (%s is missing): use --certificate to name the certificate's folder, or create a certificate with gatecert certify",
			errUsage, dir, certificate.ReportFile)
	}
	if err != nil {
		return err
	}
	if cert.Envelope, err = readSmall(filepath.Join(dir, certificate.EnvelopeFile)); err != nil {
		return err
	}
	if key.Private() {
		return fmt.Errorf("%w: --key: %s is a private key: use the public key of the pair (gatecert keygen writes it to NAME.pub.pem), and keep the private key secret",
			errUsage, r.Key)
	}
	report, err := auditor.Verify(ctx, log, cert, key)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "verified, %s: %s %s: %s\n", report.Result, report.Implementation.Project, report.Implementation.Version, report.Summary)
	if r.Again == "" {
		return certified(report)
	}
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		return err
	}
	if err := r.play(ctx, c, run); err != nil {
		return err
	}
	return certified(report)
}

type keygenCommand struct {
	Name string `arg:"" optional:"" default:"gatecert" help:"Path of the key pair, without a file extension. The command writes the private key to NAME.pem and the public key to NAME.pub.pem. Default: ${default}." type:"path"`
}

func (r keygenCommand) Run(c *console) error {
	private, public, err := certificate.NewKey()
	if err != nil {
		return err
	}
	for _, half := range []struct {
		path string
		pem  []byte
		mode os.FileMode
	}{{r.Name + ".pem", private, 0o600}, {r.Name + ".pub.pem", public, 0o644}} {
		if err := writeNew(half.path, half.pem, half.mode); err != nil {
			return err
		}
		fmt.Fprintln(c.out, half.path)
	}
	return nil
}

// writeNew writes a file that must not exist: an overwritten key is lost.
func writeNew(path string, content []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode) //nolint:gosec // the path is the user's own argument
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%w: %s already exists, and gatecert does not overwrite keys: choose another name", errUsage, path)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if _, err := file.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return file.Close()
}

// readSubject reads the log of a run and a key, and finds the folder of the run's certificate: the run's own, unless one is given.
func readSubject(run, keyFile, folder string) (log []byte, key certificate.Key, dir string, err error) {
	data, err := readSmall(keyFile) // the log of a stranger is read by those who have a key
	if errors.Is(err, os.ErrNotExist) {
		return nil, key, "", fmt.Errorf("%w: --key: the file %s does not exist: specify a key file in PEM format, or create a key pair with gatecert keygen", errUsage, keyFile)
	}
	if err != nil {
		return nil, key, "", err
	}
	if key, err = certificate.ParseKey(data); err != nil {
		return nil, key, "", fmt.Errorf("--key: %s: %w", keyFile, err)
	}
	if run, err = logPath(run); err != nil {
		return nil, key, "", err
	}
	if err := checkLog(run); err != nil {
		return nil, key, "", logFault(run, err)
	}
	if log, err = readFile(run, maxLogFile); err != nil {
		return nil, key, "", err
	}
	return log, key, cmp.Or(folder, filepath.Dir(run)), nil
}

// checkLog looks at the beginning of a file, so that one that is not a log need not be held in memory.
func checkLog(path string) error {
	file, err := os.Open(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	return runlog.CheckHeader(file)
}

// The maximum number of bytes to read from a whole file: from a log, and from a small file such as a key or a certificate.
const (
	maxLogFile   = 1 << 30
	maxSmallFile = 4 << 20
)

func readFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	tooLarge := fmt.Errorf("%w: the file %s is larger than the maximum of %d MiB: check that you specified the right file", errUsage, path, most>>20)
	var data bytes.Buffer
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if info.Size() > most {
			return nil, tooLarge
		}
		data.Grow(int(info.Size()) + bytes.MinRead) // growing takes twice the memory
	}
	if _, err := data.ReadFrom(io.LimitReader(file, most+1)); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if int64(data.Len()) > most {
		return nil, tooLarge
	}
	return data.Bytes(), nil
}

func readSmall(path string) ([]byte, error) { return readFile(path, maxSmallFile) }
