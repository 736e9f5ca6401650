package pgtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
)

const (
	image = "postgres:18"

	// containerFolder holds data and log. It is no volume, which could outlive the container.
	containerFolder = "/tmp"
)

// containerSetup makes the data folder; the password is on standard input. The server is reached through a port of the
// host, thus from any address the engine makes up: so it asks for the password.
const containerSetup = `
umask 077
cat >password
initdb --pgdata=data --username=postgres --pwfile=password --auth-local=trust --auth-host=scram-sha-256 \
	--encoding=UTF8 --locale=C --no-sync --no-instructions >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
echo 'host all all all scram-sha-256' >>data/pg_hba.conf
`

// A container runs a server with docker. Its first process reads a pipe of the keeper to the end: so the container ends
// with the keeper, whatever happens to that.
type container struct {
	name string
	cmd  *exec.Cmd      // docker run
	life io.WriteCloser // its standard input
}

// dockerWorks reports whether there is a docker engine.
func dockerWorks(ctx context.Context) bool {
	return exec.CommandContext(ctx, "docker", "info").Run() == nil
}

// newContainer starts a container and makes a stopped server in it. The first time, docker downloads the image.
func newContainer(ctx context.Context, p plan) (*container, place, error) {
	c := &container{name: folderPrefix + strings.ToLower(rand.Text()[:12])}
	at, err := c.init(ctx, p)
	if err != nil {
		return nil, place{}, errors.Join(fmt.Errorf("container of %s: %w", image, err), c.remove())
	}
	return c, at, nil
}

func (c *container) init(ctx context.Context, p plan) (place, error) {
	if err := c.run(ctx); err != nil {
		return place{}, err
	}
	password := rand.Text()
	if _, err := c.exec(ctx, password, "sh", "-c", containerSetup); err != nil {
		return place{}, fmt.Errorf("initdb: %w", err)
	}
	settings := map[string]string{"listen_addresses": "*", "unix_socket_directories": ""}
	maps.Copy(settings, defaultSettings)
	maps.Copy(settings, p.Settings)
	if _, err := c.exec(ctx, formatSettings(settings), "sh", "-c", "cat >>data/postgresql.conf"); err != nil {
		return place{}, fmt.Errorf("settings: %w", err)
	}
	output, err := exec.CommandContext(ctx, "docker", "port", c.name, "5432/tcp").Output()
	if err != nil {
		return place{}, fmt.Errorf("docker port: %w", explain(err))
	}
	address, _, _ := strings.Cut(string(output), "\n") // a second line is the IPv6 one
	published, err := netip.ParseAddrPort(strings.TrimSpace(address))
	if err != nil {
		return place{}, fmt.Errorf("docker port: %w", err)
	}
	return place{Host: published.Addr().String(), Port: int(published.Port()), Password: password}, nil
}

// run starts the container and waits until it is up.
func (c *container) run(ctx context.Context) error {
	c.cmd = exec.Command("docker", "run", "--rm", "--interactive", "--name="+c.name, "--publish=127.0.0.1::5432",
		image, "sh", "-c", "echo up && exec cat >/dev/null")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{}
	var stderr strings.Builder
	c.cmd.Stderr = &stderr
	var err error
	if c.life, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	defer stop()
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		_ = c.cmd.Wait()
		c.cmd = nil
		return fmt.Errorf("docker run: %w\n%s", err, stderr.String())
	}
	return nil
}

// exec runs a program in the container as the account of the server.
func (c *container) exec(ctx context.Context, stdin string, args ...string) (string, error) {
	prefix := []string{"exec", "--interactive", "--user=postgres", "--workdir=" + containerFolder, c.name}
	cmd := exec.CommandContext(ctx, "docker", append(prefix, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	output, err := cmd.Output()
	return string(output), explain(err)
}

func (c *container) start(ctx context.Context) error {
	script := "pg_ctl status -D data >/dev/null || pg_ctl start -D data -l log -w -t 300 >/dev/null || { cat log >&2; exit 1; }"
	_, err := c.exec(ctx, "", "sh", "-c", script)
	return err
}

func (c *container) stop(immediately bool) error {
	mode := "fast"
	if immediately {
		mode = "immediate"
	}
	_, err := c.exec(context.Background(), "", "sh", "-c", "! pg_ctl status -D data >/dev/null || pg_ctl stop -D data -m "+mode)
	return err
}

func (c *container) remove() error {
	if c.cmd == nil {
		return nil
	}
	_ = c.life.Close()
	return explain(c.cmd.Wait())
}

// explain adds to the error of a program what it printed.
func explain(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return err
}
