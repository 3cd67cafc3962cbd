package newapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
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
	"github.com/gatecert/gatecert/internal/recorded"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testRun = "20261122T100000-5ca1ab"
	testTag = "gc-5ca1ab"
)

// patient is the pause of tests: real where a deployment is recorded, none where one is replayed.
func patient(d *recorded.Deployment) func(context.Context, time.Duration) error {
	if d.Recording() {
		return sleep
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

// assertUndone holds that a journal's every entry is undone.
func assertUndone(t *testing.T, journal *bytes.Buffer) {
	t.Helper()
	left, err := Outstanding(bytes.NewReader(journal.Bytes()))
	require.NoError(t, err)
	assert.Zero(t, left, journal.String())
}

func TestDriverPreparesAndTakesDown(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	var journal bytes.Buffer
	var asked []targets.Change
	d := Driver{Run: testRun, Journal: &journal, pause: patient(deployment), Consent: func(changes []targets.Change) bool {
		asked = changes
		return true
	}}
	prepared, err := d.Prepare(t.Context(), profileOf(deployment))
	require.NoError(t, err)

	p := prepared.Profile
	assert.Equal(t, dialect.Surfaces(), p.Surfaces)
	assert.NotEmpty(t, p.Version)
	keys := []string{p.Keys.Valid, p.Keys.Revoked, p.Keys.Restricted, p.Keys.Denied, p.Keys.SpentAccount, p.Keys.SpentKey, p.Limits.Rate.Key}
	slices.Sort(keys)
	assert.Len(t, slices.Compact(keys), 7, "every caller has a key of its own")
	assert.NotNil(t, prepared.Consult, "a healthy call was found in the log")
	assert.Empty(t, prepared.Notes)
	for _, text := range []string{"users, tokens: ", "channels: ", "option ModelPrice: ", "option RetryTimes: 0 -> 1"} {
		assert.Contains(t, changesText(asked), text)
	}
	assertOffered(t, p, 34)

	require.NoError(t, prepared.Close(t.Context()))
	require.NoError(t, prepared.Close(t.Context()), "closing twice does no harm")
	var kinds []string
	for _, e := range entries(t, &journal) {
		if e.Kind != "" {
			kinds = append(kinds, e.Kind+" "+e.Name)
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

// assertOffered holds that a profile can bring so many of the 37 circumstances about on one surface at least.
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

func TestAStoreMakesAllCircumstancesPossible(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("plays what TestDriverPreparesAndTakesDown has recorded")
	}
	asked := profileOf(deployment)
	asked.Store.SQLite = "nowhere.db" // opened when the first case breaks it, and there is none here
	prepared, err := Driver{Run: testRun, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), asked)
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

func TestWithoutConsentNothingIsMade(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("plays what TestDriverPreparesAndTakesDown has recorded")
	}
	var journal bytes.Buffer
	for name, consent := range map[string]func([]targets.Change) bool{
		"nobody was asked": nil, "somebody said no": func([]targets.Change) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			deployment := recorded.Serve(t, "testdata/prepare")
			_, err := Driver{Run: testRun, Journal: &journal, Consent: consent, pause: patient(deployment)}.Prepare(t.Context(), profileOf(deployment))
			require.ErrorIs(t, err, targets.ErrConsent)
			assert.Contains(t, err.Error(), "option RetryTimes: 0 -> 1, around the cases that need it")
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
	prepared, err := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), asked)
	require.NoError(t, err)
	require.NoError(t, prepared.Close(t.Context()))
	assertUndone(t, &journal)
}

func TestCredentialsThatDoNotDo(t *testing.T) {
	for _, tt := range []struct {
		name, cassette string
		admin          profile.Admin
		text           string
	}{
		{"a wrong password", "testdata/wrong-password", profile.Admin{User: "root", Password: "not-the-password"}, "sign in as root: the gateway refused: 200"},
		{"a token that was never issued", "testdata/wrong-token", profile.Admin{Token: "never-issued-token-of-an-admin"}, "invalid access token"},
		{"a user who is not root", "testdata/not-root", profile.Admin{User: "alice", Password: "alicepass1"}, "which takes the root user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			deployment := recorded.Serve(t, tt.cassette)
			asked := profileOf(deployment)
			asked.Admin = tt.admin
			var journal bytes.Buffer
			_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), asked)
			require.ErrorIs(t, err, targets.ErrCredential)
			assert.Contains(t, err.Error(), tt.text)
			assert.NotContains(t, err.Error(), "not-the-password")
			assert.Zero(t, journal.Len(), "nothing is changed before the administrator is known")
		})
	}
}

