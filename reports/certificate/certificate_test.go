package certificate_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/reference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var auditor = certificate.Auditor{OfferOf: targets.OfferOf}

const (
	absent = "code:model_not_found/absent-model/chat"
	html   = "code:bad_response/bad-upstream-response/chat/html"
)

// tokenOf is the token in a body that the mock upstream finds a call again by.
func tokenOf(body []byte) string {
	return string(regexp.MustCompile(`token=([0-9a-f]{12})`).FindSubmatch(body)[1])
}

// record makes the log of a run of the reference gateway.
func record(ctx context.Context, cfg gatecert.Config) ([]byte, error) {
	var log bytes.Buffer
	cfg.Log, cfg.Driver = &log, reference.Driver{}
	certification, err := gatecert.New(cfg)
	if err != nil {
		return nil, err
	}
	run, err := certification.Run(ctx)
	if err == nil && !run.Complete() {
		err = errors.New(run.Incomplete())
	}
	return log.Bytes(), err
}

// recordRows makes the log of three rows on two surfaces, once for all tests.
var recordRows = sync.OnceValues(func() ([]byte, error) {
	return record(context.Background(), gatecert.Config{Rows: []string{"code:model_not_found", "code:bad_response", "http:403"}, Surfaces: []string{"chat", "chat-stream"}})
})

func keys(t *testing.T) (private, public certificate.Key) {
	t.Helper()
	priv, pub, err := certificate.NewKey()
	require.NoError(t, err)
	private, err = certificate.ParseKey(priv)
	require.NoError(t, err)
	public, err = certificate.ParseKey(pub)
	require.NoError(t, err)
	return private, public
}

// altered takes a log apart, changes it, and writes it anew with counts that fit: the work of a careful forger.
func altered(t *testing.T, log []byte, change func(*runlog.Run)) []byte {
	t.Helper()
	run, err := runlog.Read(bytes.NewReader(log))
	require.NoError(t, err)
	footer := *run.Footer
	footer.Verdict = ""
	run.Footer = &footer
	change(&run)
	var out bytes.Buffer
	w := runlog.NewWriter(&out)
	require.NoError(t, w.Header(run.Header))
	for _, c := range run.Controls {
		require.NoError(t, w.Control(c))
	}
	for _, c := range run.Cases {
		require.NoError(t, w.Case(c))
	}
	concluded := runlog.Conclude(run.Header, run.Cases, footer.Ended)
	if footer.Verdict != "" {
		concluded.Verdict = footer.Verdict
	}
	require.NoError(t, w.Footer(concluded))
	return out.Bytes()
}

func at(run *runlog.Run, id string) *runlog.Case {
	return &run.Cases[slices.IndexFunc(run.Cases, func(c runlog.Case) bool { return c.ID == id })]
}

// failing makes a case fail as a gateway would that answers 503.
func failing(run *runlog.Run) {
	c := at(run, absent)
	c.Observation.Status = 503
	known, _ := contract.ParseCase(absent)
	judgement := contract.Judge(known, *c.Observation)
	c.Findings, c.Aspects = judgement.Findings, judgement.Aspects()
	c.Verdict = contract.VerdictOf(c.Findings)
}

// forgery is a change to a sound log, and the word that must be said about it; "" for a log that is sound still.
type forgery struct {
	name   string
	change func(*runlog.Run)
	want   string
}

