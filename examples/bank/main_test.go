package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/examples/bank/domain/account"
	"github.com/eventmap/eventmap/examples/bank/domain/transfer"
	"github.com/eventmap/eventmap/internal/pgtest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), pgtest.New(t), true, &out); err != nil {
		t.Fatal(err)
	}
	const want = `Ada sends 25.00 to Charles. The request arrives twice and is carried out once.
Charles cannot send 26.00 back: the account holds 2500 cents, and 2600 are asked for.
The shop has 10002 transfers behind it. The next one begins with the snapshot of version 10002 and reads the events after that.
A sweep removes the snapshots of releases that are gone: 0.
Ada has 75.00.
Charles has 25.00.
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("account (-want +got):\n%s", d)
	}
}

// open returns a bank on a database of its own.
func open(t *testing.T) *bank {
	t.Helper()
	db, err := connect(t.Context(), pgtest.New(t), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b, err := newBank(db)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bank) expect(t *testing.T, id account.ID, want int64) {
	t.Helper()
	if got, err := b.balance(t.Context(), id); err != nil || got != want {
		t.Errorf("%s holds %d cents (error %v), want %d", id, got, err, want)
	}
}

// Sixteen writers move money into one account and out of it, each request twice. Nothing is lost, made, or moved twice.
func TestTransfer_hotAccount(t *testing.T) {
	t.Parallel()
	const rounds = 5
	b, ctx := open(t), t.Context()
	if err := b.open(ctx, "hot", "Shop", 1000); err != nil {
		t.Fatal(err)
	}
	for i := range writers {
		if err := b.open(ctx, account.ID(fmt.Sprintf("of-%02d", i)), "Customer", 1000); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	var done atomic.Int64
	for i := range writers {
		group.Go(func() {
			own := account.ID(fmt.Sprintf("of-%02d", i))
			for round := range rounds {
				in := move{fmt.Sprintf("in-%d-%d", i, round), transfer.Made{From: own, To: "hot", Cents: 7}}
				out := move{fmt.Sprintf("out-%d-%d", i, round), transfer.Made{From: "hot", To: own, Cents: 2}}
				for _, m := range []move{in, out, in, out} {
					first, err := b.transfer(ctx, m)
					if err != nil {
						t.Error(err)
					}
					if first {
						done.Add(1)
					}
				}
			}
		})
	}
	group.Wait()
	if want := int64(2 * writers * rounds); done.Load() != want {
		t.Errorf("%d transfers were made, want %d", done.Load(), want)
	}
	b.expect(t, "hot", 1000+5*writers*rounds)
	for i := range writers {
		b.expect(t, account.ID(fmt.Sprintf("of-%02d", i)), 1000-5*rounds)
	}
}

// One request, asked sixteen times at once, is carried out once.
func TestTransfer_oneRequestManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := open(t), t.Context()
	if err := errors.Join(b.open(ctx, "a", "Ada", 100), b.open(ctx, "b", "Charles", 0)); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var done atomic.Int64
	for range writers {
		group.Go(func() {
			first, err := b.transfer(ctx, move{"r", transfer.Made{From: "a", To: "b", Cents: 60}})
			if err != nil {
				t.Error(err)
			}
			if first {
				done.Add(1)
			}
		})
	}
	group.Wait()
	if done.Load() != 1 {
		t.Errorf("made %d times, want once", done.Load())
	}
	b.expect(t, "a", 40)
	b.expect(t, "b", 60)
	if _, err := b.transfer(ctx, move{"r", transfer.Made{From: "a", To: "b", Cents: 1}}); !errors.Is(err, errOtherTransfer) {
		t.Errorf("another transfer by the same request: got %v", err)
	}
}

// What is refused leaves nothing behind, so that the same request can succeed later.
func TestTransfer_refusedLeavesNothing(t *testing.T) {
	t.Parallel()
	b, ctx := open(t), t.Context()
	if err := errors.Join(b.open(ctx, "a", "Ada", 100), b.open(ctx, "z", "Charles", 0)); err != nil {
		t.Fatal(err)
	}
	m := move{"r", transfer.Made{From: "z", To: "a", Cents: 5}}
	if _, err := b.transfer(ctx, m); err == nil {
		t.Fatal("an account went below nothing")
	}
	b.expect(t, "a", 100)
	if _, err := b.transfer(ctx, move{"s", transfer.Made{From: "a", To: "nowhere", Cents: 5}}); !errors.Is(err, account.ErrNotOpen) {
		t.Errorf("got %v, want that there is no such account", err)
	}
	b.expect(t, "a", 100)
	if _, err := b.transfer(ctx, move{"t", transfer.Made{From: "a", To: "z", Cents: 50}}); err != nil {
		t.Fatal(err)
	}
	if done, err := b.transfer(ctx, m); err != nil || !done {
		t.Errorf("the request that was refused: made %t, error %v", done, err)
	}
	b.expect(t, "z", 45)
}
