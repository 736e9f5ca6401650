package pgtest

import "syscall"

// endWithParent has the kernel send a signal to a process when the thread that started it ends: the last resort for the
// case that a keeper is killed.
func endWithParent(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }
