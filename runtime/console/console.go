package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/inspect"
)

// An Inspector answers the console's questions. Those of runtime/postgres and runtime/sqlite do.
type Inspector interface {
	LogInspector
	StreamInspector
	ConsumerInspector
}

// A LogInspector answers questions about the log.
type LogInspector interface {
	// Frontier returns how far the log can be read, and what holds that back.
	Frontier(ctx context.Context) (inspect.Frontier, error)
	// Events returns a page of the log, the newest event first unless the query is ascending.
	Events(ctx context.Context, q inspect.EventQuery) (inspect.EventPage, error)
	// Event returns the event at a position with at most so many bytes of its payload, or nil if there is none.
	Event(ctx context.Context, position int64, bytes int) (*inspect.Event, error)
	// EventByID does the same by the event's ID.
	EventByID(ctx context.Context, id uuid.UUID, bytes int) (*inspect.Event, error)
	// PositionsAt returns for each of the times, which rise, the position of the last event before it, or 0.
	PositionsAt(ctx context.Context, times []time.Time) ([]int64, error)
}

// A StreamInspector answers questions about streams.
type StreamInspector interface {
	// AggregateTypes returns the types that have streams, by name, at most limit of them.
	AggregateTypes(ctx context.Context, limit int) ([]string, error)
	// Streams returns a page of the streams, by type and ID.
	Streams(ctx context.Context, q inspect.StreamQuery) ([]inspect.Stream, error)
	// StreamEvents returns a stream and a page of its events. A stream that does not exist has version 0.
	StreamEvents(ctx context.Context, q inspect.StreamEventQuery) (inspect.Stream, []inspect.Event, error)
}

// A ConsumerInspector answers questions about consumers.
type ConsumerInspector interface {
	// Checkpoints returns a page of the segments of all consumers, by consumer and segment.
	Checkpoints(ctx context.Context, q inspect.CheckpointQuery) ([]inspect.Checkpoint, error)
	// Parked returns a page of the parked events, by consumer and position.
	Parked(ctx context.Context, q inspect.ParkedQuery) ([]inspect.Parked, error)
	// CountParked counts the parked events of each consumer up to [inspect.MaxCount].
	CountParked(ctx context.Context) (map[string]int, error)
}

// A Config is what a console shows and who may see it. Inspector and Authorize are required.
type Config struct {
	Inspector Inspector
	// Authorize says who sends a request and what they may do. It is asked for every request, assets included, and has no
	// default.
	Authorize func(*http.Request) Access
	// Operators carry out actions on the consumers that they drive; see [Operate]. Of two that drive one consumer the first
	// is asked. Without any, the console only shows.
	Operators []Operator
	// Domain is what generated code knows of the events: pass Describe(). Nil: payloads are shown without it.
	Domain *inspect.Domain
	// Logger is told of every action, with who asked for it and what came of it, and of errors. Nil means slog.Default().
	Logger *slog.Logger
	// Title stands on every page: which log this is. Empty means "Event log".
	Title string
	// CatalogURL is where the event catalogue is, or empty.
	CatalogURL string
	// Key makes the tokens in forms, at least 32 bytes. Give processes that share an address the same; nil means a random
	// one.
	Key []byte
	// Timeout is how long a page may take, 0 means 5 seconds. ActionTimeout is the same for an action, which runs handlers
	// and waits for workers; 0 means a minute.
	Timeout, ActionTimeout time.Duration
	// Late is how old the first event may be that a consumer has not handled before that is shown as a problem. 0 means a
	// minute.
	Late time.Duration
}

// A Handler is the console. It is safe for concurrent use.
type Handler struct {
	config Config
	routes *http.ServeMux
	guard  *http.CrossOriginProtection
	signer signer
	turn   chan struct{} // full while as many requests use the database as may
	clock  func() time.Time
}

// concurrent is how many requests use the database at a time: the console must not take a pool from the program.
const concurrent = 4

// New returns a console. The error holds everything that the configuration lacks. The database is not asked yet.
func New(config Config) (*Handler, error) {
	var problems []error
	if config.Inspector == nil {
		problems = append(problems, errors.New("no inspector: give that of runtime/postgres or runtime/sqlite"))
	}
	if config.Authorize == nil {
		problems = append(problems, errors.New("no Authorize: it decides who may see the log, and has no default"))
	}
	if n := len(config.Key); n > 0 && n < minKey {
		problems = append(problems, fmt.Errorf("a key of %d bytes; give at least %d", n, minKey))
	}
	if config.Timeout < 0 || config.ActionTimeout < 0 || config.Late < 0 {
		problems = append(problems, errors.New("a negative duration"))
	}
	for _, o := range config.Operators {
		if o == nil {
			problems = append(problems, errors.New("an operator is nil"))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Title == "" {
		config.Title = "Event log"
	}
	if config.Key == nil {
		config.Key = make([]byte, minKey)
		_, _ = rand.Read(config.Key) // never fails
	}
	for _, d := range []struct {
		set       *time.Duration
		otherwise time.Duration
	}{{&config.Timeout, 5 * time.Second}, {&config.ActionTimeout, time.Minute}, {&config.Late, time.Minute}} {
		if *d.set == 0 {
			*d.set = d.otherwise
		}
	}
	h := &Handler{
		config: config,
		guard:  http.NewCrossOriginProtection(),
		signer: signer{config.Key},
		turn:   make(chan struct{}, concurrent),
		clock:  time.Now,
	}
	h.routes = h.mux()
	return h, nil
}

// ServeHTTP answers a request: GET and HEAD for pages, POST for actions.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	access := h.config.Authorize(r)
	if access.Role != Reader && access.Role != Operating {
		h.fail(w, r, access, http.StatusForbidden, errors.New("you may not see this console; ask whoever runs it"))
		return
	}
	if r.URL.Path == "" { // links are relative to a folder
		w.Header().Set("Location", folder(r))
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	h.routes.ServeHTTP(w, r.WithContext(withAccess(r.Context(), access)))
}

// mux returns the routes. All lie in one folder, so that a link is the same from everywhere.
func (h *Handler) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for path, page := range map[string]func(*request) (view, error){
		"/{$}":       h.overview,
		"/consumers": h.consumers,
		"/consumer":  h.consumer,
		"/parked":    h.parked,
		"/failure":   h.failure,
		"/streams":   h.streams,
		"/stream":    h.stream,
		"/events":    h.events,
		"/event":     h.event,
		"/find":      h.find,
	} {
		mux.Handle("GET "+path, h.page(page))
	}
	mux.HandleFunc("POST /action", h.action)
	mux.HandleFunc("GET /console.css", serveAsset)
	mux.HandleFunc("GET /console.js", serveAsset)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, accessOf(r.Context()), http.StatusNotFound, errors.New("there is no such page"))
	})
	return mux
}
