#!/bin/sh
# AsyncAPI's parser checks a payload's schema only in the formats it knows, and JSON Schema 2020-12 is not one of them.
#
# A payload without schemaFormat, or with draft-07, is checked: {"type": "strnig"} is an error. The same payload declared as
# draft 2020-12 is taken without a word, so a document that names the newer draft is valid whatever its schemas say.
# A reference to the payload's own $defs is an error in every format: references start at the document.
#
# Seen with @asyncapi/parser 3.6.3.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @asyncapi/parser@3.6.3 >/dev/null
cat >main.js <<'JS'
const { Parser } = require('@asyncapi/parser')

const document = (payload) => ({
	asyncapi: '3.0.0',
	info: { title: 'Orders', version: '1.0.0' },
	channels: { orders: { address: 'orders', messages: { Placed: { payload } } } },
})
const inFormat = (format, schema) => (format ? { schemaFormat: format, schema } : schema)

async function main() {
	const misspelt = { type: 'object', properties: { cents: { type: 'strnig' } } }
	const local = { type: 'object', properties: { total: { $ref: '#/$defs/Money' } }, $defs: { Money: { type: 'integer' } } }
	const draft = (name) => `application/schema+json;version=${name}`
	for (const format of [undefined, draft('draft-07'), draft('2020-12')]) {
		for (const [name, schema] of Object.entries({ misspelt, local })) {
			const found = await new Parser().validate(document(inFormat(format, schema)))
			const errors = found.filter((d) => d.severity === 0).length
			console.log(`${format ? format.split('=')[1] : 'no schemaFormat'}, ${name}: ${errors > 0 ? 'refused' : 'taken'}`)
		}
	}
}
main()
JS
node main.js >seen
cat >want <<'WANT'
no schemaFormat, misspelt: refused
no schemaFormat, local: refused
draft-07, misspelt: refused
draft-07, local: refused
2020-12, misspelt: taken
2020-12, local: refused
WANT
diff -u want seen
cat seen
