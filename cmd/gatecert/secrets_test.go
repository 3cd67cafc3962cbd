//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/profile"
)

// No secret of a profile shows in anything that any command writes or prints, wherever in the profile it stands.
func TestNoSecretOfAProfileIsEverShown(t *testing.T) {
	gateway := serveGateway(t)
	planted := make(map[string]bool)
	for _, short := range []bool{false, true} {
		for name, prepare := range map[string]func(t *testing.T, p *planter, served profile.Profile){
			"an attached upstream": plantAttached, "a listening upstream": plantListening, "an administrator": plantAdministrator,
		} {
			if short {
				name += ", short secrets"
			}
			t.Run(name, func(t *testing.T) {
				served, err := profile.Load(gateway, os.LookupEnv)
				require.NoError(t, err)
				p := newPlanter(short)
				prepare(t, p, served)
				dir := t.TempDir()
				file := writePlanted(t, p, served, dir)
				printed := everyCommand(t, p, file, dir)
				if strings.HasPrefix(name, "an attached") { // the run judged what it sent
					assert.Contains(t, printed, "[$PLANTED_")
					assert.Contains(t, printed, "held:  status 17 of 19")
				}
				scan(t, p, served, dir, printed)
				for place := range p.planted {
					planted[place] = true
				}
			})
		}
	}
	requireEveryString(t, planted)
}

// plantCommon gives what a run needs of the profile.
func plantCommon(t *testing.T, p *planter, served profile.Profile) {
	t.Helper()
	maps.Copy(p.given, map[string]any{
		"name": "planted", "version": "1.2.3", "base_url": served.BaseURL, "driver": "static", "surfaces": []any{"chat"}, "models.default": served.Models.On(dialect.Chat),
		"keys.valid": "${PLANTED_VALID}", "limits.rate.requests": 3, "tls.ca": certificateIn(t, p), "admin": nil, "prefix": nil, "balance": nil,
		"circumstances": p.circumstances(),
	})
	p.secrets["PLANTED_VALID"] = served.Keys.Valid
	p.shapes["store.postgres"] = "postgres://planted:%s@127.0.0.1:1/db?password=%s"
	p.shapes["upstream.url"] = "http://planted:%s@127.0.0.1:1/?token=%s"
	p.planted["tls.ca"], p.planted["keys.valid"] = true, true
}

func plantAttached(t *testing.T, p *planter, served profile.Profile) {
	plantCommon(t, p, served)
	p.shapes["upstream.attach"] = strings.Replace(served.Upstream.Attach, "http://", "http://planted:%s@", 1)
	p.given["upstream.listen"], p.given["store.sqlite"] = nil, nil
}

func plantListening(t *testing.T, p *planter, served profile.Profile) {
	plantCommon(t, p, served)
	p.given["upstream.attach"], p.given["upstream.token"], p.given["store.postgres"] = nil, nil, nil
	p.given["upstream.listen"] = freeport.Address(t)
	p.planted["upstream.listen"] = true
	delete(p.given, "balance")
	delete(p.given, "prefix")
	p.shapes["balance.path"], p.shapes["prefix"] = "/v1/balance?key=%s&x=%s", "/planted/%s"
}

func plantAdministrator(t *testing.T, p *planter, served profile.Profile) {
	plantCommon(t, p, served)
	p.given["driver"], p.given["upstream.attach"], p.given["upstream.token"], p.given["store.sqlite"] = "newapi", nil, nil, nil
	p.given["upstream.listen"] = freeport.Address(t)
	delete(p.given, "admin")
	if p.short { // a token excludes a user
		p.given["admin.token"] = nil
	} else {
		p.given["admin.user"], p.given["admin.password"] = nil, nil
	}
}

// circumstances are recipes that send secrets, and actions that fail with them.
func (p *planter) circumstances() map[string]any {
	recipe := reflect.TypeFor[profile.Recipe]()
	const place = "circumstances.*"
	for at, shape := range map[string]string{
		".path": "/v1/chat/completions?api_key=%s&x=%s", ".before.run": "echo 'output %s'; printf 'more%s'; exit 3", ".after.run": "echo %s; exit 4",
		".before.sql": "SELECT '%s'", ".after.sql": "SELECT '%s'",
	} {
		p.shapes[place+at], p.shapes[place+".on.*"+at] = shape, shape
	}
	body := func(at string) map[string]any {
		return map[string]any{
			"user": p.text(at), "metadata": map[string]any{"list": []any{p.text(at), map[string]any{"password": p.text(at)}}}, "messages[0].content": p.text(at) + " {{prompt}}",
		}
	}
	action := func(at, kind string) []any {
		return []any{map[string]any{kind: p.text(place + at + "." + kind)}}
	}
	without := func(at string) {
		for _, list := range []string{".before", ".after", ".on.*.before", ".on.*.after"} {
			p.given[place+list] = nil
		}
		p.given[place+".body"], p.given[place+".on.*.body"] = body(place+".body"), body(place+".on.*.body")
		p.planted[place+".body.*"], p.planted[place+".on.*.body.*"] = true, true
	}
	without("")
	p.given[place+".on"] = nil
	sent := p.value(recipe, place)
	delete(p.given, place+".on")
	onChat := p.value(recipe, place)
	return map[string]any{
		"unpriced-model": sent, "sensitive-content": onChat,
		"gateway-error":        map[string]any{"before": action(".before", "run")},
		"failing-store-reads":  map[string]any{"before": action(".before", "sql")},
		"failing-store-writes": map[string]any{"after": append(action(".after", "run"), action(".after", "sql")...)},
		"no-channel": map[string]any{"on": map[string]any{"chat": map[string]any{
			"before": append(action(".on.*.before", "run"), action(".on.*.before", "sql")...),
			"after":  append(action(".on.*.after", "run"), action(".on.*.after", "sql")...),
		}}},
	}
}

