package main

import (
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A broker is a NATS server with JetStream inside of this process, which can be stopped and started again.
type broker struct {
	options server.Options
	running *server.Server
}

func startBroker(folder string) (*broker, error) {
	b := &broker{options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: folder, JetStream: true, NoLog: true, NoSigs: true,
	}}
	return b, b.start()
}

// start starts the server, at the address that it had before.
func (b *broker) start() error {
	options := b.options
	s, err := server.NewServer(&options)
	if err != nil {
		return err
	}
	go s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return errors.New("the broker does not start")
	}
	b.running, b.options.Port = s, options.Port
	return nil
}

func (b *broker) url() string { return b.running.ClientURL() }

func (b *broker) stop() {
	b.running.Shutdown()
	b.running.WaitForShutdown()
}
