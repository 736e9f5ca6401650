package torture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A KeyPlan says how hard personal data is tortured.
type KeyPlan struct {
	Events    int // to store
	Processes int // each with a cache of its own
	Subjects  int
	Logs      int // that the events are spread over; 0: the database has one log
	Seed      uint64
}

// keyTTL is how long the processes cache keys: so short that much of it happens at its edge.
const keyTTL = 100 * time.Millisecond

// A KeyReport is what was counted.
type KeyReport struct {
	Took                      time.Duration
	Stored, Erased            int // events in the log, and those among them that cannot be read again
	Grouped                   int // appends through a group, with keys that it has made
	RolledBack, Refused, Died int // transactions
	Forgotten, Readmitted     int // subjects
	Snapshots                 int // that are left, of which none can be read of whom was forgotten
	Keyless                   int // events that are sealed under a key that is not in the table
	Unreadable                int // events that should be readable and are not
	Undead                    int // events that were read after their subject was forgotten and the time to live was over
}

// String returns the counts in lines.
func (r KeyReport) String() string {
	return fmt.Sprintf(`%d events stored in %s, %d of them erased, and %d appends made by a group; transactions: %d rolled back, %d refused as forgotten, %d died
%d subjects forgotten, %d readmitted; %d snapshots left
sealed under a key that was never committed: %d; unreadable without reason: %d; readable after the time to live: %d`,
		r.Stored, r.Took.Round(time.Second), r.Erased, r.Grouped, r.RolledBack, r.Refused, r.Died, r.Forgotten, r.Readmitted, r.Snapshots, r.Keyless, r.Unreadable, r.Undead)
}

// RunKeys tortures the keys of personal data on a private server of its own: processes append values that they seal and save
// sealed snapshots, with rollbacks, savepoints and first appends for one subject at once, and append through a group, while others
// forget and readmit subjects, backends are terminated, and the server crashes once in the middle.
func RunKeys(ctx context.Context, p KeyPlan) (KeyReport, error) {
	options := design.Options{SubjectKeys: "here", Snapshots: true}
	if p.Logs > 0 {
		options.Logs = "tenant"
	}
	tables, err := migration.Schema(options)
	if err != nil {
		return KeyReport{}, err
	}
	stage, err := newStage(ctx, tables, 2*p.Processes+4, 50)
	if err != nil {
		return KeyReport{}, err
	}
	defer stage.close()
	t := &keyTorture{plan: p, pool: stage.pool, erased: make(map[uuid.UUID]erasure)}
	if t.stores, err = p.stores(); err != nil {
		return KeyReport{}, err
	}
	if t.rows, err = postgres.NewKeyStore(); err != nil {
		return KeyReport{}, err
	}
	begin := time.Now()
	crew := newCrew(ctx)
	for n := range p.Processes {
		keys, err := t.keys(privacy.WithTTL(keyTTL))
		if err != nil {
			return KeyReport{}, errors.Join(err, crew.end())
		}
		crew.work(&crew.writing, func(context.Context) error { return t.write(ctx, keys, n) })
		crew.work(&crew.writing, func(context.Context) error { return t.forget(ctx, keys, n) })
	}
	if p.Logs == 0 {
		group, err := postgres.NewGroup(stage.pool)
		if err != nil {
			return KeyReport{}, errors.Join(err, crew.end())
		}
		defer func() { _ = group.Close(context.WithoutCancel(ctx)) }()
		for n := range p.Processes {
			crew.work(&crew.writing, func(context.Context) error { return t.group(ctx, group, n) })
		}
	}
	crew.work(&crew.disturbing, func(until context.Context) error {
		return terminate(until, stage.server.URL("postgres"), Plan{Seed: p.Seed})
	})
	crew.work(&crew.disturbing, func(until context.Context) error { return t.crash(until, stage.server) })
	crew.endWriting() // when all is stored
	if err := crew.end(); err != nil {
		return KeyReport{}, err
	}
	t.report.Took = time.Since(begin)
	t.pool.Reset() // of what was terminated a moment ago
	return t.report, t.judge(ctx)
}

// stores returns a store for each log.
func (p KeyPlan) stores() ([]*postgres.Store[pgx.Tx], error) {
	if p.Logs == 0 {
		store, err := postgres.New()
		return []*postgres.Store[pgx.Tx]{store}, err
	}
	logs, err := postgres.NewLogs()
	if err != nil {
		return nil, err
	}
	stores := make([]*postgres.Store[pgx.Tx], p.Logs)
	for n := range stores {
		stores[n] = logs.Of(fmt.Sprint("tenant-", n))
	}
	return stores, nil
}

type keyTorture struct {
	plan   KeyPlan
	pool   *pgxpool.Pool
	stores []*postgres.Store[pgx.Tx] // one for each log
	rows   *postgres.KeyStore[pgx.Tx]
	stored atomic.Int64

	mu     sync.Mutex
	erased map[uuid.UUID]erasure // by the key
	sealed []sealedEvent         // some that were stored
	report KeyReport
}

