package newapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/recorded"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testRun = "20261122T100000-5ca1ab"
	testTag = "gc-5ca1ab"
)

// waiting waits where a deployment is recorded, and does not where one is replayed.
func waiting(d *recorded.Deployment) func(context.Context, time.Duration) error {
	if d.Recording() {
		return wait.For
	}
	return func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
}

func agree([]targets.Change) bool { return true }

// profileOf is a user's profile of a deployment, with its token.
func profileOf(d *recorded.Deployment) profile.Profile {
	return profile.Profile{
		Name: "test", Driver: profile.NewAPIDriver, BaseURL: d.URL, Admin: profile.Admin{Token: d.Token},
		Limits: profile.Limits{Timeout: 3 * time.Second},
	}.WithDefaults()
}

// entries reads a journal.
func entries(t *testing.T, journal *bytes.Buffer) []entry {
	t.Helper()
	var all []entry
	for line := range strings.Lines(journal.String()) {
		var e entry
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		all = append(all, e)
	}
	return all
}

// assertUndone asserts that every change in a journal was undone.
func assertUndone(t *testing.T, journal *bytes.Buffer) {
	t.Helper()
	left, err := Outstanding(bytes.NewReader(journal.Bytes()))
	require.NoError(t, err)
	assert.Zero(t, left, journal.String())
}

func TestDriverPreparesAndCleansUp(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	var journal bytes.Buffer
	var asked []targets.Change
	d := Driver{Run: testRun, Journal: &journal, wait: waiting(deployment), Consent: func(changes []targets.Change) bool {
		asked = changes
		return true
	}}
	prepared, err := d.Prepare(t.Context(), profileOf(deployment))
	require.NoError(t, err)

	p := prepared.Profile
	assert.Len(t, p.Surfaces, len(dialect.Surfaces())-1, "it has no route for counts of tokens")
	assert.NotContains(t, p.Surfaces, dialect.CountTokens)
	assert.NotEmpty(t, p.Version)
	keys := []string{p.Keys.Valid, p.Keys.Revoked, p.Keys.Restricted, p.Keys.Denied, p.Keys.SpentAccount, p.Keys.SpentKey, p.Limits.Rate.Key}
	slices.Sort(keys)
	assert.Len(t, slices.Compact(keys), 7, "every caller has its own key")
	assert.NotNil(t, prepared.ReadUsageLog, "a healthy call is in the log")
	assert.Empty(t, prepared.Notes)
	for _, text := range []string{"users, tokens: ", "channels: ", "option ModelPrice: ", "option RetryTimes: 0 -> 1"} {
		assert.Contains(t, changesText(asked), text)
	}
	assertOffered(t, p, 34)

	require.NoError(t, prepared.Close(t.Context()))
	require.NoError(t, prepared.Close(t.Context()), "closing twice is harmless")
	var kinds []string
	for _, e := range entries(t, &journal) {
		if e.Kind != "" {
			kinds = append(kinds, string(e.Kind)+" "+e.Name)
		}
	}
	assert.Equal(t, []string{
		"option performance_setting.monitor_enabled", "entries ModelPrice", "entries ModelRequestRateLimitGroup",
		"channels " + testTag, "users " + testTag,
	}, kinds)
	assertUndone(t, &journal)
}

func changesText(changes []targets.Change) string {
	var text strings.Builder
	for _, c := range changes {
		text.WriteString(c.String() + "\n")
	}
	return text.String()
}

// assertOffered asserts that a profile brings so many of the 37 circumstances about on at least one surface.
func assertOffered(t *testing.T, p profile.Profile, want int) {
	t.Helper()
	offered := map[string]bool{}
	for _, c := range contract.Cases() {
		if !slices.Contains(p.Surfaces, c.Surface) {
			continue
		}
		if _, err := targets.RequestFor(p, c, "token"); err == nil {
			offered[c.Circumstance] = true
		}
	}
	assert.Len(t, offered, want)
}

func TestStoreOffersAllCircumstances(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("replays what TestDriverPreparesAndCleansUp records")
	}
	asked := profileOf(deployment)
	asked.Store.SQLite = "nowhere.db" // opened when the first case breaks it, and there is none here
	prepared, err := Driver{Run: testRun, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), asked)
	require.NoError(t, err)
	assertOffered(t, prepared.Profile, 37)
	for name, r := range prepared.Profile.Circumstances {
		for _, a := range slices.Concat(r.Before, r.After) {
			assert.Contains(t, prepared.Actions, a.Do, name)
		}
		for _, on := range r.On {
			for _, a := range slices.Concat(on.Before, on.After) {
				assert.Contains(t, prepared.Actions, a.Do, name)
			}
		}
	}
	require.NoError(t, prepared.Close(t.Context()))
}

