package pgtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
)

// planVariable is set in the environment of a keeper only. Its value is the plan of the server to keep, as JSON.
const planVariable = "PGTEST_KEEP"

// A plan says what server a keeper shall make.
type plan struct {
	Settings map[string]string // postgresql.conf
	Primary  string            // the address of the server to be a standby of; empty if it is none
}

// An order is what the keeper's master wants of it: one JSON string on standard input, one answer on standard output.
type order string

const (
	orderPlace         order = "create"
	orderStart         order = "start"
	orderStop          order = "stop"
	orderStopImmediate order = "stop immediately"
)

type answer struct {
	Place *place `json:",omitempty"` // to orderPlace
	Error string `json:",omitempty"` // empty if the order was carried out
}

// A place is where a private server is found.
type place struct {
	Host     string // a host name, or the folder of the socket
	Port     int
	Password string // empty if none is asked for
	Dir      string // the server's folder; empty in a container
	BinDir   string // empty in a container
}

// url returns the address of a database.
func (p place) url(database string) string {
	user := url.User("postgres")
	if p.Password != "" {
		user = url.UserPassword("postgres", p.Password)
	}
	query := url.Values{"host": {p.Host}, "port": {strconv.Itoa(p.Port)}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", User: user, Path: "/" + database, RawQuery: query.Encode()}).String()
}

// A kept server is one that a keeper starts, stops and removes, one after the other.
type kept interface {
	// start starts the server if it is stopped, and waits until it accepts connections or ctx is cancelled.
	start(ctx context.Context) error
	// stop stops the server if it runs, immediately or after a checkpoint, and waits until it has ended.
	stop(immediately bool) error
	// remove removes all of a stopped server.
	remove() error
}

// A test binary has no main of ours, and a test package need not have a TestMain: so a keeper branches off here, before
// flags are parsed and tests are run.
func init() {
	text, ok := os.LookupEnv(planVariable)
	if !ok {
		return
	}
	runtime.LockOSThread() // the kernel ties Pdeathsig of the server to the thread that started it: the main one
	if err := keep(text, os.Stdin, os.Stdout); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// keep makes the server of a plan and carries out orders until they end; then it removes the server. An error means that
// something of the server may be left.
func keep(text string, orders io.Reader, answers io.Writer) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	// Only the end of the orders ends a keeper, or a system that shuts down. Caught rather than ignored, since what is
	// ignored stays so in the server.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()

	next := make(chan order)
	go func() {
		defer cancel()
		decoder := json.NewDecoder(orders)
		for {
			var o order
			if err := decoder.Decode(&o); err != nil {
				return
			}
			select {
			case next <- o:
			case <-ctx.Done():
				return
			}
		}
	}()

	k := keeper{plan: p}
	encoder := json.NewEncoder(answers)
	for {
		select {
		case o := <-next:
			// A master that is gone reads no answer; the end of its orders comes next.
			_ = encoder.Encode(k.obey(ctx, o))
		case <-ctx.Done():
			return k.end()
		}
	}
}

// A keeper makes one server and carries out orders for it.
type keeper struct {
	plan   plan
	server kept // nil before it is made
}

// obey carries out an order.
func (k *keeper) obey(ctx context.Context, o order) answer {
	var at *place
	var err error
	switch {
	case o == orderPlace && k.server == nil:
		k.server, at, err = create(ctx, k.plan)
	case k.server == nil:
		err = errors.New("there is none")
	case o == orderStart:
		err = k.server.start(ctx)
	case o == orderStop || o == orderStopImmediate:
		err = k.server.stop(o == orderStopImmediate)
	default:
		err = fmt.Errorf("unknown order %q", o)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Place: at}
}

// end removes the server, whatever state it is in.
func (k *keeper) end() error {
	if k.server == nil {
		return nil
	}
	return errors.Join(k.server.stop(true), k.server.remove())
}

// create makes a stopped server from what the machine has. If it fails, nothing is left of it.
func create(ctx context.Context, p plan) (kept, *place, error) {
	bin, err := findBinaries()
	switch {
	case err == nil:
		c, err := newCluster(ctx, bin, p)
		if err != nil {
			return nil, nil, err
		}
		return c, new(c.place()), nil
	case errors.Is(err, errNoBinaries) && p.Primary == "" && dockerWorks(ctx):
		c, at, err := newContainer(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		return c, &at, nil
	}
	return nil, nil, err
}
