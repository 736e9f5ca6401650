package migration_test

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
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
			writer, err := migration.NewWriter(migration.Options{Format: format})
			if err != nil {
				t.Fatal(err)
			}
			conn := connect(t)
			folder, files := migration.Folder{}, map[string]string{}
			var names []string
			var last design.Options
			for _, o := range []design.Options{
				{},
				{Domain: indexed(domain("Placed"), "")},
				{Domain: indexed(domain("Placed", "Paid"), "using=hash"), Strict: true},
				{Indexes: design.IndexNames, AppendOnly: true},
				{Payload: "jsonb", Schema: "shop"},
				{Schema: "shop", Partition: "range", Indexes: design.IndexNames[:1]},
			} {
				last = o
				written, err := writer.Next(derived(t, o), folder)
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
			if len(names) < 6 || !slices.IsSortedFunc(names, byNumber) {
				t.Fatalf("migrations %q: want at least 6, in the order in which they run", names)
			}
			want := fresh(t, derived(t, last))
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

var firstNumber = regexp.MustCompile(`[0-9]+`)

// byNumber orders migrations as their tools do, for which V10 comes after V9.
func byNumber(a, b string) int {
	x, _ := strconv.Atoi(firstNumber.FindString(a))
	y, _ := strconv.Atoi(firstNumber.FindString(b))
	return cmp.Compare(x, y)
}
