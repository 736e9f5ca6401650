package eventtest

import (
	"errors"
	"fmt"
	"reflect"
	goruntime "runtime"
)

// matches reports whether err is want to errors.Is, or holds an error of want's type that says the same. Errors of the
// standard library are told apart by what they are: two of one text are two errors.
func matches(err, want error) bool {
	if errors.Is(err, want) {
		return true
	}
	twin := sameType(err, want)
	return twin != nil && len(differences(want, twin)) == 0
}

// sameType returns the first error of err's tree that has want's type, unless that is one of the standard library's.
func sameType(err, want error) error {
	t := reflect.TypeOf(want)
	if t == nil || isStandard(t) {
		return nil
	}
	twin := reflect.New(t)
	if !errors.As(err, twin.Interface()) {
		return nil
	}
	return twin.Elem().Interface().(error)
}

// isStandard reports whether t is one of the types behind errors.New, errors.Join and fmt.Errorf.
func isStandard(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "errors" || t.PkgPath() == "fmt"
}

// caller returns the place from which the exported function that calls it was called.
func caller() string {
	_, file, line, _ := goruntime.Caller(2)
	return fmt.Sprintf("%s:%d", file, line)
}
