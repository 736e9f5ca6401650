package main

import (
	"context"

	"github.com/eventmap/eventmap/internal/astscan"
)

// scan reads the events of --domain into the design. Without it, or with none, there is nothing to do.
func (s *settings) scan(ctx context.Context) error {
	if s.domain = unlessNone(s.domain); len(s.domain) == 0 {
		return nil
	}
	domain, err := astscan.Scan(ctx, astscan.Options{Patterns: s.domain, Convention: s.convention})
	if err != nil {
		return err
	}
	s.design.Domain = domain
	return nil
}
