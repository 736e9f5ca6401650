#!/bin/sh
# A text of many digits comes back from Emmett's PostgreSQL store as a bigint, without its leading zero.
#
# An event is stored as JSON, in which the text stays a text; it is changed when it is read. A text that stands for an
# integer beyond 2^53 becomes a bigint: the number of a parcel (SSCC, 18 digits, often with a zero in front), an account or an
# order is no string any more, does not equal what was stored, and JSON.stringify refuses it. A shorter number of the same
# field stays a string, so tests with short samples pass.
#
# Seen with @event-driven-io/emmett-postgresql 0.42.0 and PostgreSQL 17.5.
set -eu
dir=$(mktemp -d)
. "$(dirname "$0")/postgres"
start_postgres "$dir"
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @event-driven-io/emmett@0.42.0 @event-driven-io/emmett-postgresql@0.42.0 >/dev/null
cat >main.mjs <<'JS'
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'

const store = getPostgreSQLEventStore(`postgresql://postgres@localhost/postgres?host=${process.argv[2]}`)
for (const parcel of ['0034567', '095012345678901234']) {
	await store.appendToStream(`parcel-${parcel}`, [{ type: 'ParcelSent', data: { parcel } }])
	const { events } = await store.readStream(`parcel-${parcel}`)
	const read = events[0].data.parcel
	console.log(`stored string ${parcel}, read ${typeof read} ${read}`)
}
await store.close()
JS
node main.mjs "$dir/data" >seen
cat >want <<'WANT'
stored string 0034567, read string 0034567
stored string 095012345678901234, read bigint 95012345678901234
WANT
diff -u want seen
cat seen
