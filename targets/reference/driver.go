package reference

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	database "github.com/gatecert/gatecert/targets/store"
	"github.com/gatecert/gatecert/targets/upstream"
)

// Driver implements [targets.Driver]: it serves a fresh reference gateway and a mock upstream on free loopback ports.
type Driver struct {
	// Options are those of the gateway; the driver sets Upstream.
	Options Options
}

var _ targets.Driver = Driver{}

// Prepare implements [targets.Driver]. It uses only concurrency and settle from the profile; the gateway provides all other values.
func (d Driver) Prepare(ctx context.Context, asked profile.Profile) (targets.Prepared, error) {
	// The gateway has to know the upstream's port, and the upstream the gateway's key for it.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return targets.Prepared{}, fmt.Errorf("find a free port for the mock upstream: %w", err)
	}
	options := d.Options
	options.Upstream = "http://" + listener.Addr().String()
	server, err := Serve(ctx, "127.0.0.1:0", options)
	if err != nil {
		return targets.Prepared{}, errors.Join(err, listener.Close())
	}
	served := server.Gateway.Profile(server.URL(), listener.Addr().String())
	served.Driver = profile.ReferenceDriver
	if asked.Concurrency > 0 {
		served.Concurrency = asked.Concurrency
	}
	if asked.Settle.Recovery > 0 {
		served.Settle = asked.Settle
	}
	mock := upstream.New(upstream.Options{Keys: served.Upstream.Keys})
	serving := upstream.Serve(ctx, listener, mock)
	var roots *x509.CertPool
	if server.Certificate != nil {
		roots = x509.NewCertPool()
		roots.AppendCertsFromPEM(server.Certificate)
	}
	return targets.Prepared{
		Profile: served, Upstream: mock, Roots: roots, OpenStore: database.Open,
		Close: func(context.Context) error { return errors.Join(server.Close(), serving.Close()) },
	}, nil
}
