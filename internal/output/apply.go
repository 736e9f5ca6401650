package output

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Apply makes the changes. Every new content is on disk, in a temporary file beside its target, before the first target
// is replaced; so a full disk or a folder that cannot be written leaves everything as it was. Files get mode 0644.
func (p *Plan) Apply() (err error) {
	staged := make(map[string]string, len(p.Changes)) // target -> temporary file
	var made []string                                 // folders that did not exist
	defer func() {
		if err == nil {
			return
		}
		for _, temp := range staged {
			_ = os.Remove(temp)
		}
		for i := len(made) - 1; i >= 0; i-- {
			_ = os.Remove(made[i]) // fails, rightly, for a folder that is not empty
		}
	}()
	for _, c := range p.Changes {
		if c.New == nil {
			continue
		}
		folders, err := makeFolder(filepath.Dir(c.Path))
		made = append(made, folders...)
		if err != nil {
			return err
		}
		temp, err := stage(c)
		if temp != "" {
			staged[c.Path] = temp
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", c.Path, err)
		}
	}
	for _, c := range p.Changes {
		if err := settle(c, staged[c.Path]); err != nil {
			return err
		}
		delete(staged, c.Path)
	}
	return nil
}

// settle puts the staged content in place, or removes the file, and the folders that are empty then.
func settle(c Change, temp string) error {
	if c.New != nil {
		return os.Rename(temp, target(c.Path))
	}
	if err := os.Remove(c.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for dir := filepath.Dir(c.Path); os.Remove(dir) == nil; dir = filepath.Dir(dir) {
		continue // which ends, rightly, at a folder that is not empty
	}
	return nil
}

// stage writes the content of c to a temporary file in the target's folder and returns its name, also on failure. The
// name begins with a dot, which the go command ignores. The file is not synced: what a crash of the machine takes can be
// generated again, and syncing dozens of files takes longer than making them.
func stage(c Change) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(target(c.Path)), ".eventmap-*.tmp")
	if err != nil {
		return "", err
	}
	_, err = f.Write(c.New)
	if err == nil {
		err = f.Chmod(0o644)
	}
	return f.Name(), errors.Join(err, f.Close()) // network file systems say only now that the disk is full
}

// target follows a symbolic link, so that renaming replaces the file and not the link to it.
func target(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// makeFolder creates dir and the folders above it and returns those that did not exist, outermost first.
func makeFolder(dir string) (made []string, err error) {
	var missing []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, os.ErrNotExist) {
			break
		}
		missing = append(missing, d)
		if d == filepath.Dir(d) {
			break
		}
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := os.Mkdir(missing[i], 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return made, err
		}
		made = append(made, missing[i])
	}
	return made, nil
}
