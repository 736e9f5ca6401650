package main

import (
	"context"
	"crypto/sha256"
	"os"

	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/privacy"

	userv1 "github.com/eventmap/eventmap/examples/shop/domain/user/events/v1"
)

// wrapper encrypts the keys of personal data by the secret of the environment. An application has a key management service do
// that: a *secrets.Keeper of gocloud.dev/secrets takes its place.
func wrapper() privacy.KeyWrapper {
	secret := sha256.Sum256([]byte("for development only" + os.Getenv("SHOP_SECRET")))
	w, err := privacy.NewLocalWrapper(secret[:])
	if err != nil {
		panic(err) // the secret has 32 bytes
	}
	return w
}

// forget tells how a user is forgotten: she deletes her account, and a generated consumer erases her key. Her events stay as
// they are, and nobody can read any more who she was.
func (s *shop[Tx]) forget(ctx context.Context, user string) error {
	s.say("She deletes her account, and is forgotten.")
	if err := s.whoIs(ctx, user); err != nil {
		return err
	}
	err := s.in(ctx, func(tx Tx) error {
		_, err := s.users.Append(ctx, tx, user, runtime.StreamExists(), []shopstore.UserEvent{shopstore.UserEventOf(userv1.UserDeleted{})})
		return err
	})
	if err != nil {
		return err
	}
	runner, err := consumer.New(s.db.checkpoints, consumer.Config{}, consumer.Registration[Tx]{
		Consumer: shopstore.NewUserForgetter("forget-users", s.keys),
	})
	if err != nil {
		return err
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		return err
	}
	return s.whoIs(ctx, user)
}

// whoIs says what can be read of a user.
func (s *shop[Tx]) whoIs(ctx context.Context, user string) error {
	return s.in(ctx, func(tx Tx) error {
		stream, err := s.users.Read(ctx, tx, user)
		if err != nil {
			return err
		}
		for _, e := range stream.Events {
			if registered, ok := e.Event.Value().(userv1.UserRegistered); ok {
				s.say("  registered: %q, %s; erased: %q", registered.Name.Given, registered.Email, e.Meta.Erased)
			}
		}
		return nil
	})
}
