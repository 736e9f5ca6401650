package usage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/cli/clitest"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/usage"
)

// find reads an application in a folder.
func find(t *testing.T, dir, domain, store string, patterns ...string) (*model.Usage, error) {
	t.Helper()
	scanned, err := astscan.Scan(t.Context(), astscan.Options{Dir: dir, Patterns: []string{domain}, Convention: true})
	if err != nil {
		t.Fatal(err)
	}
	application, err := usage.Load(t.Context(), usage.Options{Dir: dir, Patterns: append([]string{domain}, patterns...), Store: store})
	if err != nil {
		return nil, err
	}
	return application.Usage(scanned)
}

// lines returns a usage as a reader would list it.
func lines(u *model.Usage) (all []string) {
	for _, e := range u.Emitters {
		all = append(all, e.Aggregate+": "+e.Func+" emits "+strings.Join(e.Events, " "))
	}
	for _, h := range u.Handlers {
		line := h.Aggregate + ": " + h.Consumer + " in " + h.Func
		for _, part := range []struct {
			verb   string
			events []string
		}{{"handles", h.Handles}, {"ignores", h.Ignores}, {"perhaps", h.Unknown}} {
			if len(part.events) > 0 {
				line += " " + part.verb + " " + strings.Join(part.events, " ")
			}
		}
		all = append(all, line)
	}
	return all
}

func TestFind_examples(t *testing.T) {
	t.Parallel()
	tests := []struct {
		dir, domain, store string
		patterns           []string
		want               []string
	}{
		{"shop", "./domain/...", "shopstore", []string{"./..."}, []string{
			"Order: main.shop.collide emits Cancelled",
			"Order: main.shop.placeMany emits Placed",
			"Order: main.shop.remember emits Placed",
			"Order: main.shop.sell emits Placed",
			"Order: order.Order.Pay emits Paid",
			"Order: order.Order.Ship emits Shipped",
			"Order: order.Place emits ItemAdded Placed",
			"User: main.shop.forget emits UserDeleted",
			"User: main.shop.register emits UserEmailChanged UserRegistered",
			"Order: customers in customers.Consumer handles Cancelled ItemAdded ItemRemoved Paid Placed Shipped",
			"Order: shipping-mails in main.shippingMails handles Shipped ignores Cancelled ItemAdded ItemRemoved Paid Placed",
		}},
		{"bank", "./domain/...", "bankstore", []string{"./..."}, []string{
			"Account: account.Account.Deposit emits Deposited",
			"Account: account.Account.Open emits Deposited Opened",
			"Account: account.Account.Withdraw emits Withdrawn",
			"Transfer: main.bank.claim emits Made",
		}},
		{"upgrade", "./release3/domain/...", "release3/orderstore", []string{"./release3/..."}, nil},
	}
	for _, test := range tests {
		t.Run(test.dir, func(t *testing.T) {
			t.Parallel()
			u, err := find(t, filepath.Join("../../examples", test.dir), test.domain, test.store, test.patterns...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, lines(u)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Every form in which handlers are given and events are made is told as it is, or as unknown.
func TestFind_forms(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile("testdata/forms.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(path string, content []byte) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, file := range archive.Files {
		if file.Name == "want" {
			want = strings.Split(strings.TrimSpace(string(file.Data)), "\n")
		}
		write(file.Name, file.Data)
	}
	if err := clitest.WriteModule(dir, "example.com/forms", repo); err != nil {
		t.Fatal(err)
	}
	domain, err := astscan.Scan(t.Context(), astscan.Options{Dir: dir, Patterns: []string{"./domain/..."}, Output: "eventstore", IsGenerated: gocode.IsOurs})
	if err != nil {
		t.Fatal(err)
	}
	files, err := gocode.Generate(domain, gocode.Options{Filename: "event_mapping.gen.go", Mappers: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		write(filepath.Join("eventstore", file.Path), file.Content)
	}
	u, err := find(t, dir, "./domain/...", "eventstore", "./...")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lines(u)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
