#!/bin/sh
# gocloud.dev/secrets opens the URL "base64key://" with a key that nobody has given it.
#
# An address without a key is no error: the keeper has a random key, which lives as long as the process. The documentation of
# the package says so; what it does to a service is easily missed. With "base64key://$KEY" in a configuration and KEY unset,
# a service encrypts, decrypts what it has encrypted itself, and passes its tests. After the next start nothing can be
# decrypted, and no other process ever could. Where keys of persons are wrapped by it, all of them are lost. A key of a wrong
# length is refused.
#
# Seen with gocloud.dev v0.49.0.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
printf 'module example.com/finding\n\ngo 1.26.0\n\nrequire gocloud.dev v0.49.0\n' >go.mod
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/localsecrets"
)

func main() {
	ctx := context.Background()
	_, err := secrets.OpenKeeper(ctx, "base64key://c2hvcnQ=")
	fmt.Println("a short key is refused:", err != nil)

	address := "base64key://" + os.Getenv("FINDING_KEY") // which is not set
	first, err := secrets.OpenKeeper(ctx, address)
	check(err)
	sealed, err := first.Encrypt(ctx, []byte("Ada"))
	check(err)
	opened, err := first.Decrypt(ctx, sealed)
	fmt.Printf("no key, the same process: %q, %v\n", opened, err)

	again, err := secrets.OpenKeeper(ctx, address) // as after a restart
	check(err)
	_, err = again.Decrypt(ctx, sealed)
	fmt.Println("no key, opened again: cannot be decrypted:", err != nil)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
GO
GOFLAGS=-mod=mod go run . >seen 2>log || { cat log; exit 1; }
cat >want <<'WANT'
a short key is refused: true
no key, the same process: "Ada", <nil>
no key, opened again: cannot be decrypted: true
WANT
diff -u want seen
cat seen
