package certificate

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// ErrKey is returned if a key cannot be read, or is not an Ed25519 key of the required kind.
var ErrKey = errors.New("key")

// The PEM block types of keys, which openssl uses too.
const (
	privateBlock = "PRIVATE KEY" // PKCS #8
	publicBlock  = "PUBLIC KEY"  // SubjectPublicKeyInfo
)

// NewKey generates an Ed25519 key pair and returns both halves in PEM format.
func NewKey() (private, public []byte, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	privDER, privErr := x509.MarshalPKCS8PrivateKey(priv)
	pubDER, pubErr := x509.MarshalPKIXPublicKey(pub)
	if err := errors.Join(privErr, pubErr); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: privDER}), pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: pubDER}), nil
}

// Private reports whether the key can sign.
func (k Key) Private() bool { return k.private != nil }

// Key signs or verifies certificates.
type Key struct {
	private ed25519.PrivateKey // nil in a key that only verifies
	public  ed25519.PublicKey
	id      string
}

var _ dsse.SignerVerifier = Key{}

// ParseKey parses a private or a public key in PEM format. It returns [ErrKey] for anything but Ed25519.
func ParseKey(data []byte) (Key, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return Key{}, fmt.Errorf("%w: no PEM block", ErrKey)
	}
	var parsed any
	var err error
	switch block.Type {
	case privateBlock:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case publicBlock:
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return Key{}, fmt.Errorf("%w: the PEM block must be %q or %q, not %.40q", ErrKey, privateBlock, publicBlock, block.Type)
	}
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	switch key := parsed.(type) {
	case ed25519.PrivateKey:
		public, _ := key.Public().(ed25519.PublicKey)
		return newKey(key, public)
	case ed25519.PublicKey:
		return newKey(nil, key)
	default:
		return Key{}, fmt.Errorf("%w: the key must be Ed25519, not %T", ErrKey, parsed)
	}
}

func newKey(private ed25519.PrivateKey, public ed25519.PublicKey) (Key, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	sum := sha256.Sum256(der)
	return Key{private, public, hex.EncodeToString(sum[:])}, nil
}

// KeyID implements [dsse.Verifier]. It returns the SHA-256 of the public key's DER form, in hexadecimal.
func (k Key) KeyID() (string, error) { return k.id, nil }

// Public implements [dsse.Verifier].
func (k Key) Public() crypto.PublicKey { return k.public }

// Sign implements [dsse.Signer]. It returns [ErrKey] if the key is a public key.
func (k Key) Sign(_ context.Context, data []byte) ([]byte, error) {
	if k.private == nil {
		return nil, fmt.Errorf("%w: a public key cannot be used to sign", ErrKey)
	}
	return ed25519.Sign(k.private, data), nil
}

// Verify implements [dsse.Verifier].
func (k Key) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.public, data, sig) {
		return errSignature
	}
	return nil
}

var errSignature = errors.New("the signature does not match: the data was changed, or was signed with a different key")
