package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	dataFolder = "data"
	logFile    = "log"
	socketPort = 5432 // part of the socket's file name; no port is opened

	// startPatience covers recovery after an immediate stop on a slow and busy machine.
	startPatience = 5 * time.Minute
	// stopPatience covers the checkpoint of an orderly stop on such a machine.
	stopPatience = 5 * time.Minute
)

// A cluster is a server of local programs in a folder of its own.
type cluster struct {
	folder  *folder
	account *account
	binDir  string

	postmaster *exec.Cmd     // the last one started, nil before
	exited     chan struct{} // closed when postmaster has ended
}

// newCluster makes the folder and the data in it, with initdb or as a copy of a primary.
func newCluster(ctx context.Context, binDir string, p plan) (*cluster, error) {
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder(account)
	if err != nil {
		return nil, err
	}
	c := &cluster{folder: folder, account: account, binDir: binDir}
	if err := c.init(ctx, p); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c *cluster) init(ctx context.Context, p plan) error {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": c.folder.path,
		"port":                    strconv.Itoa(socketPort),
		// In the data folder rather than in /dev/shm, where a killed server would leave it behind.
		"dynamic_shared_memory_type": "mmap",
	}
	var err error
	if p.Primary == "" {
		maps.Copy(settings, defaultSettings)
		err = c.run(ctx, "initdb", "--pgdata="+c.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8",
			"--locale=C", "--no-sync", "--no-instructions")
	} else {
		// The primary's settings come with the data; some must not be less here than there.
		settings["primary_conninfo"] = p.Primary
		err = backup{primary: p.Primary, data: c.data(), owner: c.account}.make(ctx)
		if err != nil {
			err = fmt.Errorf("copy of the primary: %w", err)
		}
	}
	if err != nil {
		return err
	}
	maps.Copy(settings, p.Settings)
	conf, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	_, err = conf.WriteString(formatSettings(settings))
	if err := errors.Join(err, conf.Close()); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

// data returns the data folder.
func (c *cluster) data() string { return filepath.Join(c.folder.path, dataFolder) }

// run runs one of the server's programs to its end, or until ctx is cancelled.
func (c *cluster) run(ctx context.Context, name string, args ...string) error {
	cmd := c.command(name, args...)
	cmd.SysProcAttr.Setpgid = true
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// It may have started others: so its whole group is ended.
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output.String())
	}
	return nil
}

// defaultSettings are those of every private server but a standby, which has its primary's.
var defaultSettings = map[string]string{
	"fsync":            "off",
	"full_page_writes": "off",
	"autovacuum":       "off", // what a test sees must not depend on when it comes by
	"max_connections":  "300",
	"timezone":         "UTC",
	"log_timezone":     "UTC",
	"log_checkpoints":  "off",
}

// formatSettings returns settings as lines of postgresql.conf, sorted.
func formatSettings(settings map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	return b.String()
}

// command returns a command of the server's programs, run as the server's account. It ends with the keeper.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.binDir, name), args...)
	cmd.Dir = c.folder.path
	// Nothing of the environment but where libraries are: PGDATA, PGPORT, LC_ALL and others would change the server.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.folder.path, "LC_ALL=C", "TZ=UTC"}
	if libraries, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libraries)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account.credential()}
	endWithParent(cmd.SysProcAttr, syscall.SIGQUIT)
	return cmd
}

func (c *cluster) place() place {
	return place{Host: c.folder.path, Port: socketPort, Dir: c.folder.path, BinDir: c.binDir}
}

func (c *cluster) running() bool {
	if c.postmaster == nil {
		return false
	}
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

func (c *cluster) start(ctx context.Context) error {
	if c.running() {
		return nil
	}
	log, err := os.OpenFile(filepath.Join(c.folder.path, logFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer log.Close()
	postmaster := c.command("postgres", "-D", c.data())
	postmaster.Stdout, postmaster.Stderr = log, log
	if err := postmaster.Start(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = postmaster.Wait() // how it ended is in the log
		close(exited)
	}()
	c.postmaster, c.exited = postmaster, exited

	if err := awaitConnection(ctx, c.place(), exited); err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%w; its log:\n%s", err, text), c.stop(true))
	}
	return nil
}

// awaitConnection waits until the server at a place accepts connections.
func awaitConnection(ctx context.Context, p place, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		conn, err := pgconn.Connect(ctx, p.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-exited:
			return errors.New("server has ended")
		case <-ctx.Done():
			return fmt.Errorf("no connection: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *cluster) stop(immediately bool) error {
	if !c.running() {
		return nil
	}
	sig := syscall.SIGINT
	if immediately {
		sig = syscall.SIGQUIT
	}
	_ = c.postmaster.Process.Signal(sig) // fails only if it has ended
	select {
	case <-c.exited:
		return nil
	case <-time.After(stopPatience):
	}
	_ = c.postmaster.Process.Kill()
	<-c.exited
	return fmt.Errorf("server did not stop within %v and was killed", stopPatience)
}

func (c *cluster) remove() error { return c.folder.remove() }
