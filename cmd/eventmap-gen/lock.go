package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/gocode"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// A judgement is what the comparison of a domain with its lock gave.
type judgement struct {
	findings schemalock.Findings
	unused   []string // names of --accept-breaking of which there was nothing to accept
	lock     gen.File // as it is to be written if no finding is breaking
}

// judge compares the domain with what is locked.
func (s *settings) judge(domain *model.Domain) (judgement, error) {
	path := s.lock
	if path == "" {
		path = filepath.Join(s.scan.Output, schemalock.Filename)
	}
	now := schemalock.Of(domain)
	written := schemalock.Encode(now)
	locked, err := s.baseline(path, now, written)
	if err != nil {
		return judgement{}, err
	}
	inOutput, err := relative(s.scan.Output, path)
	if err != nil {
		return judgement{}, err
	}
	j := judgement{lock: gen.File{Path: inOutput, Content: written}}
	if locked == nil {
		locked = &schemalock.Lock{}
		if s.hasGenerated() {
			j.findings = schemalock.Findings{schemalock.Missing(path)}
		}
	}
	compared, unused := schemalock.Compare(locked, now, s.accepted)
	j.findings, j.unused = append(j.findings, compared...), unused
	return j, nil
}

// hasGenerated reports whether there is code in the output folder that was generated before.
func (s *settings) hasGenerated() bool {
	files, _ := filepath.Glob(filepath.Join(s.scan.Output, "*.go"))
	return slices.ContainsFunc(files, func(name string) bool {
		content, err := os.ReadFile(name)
		return err == nil && gocode.IsOurs(content)
	})
}

// baseline returns what the domain is to be compared with, or nil if there is no lock yet. The lock at path is read in
// any case: a broken one must not be written over. Mostly it is the one that would be written, and need not be parsed.
func (s *settings) baseline(path string, now *schemalock.Lock, written []byte) (*schemalock.Lock, error) {
	var locked *schemalock.Lock
	content, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(content, written):
		locked = now
	case err == nil:
		if locked, err = schemalock.Decode(content, path); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("schema lock: %w", err)
	}
	if ref, ok := strings.CutPrefix(s.against, "git:"); ok {
		return readCommitted(ref, path)
	} else if s.against == "" {
		return locked, nil
	}
	content, err = os.ReadFile(s.against)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	return schemalock.Decode(content, s.against)
}

// relative returns the path of a file from a folder, with forward slashes.
func relative(dir, path string) (string, error) {
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	absPath, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(absDir, absPath)
	return filepath.ToSlash(rel), err
}
