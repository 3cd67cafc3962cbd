package redact

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNamesOfCredentials(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "x-api-key": true, "X-Goog-Api-Key": true, "cookie": true, "x-auth-token": true, "X-Password": true,
		"X-Session-Id": true, "accessToken": true, "apiKey": true, "access_token": true, "ADMIN_PASSWORD": true, "PGPASSWORD": true, "sig": true,
		"x-portkey-virtual": false, "x-tenant": false, "x-monkey": false, "max_tokens": false, "keyboard": false, "Accept": false, "author": false,
	} {
		assert.Equal(t, want, IsCredential(name), name)
	}
}

func values(secrets []Secret) (out []string) {
	for _, s := range secrets {
		out = append(out, s.Value)
	}
	return out
}

func TestTheCredentialOfAField(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("user:hunter2"))
	for value, want := range map[string]struct {
		shown  string
		values []string
	}{
		"abc":               {"[k]", []string{"abc"}},
		"Bearer abc":        {"Bearer [k]", []string{"Bearer abc", "abc"}},
		"Basic " + basic:    {"Basic [k]", []string{"Basic " + basic, basic, "hunter2"}},
		"a=b; session=c":    {"[k]", []string{"a=b; session=c", "b", "c"}},
		"Bearer [$GATEWAY]": {"Bearer [$GATEWAY]", nil},
		"":                  {"", nil},
	} {
		shown, secrets := Credential("k", value)
		assert.Equal(t, want.shown, shown, value)
		assert.ElementsMatch(t, want.values, values(secrets), value)
	}
}

func TestCredentialsInsideATextAreFoundByTheirNames(t *testing.T) {
	const all = URLs | Assignments | Members | Commands
	for text, want := range map[string]struct {
		syntax Syntax
		shown  string
		values []string
	}{
		"/v1/x?api_key=s1&model=m&token=s2":                    {all, "/v1/x?api_key=[credential api_key]&model=m&token=[credential token]", []string{"s1", "s2"}},
		"/v1/x?api_key=s%2F1":                                  {all, "/v1/x?api_key=[credential api_key]", []string{"s%2F1", "s/1", "s/1"}},
		"postgres://u:p%40w@db/x?sslmode=off&password=s3":      {all, "postgres://u:[what]@db/x?sslmode=off&password=[credential password]", []string{"p%40w", "p@w", "p@w", "s3"}},
		"https://tok3n@host/":                                  {URLs, "https://[what]@host/", []string{"tok3n"}},
		"postgres://user@db/x":                                 {URLs, "postgres://user@db/x", nil},
		"http://127.0.0.1:8080/@me":                            {URLs, "http://127.0.0.1:8080/@me", nil},
		`{"vendor":"openai","api_key":"sk-1"}`:                 {Members, `{"vendor":"openai","api_key":"[credential api_key]"}`, []string{"sk-1"}},
		`curl -H 'X-Api-Key: s4' --token s5 --name n x`:        {all, `curl -H 'X-Api-Key: [credential X-Api-Key]' --token [credential token] --name n x`, []string{"s4", "s5"}},
		`curl -H "Authorization: Bearer s6" --password="s7" x`: {all, `curl -H "Authorization: Bearer [credential Authorization]" --password="[credential password]" x`, []string{"Bearer s6", "s6", "s7"}},
		`PGPASSWORD=s8 psql -c 'select 1'`:                     {all, `PGPASSWORD=[credential PGPASSWORD] psql -c 'select 1'`, []string{"s8"}},
		"host=db password=s9 user=u":                           {all, "host=db password=[credential password] user=u", []string{"s9"}},
		"?key=[$KEY]":                                          {all, "?key=[$KEY]", nil},
		"a=1&b=2":                                              {all, "a=1&b=2", nil},
	} {
		shown, secrets := Inline("what", text, want.syntax)
		assert.Equal(t, want.shown, shown, text)
		assert.ElementsMatch(t, want.values, values(secrets), text)
	}
}

func TestAWeakSecretIsATokenOfTextsThatWereGivenIt(t *testing.T) {
	secret := Secret{What: "$ENV", Value: "test"}
	assert.Equal(t, "run [$ENV]: contest, tested, [$ENV]!", Token("run test: contest, tested, TEST!", secret))
	assert.Equal(t, "a is a", Token("a is a", Secret{What: "$A", Value: "a"}), "too short to be told from others")
}

func TestWhatAnAnswerMayRepeatIsReplacedAndNotReported(t *testing.T) {
	r := New(Secret{What: "$TENANT", Value: "tenant-4711-blue", Echo: true}, Secret{What: "upstream key", Value: testKey})
	clean, found := r.Bytes([]byte("tenant-4711-blue " + testKey))
	assert.Equal(t, "[$TENANT] [upstream key]", string(clean))
	assert.Equal(t, []string{"upstream key"}, found)
	assert.Empty(t, r.Reported([]string{"$TENANT (SHA-256)"}))
}
