package migration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/model"
)

// fieldsOf returns an object with strings of these names, and marks those that have a mark for a prefix.
func fieldsOf(names ...string) *model.Shape {
	s := &model.Shape{Kind: model.ObjectShape}
	for _, name := range names {
		f := model.Field{Shape: &model.Shape{Kind: model.StringShape}}
		if f.Name = strings.TrimPrefix(name, "*"); f.Name != name {
			f.Index = &model.IndexMark{}
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

func TestGenerate_namesOfViewsAndColumns(t *testing.T) {
	t.Parallel()
	x := strings.Repeat("x", 70)
	d := &model.Domain{Aggregates: []model.Aggregate{{Name: "UserAccount", Events: []model.Event{
		{Name: "UserAccountOpened", Version: 1, Payload: fieldsOf("HTTPServer", "userID", "a-b", "select", "event_id", "global_position", "it's", `"`)},
		{Name: "it's", Version: 12, Payload: fieldsOf("fooBar", "foo_bar", "payload_foo_bar", "*payload_fooBar", "*"+x+"1", "*"+x+"2", "ID", "*id", "Id")},
		{Name: "Odd", Version: 1, Payload: fieldsOf("*{{x}}", "${y}", "$block$", "%s", "a b", "*a-b", "a:b", "😀", "\\u0000", "")},
		{Name: "Closed", Version: 1, Payload: &model.Shape{Kind: model.OpaqueShape}},
		{Name: "Emptied", Version: 1, Payload: fieldsOf()},
	}}}}
	nested := fieldsOf("*b", "c")
	within := fieldsOf("a_b")
	within.Fields = append(within.Fields, model.Field{Name: "a", Shape: nested}, model.Field{Name: "global", Shape: fieldsOf("*position")})
	d.Aggregates[0].Events = append(d.Aggregates[0].Events, model.Event{Name: "Nested", Version: 1, Payload: within})
	want := []string{
		"user_account_closed_v1: payload",
		"user_account_emptied_v1: ",
		"user_account_it_s_v12: payload_fooBar, payload_foo_bar, payload_payload_foo_bar, payload_payload_fooBar, " +
			"field_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_2bafa4f1, field_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_57054f6e, payload_ID, payload_id, payload_Id",
		"user_account_nested_v1: a_b, a, global, payload_a_b, payload_global_position",
		"user_account_odd_v1: __x__, __y_, _block_, _s, payload_a_b_c8687a08, payload_a_b_d44362d6, payload_a_b_6783a31e, _, _u0000, payload_",
		"user_account_opened_v1: http_server, user_id, a_b, select, payload_event_id, payload_global_position, it_s, _",
	}
	for _, payload := range design.PayloadTypes {
		for _, format := range []string{"tern", "plain"} {
			sql := string(generate(t, design.Options{Domain: d, Payload: payload}, format))
			if strings.Contains(sql, "{{") || strings.Contains(sql, "${") {
				t.Errorf("%s: a tool would take a name for a template:\n%s", payload, sql)
			}
			up, _, _ := strings.Cut(sql, "---- create above / drop below ----")
			conn := connect(t)
			exec(t, conn, up)
			got := query(t, conn, `select table_name || ': ' || coalesce(string_agg(column_name, ', ' order by ordinal_position)
				filter (where ordinal_position > 5), '') from information_schema.columns where table_schema = 'public' and table_name like 'user%' group by table_name order by table_name collate "C"`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: views and columns (-want +got):\n%s", payload, diff)
			}
		}
	}
}

func TestGenerate_refusesViewsOfOneName(t *testing.T) {
	t.Parallel()
	at := func(line int) model.Position { return model.Position{File: "order.go", Line: line, Col: 6} }
	d := &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{
		{Name: "OrderPlaced", Version: 1, Pos: at(3)}, {Name: "Placed", Version: 1, Pos: at(7)},
	}}}}
	_, err := generated(design.Options{Domain: d})
	want := "order.go:7:6: version 1 of Order Placed would have the view order_placed_v1, as version 1 of Order OrderPlaced has; rename one with name="
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	d.Aggregates[0].Events = d.Aggregates[0].Events[:1]
	_, err = generated(design.Options{Domain: d, ParkedEventsTable: "order_placed_v1"})
	want = "order_placed_v1 would be the parked events table and the view of Order OrderPlaced; choose other table names"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Comments that come, change and go come to what one migration makes, and back, and no view is made anew.
func TestNext_commentsRemakeNothing(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	o := design.Options{Domain: indexed(domain("Placed", "Paid"), ""), Schema: "shop"}
	h.next(t, o)
	h.up(t, conn)
	before := catalog(t, conn)
	exec(t, conn, `create view report as select n from shop.order_placed_v1`) // which keeps the view from being dropped
	o.Domain = indexed(domain("Placed", "Paid"), "")
	placed := &o.Domain.Aggregates[0].Events[0]
	placed.Doc, placed.Payload.Fields[0].Doc = "It's placed -- and ${paid}.", ""
	o.Domain.Aggregates[0].Events[1].Payload.Fields[1].Doc = "Of somebody else."
	if added := h.next(t, o); len(added) != 2 || added[0] != "000002_eventmap_comments.up.sql" {
		t.Errorf("files %q", added)
	}
	h.up(t, conn)
	exec(t, conn, `drop view report`)
	if diff := compare(fresh(t, h.known(t, o)), catalog(t, conn)); diff != "" {
		t.Errorf("(-one migration +step by step):\n%s", diff)
	}
	h.down(t, conn)
	if diff := compare(before, catalog(t, conn)); diff != "" {
		t.Errorf("up and down (-before +after):\n%s", diff)
	}
}
