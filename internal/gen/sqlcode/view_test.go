package sqlcode_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode"
	"github.com/eventmap/eventmap/internal/model"
)

func TestGenerate_namesOfViewsAndColumns(t *testing.T) {
	t.Parallel()
	text := &model.Shape{Kind: model.StringShape}
	fields := func(names ...string) *model.Shape {
		s := &model.Shape{Kind: model.ObjectShape}
		for _, name := range names {
			s.Fields = append(s.Fields, model.Field{Name: name, Shape: text})
		}
		return s
	}
	d := &model.Domain{Aggregates: []model.Aggregate{{Name: "UserAccount", Events: []model.Event{
		{Name: "UserAccountOpened", Version: 1, Payload: fields("HTTPServer", "userID", "a-b", "select", "event_id")},
		{Name: "it's", Version: 12, Payload: fields("fooBar", "foo_bar", strings.Repeat("x", 70))},
		{Name: "Closed", Version: 1, Payload: &model.Shape{Kind: model.SliceShape}},
	}}}}
	sql := generate(t, sqlcode.Options{Domain: d})
	var got []string
	for line := range strings.Lines(string(sql)) {
		if _, name, ok := strings.Cut(line, " as "); ok && strings.Contains(line, "payload") {
			got = append(got, "  "+strings.Trim(name, ",\n"))
		} else if strings.HasPrefix(line, "create view") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	want := []string{
		`create view "user_account_closed_v1" as`,
		`create view "user_account_it_s_v12" as`,
		`  "payload_fooBar"`, `  "payload_foo_bar"`, `  "field_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_859d1971"`,
		`create view "user_account_opened_v1" as`,
		`  "http_server"`, `  "user_id"`, `  "a_b"`, `  "select"`, `  "payload_event_id"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("views and columns (-want +got):\n%s", diff)
	}
	exec(t, connect(t), string(sql))
}

func TestGenerate_refusesViewsOfOneName(t *testing.T) {
	t.Parallel()
	at := func(line int) model.Position { return model.Position{File: "order.go", Line: line, Col: 6} }
	d := &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{
		{Name: "OrderPlaced", Version: 1, Pos: at(3)}, {Name: "Placed", Version: 1, Pos: at(7)},
	}}}}
	_, err := sqlcode.Generate(sqlcode.Options{Domain: d})
	want := "order.go:7:6: version 1 of Order Placed would have the view order_placed_v1, as version 1 of Order OrderPlaced has; rename one with name="
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	d.Aggregates[0].Events = d.Aggregates[0].Events[:1]
	_, err = sqlcode.Generate(sqlcode.Options{Domain: d, ParkedEventsTable: "order_placed_v1"})
	want = "order_placed_v1 would be the parked events table and the view of Order OrderPlaced; choose other table names"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
