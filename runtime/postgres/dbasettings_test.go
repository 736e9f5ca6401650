package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// refused is what the error says of a setting where values come in binary form and where they come as text, or empty where
// all goes on.
type refused struct{ binary, text string }

// What an administrator sets for a database or a role changes nothing that is stored, read, or handled; or the first call is
// refused, and the error names the setting.
func TestStore_whateverAnAdministratorSets(t *testing.T) {
	t.Parallel()
	want := workday(t, connect(t, database(t)))
	if want.failed != nil {
		t.Fatal(want.failed)
	}
	for setting, refusal := range map[string]refused{
		`bytea_output = 'escape'`:                           {text: "bytea_output"},
		`check_function_bodies = off`:                       {},
		`client_encoding = 'LATIN1'`:                        {"client_encoding", "client_encoding"},
		`client_min_messages = 'debug5'`:                    {},
		`constraint_exclusion = off`:                        {},
		`DateStyle = 'German, DMY'`:                         {text: "DateStyle"},
		`DateStyle = 'SQL, MDY'`:                            {text: "DateStyle"},
		`default_toast_compression = 'pglz'`:                {},
		`default_transaction_deferrable = on`:               {},
		`default_transaction_isolation = 'repeatable read'`: {},
		`default_transaction_isolation = 'serializable'`:    {},
		`default_transaction_read_only = on`:                {"read-only", "read-only"},
		`enable_indexscan = off`:                            {},
		`enable_partition_pruning = off`:                    {},
		`extra_float_digits = -15`:                          {},
		`from_collapse_limit = 1`:                           {},
		`IntervalStyle = 'sql_standard'`:                    {},
		`jit_above_cost = 0`:                                {},
		`join_collapse_limit = 1`:                           {},
		`lc_messages = 'C'`:                                 {},
		`lc_numeric = 'C'`:                                  {},
		`lock_timeout = '1min'`:                             {},
		`plan_cache_mode = 'force_generic_plan'`:            {},
		`quote_all_identifiers = on`:                        {},
		`row_security = off`:                                {},
		`search_path = elsewhere`:                           {"search_path", "search_path"},
		`standard_conforming_strings = off`:                 {},
		`statement_timeout = '1min'`:                        {},
		`synchronous_commit = off`:                          {},
		`TimeZone = 'Asia/Kathmandu'`:                       {},
		`transform_null_equals = on`:                        {},
		`work_mem = '64kB'`:                                 {},
		`xmloption = 'document'`:                            {},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			address := database(t)
			administrator := connect(t, address)
			name := pgx.Identifier{administrator.Config().ConnConfig.Database}.Sanitize()
			execute(t, administrator, fmt.Sprintf("alter database %s set %s", name, setting))
			for m, refusal := range map[pgx.QueryExecMode]string{pgx.QueryExecModeCacheStatement: refusal.binary, pgx.QueryExecModeExec: refusal.text} {
				got := workday(t, connect(t, address, mode(m)))
				if refusal != "" {
					if got.failed == nil || !strings.Contains(got.failed.Error(), refusal) {
						t.Errorf("%v: error is %v, want it to name %s", m, got.failed, refusal)
					}
					continue
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(day{}, runtime.Stream{}), cmpopts.EquateErrors()); diff != "" {
					t.Errorf("%v (-as usual +set):\n%s", m, diff)
				}
				execute(t, administrator, "truncate events, aggregate_heads, aggregate_snapshots, consumer_checkpoints restart identity")
			}
		})
	}
}

// A day is what a day's work with a log comes to.
type day struct {
	failed  error
	again   bool // a repeated append is found stored
	stream  []runtime.PersistedEvent
	tail    []runtime.ReadResult
	log     []runtime.PersistedEvent
	handled []runtime.PersistedEvent
}

// workday appends, reads and handles the same events each time.
func workday(t *testing.T, pool *pgxpool.Pool) (d day) {
	t.Helper()
	const id = `Größe "€" '\' 日本`
	store := newPoolStore(t, postgres.WithClock(func() time.Time { return time.Date(2026, 3, 1, 23, 59, 59, 123456000, time.UTC) }))
	first, second := placed(id, 3), placed("other", 1)
	for i, e := range []*runtime.Event{&first[0], &first[1], &first[2], &second[0]} {
		e.EventID = uuid.NewSHA1(uuid.NameSpaceOID, []byte{byte(i)})
		e.Payload = fmt.Appendf(nil, `{"text":"é\u0041\\ '' € %d","n":1.10}`, i)
		e.Metadata = []byte(`{"é": "\\ 1e400", "n": 1.10}`)
		e.TraceID = runtime.NullString{String: `\x41 é`, Valid: true}
	}
	ctx := t.Context()
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: id, Fingerprint: "é"}
	for _, call := range []func() error{
		func() (err error) {
			_, err = store.Append(ctx, pool, runtime.NoStream(), first)
			return err
		},
		func() error {
			r, err := store.Append(ctx, pool, runtime.NoStream(), first)
			d.again = r.AlreadyStored
			return err
		},
		func() (err error) {
			_, err = store.AppendStreams(ctx, pool, runtime.StreamAppend{Expected: runtime.NoStream(), Events: second})
			return err
		},
		func() error {
			s, err := store.ReadAggregateStream(ctx, pool, "Order", id, nil, nil)
			d.stream = s.Events
			return err
		},
		func() error {
			return store.SaveSnapshot(ctx, pool, key, runtime.Snapshot{Version: 2, State: []byte(`{"é":"\"}`)})
		},
		func() (err error) {
			d.tail, err = store.ReadStreams(ctx, pool, runtime.StreamRead{SnapshotKey: key})
			return err
		},
		func() error { // as the documentation says
			return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
				d.log, err = newStore(t).ReadEvents(ctx, tx, 0, 10)
				return err
			})
		},
		func() error { return handle(ctx, pool, &d.handled) },
	} {
		if d.failed = call(); d.failed != nil {
			return d
		}
	}
	return d
}

// handle has a consumer handle the log.
func handle(ctx context.Context, pool *pgxpool.Pool, handled *[]runtime.PersistedEvent) error {
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		return err
	}
	r, err := consumer.New(consumer.Database[pgx.Tx](db), consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond}, consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("é", []string{"Order"}, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
			*handled = append(*handled, e)
			_, err := tx.Exec(ctx, "create table if not exists handled (global_position bigint primary key)")
			return err
		}),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.RunUntilCaughtUp(ctx, nil)
}