// An erasure is what is known of a key that was to be erased. Until its commit is answered its time is zero.
type erasure struct{ at time.Time }

type sealedEvent struct {
	place privacy.Place
	value privacy.Sealed
}

func newWrapper() (*privacy.LocalWrapper, error) {
	return privacy.NewLocalWrapper(bytes.Repeat([]byte{1}, 32))
}

func (t *keyTorture) keys(opts ...privacy.Option) (*privacy.Keys[pgx.Tx], error) {
	wrapper, err := newWrapper()
	if err != nil {
		return nil, err
	}
	return privacy.NewKeys(t.rows, wrapper, opts...), nil
}

func (t *keyTorture) subject(random *rand.Rand) string {
	return fmt.Sprint("subject-", random.IntN(t.plan.Subjects))
}

// isDone reports whether the events are stored and the workload was hard enough to show anything, which takes more of them
// where some transactions never meet.
func (t *keyTorture) isDone() bool {
	if t.stored.Load() < int64(t.plan.Events) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	return r.RolledBack > 0 && r.Refused > 0 && r.Died > 0 && r.Forgotten > 0 && (r.Grouped > 0 || t.plan.Logs > 0)
}

func (t *keyTorture) count(what *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*what++
}

// note notes what was stored in one commit.
func (t *keyTorture) note(stored []sealedEvent) {
	t.stored.Add(int64(len(stored)))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = append(t.sealed, stored[0])
}

// end notes how a transaction ended and returns an error that no fault of the server explains.
func (t *keyTorture) end(ctx context.Context, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, errRollback):
		t.count(&t.report.RolledBack)
	case errors.Is(err, privacy.ErrForgotten):
		t.count(&t.report.Refused)
	case errors.Is(err, privacy.ErrIntegrity), !isFault(err):
		return err
	default:
		t.count(&t.report.Died)
		pause(ctx, 10*time.Millisecond)
	}
	return nil
}

// write appends until there are events enough.
func (t *keyTorture) write(ctx context.Context, keys *privacy.Keys[pgx.Tx], number int) error {
	random := rand.New(rand.NewPCG(t.plan.Seed, uint64(number)))
	for !t.isDone() && ctx.Err() == nil {
		var stored []sealedEvent
		err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
			stored = nil
			if random.IntN(10) == 0 { // keys that are made in a savepoint that is rolled back
				err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
					if _, err := t.append(ctx, keys, savepoint, random); err != nil {
						return err
					}
					return errRollback
				})
				if !errors.Is(err, errRollback) {
					return err
				}
			}
			var err error
			if stored, err = t.append(ctx, keys, tx, random); err != nil {
				return err
			}
			if random.IntN(10) == 0 {
				pause(ctx, time.Duration(random.IntN(20))*time.Millisecond)
			}
			if random.IntN(5) == 0 {
				return errRollback
			}
			return nil
		})
		if err == nil {
			t.note(stored)
		}
		if err := t.end(ctx, err); err != nil {
			return fmt.Errorf("writer: %w", err)
		}
	}
	return ctx.Err()
}

// append appends events of one stream.
func (t *keyTorture) append(ctx context.Context, keys *privacy.Keys[pgx.Tx], tx pgx.Tx, random *rand.Rand) ([]sealedEvent, error) {
	subjects := t.subjects(random)
	ring, err := keys.ForSubjects(ctx, tx, subjects...)
	if err != nil {
		return nil, err
	}
	events, sealed, err := seal(ring, subjects, random)
	if err != nil {
		return nil, err
	}
	store := t.stores[random.IntN(len(t.stores))]
	if _, err = store.Append(ctx, tx, runtime.NoStream(), events); err == nil && random.IntN(5) == 0 {
		err = saveState(ctx, store, tx, ring, events[0].AggregateID, sealed)
	}
	return sealed, err
}

func (t *keyTorture) subjects(random *rand.Rand) []string {
	subjects := make([]string, 1+random.IntN(10))
	for i := range subjects {
		subjects[i] = t.subject(random)
	}
	return subjects
}

// seal returns the events of a new stream, each with a value of one of the subjects.
func seal(ring *privacy.Ring, subjects []string, random *rand.Rand) ([]runtime.Event, []sealedEvent, error) {
	events, sealed := make([]runtime.Event, len(subjects)), make([]sealedEvent, len(subjects))
	stream := fmt.Sprint("stream-", random.Uint64())
	for i, subject := range subjects {
		place := placeOf(stream, uuid.Must(uuid.NewV7()))
		value, err := ring.Seal(place, subject, []byte(subject))
		if err != nil {
			return nil, nil, err
		}
		sealed[i] = sealedEvent{place, value}
		events[i] = runtime.Event{
			AggregateType: place.AggregateType, AggregateID: stream, EventType: place.EventType, EventVersion: 1, EventID: place.EventID,
			Payload: value.AppendJSON(nil), Metadata: fmt.Appendf(nil, "%q", subject),
		}
	}
	return events, sealed, nil
}

