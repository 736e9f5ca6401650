package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
)

// citusVariable names the environment variable with the address of the coordinator of a Citus cluster for tests.
const citusVariable = "TEST_CITUS_URL"

// NewCitus makes a database for t on each node of the Citus cluster whose coordinator TEST_CITUS_URL names, and returns its address on the
// coordinator, as [New] does. The schema texts are executed there. The variable holds a URL of a role that may create databases and
// extensions on every node, by the same name and password.
//
// Distributions do not package Citus, so these tests are for whoever has a cluster: without the variable t is skipped.
//
// through is given the address of each worker, host and port, and returns the one by which the cluster is to reach it, such as that of a proxy. It
// may be nil.
func NewCitus(t testing.TB, through func(worker string) string, schema ...string) string {
	t.Helper()
	address := os.Getenv(citusVariable)
	if address == "" {
		t.Skipf("pgtest: %s is not set; it is the address of the coordinator of a Citus cluster", citusVariable)
	}
	ctx, cancel := context.WithTimeout(context.Background(), databasePatience)
	defer cancel()
	coordinator, workers, err := citusNodes(ctx, address)
	if err != nil {
		t.Fatalf("pgtest: cluster of %s: %v", citusVariable, err)
	}
	name := databaseName(t.Name())
	nodes := []*Server{Connect(address)}
	register := []string{"select citus_set_coordinator_host(" + hostAndPort(coordinator) + ")"}
	for _, worker := range workers {
		nodes = append(nodes, Connect(withHost(address, worker)))
		if through != nil {
			worker = through(worker)
		}
		register = append(register, "select citus_add_node("+hostAndPort(worker)+")")
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), databasePatience)
		defer cancel()
		for _, node := range nodes {
			if err := node.drop(ctx, name); err != nil {
				t.Errorf("pgtest: database %s: %v", name, err)
			}
		}
	})
	for _, node := range nodes {
		err := node.createDatabase(ctx, name, nil)
		if err == nil {
			err = node.apply(ctx, name, []string{"create extension citus"})
		}
		if err != nil {
			t.Fatalf("pgtest: database %s: %v", name, err)
		}
	}
	// A node is refused now and then while databases of other tests come and go.
	for attempt := 1; ; attempt++ {
		err := nodes[0].apply(ctx, name, register)
		if err == nil {
			break
		}
		if attempt == 5 {
			t.Fatalf("pgtest: database %s: %v", name, err)
		}
	}
	if err := nodes[0].apply(ctx, name, schema); err != nil {
		t.Fatalf("pgtest: database %s: %v", name, err)
	}
	return nodes[0].URL(name)
}

// citusNodes returns the addresses, host and port, of the nodes of a cluster.
func citusNodes(ctx context.Context, address string) (coordinator string, workers []string, err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = conn.Close(ctx) }() // it was asked for all there was to ask
	rows, err := conn.Query(ctx, "select node_name, node_port from citus_get_active_worker_nodes() order by 1, 2")
	if err != nil {
		return "", nil, err
	}
	workers, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var host string
		var port int64
		err := row.Scan(&host, &port)
		return net.JoinHostPort(host, strconv.FormatInt(port, 10)), err
	})
	c := conn.Config()
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), workers, err
}

// hostAndPort returns an address as two arguments of a function of SQL.
func hostAndPort(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err.Error() // which is no SQL, and so ends up before whoever reads why the test failed
	}
	return fmt.Sprintf("'%s', %s", host, port)
}

// withHost returns the address of a server with another host and port.
func withHost(address, host string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Host = host
	return u.String()
}
