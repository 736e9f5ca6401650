// Package npm brings programs that tests run, and that are published as npm packages, onto this machine. Each is pinned to
// a version and to its integrity, so that what runs is the same everywhere.
package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Package is one version of a package of the npm registry.
type Package struct {
	Name      string // with its scope, such as @scope/name
	Version   string
	Integrity string // of its archive, as in a package-lock.json: sha512- and the digest in base64
}

// Unpack makes the files of the package in folder, which need not exist, with their paths in the archive but for its top
// folder. The archive is downloaded into the folder cache, unless it is there. Unpack returns [ErrNoRegistry] if it is
// not there and cannot be asked for, and runs no script of the package. It may be called by several processes at once
// with the same cache.
func (p Package) Unpack(ctx context.Context, cache, folder string) error {
	archive, err := p.archive(ctx, cache)
	if err == nil {
		err = unpack(archive, folder)
	}
	if err != nil {
		return fmt.Errorf("npm package %s@%s: %w", p.Name, p.Version, err)
	}
	return nil
}

// archive returns the archive of the package.
func (p Package) archive(ctx context.Context, cache string) ([]byte, error) {
	path := filepath.Join(cache, strings.ReplaceAll(strings.TrimPrefix(p.Name, "@"), "/", "-")+"-"+p.Version+".tgz")
	if archive, err := os.ReadFile(path); err == nil && p.verify(archive) == nil {
		return archive, nil
	}
	archive, err := p.download(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.verify(archive); err != nil {
		return nil, err
	}
	return archive, keep(archive, path)
}

// verify fails if the archive is not the one that is pinned.
func (p Package) verify(archive []byte) error {
	digest := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(digest[:]); got != p.Integrity {
		return fmt.Errorf("integrity of the archive is %s, want %s", got, p.Integrity)
	}
	return nil
}

// keep writes a file as a whole or not at all.
func keep(content []byte, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a cache, of public files
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// unpack makes the files of an archive in a folder. No path leads out of it.
func unpack(archive []byte, folder string) error {
	// Other accounts run the programs: PostgreSQL's refuse to run as root.
	const forAll = 0o755
	if err := os.MkdirAll(folder, forAll); err != nil { //nolint:gosec // see above
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	uncompressed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	reader := tar.NewReader(uncompressed)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// The archives of npm have regular files only.
		_, path, inside := strings.Cut(header.Name, "/")
		if !inside || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(filepath.Dir(path), forAll); err != nil {
			return err
		}
		file, err := root.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, header.FileInfo().Mode().Perm()|0o644)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, reader) //nolint:gosec // the archive is the one that is pinned
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
}
