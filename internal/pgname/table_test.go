package pgname_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgname"
)

func TestParseTable_accepts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 31) + "x" // 63 bytes
	tests := map[string]pgname.Table{
		"events":             {Name: "events"},
		"shop.events":        {Schema: "shop", Name: "events"},
		"Shop.Events":        {Schema: "Shop", Name: "Events"},
		"select.order":       {Schema: "select", Name: "order"},
		"my-shop.events-v2":  {Schema: "my-shop", Name: "events-v2"},
		"_e$1":               {Name: "_e$1"},
		"événements":         {Name: "événements"},
		"事件":                 {Name: "事件"},
		long + "." + long:    {Schema: long, Name: long},
		"PG_shop.PG_events":  {Schema: "PG_shop", Name: "PG_events"}, // reserved in lower case only
		"information_schema": {Name: "information_schema"},           // reserved as a schema only
	}
	for in, want := range tests {
		got, err := pgname.ParseTable(in)
		if err != nil {
			t.Errorf("ParseTable(%q): %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseTable(%q) (-want +got):\n%s", in, diff)
		}
		if got.String() != in {
			t.Errorf("ParseTable(%q).String() = %q", in, got.String())
		}
	}
}

func TestParseTable_namesTheBrokenRule(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", `table name "": is empty`},
		{".events", `table name ".events": schema is empty`},
		{"shop.", `table name "shop.": table is empty`},
		{"a.b.c", `table name "a.b.c": has more than one dot; write table or schema.table`},
		{"1events", `table name "1events": begins with '1'; begin with a letter or an underscore`},
		{"-events", `table name "-events": begins with '-'; begin with a letter or an underscore`},
		{"my events", `table name "my events": contains ' '; use letters, digits, '_', '-' and '$'`},
		{`events"; drop table x; --`, `table name "events\"; drop table x; --": contains '"'; use letters, digits, '_', '-' and '$'`},
		{"events\x00", `table name "events\x00": contains '\x00'; use letters, digits, '_', '-' and '$'`},
		{"events\xff", `table name "events\xff": is not valid UTF-8`},
		{"events\n", `table name "events\n": contains '\n'; use letters, digits, '_', '-' and '$'`},
		{strings.Repeat("é", 32), `table name "` + strings.Repeat("é", 32) + `": has 64 bytes; PostgreSQL keeps 63`},
		{"pg_shop.events", `table name "pg_shop.events": schema begins with pg_, which is reserved for the system`},
		{"pg_class", `table name "pg_class": begins with pg_, which is reserved for the system`},
		{"information_schema.events", `table name "information_schema.events": schema is reserved for the system`},
	}
	for _, tt := range tests {
		got, err := pgname.ParseTable(tt.in)
		if err == nil {
			t.Errorf("ParseTable(%q) = %v, want an error", tt.in, got)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("ParseTable(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"shop", "My-Shop", "public", "select"} {
		if err := pgname.CheckSchema(ok); err != nil {
			t.Errorf("CheckSchema(%q): %v", ok, err)
		}
	}
	tests := []struct{ in, want string }{
		{"", `schema name "": is empty`},
		{"a.b", `schema name "a.b": contains '.'; use letters, digits, '_', '-' and '$'`},
		{"pg_temp", `schema name "pg_temp": begins with pg_, which is reserved for the system`},
	}
	for _, tt := range tests {
		err := pgname.CheckSchema(tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("CheckSchema(%q):\n got %v\nwant %s", tt.in, err, tt.want)
		}
	}
}

func TestCheckRole(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"app", "My-App", "select", "Public"} {
		if err := pgname.CheckRole(ok); err != nil {
			t.Errorf("CheckRole(%q): %v", ok, err)
		}
	}
	tests := []struct{ in, want string }{
		{"", `role name "": is empty`},
		{"public", `role name "public": is not the name of a role`},
		{"none", `role name "none": is not the name of a role`},
		{"pg_monitor", `role name "pg_monitor": begins with pg_, which is reserved for the system`},
		{`a"; drop role b`, `role name "a\"; drop role b": contains '"'; use letters, digits, '_', '-' and '$'`},
	}
	for _, tt := range tests {
		err := pgname.CheckRole(tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("CheckRole(%q):\n got %v\nwant %s", tt.in, err, tt.want)
		}
	}
}

func TestTable_Quoted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   pgname.Table
		want string
	}{
		{pgname.Table{Name: "events"}, `"events"`},
		{pgname.Table{Schema: "My-Shop", Name: "select"}, `"My-Shop"."select"`},
		{pgname.Table{Schema: `a"b`, Name: `c"; drop table d; --`}, `"a""b"."c""; drop table d; --"`},
	}
	for _, tt := range tests {
		if got := tt.in.Quoted(); got != tt.want {
			t.Errorf("%#v.Quoted() = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestTable_In_keepsTheSchemaOfTheTable(t *testing.T) {
	t.Parallel()
	if got, want := (pgname.Table{Name: "events"}).In("shop").String(), "shop.events"; got != want {
		t.Errorf("unqualified: got %s, want %s", got, want)
	}
	if got, want := (pgname.Table{Schema: "log", Name: "events"}).In("shop").String(), "log.events"; got != want {
		t.Errorf("qualified: got %s, want %s", got, want)
	}
	if got, want := (pgname.Table{Name: "events"}).In("").String(), "events"; got != want {
		t.Errorf("no schema: got %s, want %s", got, want)
	}
}

// FuzzParseTable looks for a name that is accepted and then does not come back, or is quoted otherwise than the driver
// would.
func FuzzParseTable(f *testing.F) {
	for _, seed := range []string{"events", "a.b", `x"y`, "é.ü", "pg_a.b", "a..b", "\x00", "\xff", "a\u00adb", "ａ", "_"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := pgname.ParseTable(s)
		if err != nil {
			if got != (pgname.Table{}) {
				t.Errorf("ParseTable(%q) = %#v beside an error", s, got)
			}
			return
		}
		if got.String() != s {
			t.Errorf("ParseTable(%q).String() = %q", s, got.String())
		}
		parts := pgx.Identifier{got.Name}
		if got.Schema != "" {
			parts = pgx.Identifier{got.Schema, got.Name}
		}
		if want := parts.Sanitize(); got.Quoted() != want {
			t.Errorf("ParseTable(%q).Quoted() = %s, pgx says %s", s, got.Quoted(), want)
		}
	})
}
