//go:build !linux

package pgtest

import "syscall"

// endWithParent does nothing: only Linux tells a process that its parent has ended. The next keeper sweeps up.
func endWithParent(*syscall.SysProcAttr, syscall.Signal) {}
