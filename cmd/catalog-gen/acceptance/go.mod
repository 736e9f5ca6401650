module github.com/eventmap/eventmap/cmd/catalog-gen/acceptance

go 1.26.0

replace (
	github.com/eventmap/eventmap => ../../..
	github.com/eventmap/eventmap/examples/bank => ../../../examples/bank
	github.com/eventmap/eventmap/examples/shop => ../../../examples/shop
	github.com/eventmap/eventmap/examples/upgrade => ../../../examples/upgrade
)

require (
	github.com/eventmap/eventmap v0.0.0
	github.com/eventmap/eventmap/examples/bank v0.0.0
	github.com/eventmap/eventmap/examples/shop v0.0.0
	github.com/eventmap/eventmap/examples/upgrade v0.0.0
	github.com/google/uuid v1.6.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
)

require (
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
