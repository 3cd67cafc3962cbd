package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a NATS server in this process, on a port of this machine that the system chooses.
type Server struct {
	server *server.Server
	dir    string
	// Access is how to reach the server. Its password is known only to this process.
	Access Access
}

// serverReady bounds how long the server may take to start: it takes 30 ms.
const serverReady = 10 * time.Second

// StartServer starts a NATS server with JetStream on loopback. Nobody can use it without the password in Access. Close it
// after use.
func StartServer() (*Server, error) {
	dir, err := os.MkdirTemp("", "gatecert-fleet-")
	if err != nil {
		return nil, fmt.Errorf("create a folder for the NATS server: %w", err)
	}
	password := rand.Text()
	s, err := server.NewServer(&server.Options{
		ServerName: "gatecert-fleet", Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: "gatecert", Password: password,
		JetStream: true, StoreDir: dir, MaxPayload: maxPayload, NoSigs: true, NoLog: true, DontListen: false,
		JetStreamMaxMemory: 1 << 30, JetStreamMaxStore: 1 << 30,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the NATS server: %w", err), os.RemoveAll(dir))
	}
	go s.Start()
	if !s.ReadyForConnections(serverReady) {
		s.Shutdown()
		return nil, errors.Join(fmt.Errorf("start the NATS server: it was not ready within %s", serverReady), os.RemoveAll(dir))
	}
	return &Server{server: s, dir: dir, Access: Access{URL: s.ClientURL(), User: "gatecert", Password: password}}, nil
}

// Close stops the server and removes the data that it has stored.
func (s *Server) Close(context.Context) error {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove the folder of the NATS server: %w", err)
	}
	return nil
}
