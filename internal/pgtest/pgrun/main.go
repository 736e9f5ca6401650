// Pgrun runs a command with a PostgreSQL server for tests.
//
//	pgrun [-database] [-set name=value]... command [argument]...
//	pgrun -find
//
// It starts a private server as package pgtest does and gives the command its address in TEST_DATABASE_URL, so that all
// test processes of one "go test ./..." share it. Where TEST_DATABASE_URL is set already, that server is used, and what
// the run leaves in it is dropped at the end.
//
// With -database, there is an empty database for the command, its address in DATABASE_URL, which is dropped at the end.
// With -set, a private server gets a parameter of postgresql.conf; it has no effect on a server that was there before.
//
// With -find, it prints what a private server would be made of, and exits with 125 and the remedies if there is nothing.
//
// Signals go on to the command. The exit code is the command's, 128 and the signal's number if a signal ended it, 127 if
// it could not be started, and 125 if there is no server. Pgrun prints nothing of its own but errors. However it ends,
// by SIGKILL too, nothing of the server is left.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/eventmap/eventmap/internal/pgtest"
)

const (
	exitUsage      = 2
	exitNoServer   = 125
	exitNotStarted = 127
	exitSignalled  = 128
)

func main() {
	runtime.LockOSThread() // the command is told if this thread, the main one, ends before it
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pgrun", flag.ContinueOnError)
	flags.SetOutput(stderr)
	database := flags.Bool("database", false, "make a database for the command and put its address in DATABASE_URL")
	find := flags.Bool("find", false, "print what a private server would be made of")
	var options []pgtest.Option
	flags.Func("set", "set a parameter of postgresql.conf, as `name=value`", func(setting string) error {
		name, value, found := strings.Cut(setting, "=")
		if !found {
			return errors.New("want name=value")
		}
		options = append(options, pgtest.Setting(name, value))
		return nil
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	if *find {
		found, err := pgtest.Find(context.Background())
		if err != nil {
			fmt.Fprintf(stderr, "pgrun: %v\n", err)
			return exitNoServer
		}
		fmt.Fprintln(stdout, found)
		return 0
	}
	if flags.NArg() == 0 {
		fmt.Fprintln(stderr, "pgrun: no command")
		return exitUsage
	}

	// Caught from here on, so that a signal cannot come between the start of the server and that of the command.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)

	run, err := pgtest.StartRun(options...)
	if err != nil {
		fmt.Fprintf(stderr, "pgrun: %v\n", err)
		return exitNoServer
	}
	code := execute(run, *database, flags.Args(), signals, stderr)
	if err := run.Close(); err != nil {
		fmt.Fprintf(stderr, "pgrun: %v\n", err)
		code = max(code, 1)
	}
	return code
}

// execute runs the command and returns its exit code.
func execute(run *pgtest.Run, database bool, command []string, signals <-chan os.Signal, stderr io.Writer) int {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), run.Environ()...)
	if database {
		address, err := run.CreateDatabase(context.Background(), "database")
		if err != nil {
			fmt.Fprintf(stderr, "pgrun: %v\n", err)
			return exitNoServer
		}
		cmd.Env = append(cmd.Env, "DATABASE_URL="+address)
	}
	cmd.SysProcAttr = pgtest.EndWithParent(syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(stderr, "pgrun: %v\n", err)
		return exitNotStarted
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case sig := <-signals:
				_ = cmd.Process.Signal(sig) // fails only if it has ended
			case <-done:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(done)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			return exitSignalled + int(status.Signal())
		}
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintf(stderr, "pgrun: %v\n", err)
		return exitNotStarted
	}
	return 0
}
