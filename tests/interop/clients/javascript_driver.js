/* javascript_driver.js: runs cases through the vendor's JavaScript client over its own mock registry. usage: node javascript_driver.js CLIENT-FOLDER IN.json OUT.json
 *
 * IN: [{name, format, text, refs: [{name, subject, version, text, tags}], tags, rules, value, message, set}], texts as a registry gives them, set: a
 * FileDescriptorSet in base64. OUT: {name: {wire: hex} | {error: text}}. */
"use strict";
const fs = require("fs");
const [folder, input, output] = process.argv.slice(2);
const from = (name) => require(require.resolve(name, { paths: [folder] }));
const sr = from("@confluentinc/schemaregistry");
const { createMutableRegistry, createFileRegistry, fromBinary, fromJson } = from("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = from("@bufbuild/protobuf/wkt");

const SECRETS = { secret: "a secret of the interop tests" };

/* {"$hex": "01"} as bytes. */
function withBytes(v) {
    if (Array.isArray(v))
        return v.map(withBytes);
    if (v === null || typeof v !== "object")
        return v;
    if (Object.keys(v).length === 1 && "$hex" in v)
        return Buffer.from(v.$hex, "hex");
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, withBytes(x)]));
}

/* The Avro client wants values of a union of several records under their names. */
function withBranches(type, v) {
    if (Array.isArray(type)) {
        const records = type.filter((t) => t.type === "record");
        if (v === null || records.length < 2)
            return v;
        const one = records.find((t) => Object.keys(v).every((k) => t.fields.some((f) => f.name === k)));
        return { [(one.namespace ? one.namespace + "." : "") + one.name]: v };
    }
    if (type.type === "record")
        return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, withBranches((type.fields.find((f) => f.name === k) || { type: "string" }).type, x)]));
    return type.type === "array" ? v.map((x) => withBranches(type.items, x)) : v;
}

function info(format, text, tags, references, rules) {
    return { schema: text, schemaType: format, references, metadata: tags ? { tags, properties: {} } : undefined, ruleSet: rules ? { domainRules: rules } : undefined };
}

async function register(client, c) {
    const references = [];
    for (const r of c.refs) {
        await client.register(r.subject, info(c.format, r.text, r.tags, [], null));
        references.push({ name: r.name, subject: r.subject, version: r.version });
    }
    await client.register(c.name + "-value", info(c.format, c.text, c.tags, references, c.rules));
}

async function protobuf(client, conf, rules, c) {
    const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(c.set, "base64")));
    const message = files.getMessage(c.message);
    const asJson = (v) => (Buffer.isBuffer(v) ? v.toString("base64") : Array.isArray(v) ? v.map(asJson)
        : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, asJson(x)])) : v);
    const serializer = new sr.ProtobufSerializer(client, sr.SerdeType.VALUE, { ...conf, registry: createMutableRegistry(message) }, rules);
    return serializer.serialize(c.name, fromJson(message, asJson(withBytes(c.value))));
}

/* One registry and one serializer a format, as a program has them that writes several topics. It matters: the Avro serializer remembers referred schemas by the
 * text of the schema that refers to them, so a topic whose reference is another version, with tags of its own, goes out in clear (avro-ref-inline-in-referred). */
const CONF = { autoRegisterSchemas: false, useLatestVersion: true, ruleConfig: SECRETS };
const client = sr.SchemaRegistryClient.newClient({ baseURLs: ["mock://"] });
const rules = new sr.RuleRegistry();
rules.registerExecutor(new sr.FieldEncryptionExecutor());
const serializers = {
    AVRO: new sr.AvroSerializer(client, sr.SerdeType.VALUE, CONF, rules),
    JSON: new sr.JsonSerializer(client, sr.SerdeType.VALUE, CONF, rules),
};

async function run(c) {
    await register(client, c);
    try {
        if (c.format === "PROTOBUF")
            return { wire: (await protobuf(client, CONF, rules, c)).toString("hex") };
        const value = c.format === "AVRO" ? withBranches(JSON.parse(c.text), withBytes(c.value)) : c.value;
        return { wire: (await serializers[c.format].serialize(c.name, value)).toString("hex") };
    } catch (e) { /* what the client throws is its outcome */
        return { error: String(e.message || e) };
    }
}

async function main() {
    sr.LocalKmsDriver.register();
    const runs = {};
    for (const c of JSON.parse(fs.readFileSync(input, "utf8")))
        runs[c.name] = await run(c);
    fs.writeFileSync(output, JSON.stringify(runs));
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
