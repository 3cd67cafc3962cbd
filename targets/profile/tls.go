package profile

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
)

// TLS states how to verify a gateway that is served over https.
type TLS struct {
	// CA is a PEM file with the certificates of the authorities to trust instead of the system's. A self-signed certificate is its own authority.
	CA string `yaml:"ca,omitempty"`
}

// maxCA bounds what is read of a file of authorities, in bytes: those of a system have a quarter of that.
const maxCA = 1 << 20

var errNoCertificate = errors.New("no PEM certificate found")

// Roots returns the authorities to trust, or nil for the system's. It returns an error if the file cannot be read or contains no certificates.
func (t TLS) Roots() (*x509.CertPool, error) {
	pem, err := t.PEM()
	if pem == nil || err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.ca: %s: %w", t.CA, errNoCertificate)
	}
	return roots, nil
}

// PEM returns the certificates of the authorities to trust, or nil for the system's. It returns an error if the file cannot be read.
func (t TLS) PEM() ([]byte, error) {
	if t.CA == "" {
		return nil, nil
	}
	file, err := os.Open(t.CA)
	if err != nil {
		return nil, fmt.Errorf("tls.ca: %w", err)
	}
	defer file.Close()                                  //nolint:errcheck // it was only read
	pem, err := io.ReadAll(io.LimitReader(file, maxCA)) // a stranger's profile may name a device that never ends
	if err != nil {
		return nil, fmt.Errorf("tls.ca: %w", err)
	}
	return pem, nil
}
