module github.com/eventmap/eventmap/cmd/catalog-gen/acceptance

go 1.26.0

replace (
	github.com/eventmap/eventmap => ../../..
	github.com/eventmap/eventmap/examples/bank => ../../../examples/bank
	github.com/eventmap/eventmap/examples/shop => ../../../examples/shop
	github.com/eventmap/eventmap/examples/upgrade => ../../../examples/upgrade
)

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/eventmap/eventmap v0.0.0
	github.com/eventmap/eventmap/examples/bank v0.0.0
	github.com/eventmap/eventmap/examples/shop v0.0.0
	github.com/eventmap/eventmap/examples/upgrade v0.0.0
	github.com/google/uuid v1.6.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
