package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Install installs the packages of a package.json and its package-lock.json, which pins each by its integrity, and returns
// the folder of both, with node_modules in it. It is made in the folder cache, once for each lock. Install returns
// [ErrNoRegistry] where npm is not installed, and runs no script of a package. It may be called by several processes at
// once with the same cache.
func Install(ctx context.Context, cache string, manifest, lock []byte) (folder string, err error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", ErrNoRegistry
	}
	digest := sha256.Sum256(append(append([]byte{}, manifest...), lock...))
	folder = filepath.Join(cache, "installed-"+hex.EncodeToString(digest[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil { //nolint:gosec // a cache, of public files
		return "", err
	}
	made, err := os.MkdirTemp(cache, "installing-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(made) }()
	err = errors.Join(
		os.WriteFile(filepath.Join(made, "package.json"), manifest, 0o600),
		os.WriteFile(filepath.Join(made, "package-lock.json"), lock, 0o600),
	)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	cmd.Dir = made
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, output)
	}
	if err := os.Rename(made, folder); err != nil {
		if _, there := os.Stat(folder); there == nil {
			return folder, nil // by another process
		}
		return "", err
	}
	return folder, nil
}
