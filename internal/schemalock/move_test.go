package schemalock

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMoved(t *testing.T) {
	t.Parallel()
	moves := []Move{{"example.com/shop", "example.com/store"}, {"example.com/shop/money", "example.com/cash"}}
	for id, want := range map[string]string{
		"example.com/shop.Placed":       "example.com/store.Placed",
		"example.com/shop/order.Placed": "example.com/store/order.Placed",
		"example.com/shop/money.Amount": "example.com/cash.Amount",
		"example.com/shop.v2/order.ID":  "example.com/shop.v2/order.ID",
		"example.com/shopping.ID":       "example.com/shopping.ID",
		"other.com/example.com/shop.ID": "other.com/example.com/shop.ID",
		"time.Time":                     "time.Time",
		"":                              "",
		"other.com/opt.Opt[map[string]*example.com/shop/money.Amount]":             "other.com/opt.Opt[map[string]*example.com/cash.Amount]",
		"example.com/shop.Pair[example.com/shop.A,[]example.com/shop/order/v2.ID]": "example.com/store.Pair[example.com/store.A,[]example.com/store/order/v2.ID]",
	} {
		if got := moved(id, moves, map[Move]bool{}); got != want {
			t.Errorf("moved(%s) = %s, want %s", id, got, want)
		}
	}
}

func TestAskMoved_asksOnlyWhereThatWouldDo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ was, is, want string }{
		{"example.com/shop/money.Amount", "example.com/store/money.Amount", "example.com/shop=example.com/store"},
		{"example.com/shop/a.Opt[example.com/shop/b.T]", "example.com/store/a.Opt[example.com/store/b.T]", "example.com/shop=example.com/store"},
		{"m/money.Amount", "m/cash.Amount", "m/money=m/cash"},
		{"m/money.Amount", "m/money.Price", ""},
		{"m/money.Opt[m/money.A]", "n/money.Opt[m/money.A]", ""},
		{"", "m/money.Amount", ""},
		{"m/money.Amount", "", ""},
	} {
		want := ""
		if tt.want != "" {
			want = " (was its package moved? --moved " + tt.want + ")"
		}
		if got := askMoved(tt.was, tt.is); got != want {
			t.Errorf("askMoved(%s, %s) = %q, want %q", tt.was, tt.is, got, want)
		}
	}
}

func TestParseMove(t *testing.T) {
	t.Parallel()
	got, err := ParseMove(" example.com/shop=example.com/store ")
	if d := cmp.Diff(Move{"example.com/shop", "example.com/store"}, got); d != "" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "example.com/shop", "=example.com/store", "example.com/shop=", "a b=c", "/a=b", "a=./b"} {
		if _, err := ParseMove(text); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}
