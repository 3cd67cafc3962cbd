package fleet

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrSeal is returned for a message that cannot be opened: it was encrypted with a different secret, or is not from a
// fleet.
var ErrSeal = errors.New("cannot read a fleet message")

// maxMessage bounds in bytes what a message may unpack to. A shard with 512 prompts of 8,000 tokens has 20 MB.
const maxMessage = 128 << 20

// sealer packs messages, and encrypts them where there is a secret.
type sealer struct{ aead cipher.AEAD }

// newSealer returns the sealer of a secret. An empty one packs without encryption.
func newSealer(secret string) (sealer, error) {
	if secret == "" {
		return sealer{}, nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "gatecert fleet, AES-256-GCM", 32)
	if err != nil {
		return sealer{}, fmt.Errorf("derive the encryption key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("derive the encryption key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("derive the encryption key: %w", err)
	}
	return sealer{aead}, nil
}

// The first byte of a message, which states how the message is encoded.
const (
	plainMessage  = 'p'
	sealedMessage = 's'
)

// seal packs a value as JSON for a subject. A sealed message can be opened only as one of that subject.
func (s sealer) seal(subject string, value any) ([]byte, error) {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // the level is valid
	if err := errors.Join(json.NewEncoder(w).Encode(value), w.Close()); err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	if s.aead == nil {
		return append([]byte{plainMessage}, packed.Bytes()...), nil
	}
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return s.aead.Seal(append([]byte{sealedMessage}, nonce...), nonce, packed.Bytes(), []byte(subject)), nil
}

// open unpacks a message of a subject into value. It returns [ErrSeal].
func (s sealer) open(subject string, message []byte, value any) error {
	if len(message) == 0 {
		return fmt.Errorf("%w: the message is empty", ErrSeal)
	}
	body := message[1:]
	switch {
	case message[0] == plainMessage && s.aead == nil:
	case message[0] == sealedMessage && s.aead != nil && len(body) > s.aead.NonceSize():
		n := s.aead.NonceSize()
		opened, err := s.aead.Open(nil, body[:n], body[n:], []byte(subject))
		if err != nil {
			return fmt.Errorf("%w: it was encrypted with a different secret (--fleet-secret)", ErrSeal)
		}
		body = opened
	case s.aead == nil:
		return fmt.Errorf("%w: it is encrypted, but this process was started without --fleet-secret", ErrSeal)
	default:
		return fmt.Errorf("%w: it is not encrypted, because its sender was started without --fleet-secret", ErrSeal)
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return decode(io.LimitReader(r, maxMessage), value)
}

// unpack reads the body of a request. It returns [ErrSeal].
func unpack(body []byte, value any) error { return decode(bytes.NewReader(body), value) }

func decode(r io.Reader, value any) error {
	decoder := json.NewDecoder(r)
	decoder.UseNumber() // numbers in the edits of a call stay as they are written
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return nil
}
