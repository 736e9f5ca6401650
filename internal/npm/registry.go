package npm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// registryVariable is where npm, too, looks for the address of its registry.
const registryVariable = "NPM_CONFIG_REGISTRY"

// ErrNoRegistry says that this machine has no way to the npm registry.
var ErrNoRegistry = errors.New("no npm registry to download it from; install npm (apt-get install npm | dnf install npm | " +
	"brew install node), or set " + registryVariable + " to the address of a registry")

// download returns the archive of the package: by npm, which knows about proxies, certificates and mirrors, or, where npm
// is not installed, from the registry that the environment names.
func (p Package) download(ctx context.Context) ([]byte, error) {
	if _, err := exec.LookPath("npm"); err == nil {
		return p.pack(ctx)
	}
	if registry := os.Getenv(registryVariable); registry != "" {
		return p.get(ctx, registry)
	}
	return nil, ErrNoRegistry
}

// pack has npm download the archive.
func (p Package) pack(ctx context.Context) ([]byte, error) {
	folder, err := os.MkdirTemp("", "npm")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	cmd := exec.CommandContext(ctx, "npm", "pack", "--ignore-scripts", "--prefer-offline", "--pack-destination", folder, p.Name+"@"+p.Version)
	cmd.Dir = folder
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w\n%s", err, output)
	}
	archives, _ := filepath.Glob(filepath.Join(folder, "*.tgz")) // the pattern is well formed
	if len(archives) != 1 {
		return nil, fmt.Errorf("npm pack made %d archives, want 1", len(archives))
	}
	return os.ReadFile(archives[0])
}

// get downloads the archive from a registry.
func (p Package) get(ctx context.Context, registry string) ([]byte, error) {
	address := fmt.Sprintf("%s/%s/-/%s-%s.tgz", strings.TrimSuffix(registry, "/"), p.Name, path.Base(p.Name), p.Version)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("$%s: %w", registryVariable, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", request.URL.Redacted(), response.Status)
	}
	return io.ReadAll(response.Body)
}