func TestWithoutConsentNothingIsChanged(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("replays what TestDriverPreparesAndCleansUp records")
	}
	var journal bytes.Buffer
	for name, consent := range map[string]func([]targets.Change) bool{
		"no way to ask": nil, "refused": func([]targets.Change) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			deployment := recorded.Serve(t, "testdata/prepare")
			_, err := Driver{Run: testRun, Journal: &journal, Consent: consent, wait: waiting(deployment)}.Prepare(t.Context(), profileOf(deployment))
			require.ErrorIs(t, err, targets.ErrConsent)
			assert.Contains(t, err.Error(), "option RetryTimes: 0 -> 1, only while the cases that need this value run")
			assert.Zero(t, journal.Len())
		})
	}
}

func TestDriverSignsInAndOut(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/sign-in")
	asked := profileOf(deployment)
	asked.Admin = profile.Admin{User: "root", Password: os.Getenv("GATECERT_RECORD_PASSWORD")}
	if !deployment.Recording() {
		asked.Admin.Password = "any"
	}
	var journal bytes.Buffer
	prepared, err := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), asked)
	require.NoError(t, err)
	require.NoError(t, prepared.Close(t.Context()))
	assertUndone(t, &journal)
}

func TestRejectedCredentials(t *testing.T) {
	for _, tt := range []struct {
		name, cassette string
		admin          profile.Admin
		text           string
	}{
		{"a wrong password", "testdata/wrong-password", profile.Admin{User: "root", Password: "not-the-password"}, "sign in as root: the gateway refused the admin API call: 200"},
		{"a token that was never issued", "testdata/wrong-token", profile.Admin{Token: "never-issued-token-of-an-admin"}, "invalid access token"},
		{"a user who is not root", "testdata/not-root", profile.Admin{User: "alice", Password: "alicepass1"}, "only the root user may"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			deployment := recorded.Serve(t, tt.cassette)
			asked := profileOf(deployment)
			asked.Admin = tt.admin
			var journal bytes.Buffer
			_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), asked)
			require.ErrorIs(t, err, targets.ErrCredential)
			assert.Contains(t, err.Error(), tt.text)
			assert.NotContains(t, err.Error(), "not-the-password")
			assert.Zero(t, journal.Len(), "nothing is changed before the administrator is authenticated")
		})
	}
}

// The deployment allows two tokens a user: the third is refused, after the channels and a user were created.
func TestFailedPreparationIsUndone(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/half-prepared")
	var journal bytes.Buffer
	_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), profileOf(deployment))
	require.ErrorIs(t, err, errRefused)
	assert.Contains(t, err.Error(), "token restricted")
	assertUndone(t, &journal)
}

func TestRefusedOption(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	deployment.Refuse = func(r *http.Request, body string) (string, bool) {
		return `{"success":false,"message":"no such option"}`, r.Method == http.MethodPut && strings.Contains(body, "ModelRequestRateLimitGroup")
	}
	if deployment.Recording() {
		t.Skip("replays what TestDriverPreparesAndCleansUp records")
	}
	var journal bytes.Buffer
	_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), profileOf(deployment))
	require.ErrorIs(t, err, errRefused)
	assert.Contains(t, err.Error(), "option ModelRequestRateLimitGroup")
	assert.Contains(t, err.Error(), "no such option")
}

func TestRestartIsWaitedFor(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("replays what TestDriverPreparesAndCleansUp records")
	}
	gateway := &restartable{address: strings.TrimPrefix(deployment.URL, "http://")}
	var journal bytes.Buffer
	d := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: gateway.wait, dial: gateway.dial}
	prepared, err := d.Prepare(t.Context(), profileOf(deployment))
	require.NoError(t, err)
	gateway.down = 3
	require.NoError(t, prepared.Close(t.Context()))
	assert.Zero(t, gateway.down, "the restart was waited for")
	assertUndone(t, &journal)
}

// restartable is a gateway that cannot be connected to until so many waits are over.
type restartable struct {
	address string
	down    int
}

func (r *restartable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if r.down > 0 {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (r *restartable) wait(ctx context.Context, _ time.Duration) error {
	r.down = max(0, r.down-1)
	return ctx.Err()
}

func TestUnreachableGatewayIsNotWaitedFor(t *testing.T) {
	p := profile.Profile{Driver: profile.NewAPIDriver, BaseURL: "http://127.0.0.1:1", Admin: profile.Admin{Token: "any-token-at-all"}}.WithDefaults()
	_, err := Driver{Run: testRun, Consent: agree, wait: func(context.Context, time.Duration) error {
		t.Error("waited")
		return nil
	}}.Prepare(t.Context(), p)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
}

func TestCleanUndoesAKilledRun(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("replays what TestDriverPreparesAndCleansUp records")
	}
	p := profileOf(deployment)
	var journal bytes.Buffer
	_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), p)
	require.NoError(t, err)
	// It is not closed: the process has died while it wrote a line.
	open, err := Outstanding(strings.NewReader(journal.String() + `{"seq":6,"ki`))
	require.NoError(t, err)
	assert.Equal(t, 5, open)

	var done bytes.Buffer
	n, err := Driver{OpenStore: store.Open}.Clean(t.Context(), p, bytes.NewReader(journal.Bytes()), &done)
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	journal.Write(done.Bytes())
	assertUndone(t, &journal)
	n, err = Driver{OpenStore: store.Open}.Clean(t.Context(), p, bytes.NewReader(journal.Bytes()), &done)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestCleanRefusesAMalformedJournal(t *testing.T) {
	for name, journal := range map[string]string{
		"not JSON":        "hello\n",
		"an unknown kind": `{"seq":1,"kind":"planet","name":"mars"}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Driver{OpenStore: store.Open}.Clean(t.Context(), profile.Profile{Driver: profile.NewAPIDriver, BaseURL: "http://127.0.0.1:1"}, strings.NewReader(journal), &bytes.Buffer{})
			require.ErrorIs(t, err, ErrJournal)
		})
	}
}

func TestOneAPI(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/one-api")
	asked := profileOf(deployment)
	asked.Driver = profile.OneAPIDriver
	asked.Admin = profile.Admin{User: "root", Password: "123456"}
	var journal bytes.Buffer
	prepared, err := Driver{Run: testRun, Journal: &journal, Consent: agree, wait: waiting(deployment)}.Prepare(t.Context(), asked)
	require.NoError(t, err)
	assert.Equal(t, []dialect.Surface{
		dialect.Chat, dialect.ChatStream, dialect.Completions, dialect.Embeddings, dialect.Speech, dialect.Moderations, dialect.Models,
	}, prepared.Profile.Surfaces)
	assert.Nil(t, prepared.ReadUsageLog)
	assert.Equal(t, []string{"gatecert did not check whether failed calls were charged: the gateway has no log of charges that can be searched by request id (one-api has none; new-api has none if LogConsumeEnabled is false)"}, prepared.Notes)
	assertOffered(t, prepared.Profile, 26)
	assert.Len(t, prepared.Profile.Lacks, 8+1) // of the 37, with the store's three; and one on the descriptions of models
	for name, reason := range prepared.Profile.Lacks {
		circumstance, surface, onOne := strings.Cut(name, "/")
		_, err := targets.RequestFor(prepared.Profile, contract.CaseOf(circumstance, dialect.Surface(cmp.Or(surface, "chat")), ""), "plan")
		require.EqualError(t, err, "not offered: "+reason)
		if onOne {
			continue
		}
		assert.True(t, strings.HasPrefix(reason, "one-api has no equivalent: "), reason)
	}
	require.NoError(t, prepared.Close(t.Context()))
	assertUndone(t, &journal)
}

// What a run sends to a gateway that this driver has prepared is recomputed from the profile in its log.
func TestRequestsToAPreparedGatewayAreRecomputed(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("replays what TestDriverPreparesAndCleansUp records")
	}
	d := Driver{Run: testRun, Journal: io.Discard, wait: waiting(deployment), Consent: func([]targets.Change) bool { return true }}
	prepared, err := d.Prepare(t.Context(), profileOf(deployment))
	require.NoError(t, err)
	defer func() { assert.NoError(t, prepared.Close(t.Context())) }()
	gateway := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer gateway.Close()
	p := prepared.Profile
	p.BaseURL = gateway.URL
	logged, err := targets.OfferOf(p.Redacted())
	require.NoError(t, err)
	secrets, _ := p.SearchedSecrets()
	client := exchange.NewClient(exchange.Limits{}, nil, secrets...)
	defer client.Close()
	checked := 0
	for _, c := range contract.Cases() {
		request, err := targets.RequestFor(p, c, "00aa11bb22cc")
		if err != nil || c.IsLoad() {
			assert.False(t, err != nil && logged.Offers(c) && slices.Contains(p.Surfaces, c.Surface), "%s: %v, but the log offers it", c.ID(), err)
			continue
		}
		o, err := client.Do(t.Context(), request.Call)
		require.NoError(t, err, c.ID())
		_, err = logged.CheckSent(c, o.Sent)
		assert.NoError(t, err, c.ID())
		checked++
	}
	assert.Greater(t, checked, 400)
}