// The deployment allows a user two tokens: the third is refused, when channels and a user are there already.
func TestWhatIsHalfPreparedIsTakenDown(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/half-prepared")
	var journal bytes.Buffer
	_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), profileOf(deployment))
	require.ErrorIs(t, err, errRefused)
	assert.Contains(t, err.Error(), "token restricted")
	assertUndone(t, &journal)
}

func TestAnOptionThatIsRefused(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare", recorded.Refusing(func(r *http.Request, body string) (string, bool) {
		return `{"success":false,"message":"no such option"}`, r.Method == http.MethodPut && strings.Contains(body, "ModelRequestRateLimitGroup")
	}))
	if deployment.Recording() {
		t.Skip("plays what TestDriverPreparesAndTakesDown has recorded")
	}
	var journal bytes.Buffer
	_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), profileOf(deployment))
	require.ErrorIs(t, err, errRefused)
	assert.Contains(t, err.Error(), "option ModelRequestRateLimitGroup")
	assert.Contains(t, err.Error(), "no such option")
}

func TestAGatewayThatIsRestartedIsWaitedFor(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("plays what TestDriverPreparesAndTakesDown has recorded")
	}
	gateway := &restartable{address: strings.TrimPrefix(deployment.URL, "http://")}
	var journal bytes.Buffer
	d := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: gateway.pause, dial: gateway.dial}
	prepared, err := d.Prepare(t.Context(), profileOf(deployment))
	require.NoError(t, err)
	gateway.down = 3
	require.NoError(t, prepared.Close(t.Context()))
	assert.Zero(t, gateway.down, "it was waited for")
	assertUndone(t, &journal)
}

// restartable is a gateway that nobody can connect to for so many waits.
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

func (r *restartable) pause(ctx context.Context, _ time.Duration) error {
	r.down = max(0, r.down-1)
	return ctx.Err()
}

func TestAGatewayThatWasNeverReachedIsNotWaitedFor(t *testing.T) {
	p := profile.Profile{Driver: profile.NewAPIDriver, BaseURL: "http://127.0.0.1:1", Admin: profile.Admin{Token: "any-token-at-all"}}.WithDefaults()
	_, err := Driver{Run: testRun, Consent: agree, pause: func(context.Context, time.Duration) error {
		t.Error("waited")
		return nil
	}}.Prepare(t.Context(), p)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
}

func TestCleanFinishesWhatAKilledRunBegan(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/prepare")
	if deployment.Recording() {
		t.Skip("plays what TestDriverPreparesAndTakesDown has recorded")
	}
	p := profileOf(deployment)
	var journal bytes.Buffer
	_, err := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), p)
	require.NoError(t, err)
	// Nobody closes it: the process has died, in the middle of a line.
	open, err := Outstanding(strings.NewReader(journal.String() + `{"seq":6,"ki`))
	require.NoError(t, err)
	assert.Equal(t, 5, open)

	var done bytes.Buffer
	things, err := Driver{OpenStore: store.Open}.Clean(t.Context(), p, bytes.NewReader(journal.Bytes()), &done)
	require.NoError(t, err)
	assert.Equal(t, 5, things)
	journal.Write(done.Bytes())
	assertUndone(t, &journal)
	things, err = Driver{OpenStore: store.Open}.Clean(t.Context(), p, bytes.NewReader(journal.Bytes()), &done)
	require.NoError(t, err)
	assert.Zero(t, things)
}

func TestCleanRefusesWhatIsNoJournal(t *testing.T) {
	for name, journal := range map[string]string{
		"no JSON":         "hello\n",
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
	prepared, err := Driver{Run: testRun, Journal: &journal, Consent: agree, pause: patient(deployment)}.Prepare(t.Context(), asked)
	require.NoError(t, err)
	assert.Equal(t, []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Completions, dialect.Embeddings}, prepared.Profile.Surfaces)
	assert.Nil(t, prepared.Consult)
	assert.Equal(t, []string{"what failed calls cost was not looked at: the gateway keeps no log by request"}, prepared.Notes)
	assertOffered(t, prepared.Profile, 26)
	require.NoError(t, prepared.Close(t.Context()))
	assertUndone(t, &journal)
}
