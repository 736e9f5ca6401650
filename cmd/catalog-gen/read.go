package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/gen/catalog"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
	"github.com/eventmap/eventmap/internal/usage"
)

// read reads what the catalogue is of: the domain, the application, and the samples.
func (s *settings) read(ctx context.Context) (*catalog.Catalog, error) {
	c := &catalog.Catalog{Title: s.title}
	var application *usage.Application
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		c.Domain, err = astscan.Scan(ctx, s.scan.Options)
		return err
	})
	if len(s.handlers) > 0 && s.baseline.Against == "" {
		group.Go(func() (err error) {
			application, err = usage.Load(ctx, usage.Options{Patterns: append(s.handlers, s.scan.Patterns...), Tags: s.scan.Tags, Store: s.store})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if application != nil {
		found, err := application.Usage(c.Domain)
		if err != nil {
			return nil, err
		}
		c.Usage = found
	}
	if s.baseline.Path != "" {
		if err := schemalock.RememberClear(c.Domain, s.baseline.Path); err != nil {
			return nil, err
		}
	}
	var err error
	c.Samples, err = s.samples(c.Domain)
	return c, err
}

// samples reads the payloads that eventmap-gen committed. There are none where it was told to write none.
func (s *settings) samples(domain *model.Domain) (map[string][]byte, error) {
	samples := map[string][]byte{}
	if s.store == "" {
		return samples, nil
	}
	for _, a := range domain.Aggregates {
		for i := range a.Events {
			path := catalog.SamplePath(a.Name, &a.Events[i])
			content, err := os.ReadFile(filepath.Join(s.store, filepath.FromSlash(path)))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("sample: %w", err)
			}
			samples[path] = []byte(strings.ReplaceAll(string(content), "\r\n", "\n"))
		}
	}
	return samples, nil
}

// changes returns what a consumer has to know since another lock.
func (s *settings) changes(c *catalog.Catalog) (string, error) {
	now := schemalock.Of(c.Domain)
	before, _, err := s.baseline.Read(now, schemalock.Encode(now))
	if err != nil {
		return "", err
	}
	return catalog.Changes(before, c.Domain, s.baseline.Against, s.formats[0])
}
