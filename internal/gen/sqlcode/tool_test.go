package sqlcode_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/sqlcode"
)

// ways finds the way up and the way down in the files of a migration, as each tool does whose program is not run by the
// tests of cmd/migrate-gen/runners.
var ways = map[string]func(files map[string]string, name string) (up, down string){
	"dbmate": func(files map[string]string, name string) (up, down string) {
		parts := regexp.MustCompile(`(?m)^-- migrate:(?:up|down)(?: transaction:false)?$`).Split(files[name], -1)
		return parts[1], parts[2]
	},
	"flyway": func(files map[string]string, name string) (up, down string) {
		return files[name], files["U"+strings.TrimPrefix(name, "V")]
	},
}

// What is written for a tool that cannot be had here runs on PostgreSQL: up by four changes, down, and up again.
func TestNext_runsAsOtherToolsWouldRunIt(t *testing.T) {
	t.Parallel()
	for format, way := range ways {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			conn := connect(t)
			folder, files := sqlcode.Folder{}, map[string]string{}
			var names []string
			var last sqlcode.Options
			for _, o := range []sqlcode.Options{
				{},
				{Indexes: sqlcode.IndexNames, AppendOnly: true},
				{Payload: "jsonb", Schema: "shop"},
				{Schema: "shop", Partition: "range", Indexes: sqlcode.IndexNames[:1]},
			} {
				last = o
				o.Format = format
				written, err := sqlcode.Next(o, folder, false)
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range written {
					folder[file.Path], files[file.Path] = file.Content, string(file.Content)
					if strings.HasSuffix(file.Path, ".sql") && !strings.HasPrefix(file.Path, "U") {
						names = append(names, file.Path)
					}
				}
			}
			if len(names) < 6 || !slices.IsSorted(names) {
				t.Fatalf("migrations %q: want at least 6, in the order in which they run", names)
			}
			want := fresh(t, last)
			for _, name := range names {
				up, _ := way(files, name)
				exec(t, conn, up)
			}
			if diff := compare(want, catalog(t, conn)); diff != "" {
				t.Errorf("up (-one migration +step by step):\n%s", diff)
			}
			for _, name := range slices.Backward(names) {
				_, down := way(files, name)
				exec(t, conn, down)
			}
			if diff := compare([]string{}, catalog(t, conn)); diff != "" {
				t.Errorf("left by the way down:\n%s", diff)
			}
		})
	}
}
