// Package victim ends in every way a test process can end, while it has a server. The tests of pgtest compile and run it.
package victim

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
)

func TestPass(t *testing.T) {
	report(t)
	awaitLine(t)
}

func TestPanic(t *testing.T) {
	report(t)
	awaitLine(t)
	panic("the victim panics")
}

func TestWait(t *testing.T) {
	report(t)
	select {}
}

// awaitLine gives those who run the victim time to look at the server while it lives, if they have its standard input.
func awaitLine(t *testing.T) {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil && err != io.EOF {
		t.Fatal(err)
	}
}

// report prints the server's data folder and the process IDs of its keeper and its own on one line.
func report(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), pgtest.New(t, "create table item (id int)"))
	if err != nil {
		t.Fatal(err)
	}
	var dir, postmaster string
	var pids []int
	err = conn.QueryRow(t.Context(), `
		select current_setting('data_directory'),
		       split_part(pg_read_file('postmaster.pid'), E'\n', 1),
		       (select array_agg(pid::int) from pg_stat_activity)`).Scan(&dir, &postmaster, &pids)
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\nvictim: %s %s %s", dir, strings.TrimSpace(string(keeper)), postmaster)
	for _, pid := range pids {
		fmt.Printf(" %d", pid)
	}
	fmt.Println()
}
