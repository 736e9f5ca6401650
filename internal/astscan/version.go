package astscan

import (
	"strconv"
	"strings"
)

// pathVersion returns the event version that a package's path below its module stands for: its last element vN, with N
// from 1 and without leading zeros. ok is false if there is none. The module's own path does not count: in
// example.com/shop/v2/order the v2 is the module's.
func pathVersion(below string) (n int, ok bool) {
	elements := strings.Split(below, "/")
	for i := len(elements) - 1; i >= 0; i-- {
		if n, ok := versionElement(elements[i]); ok {
			return n, true
		}
	}
	return 0, false
}

// versionElement reads one element of a path that may be a version.
func versionElement(element string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(element, "v")
	if !ok || digits == "" || digits[0] == '0' {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return 0, false
	}
	return int(v), true
}
