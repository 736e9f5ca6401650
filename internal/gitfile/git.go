package gitfile

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// ofHooks are the variables by which git tells a hook where it runs. What counts is the repository that the file lies in.
var ofHooks = []string{"GIT_DIR=", "GIT_WORK_TREE=", "GIT_COMMON_DIR=", "GIT_INDEX_FILE=", "GIT_PREFIX="}

// run runs git in a folder and returns what it prints. Where it fails, the error is what it says; if that is nothing, an
// [exec.ExitError].
func run(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return slices.ContainsFunc(ofHooks, func(name string) bool { return strings.HasPrefix(variable, name) })
	})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if said := strings.TrimSpace(stderr.String()); err != nil && said != "" {
		return nil, errors.New(strings.ReplaceAll(said, "\n", " "))
	}
	return out, err
}
