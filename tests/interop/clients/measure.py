"""measure.py: what a client wrote, leaf by leaf, beside what the table of clients (compiler/clients/cases.json) says of it.

A client's run gives for each case the bytes it wrote or the error it ended with. The bytes are decoded without rules; a leaf that still is what went in was
left in clear. Paths, values and outcomes are written as in cases.json."""
import base64, io, json, os, re, subprocess, tempfile

import fastavro
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from confluent_kafka.schema_registry.confluent import meta_pb2  # noqa: F401, makes the options of fields known

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
CASES = os.path.join(ROOT, "compiler", "clients", "cases.json")
SHORTEST = 28  # bytes of an AES-GCM ciphertext: nonce and tag


def cases():
    with open(CASES, encoding="utf-8") as f:
        return json.load(f)["cases"]


def with_bytes(value):
    """{"$hex": "01"} as bytes."""
    if isinstance(value, dict):
        return bytes.fromhex(value["$hex"]) if set(value) == {"$hex"} else {k: with_bytes(v) for k, v in value.items()}
    return [with_bytes(v) for v in value] if isinstance(value, list) else value


def flat(value, path=""):
    """Leaves by path: a[0].b, m.k; nulls too."""
    if isinstance(value, dict):
        return {k: v for name, x in value.items() for k, v in flat(x, f"{path}.{name}" if path else name).items()}
    if isinstance(value, list):
        return {k: v for i, x in enumerate(value) for k, v in flat(x, f"{path}[{i}]").items()}
    return {path: value}


def is_ciphertext(value):
    if isinstance(value, bytes):
        return len(value) >= SHORTEST
    try:
        return isinstance(value, str) and len(base64.b64decode(value, validate=True)) >= SHORTEST
    except ValueError:
        return False


# ---- Protobuf ----


def descriptors(case):
    """The case's files by import name, as protoc describes them; the last is the case's own."""
    with tempfile.TemporaryDirectory(prefix="flec-proto-") as folder:
        files = [(r["name"], r["schema"]) for r in case.get("refs", [])] + [("case.proto", case["schema"])]
        for name, text in files:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        out = os.path.join(folder, "set")
        subprocess.run(["protoc", "-I", folder, "-I", os.path.join(HERE, "proto"), "--include_imports", "-o", out, "case.proto"], check=True, timeout=60)
        with open(out, "rb") as f:
            found = {d.name: d for d in descriptor_pb2.FileDescriptorSet.FromString(f.read()).file}
        return found, [name for name, _ in files]


def message_class(case):
    found, _ = descriptors(case)
    pool = descriptor_pool.DescriptorPool()
    for d in found.values():
        pool.Add(d)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(case["message"]))


