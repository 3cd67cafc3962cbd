package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certificate makes a certificate that vouches for itself, and returns its files.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	return certFile, keyFile
}

func serverWith(t *testing.T, o *server.Options) *server.Server {
	t.Helper()
	o.Host, o.Port, o.JetStream, o.StoreDir, o.NoLog, o.NoSigs = "127.0.0.1", server.RANDOM_PORT, true, t.TempDir(), true, true
	s, err := server.NewServer(o)
	require.NoError(t, err)
	go s.Start()
	require.True(t, s.ReadyForConnections(10*time.Second))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

// A server with TLS, client certificates and an nkey: a whole phase, without a secret.
func TestAServerOfSomebodyElse(t *testing.T) {
	cert, key := certificate(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	roots.AppendCertsFromPEM(text)
	user, err := nkeys.CreateUser()
	require.NoError(t, err)
	public, err := user.PublicKey()
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	seedFile := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, os.WriteFile(seedFile, seed, 0o600))
	s := serverWith(t, &server.Options{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12},
		Nkeys:     []*server.NkeyUser{{Nkey: public}},
	})
	access := Access{URL: "tls://" + s.Addr().String(), NKey: seedFile, CA: cert, Certificate: cert, Key: key}
	g := newTarget(t)
	join(t, 2, WorkerOptions{Access: access, Targets: []string{g.URL}})
	m, err := engineOf(t, open(t, access, 2)).Run(t.Context(), g.phase("steady", 100, 300*time.Millisecond))
	require.NoError(t, err)
	assert.Equal(t, uint64(30), m.Sent)
	assert.True(t, m.Generator.OK(), m.Generator.Problems)

	for name, change := range map[string]func(*Access){
		"another authority":   func(a *Access) { a.CA, _ = certificate(t) },
		"no such file":        func(a *Access) { a.CA = "no-such-file" },
		"no client's":         func(a *Access) { a.Certificate, a.Key = "", "" },
		"another key":         func(a *Access) { a.NKey = "" },
		"a user of no server": func(a *Access) { a.NKey, a.User, a.Password = "", "me", "pw" },
	} {
		wrong := access
		change(&wrong)
		_, err := Open(t.Context(), Config{Access: wrong, Workers: 1, Wait: time.Second})
		assert.ErrorIs(t, err, ErrAccess, name)
	}
}

// A server without JetStream is of no help, and the message says what it lacks.
func TestAServerWithoutJetStream(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	require.NoError(t, err)
	go s.Start()
	require.True(t, s.ReadyForConnections(10*time.Second))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	_, err = Open(t.Context(), Config{Access: Access{URL: s.ClientURL()}, Workers: 1, Wait: time.Second})
	require.ErrorIs(t, err, ErrAccess)
	assert.ErrorContains(t, err, "JetStream")
}

// A phase whose requests are too large for one message goes through the store of large messages, and so do its portions.
func TestLargeMessages(t *testing.T) {
	g, a := newTarget(t), newServer(t)
	join(t, 2, WorkerOptions{Access: a, Targets: []string{g.URL}})
	p := g.phase("large", 200, 500*time.Millisecond)
	noise := make([]byte, 3<<20) // it cannot be compressed
	_, _ = rand.Read(noise)
	for i := range noise {
		noise[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[noise[i]&63]
	}
	p.Mix[0].Call.Prompt = string(noise[:64<<10])
	for i := range 40 {
		v := p.Mix[0].Call
		v.Prompt = string(noise[i<<16 : (i+1)<<16])
		p.Mix[0].Variants = append(p.Mix[0].Variants, v)
	}
	m, err := engineOf(t, open(t, a, 2)).Run(t.Context(), p)
	require.NoError(t, err)
	assert.True(t, m.Generator.OK(), m.Generator.Problems)
	assert.Equal(t, uint64(100), m.Sent)
}
