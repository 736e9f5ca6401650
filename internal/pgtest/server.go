package pgtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A Server is a PostgreSQL server for tests, either private ([NewServer], [Launch]) or only connected to ([Connect]). Its
// methods may be called by several goroutines at once.
type Server struct {
	address string // of the maintenance database
	place   place  // of a private server; zero otherwise

	mu      sync.Mutex // one order to the keeper at a time
	keeper  *exec.Cmd  // nil if the server is not ours
	orders  io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
	stopped bool // by Stop or StopImmediate
}

// An Option changes how a private server is made.
type Option func(*plan)

// Setting sets a parameter of postgresql.conf, such as Setting("max_prepared_transactions", "10"). It takes precedence
// over what pgtest sets: see [NewServer].
func Setting(name, value string) Option {
	return func(p *plan) { p.Settings[name] = value }
}

// NewServer starts a private server for t and stops it when t has ended. It takes about a second. It fails t where there
// is no way to start one; TEST_DATABASE_URL is not one.
//
// The server's settings are PostgreSQL's defaults but for: fsync and full_page_writes off, which [Setting] turns on for a
// test that must survive more than a stopped server; autovacuum off; max_connections 300; time zone UTC. Its superuser is
// postgres, without a password, its locale C and its encoding UTF8.
func NewServer(t testing.TB, options ...Option) *Server {
	t.Helper()
	server, err := Launch(options...)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return server
}

// NewStandby starts a standby of this private server for t: it holds what was committed here before, and goes on to follow
// what is committed here, with a delay. It has the settings of this server but for the options, and has to be made on the
// machine of this server, by an account that may read its files.
func (s *Server) NewStandby(t testing.TB, options ...Option) *Server {
	t.Helper()
	return NewServer(t, append([]Option{func(p *plan) { p.Primary = s.address }}, options...)...)
}

// Connect returns the running server at address, a URL or a libpq keyword string whose database serves as the place to
// create others from. Nothing is sent yet. The server's methods that start or stop it return an error.
func Connect(address string) *Server {
	return &Server{address: address}
}

// Launch is [NewServer] for programs that are not tests. The caller closes the server; should the process end before, in
// whatever way, the server is stopped and removed all the same.
func Launch(options ...Option) (*Server, error) {
	p := plan{Settings: make(map[string]string)}
	for _, option := range options {
		option(&p)
	}
	server, err := startKeeper(p)
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return server, nil
}

// Find returns what a private server would be made of: the folder of its programs, or an image.
func Find(ctx context.Context) (string, error) {
	bin, err := findBinaries()
	if errors.Is(err, errNoBinaries) && dockerWorks(ctx) {
		return "docker image " + image, nil
	}
	return bin, err
}

// startKeeper starts this program again as the keeper of a new, stopped server.
func startKeeper(p plan) (*Server, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("plan of a server: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("path of this program: %w", err)
	}
	keeper := exec.Command(program)
	keeper.Env = append(os.Environ(), planVariable+"="+string(text))
	keeper.Dir = "/" // holds no folder that a test may want to remove
	// A session of its own: what a terminal or a process manager sends to the group of the tests must not end the keeper
	// before it has cleaned up. Neither may it hold the output that "go test" reads to its end: so no Stderr.
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	orders, err := keeper.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the keeper: %w", err)
	}
	answers, err := keeper.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe from the keeper: %w", err)
	}
	if err := keeper.Start(); err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	server := &Server{
		keeper:  keeper,
		orders:  orders,
		encoder: json.NewEncoder(orders),
		decoder: json.NewDecoder(answers),
	}
	if err := server.do(orderPlace); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	server.address = server.place.url("postgres")
	return server, nil
}

// URL returns the address of a database of the server, which need not exist. It stays the same over a restart.
func (s *Server) URL(database string) string {
	address, err := url.Parse(s.address)
	if err != nil || address.Scheme == "" {
		// Keywords and values, of which the last one counts.
		return fmt.Sprintf(`%s dbname='%s'`, s.address, keywordValue.Replace(database))
	}
	address.Path = "/" + database
	return address.String()
}

var keywordValue = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Start starts the server after a stop and waits until it accepts connections, thus until it has recovered from an
// immediate stop. It does nothing if the server runs.
func (s *Server) Start() error { return s.do(orderStart) }

// Stop stops the server as an operator would: open transactions are rolled back, sessions ended, and what was committed
// is on disk. It does nothing if the server is stopped.
func (s *Server) Stop() error { return s.do(orderStop) }

// StopImmediate stops the server as a crash would, without a checkpoint and without a word to the sessions; the next
// start goes through recovery. It returns when all server processes have ended, and does nothing if there are none.
func (s *Server) StopImmediate() error { return s.do(orderStopImmediate) }

// isStopped reports whether the server was stopped on purpose.
func (s *Server) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// Restart is StopImmediate and Start.
func (s *Server) Restart() error {
	if err := s.StopImmediate(); err != nil {
		return err
	}
	return s.Start()
}

// BinDir returns the folder of the server's programs (initdb, postgres, ...). It is empty if the server is not
// private or runs in a container.
func (s *Server) BinDir() string { return s.place.BinDir }

// DataDir returns the server's data folder. It is empty if the server is not private or runs in a container. A test that
// runs as root finds it owned by the account of the server.
func (s *Server) DataDir() string {
	if s.place.Dir == "" {
		return ""
	}
	return filepath.Join(s.place.Dir, dataFolder)
}

// Log returns what the server has logged so far. It is empty if the server is not private or runs in a container.
func (s *Server) Log() (string, error) {
	if s.place.Dir == "" {
		return "", nil
	}
	log, err := os.ReadFile(filepath.Join(s.place.Dir, logFile))
	if err != nil {
		return "", fmt.Errorf("log of the server: %w", err)
	}
	return string(log), nil
}

// Close stops a private server immediately and waits until its processes and its folder are gone. The server cannot be
// used after it; a second Close does nothing. A server that was only connected to is left as it is.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper == nil {
		return nil
	}
	keeper := s.keeper
	s.keeper = nil
	_ = s.orders.Close() // fails only if the keeper has ended, which Wait reports
	if err := keeper.Wait(); err != nil {
		return fmt.Errorf("keeper of the server: %w", err)
	}
	return nil
}

// do sends an order to the keeper and waits for the answer.
func (s *Server) do(o order) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper == nil {
		return fmt.Errorf("%s the server: it is not ours, or closed", o)
	}
	var a answer
	if err := s.encoder.Encode(o); err != nil {
		return fmt.Errorf("%s the server: keeper has ended: %w", o, err)
	}
	if err := s.decoder.Decode(&a); err != nil {
		return fmt.Errorf("%s the server: keeper has ended: %w", o, err)
	}
	if a.Place != nil {
		s.place = *a.Place
	}
	if a.Error != "" {
		return fmt.Errorf("%s the server: %s", o, a.Error)
	}
	s.stopped = o != orderStart
	return nil
}