def skip_indexes(body):
    """The message indexes: a count and as many numbers, zig-zag varints; a single 0 stands for [0]."""

    def number(at):
        shift = value = 0
        while True:
            value |= (body[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if not body[at - 1] & 128:
                return (value >> 1) ^ -(value & 1), at

    count, at = number(0)
    for _ in range(count):
        _, at = number(at)
    return body[at:]


def proto_value(message):
    value = {}
    for field, v in message.ListFields():
        entry = field.message_type if field.type == field.TYPE_MESSAGE else None
        if entry and entry.GetOptions().map_entry:
            inner = entry.fields_by_name["value"].type == field.TYPE_MESSAGE
            value[field.name] = {k: proto_value(v[k]) if inner else v[k] for k in v}
        elif isinstance(v, (str, bytes, int, float, bool)):
            value[field.name] = v
        elif hasattr(v, "ListFields"):
            value[field.name] = proto_value(v)
        else:
            value[field.name] = [proto_value(x) if hasattr(x, "ListFields") else x for x in v]
    return value


def proto_message(case, of_class):
    """The case's value as a message of that class, to be handed to a client."""

    def ready(v):
        if isinstance(v, bytes):
            return base64.b64encode(v).decode()
        if isinstance(v, dict):
            return {k: ready(x) for k, x in v.items()}
        return [ready(x) for x in v] if isinstance(v, list) else v

    return json_format.ParseDict(ready(with_bytes(case["value"])), of_class())


# ---- what is on the wire ----


def avro_schema(case):
    named = {}
    for r in case.get("refs", []):
        fastavro.parse_schema(r["schema"], named_schemas=named)
    return fastavro.parse_schema(case["schema"], named_schemas=named)


def decode(case, wire):
    if wire[0] != 0:
        raise ValueError(f"the frame begins with {wire[0]}")
    if case["format"] == "AVRO":
        return fastavro.schemaless_reader(io.BytesIO(wire[5:]), avro_schema(case))
    if case["format"] == "JSON":
        return json.loads(wire[5:])
    return proto_value(message_class(case).FromString(skip_indexes(wire[5:])))


def outcome(case, run):
    """run: {"wire": hex} or {"error": text}. The outcome as sets."""
    if "error" in run:
        return {"fails": True, "text": "error: " + run["error"]}
    before, after = flat(with_bytes(case["value"])), flat(decode(case, bytes.fromhex(run["wire"])))
    expected = set(case["to_be_encrypted"])
    clear = {p for p in expected if p in after and after[p] == before[p]}
    wider = {p for p in after if p not in expected and after[p] != before.get(p) and is_ciphertext(after[p])}
    broken = {p for p in expected - clear if not is_ciphertext(after.get(p))}
    broken |= {p for p in set(before) - expected - wider if before[p] is not None and after.get(p) != before[p]}
    return {"fails": False, "clear": clear, "wider": wider, "destroys": bool(broken), "broken": broken}


# ---- what the table says ----


def measured(text):
    """An outcome in the words of cases.json, as sets; None: not measured."""
    if text is None or text.startswith("not measured"):
        return None
    if text.startswith("error"):
        return {"fails": True, "text": text}
    said = {"fails": False, "clear": set(), "wider": set(), "destroys": False}
    for part in text.split("; "):
        kind, _, rest = part.partition(": ")
        if kind in ("clear", "wider"):
            said[kind] = {p for p in re.sub(r"\((?:always|in \d+ of \d+ JVM starts)\)", "", rest).split()}
        elif kind == "otherwise":
            items = rest.split()
            said["destroys"] = any(not p.endswith("=EXTRA") and "=?" not in p for p in items)
            said["another"] = {p.split("=?")[0] for p in items if "=?" in p}  # ciphertext of another value: not looked into here
    return said


def is_that_error(said, got):
    """"error: RuleError: type …": a RuleError must be among what was raised, so that another failure, of the test itself say, is not taken for the one that
    is known."""
    return said.split(": ")[1] in got


def differences(case, column, run):
    """Where the run and the table differ, as lines; empty if they agree."""
    said, got = measured(case["clients"].get(column)), outcome(case, run)
    if said is None:
        return []
    if said["fails"] or got["fails"]:
        same = said["fails"] and got["fails"] and is_that_error(said["text"], got["text"])
        return [] if same else [f"table: {case['clients'][column]}; measured: {got.get('text', 'no error')}"]
    if said["destroys"] or got["destroys"]:
        return [] if said["destroys"] == got["destroys"] else [f"table: {case['clients'][column]}; measured: other values at {sorted(got['broken'])}"]
    lines = []
    for path in said.get("another", set()) & got["clear"]:
        lines.append(f"{path}: table: ciphertext of another value; measured: clear")
    for path in sorted((said["clear"] ^ got["clear"]) | (said["wider"] ^ got["wider"])):
        word = lambda o: "clear" if path in o["clear"] else "encrypted, though it should not be" if path in o["wider"] else "as it should be"
        lines.append(f"{path}: table: {word(said)}; measured: {word(got)}")
    return lines


TRIES = 5


def settled(run, columns):
    """The runs of all cases, by column. A limit of the schema may be kept by chance, since a ciphertext begins with any character (`"pattern": "^a"`: one in 64):
    what differs is run again, and only what differs each time is a difference. run(cases): {column: {name: run}}."""
    every = cases()
    runs = run(every)
    for _ in range(TRIES - 1):
        other = [c for c in every if any("unmeasured" not in runs[k][c["name"]] and differences(c, k, runs[k][c["name"]]) for k in columns)]
        if not other:
            break
        for column, again in run(other).items():
            runs[column].update(again)
    return runs


def check(report, column, version, runs):
    """One test a case: the run of that name against the table's column."""
    for case in cases():
        if measured(case["clients"].get(column)) is None:
            continue
        if "unmeasured" in runs[case["name"]]:  # the driver cannot make that value
            print(f"-      {column}: {case['name']}: {runs[case['name']]['unmeasured']}", flush=True)
            continue

        def same(case=case):
            lines = differences(case, column, runs[case["name"]])
            if lines:
                raise AssertionError(f"{column} {version} differs from the table: " + "; ".join(lines))

        report.run(f"{column}: {case['name']}", same)
