// Has the libraries that users have judge a catalogue: node check.mjs FOLDER, with values in FOLDER/values.json by the key of
// their schema. Prints what is wrong, a line for each, and what was judged.
import {readFileSync, readdirSync} from "node:fs";
import {join, resolve} from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {Parser} from "@asyncapi/parser";
import sdk from "@eventcatalog/sdk";

const folder = resolve(process.argv[2]);
const text = name => readFileSync(join(folder, name), "utf8");
const wrong = message => console.log("wrong: " + message);

// ajv, which in its strict mode refuses keywords that it does not know and those that mean nothing where they are.
const ajv = addFormats(new Ajv2020({strict: true, allErrors: true}));
const values = JSON.parse(text("values.json"));
let judged = 0;
for (const file of readdirSync(join(folder, "schemas"))) {
	const key = file.replace(".schema.json", "");
	const validate = ajv.compile(JSON.parse(text(join("schemas", file))));
	for (const {what, content} of values[key] ?? []) {
		const value = JSON.parse(content);
		if (validate(value) !== !what) wrong(`${key}: ${what || "as stored"}: ${content} ${JSON.stringify(validate.errors)}`);
		judged++;
	}
}
console.log(`ajv: ${judged} values`);

// The parser of AsyncAPI. A document whose payload is no schema has to be found wrong, or it looks at none.
const parser = new Parser();
const errors = async document => (await parser.parse(document)).diagnostics.filter(d => d.severity === 0);
for (const e of await errors(text("asyncapi.json"))) wrong(`asyncapi.json: ${e.path.join("/")}: ${e.message}`);
const broken = JSON.parse(text("asyncapi.json"));
const [first] = Object.keys(broken.components.schemas);
broken.components.schemas[first].type = "nonsense";
if (!(await errors(JSON.stringify(broken))).length) wrong("asyncapi.json: nobody looks at payloads");
const {document} = await parser.parse(text("asyncapi.json"));
console.log(`asyncapi: ${document.allMessages().length} messages, ${document.allOperations().length} operations`);

// The SDK of EventCatalog.
const {getEvents, getServices} = sdk.default ? sdk.default(join(folder, "eventcatalog")) : sdk(join(folder, "eventcatalog"));
const events = await getEvents({latestOnly: false});
const services = await getServices({latestOnly: false});
console.log("eventcatalog: " + events.map(e => `${e.id}@${e.version}`).sort().join(" "));
for (const s of services) console.log(`service ${s.name}: sends ${(s.sends ?? []).length}, receives ${(s.receives ?? []).length}`);
