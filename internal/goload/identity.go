package goload

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// IsStandard reports whether a package that was loaded is of the standard library.
func (p *Program) IsStandard(path string) bool {
	pkg := p.find(path)
	return pkg == nil || pkg.Module == nil
}

// Identity names the content of a package and of all that it imports: of a module that has a version, by that; of one that
// has none, as the main module and what a replace directive names by a folder, by a hash of the packages' files. In a vendor
// folder both count, for its files can be edited.
func (p *Program) Identity(path string) (string, error) {
	hash := sha256.New()
	seen := map[string]bool{}
	var add func(pkg *packages.Package) error
	add = func(pkg *packages.Package) error {
		if seen[pkg.PkgPath] || pkg.Module == nil {
			return nil
		}
		seen[pkg.PkgPath] = true
		version := moduleVersion(pkg.Module)
		if version != "" {
			fmt.Fprintf(hash, "%s %s\n", pkg.PkgPath, version)
		}
		if version == "" || isVendored(pkg) {
			if err := hashFolder(hash, pkg); err != nil {
				return err
			}
		}
		for _, imported := range slices.Compact(slices.Sorted(imports(pkg))) {
			if next := pkg.Imports[imported]; next != nil {
				if err := add(next); err != nil {
					return err
				}
			}
		}
		return nil
	}
	pkg := p.find(path)
	if pkg == nil {
		return "", errors.New("it was not loaded")
	}
	if err := add(pkg); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// moduleVersion returns the module and version that a package comes from, or nothing if it has none.
func moduleVersion(m *packages.Module) string {
	if m.Replace != nil {
		m = m.Replace
	}
	if m.Main || m.Version == "" {
		return ""
	}
	return m.Path + "@" + m.Version
}

// isLocal reports whether a package is of a module that has no version: the main one, one of the workspace, or one that a replace
// directive names by a folder.
func isLocal(pkg *packages.Package) bool { return pkg.Module != nil && moduleVersion(pkg.Module) == "" }

// isVendored reports whether a package is read from a vendor folder.
func isVendored(pkg *packages.Package) bool {
	return len(pkg.GoFiles) > 0 && strings.HasSuffix(filepath.ToSlash(filepath.Dir(pkg.GoFiles[0])), "/vendor/"+pkg.PkgPath)
}

// hashFolder adds the files of a package's folder, of those below it that are no packages, and those that it embeds.
func hashFolder(to interface{ Write([]byte) (int, error) }, pkg *packages.Package) error {
	if len(pkg.GoFiles) == 0 {
		return nil
	}
	root := filepath.Dir(pkg.GoFiles[0])
	add := func(name string) error {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, name)
		fmt.Fprintf(to, "%s/%s %x\n", pkg.PkgPath, filepath.ToSlash(below), sha256.Sum256(content))
		return err
	}
	for _, name := range pkg.EmbedFiles {
		if err := add(name); err != nil {
			return err
		}
	}
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root:
			if sources, _ := filepath.Glob(filepath.Join(name, "*.go")); len(sources) > 0 {
				return filepath.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return add(name)
	})
}

// find returns a package that was loaded, whether it matches the patterns or not, or nil.
func (p *Program) find(path string) *packages.Package { return p.loaded()[path] }

// indexLoaded returns every package that was loaded, by path.
func (p *Program) indexLoaded() map[string]*packages.Package {
	byPath := make(map[string]*packages.Package, len(p.all))
	for _, pkg := range p.all {
		byPath[pkg.PkgPath] = pkg
	}
	return byPath
}
