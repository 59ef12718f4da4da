/* javascript_driver.js: the vendor's JavaScript client, as it is, runs the steps of a scenario against a registry. usage: node javascript_driver.js CLIENT-FOLDER
 * SCENARIO.json RESULTS.json    (the form of both: python_driver.py) */
"use strict";
const fs = require("fs");
const https = require("https");
const [folder, input, output] = process.argv.slice(2);
const from = (name) => require(require.resolve(name, { paths: [folder] }));
const sr = from("@confluentinc/schemaregistry");
const { createMutableRegistry, createFileRegistry, fromBinary, fromJson } = from("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = from("@bufbuild/protobuf/wkt");

function convert(v, leaf) {
    const is = leaf(v);
    if (is !== undefined)
        return is;
    if (Array.isArray(v))
        return v.map((x) => convert(x, leaf));
    if (v === null || typeof v !== "object")
        return v;
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, convert(x, leaf)]));
}

const isHex = (v) => v !== null && typeof v === "object" && typeof v.$hex === "string";
const native = (v) => convert(v, (x) => (isHex(x) ? Buffer.from(x.$hex, "hex") : undefined));
const inBase64 = (v) => convert(v, (x) => (isHex(x) ? Buffer.from(x.$hex, "hex").toString("base64") : undefined));
const plain = (v) => convert(v, (x) => (x instanceof Uint8Array ? { $hex: Buffer.from(x).toString("hex") } : undefined));

/* Every field of a message by its name in the schema. */
function ofMessage(desc, message) {
    const one = (f, x) => (f.message ? ofMessage(f.message, x) : x instanceof Uint8Array ? { $hex: Buffer.from(x).toString("hex") } : x);
    const out = {};
    for (const f of desc.fields) {
        const v = message[f.localName];
        out[f.name] = f.fieldKind === "list" ? v.map((x) => one(f, x)) : v === undefined ? null : one(f, v);
    }
    return out;
}

function messageOf(step) {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(step.set, "base64"))).getMessage(step.message);
}

const scenario = JSON.parse(fs.readFileSync(input, "utf8"));
const pem = (path) => path && fs.readFileSync(path);
const client = new sr.SchemaRegistryClient({
    baseURLs: [scenario.url],
    ...(scenario.user && { basicAuthCredentials: { credentialsSource: "USER_INFO", userInfo: scenario.user } }),
    ...(scenario.ca && { createAxiosDefaults: { httpsAgent: new https.Agent({ ca: pem(scenario.ca), cert: pem(scenario.certificate), key: pem(scenario.key) }) } }),
});
const clock = { now: () => Date.now() - scenario.days_back * 86400000 };
const rules = new sr.RuleRegistry();
rules.registerExecutor(new sr.FieldEncryptionExecutor(clock));
rules.registerExecutor(new sr.EncryptionExecutor(clock));
const WRITE = { autoRegisterSchemas: false, useLatestVersion: true, ruleConfig: { secret: scenario.secret } };
const READ = { useLatestVersion: true, ruleConfig: { secret: scenario.secret } };
const SERDES = {
    AVRO: [sr.AvroSerializer, sr.AvroDeserializer],
    JSON: [sr.JsonSerializer, sr.JsonDeserializer],
    PROTOBUF: [sr.ProtobufSerializer, sr.ProtobufDeserializer],
};

/* A serializer, and what makes of a value what it takes. */
function writer(s) {
    const message = s.format === "PROTOBUF" ? messageOf(s) : null;
    const conf = { ...WRITE, ...(message && { registry: createMutableRegistry(message) }), ...(s.framing === "guid" && { schemaIdSerializer: sr.HeaderSchemaIdSerializer }) };
    return [new SERDES[s.format][0](client, sr.SerdeType.VALUE, conf, rules), (v) => (message ? fromJson(message, inBase64(v)) : native(v))];
}

const actions = {
    register: async (s) => ({ id: await client.register(s.subject, s.body, false) }),
    lookup: async (s) => {
        const found = await client.getIdFullResponse(s.subject, s.body, false);
        return { id: found.id, version: found.version };
    },
    latest: async (s) => {
        const found = await client.getLatestSchemaMetadata(s.subject);
        return { id: found.id, version: found.version, guid: found.guid };
    },
    write: async (s) => {
        const [serializer, made] = writer(s), headers = {};
        const wire = await serializer.serialize(s.topic, made(s.value), headers);
        return { wire: wire.toString("hex"), headers: convert(headers, (x) => (x instanceof Uint8Array ? Buffer.from(x).toString("hex") : undefined)) };
    },
    bench: async (s) => {
        const [serializer, made] = writer(s), rates = { write: [], read: [] };
        const deserializer = new SERDES[s.format][1](client, sr.SerdeType.VALUE, READ, rules);
        const seconds = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6; };
        for (let turn = 0; turn <= s.rounds; turn++) { // the first fills the caches; values anew: a client may write into them
            const values = [...Array(s.count).keys()].map((i) => made(s.values[i % s.values.length])), wires = [];
            let start = seconds();
            for (const v of values)
                wires.push(await serializer.serialize(s.topic, v));
            rates.write.push(s.count / (seconds() - start));
            start = seconds();
            for (const w of wires)
                await deserializer.deserialize(s.topic, w);
            rates.read.push(s.count / (seconds() - start));
        }
        return { write: rates.write.slice(1), read: rates.read.slice(1) };
    },
    read: async (s) => {
        const deserializer = new SERDES[s.format][1](client, sr.SerdeType.VALUE, READ, rules);
        const headers = Object.fromEntries(Object.entries(s.headers || {}).map(([k, v]) => [k, Buffer.from(v, "hex")]));
        const value = await deserializer.deserialize(s.topic, Buffer.from(s.wire, "hex"), headers);
        return { value: s.format === "PROTOBUF" ? ofMessage(messageOf(s), value) : plain(value) };
    },
};

async function main() {
    sr.LocalKmsDriver.register();
    const results = [];
    for (const step of scenario.steps)
        try {
            results.push(await actions[step.do](step));
        } catch (e) { /* what the client throws is its outcome */
            results.push({ error: String(e.message || e) });
        }
    fs.writeFileSync(output, JSON.stringify(results));
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