// saveState saves a snapshot that is sealed with the keys of values.
func saveState(ctx context.Context, store *postgres.Store[pgx.Tx], tx pgx.Tx, ring *privacy.Ring, stream string, sealed []sealedEvent) error {
	var ids []uuid.UUID
	for i := range sealed {
		ids = append(ids, sealed[i].value.KeyID())
	}
	state, used, err := ring.SealState(statePlaceOf(stream), ids, []byte(stream))
	if err != nil {
		return err
	}
	place := statePlaceOf(stream)
	key := runtime.SnapshotKey{AggregateType: place.AggregateType, AggregateID: place.AggregateID, Fingerprint: place.Fingerprint}
	return store.SaveSnapshot(ctx, tx, key, runtime.Snapshot{Version: place.Version, State: state, KeyIDs: used})
}

func statePlaceOf(stream string) privacy.StatePlace {
	return privacy.StatePlace{AggregateType: "Account", AggregateID: stream, Fingerprint: "f", Version: 1}
}

func placeOf(stream string, id uuid.UUID) privacy.Place {
	return privacy.Place{AggregateType: "Account", AggregateID: stream, EventID: id, EventType: "Opened", EventVersion: 1, Field: "name"}
}

// forget forgets subjects, readmits some, and reads what was forgotten, with the cache of a process that also writes.
func (t *keyTorture) forget(ctx context.Context, keys *privacy.Keys[pgx.Tx], number int) error {
	random := rand.New(rand.NewPCG(t.plan.Seed, 1<<20+uint64(number)))
	for !t.isDone() && ctx.Err() == nil {
		pause(ctx, time.Duration(random.IntN(100))*time.Millisecond)
		subject, readmits, undoes := t.subject(random), random.IntN(4) > 0, random.IntN(4) == 0
		var ids []uuid.UUID
		err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) (err error) {
			if err := keys.Forget(ctx, tx, subject); err != nil {
				return err
			}
			if ids, err = t.forgotten(ctx, tx, subject); err != nil {
				return err
			}
			if undoes {
				return errRollback
			}
			t.noteErased(ids, time.Time{}) // from here on they may be
			return nil
		})
		if err == nil {
			t.noteErased(ids, time.Now())
			t.count(&t.report.Forgotten)
		}
		if err := t.end(ctx, err); err != nil {
			return fmt.Errorf("forget: %w", err)
		}
		if err == nil && readmits {
			err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error { return keys.Readmit(ctx, tx, subject) })
			if err == nil {
				t.count(&t.report.Readmitted)
			}
			if err := t.end(ctx, err); err != nil {
				return fmt.Errorf("readmit: %w", err)
			}
		}
		if err := t.end(ctx, t.read(ctx, keys, random)); err != nil {
			return fmt.Errorf("reader: %w", err)
		}
	}
	return ctx.Err()
}

// forgotten returns the keys of a subject that are erased as tx sees it. Somebody else may just have readmitted the subject.
func (t *keyTorture) forgotten(ctx context.Context, tx pgx.Tx, subject string) ([]uuid.UUID, error) {
	rows, err := t.rows.FindKeys(ctx, tx, privacy.KeyQuery{Subjects: []string{subject}})
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for i := range rows {
		if rows[i].IsForgotten() {
			ids = append(ids, rows[i].KeyID)
		}
	}
	return ids, nil
}

func (t *keyTorture) noteErased(ids []uuid.UUID, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if known, ok := t.erased[id]; !ok || known.at.IsZero() {
			t.erased[id] = erasure{at}
		}
	}
}

// read opens an event that was stored, and counts it if its subject was forgotten a time to live ago.
func (t *keyTorture) read(ctx context.Context, keys *privacy.Keys[pgx.Tx], random *rand.Rand) error {
	t.mu.Lock()
	if len(t.sealed) == 0 {
		t.mu.Unlock()
		return nil
	}
	e := t.sealed[random.IntN(len(t.sealed))]
	gone := t.erased[e.value.KeyID()].at
	t.mu.Unlock()
	late := !gone.IsZero() && time.Since(gone) > keyTTL
	return pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		ring, err := keys.ByID(ctx, tx, e.value.KeyID())
		if err != nil {
			return err
		}
		_, erased, err := ring.Open(e.place, e.value)
		if err == nil && !erased && late {
			t.count(&t.report.Undead)
		}
		return err
	})
}

// crash stops the server as by a crash when half of the events are stored, and starts it again.
func (t *keyTorture) crash(ctx context.Context, server *pgtest.Server) error {
	for t.stored.Load() < int64(t.plan.Events/2) {
		if ctx.Err() != nil {
			return errors.New("the writers ended before half of the events were stored")
		}
		pause(ctx, 10*time.Millisecond)
	}
	return server.Restart()
}