// assertForgeries holds that sound logs are certified and verified, and all others neither.
func assertForgeries(t *testing.T, log []byte, forgeries []forgery) {
	t.Helper()
	private, public := keys(t)
	for _, tt := range forgeries {
		t.Run(tt.name, func(t *testing.T) {
			forged := altered(t, log, tt.change)
			cert, _, err := auditor.Issue(t.Context(), forged, private)
			if tt.want == "" {
				require.NoError(t, err)
				_, err = auditor.Verify(t.Context(), forged, cert, public)
				assert.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, certificate.ErrUnsound)
			assert.Contains(t, err.Error(), tt.want)
			_, err = auditor.Verify(t.Context(), forged, cert, public)
			require.ErrorIs(t, err, certificate.ErrNotVerified)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

func TestResults(t *testing.T) {
	private, _ := keys(t)
	log, err := recordRows()
	require.NoError(t, err)
	_, report, err := auditor.Issue(t.Context(), log, private)
	require.NoError(t, err)
	assert.Equal(t, certificate.Partial, report.Result, "a few rows are not the level")
	expected := altered(t, log, func(r *runlog.Run) {
		failing(r)
		at(r, absent).Verdict = contract.ExpectedFail
	})
	_, report, err = auditor.Issue(t.Context(), expected, private)
	require.NoError(t, err)
	assert.Equal(t, certificate.Failure, report.Result, "what was excused is a failure to others")
	assert.Equal(t, []string{absent}, report.FailedCases)
	assert.Equal(t, certificate.Statistics{Passed: 1, ExpectedFailures: 1}, report.Levels[0].Statistics)
}

func TestVerifyRefuses(t *testing.T) {
	log, err := recordRows()
	require.NoError(t, err)
	private, public := keys(t)
	_, stranger := keys(t)
	cert, _, err := auditor.Issue(t.Context(), log, private)
	require.NoError(t, err)
	resigned, _, err := auditor.Issue(t.Context(), altered(t, log, failing), private)
	require.NoError(t, err)
	lines := bytes.SplitAfter(log, []byte("\n"))
	payload := func(change func(string) string) []byte {
		var e map[string]any
		require.NoError(t, json.Unmarshal(cert.Envelope, &e))
		raw, err := base64.StdEncoding.DecodeString(e["payload"].(string))
		require.NoError(t, err)
		e["payload"] = base64.StdEncoding.EncodeToString([]byte(change(string(raw))))
		out, err := json.Marshal(e)
		require.NoError(t, err)
		return out
	}
	for _, tt := range []struct {
		name string
		log  []byte
		cert certificate.Certificate
		key  certificate.Key
		want string
	}{
		{"another key", log, cert, stranger, "was not signed with this key"},
		{"a byte of the log", bytes.Replace(log, []byte("req"), []byte("qer"), 1), cert, public, "the statement refers to a different run.ndjson"},
		{"a log cut off", bytes.Join(lines[:len(lines)-2], nil), cert, public, "the log has no footer"},
		{"a log cut off in a line", log[:len(log)-30], cert, public, "incomplete line"},
		{"an empty log", nil, cert, public, "the log has no header"},
		{"a log with a line removed", bytes.Join(slices.DeleteFunc(slices.Clone(lines), func(l []byte) bool {
			return bytes.Contains(l, []byte(`"id":"`+absent+`","row"`)) && !bytes.HasPrefix(l, []byte(`{"type":"header"`))
		}), nil), cert, public, "never ran"},
		{"a better report", log, certificate.Certificate{Report: bytes.Replace(cert.Report, []byte("partial"), []byte("success"), 1), Envelope: cert.Envelope}, public, "conformance-report.yaml does not match the log"},
		{"the certificate of another log", log, resigned, public, "the statement does not match the log: the result is FAILED in the statement and PASSED in the log"},
		{"a payload changed under its signature", log, certificate.Certificate{Report: cert.Report, Envelope: payload(func(s string) string { return strings.Replace(s, "PASSED", "WARNED", 1) })}, public, "was not signed with this key"},
		{"no envelope", log, certificate.Certificate{Report: cert.Report, Envelope: []byte("hello")}, public, "is not a DSSE envelope"},
		{"an envelope of something else", log, certificate.Certificate{Report: cert.Report, Envelope: []byte(`{"payloadType":"text/plain","payload":"aGk=","signatures":[]}`)}, public, `the envelope's payload type is "text/plain"`},
		{"an envelope without a signature", log, certificate.Certificate{Report: cert.Report, Envelope: []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"aGk=","signatures":[]}`)}, public, "no signature found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := auditor.Verify(t.Context(), tt.log, tt.cert, tt.key)
			require.ErrorIs(t, err, certificate.ErrNotVerified)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

func TestKeys(t *testing.T) {
	_, public := keys(t)
	log, err := recordRows()
	require.NoError(t, err)
	_, _, err = auditor.Issue(t.Context(), log, public)
	require.ErrorIs(t, err, certificate.ErrKey)
	assert.Contains(t, err.Error(), "a public key cannot be used to sign")

	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(other)
	require.NoError(t, err)
	publicDER, err := x509.MarshalPKIXPublicKey(&other.PublicKey)
	require.NoError(t, err)
	for _, tt := range []struct{ name, text, want string }{
		{"no PEM", "hello", "no PEM block"},
		{"a certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"})), `the PEM block must be "PRIVATE KEY" or "PUBLIC KEY", not "CERTIFICATE"`},
		{"an RSA private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), "the key must be Ed25519, not *rsa.PrivateKey"},
		{"an RSA public key", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER})), "the key must be Ed25519, not *rsa.PublicKey"},
		{"a broken private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})), "key: asn1"},
		{"a broken public key", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})), "key: asn1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := certificate.ParseKey([]byte(tt.text))
			require.ErrorIs(t, err, certificate.ErrKey)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

// A log whose lines were edited one by one is refused, whatever a lenient reader makes of it.
func TestEditedLinesAreRefused(t *testing.T) {
	log, err := recordRows()
	require.NoError(t, err)
	private, _ := keys(t)
	lines := bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n"))
	firstCase := slices.IndexFunc(lines, func(l []byte) bool { return bytes.HasPrefix(l, []byte(`{"type":"case"`)) })
	edit := func(n int, old, to string) []byte {
		changed := slices.Clone(lines)
		require.Contains(t, string(lines[n]), old)
		changed[n] = bytes.Replace(lines[n], []byte(old), []byte(to), 1)
		return append(bytes.Join(changed, []byte("\n")), '\n')
	}
	last := len(lines) - 1
	swapped := slices.Clone(lines)
	swapped[firstCase], swapped[firstCase+1] = swapped[firstCase+1], swapped[firstCase]
	other, err := record(t.Context(), gatecert.Config{Cases: []string{absent}})
	require.NoError(t, err)
	foreign := slices.Clone(lines)
	for l := range bytes.SplitSeq(other, []byte("\n")) {
		if i := slices.IndexFunc(lines, func(own []byte) bool { return bytes.Contains(own, []byte(`"id":"`+absent+`","row"`)) }); bytes.Contains(l, []byte(`"id":"`+absent+`","row"`)) {
			foreign[i] = l
		}
	}
	const order, unlinked = "gatecert does not write lines in this form", "does not follow from the previous line"
	for _, tt := range []struct {
		name string
		log  []byte
		want string
	}{
		{"an unknown member", edit(firstCase, `{"type":"case"`, `{"type":"case","excuse":"busy"`), `unknown field "excuse"`},
		{"a member twice", edit(firstCase, `"verdict":"pass"`, `"verdict":"fail","verdict":"pass"`), `an object with the duplicate key "verdict"`},
		{"a member twice, far inside", edit(firstCase, `"body_size":`, `"body_size":1,"body_size":`), `an object with the duplicate key "body_size"`},
		{"a member in another case", edit(firstCase, `"verdict":`, `"Verdict":`), order},
		{"members in another order", edit(0, `{"type":"header","schema":"gatecert.run/2"`, `{"schema":"gatecert.run/2","type":"header"`), order},
		{"a space", edit(last, `{"type"`, `{ "type"`), order},
		{"an emptied request", edit(firstCase, `"sent":{`, `"sent":{},"SENT":{`), order},
		{"another tool", edit(0, `"tool":"gatecert `, `"tool":"gatecert 9.`), "line 2 " + unlinked},
		{"another date", edit(0, `"started":"20`, `"started":"19`), "line 2 " + unlinked},
		{"another size", edit(firstCase, `"body_size":`, `"body_size":1`), unlinked},
		{"another time of the end", edit(last, `"ended":"20`, `"ended":"19`), "the run's end time is before its start time"},
		{"two lines in another order", append(bytes.Join(swapped, []byte("\n")), '\n'), unlinked},
		{"a line twice", append(bytes.Join(slices.Insert(slices.Clone(lines), firstCase, lines[firstCase-1]), []byte("\n")), '\n'), unlinked},
		{"a case of another run", append(bytes.Join(foreign, []byte("\n")), '\n'), "belongs to another run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := auditor.Issue(t.Context(), tt.log, private)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}