// certificateIn writes a certificate into a folder with a secret in its name and returns its path with the variable.
func certificateIn(t *testing.T, p *planter) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	variable := p.secret()
	dir := filepath.Join(t.TempDir(), p.secrets[strings.Trim(variable, "${}")])
	require.NoError(t, os.Mkdir(dir, 0o700))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o600))
	return filepath.Join(filepath.Dir(dir), variable, "ca.pem")
}

func writePlanted(t *testing.T, p *planter, served profile.Profile, dir string) string {
	t.Helper()
	text, err := yaml.Marshal(p.value(reflect.TypeFor[profile.Profile](), ""))
	require.NoError(t, err)
	for name, value := range p.secrets {
		t.Setenv(name, value)
	}
	text = append(text, "env: ["+strings.Join(slices.Sorted(maps.Keys(p.secrets)), ", ")+"]\n"...)
	file := filepath.Join(dir, "profile.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// everyCommand runs every command that reads a profile or a log, and returns what they printed.
func everyCommand(t *testing.T, p *planter, file, dir string) string {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	var printed strings.Builder
	codes := make(map[int]int)
	command := func(args ...string) {
		code, stdout, stderr := invoke(t.Context(), args...)
		printed.WriteString(strings.Join(args[:1], " ") + "\n" + stdout + stderr)
		codes[code]++
	}
	other := p.secrets[strings.Trim(p.secret(), "${}")] // no part of the profile
	out, again := filepath.Join(dir, "run"), filepath.Join(dir, "again")
	rows := "http:401,http:404,http:5xx,code:model_price_error,code:sensitive_words_detected,code:query_data_error,code:update_data_error,code:get_channel_failed"
	run := []string{"run", "--target", file, "--rows", rows, "--yes"}
	command(append(run, "--out", filepath.Join(dir, "untrusted"))...)
	command("trust", file)
	command(append(run, "--out", out, "--key", other, "--format", formatNames())...)
	command(append(run, "--out", again, "--key="+other)...)
	command("report", out)
	for _, f := range reports.Formats() {
		command("report", out, "--format", f.Name)
	}
	command("report", out, "--out", filepath.Join(dir, "rendered"))
	for _, format := range []string{"terminal", "md", "json"} {
		command("diff", out, again, "--format", format)
	}
	for _, format := range []string{"terminal", "html", "md", "json"} {
		command("matrix", out, again, "--format", format)
	}
	command("hall", out, "--out", filepath.Join(dir, "site"))
	command("keygen", filepath.Join(dir, "signing"))
	command("certify", out, "--key", filepath.Join(dir, "signing.pem"))
	command("verify", out, "--key", filepath.Join(dir, "signing.pub.pem"), "--again", file, "--gateway-key", other)
	for _, id := range []string{"http:401/missing-key/chat", "code:model_price_error/unpriced-model/chat", "code:sensitive_words_detected/sensitive-content/chat", "code:query_data_error/failing-store-reads/chat"} {
		command("replay", id, "--from", out, "--target", file, "--key", other)
	}
	command("explain", "code:model_price_error", "--target", file)
	command("clean", "--target", file, "--from", out)
	command("load", "capacity", "--target", file, "--from", "5", "--to", "10", "--short", "100ms", "--full", "200ms", "--repeats", "1", "--rounds", "0", "--out", filepath.Join(dir, "load"), "--key", other)
	command("load", "rate-limit", "--target", file, "--out", filepath.Join(dir, "rate"))
	command("run", "http://planted:"+other+"@127.0.0.1:1", "--key", other, "--model", "m", "--out", filepath.Join(dir, "url"))
	command("run", "http://127.0.0.1:1", "--key", other, "--model", "m", "--out", filepath.Join(dir, "nobody"))
	assert.Greater(t, len(codes), 1, "some commands work")
	return printed.String()
}

func formatNames() string {
	var names []string
	for _, f := range reports.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ",")
}

// scan looks for all secrets, in the forms that a reader can undo, in all files but the profile and in what was printed.
func scan(t *testing.T, p *planter, served profile.Profile, dir, printed string) {
	t.Helper()
	texts := map[string]string{"the terminal": printed}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "profile.yaml" || strings.HasPrefix(entry.Name(), "signing.") {
			return err
		}
		content, err := os.ReadFile(path)
		texts[path] = string(content)
		return err
	}))
	assert.Greater(t, len(texts), 1)
	for where, text := range texts {
		lower := strings.ToLower(text)
		for name, secret := range p.secrets {
			forms := []string{secret, url.QueryEscape(secret)}
			if !p.short {
				forms = append(forms, hex.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret)))
			}
			for _, form := range forms {
				if at := strings.Index(lower, strings.ToLower(form)); at >= 0 {
					t.Errorf("%s (%s) stands in %s: …%.160s", name, secret, where, text[max(0, at-80):])
				}
			}
		}
	}
}
