package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/doctor"
)

// Whatever is asked, it is a query that says in a server's log what it is, and its answer is a statement. That the queries
// find what is wrong, and that the statements mend it, is tested by the command.
func TestChecks(t *testing.T) {
	t.Parallel()
	for _, o := range []design.Options{
		{},
		{Schema: "My-Shop", EventsTable: "Event-Log", Payload: "jsonb", Metadata: "jsonb", Indexes: design.IndexNames, AppendOnly: true, Grants: []string{"app"}},
		{Schema: "shop", Snapshots: true, SubjectKeys: "here", Grants: []string{"app"}, ForgetGrants: []string{"dpo"}},
		{Partition: "range", AppendOnly: true},
		{Partition: "hash", Partitions: 2},
	} {
		d, err := o.Design()
		if err != nil {
			t.Fatal(err)
		}
		checks, err := doctor.Checks(d)
		if err != nil {
			t.Fatal(err)
		}
		var objects []string
		for _, c := range checks {
			objects = append(objects, c.Object)
			if !strings.HasPrefix(c.Query, "-- eventmap doctor: ") || strings.Contains(c.Query, ";\n") || c.Reason == "" {
				t.Errorf("%s %s: %s", c.Object, c.Reason, c.Query)
			}
			for _, mends := range c.Args {
				if text, ok := mends.(string); !ok || !strings.HasSuffix(text, ";") {
					t.Errorf("%s %s: mended by %v, which is no statement", c.Object, c.Reason, mends)
				}
			}
		}
		if want := "table " + d.Events.String(); objects[0] != want {
			t.Errorf("the first object is %s, want %s, without which the others cannot be asked for", objects[0], want)
		}
		if role := "role app"; slices.Contains(objects, role) != (o.Grants != nil) {
			t.Errorf("objects %q: %s is not asked for as it should be", objects, role)
		}
	}
}

func TestChecks_notOnSQLite(t *testing.T) {
	t.Parallel()
	d, err := design.Options{Dialect: "sqlite"}.Design()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doctor.Checks(d); err == nil || !strings.Contains(err.Error(), "is not available for sqlite") {
		t.Errorf("error is %v", err)
	}
}
