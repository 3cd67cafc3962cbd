package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/gatecert/gatecert/load"
)

// Access describes how to reach a NATS server.
type Access struct {
	// URL is nats://host:port, or tls://host:port for an encrypted connection. Multiple URLs are separated by commas.
	URL string
	// A server may require User and Password, or Credentials (a file with the user's JWT and NKey seed), or NKey (a file with a seed), or none of these.
	User, Password, Credentials, NKey string
	// CA is a file with the certificates, in PEM, of the authorities that sign the server's certificate; "" means the authorities of the system.
	// Certificate and Key are files with the client's own certificate and key.
	CA, Certificate, Key string
	// Secret is the secret that the coordinator and the workers encrypt their messages with. Without a
	// secret, messages are not encrypted.
	Secret string
}

var (
	// ErrAccess is returned when the server cannot be reached as configured.
	ErrAccess = errors.New("cannot access the NATS server")
	// ErrConfig is returned for a fleet that cannot exist.
	ErrConfig = errors.New("invalid fleet")
	// ErrPlain is returned if keys would be sent unencrypted.
	ErrPlain = errors.New("the gateway's keys would be sent unencrypted")
)

// maxPayload bounds in bytes a message through the embedded server. Messages larger than inlined go through the object store.
const (
	maxPayload = 8 << 20
	inlined    = 512 << 10
)

// reconnectEvery is how often a lost connection is tried again.
const reconnectEvery = 250 * time.Millisecond

// Check returns [ErrAccess] for a URL that is not valid, and [ErrPlain] unless the connection is encrypted, the messages are
// sealed, or everything stays on this machine.
func (a Access) Check() error {
	for text := range strings.SplitSeq(a.URL, ",") {
		if strings.Contains(text, "@") { // not quoted: it may be a password
			return fmt.Errorf("%w: a password in the URL would be visible in the process list: use a file (--creds, --nkey), or --nats-user and NATS_PASSWORD", ErrAccess)
		}
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return fmt.Errorf("%w: %.60q is not a URL such as nats://host:4222 or tls://host:4222", ErrAccess, text)
		}
		if u.Scheme != "tls" && a.Secret == "" && !load.IsLoopback(u.Hostname()) {
			return fmt.Errorf("%w to %s: use tls://, or give the coordinator and the workers the same secret (--fleet-secret FILE)", ErrPlain, u.Host)
		}
	}
	return nil
}

// connect opens a connection that is opened again whenever it is lost.
func (a Access) connect(name string, more ...nats.Option) (*nats.Conn, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectEvery), nats.ReconnectJitter(0, 0), nats.Timeout(5 * time.Second),
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2), nats.IgnoreDiscoveredServers(), nats.ReconnectBufSize(-1), // what cannot be sent now is not sent later
	}
	options = append(options, more...)
	switch {
	case a.User != "":
		options = append(options, nats.UserInfo(a.User, a.Password))
	case a.Credentials != "":
		options = append(options, nats.UserCredentials(a.Credentials))
	case a.NKey != "":
		option, err := nats.NkeyOptionFromSeed(a.NKey)
		if err != nil {
			return nil, fmt.Errorf("%w: --nkey: %w", ErrAccess, err)
		}
		options = append(options, option)
	}
	if a.CA != "" || a.Certificate != "" {
		config, err := a.tls()
		if err != nil {
			return nil, err
		}
		options = append(options, nats.Secure(config))
	}
	conn, err := nats.Connect(a.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrAccess, a.URL, err)
	}
	return conn, nil
}

func (a Access) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CA != "" {
		pem, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAccess, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: %s contains no PEM certificate", ErrAccess, a.CA)
		}
	}
	if a.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(a.Certificate, a.Key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAccess, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
