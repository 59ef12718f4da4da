#!/usr/bin/env python3
"""generate.py: what hostile cases need and no text file can hold: huge, deep, binary. The same bytes on every run.

usage: generate.py NAME FOLDER       NAME: a function below, which writes its files into FOLDER
"""
import json, os, sys

USE = 'use "base.flec"\n'


def write(folder, name, data):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode("utf-8"))


def topic(body, name="t"):
    return f'topic {name} {{\n  value {body}\n  clear because "x"\n}}\n'


def side(form):
    return USE + f'topic t {{\n  value {form} {{\n    field a is PII\n    encrypt PII with k {{\n      rotate 90d\n    }}\n  }}\n}}\n'


def main():
    makers = {n: f for n, f in globals().items() if n.startswith("make_")}
    maker = makers.get("make_" + sys.argv[1].replace("-", "_")) if len(sys.argv) == 3 else None
    if not maker:
        sys.exit("usage: generate.py NAME FOLDER, NAME one of " + ", ".join(sorted(n[5:].replace("_", "-") for n in makers)))
    maker(sys.argv[2])


# ---- bytes that are no text ----

def make_bytes(folder):
    good = b'tag A "x"\n'
    files = {
        "nul": good + b"tag B \x00\n",
        "nuls": bytes(4096),
        "latin-1": b'tag A "caf\xe9"\n',
        "overlong": b'tag A "\xc0\xaf\xe0\x80\xaf"\n',
        "surrogate": b'tag A "\xed\xa0\x80"\n',
        "above-unicode": b'tag A "\xf4\x90\x80\x80"\n',
        "cut-character": b'tag A "\xe2\x82',
        "lone-continuation": b"\x80\x81\x82\n" + good,
        "utf-16": "tag A \"x\"\n".encode("utf-16"),
        "utf-32": "tag A \"x\"\n".encode("utf-32"),
        "mark-inside": b"\xef\xbb\xbf" + good + b"\xef\xbb\xbf" + good,
        "mark-twice": b"\xef\xbb\xbf\xef\xbb\xbf" + good,
        "lone-cr": b"tag A\r\"x\"\r",
        "form-feed": b"tag A \x0c \"x\"\n",
        "escape": b"# \x1b[2J\x1b]0;owned\x07\n",
        "c1": b"# \xc2\x9b31m\n",
        "delete": b'tag A "\x7f"\n',
        "bidi-comment": "# \u202e nothing to see \u202c\n".encode(),
        "bidi-string": 'tag A "\u2067x\u2069"\n'.encode(),
        "bidi-marks": 'tag A "\u200e\u200f\u061c"\n'.encode(),
        "bidi-name": 'topic t\u202e {\n}\n'.encode(),
        "bidi-secret": 'connector c : s3-sink 10.5.13 {\n  config {\n    aws.secret.access.key = "\u202ehunter2-planted"\n  }\n}\n'.encode(),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4,
        "gzip": b"\x1f\x8b\x08\x00" + bytes(range(255, -1, -1)) * 4,
        "every-byte": bytes(range(256)) + b"\n",
        "every-byte-a-line": b"".join(b"%c\n" % i for i in range(256)),
        "no-line-end": b"tag",
    }
    for name, data in files.items():
        write(folder, name + ".flec", data)


def make_schema_bytes(folder):
    for name, data in {"nul": b'{"type": "record\x00", "name": "R", "fields": []}', "latin-1": b'{"type": "record", "name": "R", "doc": "\xe9", "fields": []}',
                       "utf-16": '{"type": "string"}'.encode("utf-16"), "binary": bytes(range(256)), "nuls": bytes(512)}.items():
        for form, end in (("avro", "avsc"), ("json", "json"), ("protobuf", "proto")):
            write(folder, f"{name}.{end}", data)
            write(folder, f"{name}-{form}.flec", side(f'{form} "{name}.{end}"' + (" message M" if form == "protobuf" else "")))


# ---- deep and huge policies ----

def make_deep(folder):
    write(folder, "blocks.flec", "topic t {\n" * 65 + "}\n" * 65)
    write(folder, "blocks-open.flec", "a {\n" * 50000)
    write(folder, "blocks-closed.flec", "}\n" * 50000)
    write(folder, "brackets.flec", "let a = " + "[" * 65 + '"x"' + "]" * 65 + "\n")
    write(folder, "brackets-open.flec", "let a = " + "[" * 200000 + "\n")
    write(folder, "objects.flec", 'test "x" {\n  produce t ' + '{"a":' * 65 + "1" + "}" * 65 + "\n  expect refused\n}\n")
    write(folder, "objects-open.flec", 'test "x" {\n  produce t ' + '{"a":' * 100000 + "\n")
    write(folder, "calls.flec", "let a = " + "secret(" * 50000 + "\n")
    g = USE + 'guardrail "x" error {{\n  every field\n  requires {}\n}}\n'
    write(folder, "parens.flec", g.format("(" * 65 + "encrypted" + ")" * 65))
    write(folder, "parens-open.flec", g.format("(" * 200000))
    write(folder, "nots.flec", g.format("not " * 200000 + "encrypted"))
    write(folder, "ands.flec", g.format(" and ".join(["nobody"] * 200000)))
    write(folder, "quantifiers.flec", g.format("every field (" * 100 + "encrypted" + ")" * 100))
    write(folder, "lines-in-parens.flec", g.format("(" + "\n" * 200000 + "encrypted"))


def make_huge(folder):
    write(folder, "file.flec", b"#" * ((16 << 20) + 1))
    write(folder, "spaces.flec", b" " * (4 << 20) + b"x")
    write(folder, "lines.flec", b"\n" * (4 << 20) + b"x\n")
    write(folder, "string.flec", 'tag A "' + "x" * ((64 << 10) + 1) + '"\n')
    write(folder, "string-open.flec", 'tag A "' + "x" * (8 << 20))
    write(folder, "raw.flec", "let a = '" + "x" * ((64 << 10) + 1) + "'\n")
    write(folder, "word.flec", "tag " + "x" * (4 << 20) + "\n")
    write(folder, "list.flec", "let a = [" + ", ".join(['"x"'] * 100001) + "]\n")
    write(folder, "phrase.flec", "use " + "a, " * 100001 + "b\n")
    write(folder, "errors.flec", "@\n" * 50000)
    write(folder, "errors-a-line.flec", "@" * 1000000 + "\n")
    write(folder, "unknown.flec", "".join(f"statement{i} x\n" for i in range(20000)))
    write(folder, "control.flec", b"\x01\n" * 50000)
    write(folder, "same-topic.flec", USE + topic("string") * 3000)
    write(folder, "same-let.flec", USE + 'let a = "x"\n' * 5000)
    write(folder, "no-topics.flec", USE + "".join(f'connector c{i} : s3-sink 10.5.13 {{\n  topics n{i}\n}}\n' for i in range(1000)))
    write(folder, "no-keks.flec", USE + "".join(
        f'topic t{i} {{\n  value avro "base.avsc" {{\n    field ssn is PII\n    field id is clear\n    encrypt PII with n{i}\n  }}\n}}\n' for i in range(1000)))
    write(folder, "variables.flec", USE + "".join(f'let v{i} = "${{v{i + 1}}}"\n' for i in range(50000)))
    write(folder, "variable-circle.flec", USE + "".join(f'let v{i} = "${{v{(i + 1) % 900}}}"\n' for i in range(900)))
    write(folder, "no-variables.flec", USE + "let a = \"" + "".join(f"${{n{i}}}" for i in range(1000)) + "\"\n" + topic("string", '"${a}"'))
    write(folder, "paths.flec", USE + 'topic t {\n  value avro "base.avsc" {\n' + "".join(f"    field n{i} is PII\n" for i in range(5000)) +
          "    encrypt PII with k {\n      rotate 90d\n    }\n  }\n}\n")
    write(folder, "waivers.flec", USE + "".join(f'allow unused-kek on kek n{i} because "x"\n' for i in range(5000)))
    write(folder, "guardrails.flec", USE + "".join(f'guardrail "g{i}" error {{\n  every topic\n  requires name == "x"\n}}\n' for i in range(1000)))
    write(folder, "writers.flec", USE + 'topic t {\n  value string\n  clear because "x"\n  writers ' + ", ".join(f"User:n{i}" for i in range(1000)) + "\n}\n")


def make_bombs(folder):
    write(folder, "laughs.flec", USE + 'let v0 = "ha ha ha ha"\n' + "".join(f'let v{i} = "{f"${{v{i - 1}}}" * 10}"\n' for i in range(1, 12)) + topic("string", '"${v11}"'))
    write(folder, "squares.flec", USE + 'let v = "' + "x" * 60000 + '"\n' + topic("string", '"' + "${v}" * 9000 + '"'))
    rows = ", ".join(f'"{i}"' for i in range(100000))
    some = ", ".join(f'"{i}"' for i in range(2000))
    body = "  value string\n  clear because \"x\"\n"
    write(folder, "for.flec", USE + f"let l = [{rows}]\n" + "".join(f'topic "t{k}.${{p}}" for p in l {{\n{body}}}\n' for k in range(40)))
    write(folder, "for-long-text.flec", USE + 'let v = "' + "x" * 60000 + '"\n' + f"let l = [{some}]\n" + 'topic "t.${p}" for p in l {\n  value string\n  clear because "${v}${v}"\n}\n')
    write(folder, "for-same.flec", USE + "let l = [" + ", ".join(['"a"'] * 2000) + ']\ntopic "t.${p}" for p in l {\n  value string\n  clear because "x"\n}\n')
    write(folder, "for-errors.flec", USE + f'let l = [{some}]\nkek "k.${{p}}" for p in l {{\n  kms local "k"\n  shared\n}}\n')
    write(folder, "uses.flec", "".join(f'use "u/{i}.flec"\n' for i in range(2000)))
    for i in range(2000):
        write(folder, f"u/{i}.flec", f'use "{(i + 1) % 2000}.flec"\n' + ('tag A "x"\n' if i % 1000 == 0 else ""))
    write(folder, "environments.flec", USE + "".join(f'environment e{i} {{}}\n' for i in range(500)) + 'let a = "${b}"\n')


# ---- deep and huge schemas ----

def make_schemas(folder):
    def one(name, form, end, text, message=""):
        write(folder, f"{name}.{end}", text)
        write(folder, f"{name}.flec", side(f'{form} "{name}.{end}"{message}'))

    one("avro-deep", "avro", "avsc", '{"type": "record", "name": "R", "fields": [{"name": "a", "type": ' + '{"type": "array", "items": ' * 300 + '"string"' + "}" * 300 + "}]}\n")
    one("avro-open", "avro", "avsc", "[" * 1000000)
    one("avro-union", "avro", "avsc", '{"type": "record", "name": "R", "fields": [{"name": "a", "type": ' +
        json.dumps([{"type": "record", "name": f"R{i}", "fields": [{"name": "b", "type": "int"}]} for i in range(5000)]) + "}]}\n")
    one("avro-fields", "avro", "avsc", json.dumps({"type": "record", "name": "R", "fields": [{"name": f"f{i}", "type": "string"} for i in range(50000)]}))
    one("avro-big", "avro", "avsc", '{"type": "record", "doc": "' + "x" * (17 << 20) + '", "name": "R", "fields": []}')
    doubling = {"type": "record", "name": "R0", "fields": [{"name": "x", "type": "string"}]}
    for i in range(1, 40):
        doubling = {"type": "record", "name": f"R{i}", "fields": [{"name": "l", "type": doubling}, {"name": "r", "type": f"R{i - 1}"}]}
    one("avro-doubling", "avro", "avsc", json.dumps(doubling))
    one("json-deep", "json", "json", '{"type": "object", "properties": {"a": ' * 300 + "{}" + "}}" * 300)
    one("json-open", "json", "json", '{"a":' * 500000)
    one("json-fields", "json", "json", json.dumps({"type": "object", "properties": {f"f{i}": {"type": "string"} for i in range(50000)}}))
    defs = {f"D{i}": {"type": "object", "properties": {"l": {"$ref": f"#/definitions/D{i + 1}"}, "r": {"$ref": f"#/definitions/D{i + 1}"}}} for i in range(40)}
    defs["D40"] = {"type": "string"}
    one("json-doubling", "json", "json", json.dumps({"$ref": "#/definitions/D0", "definitions": defs}))
    combined = {f"D{i}": {"allOf": [{"$ref": f"#/definitions/D{i + 1}"}] * 2} for i in range(40)}
    combined["D40"] = {"type": "object", "properties": {"a": {"type": "integer"}}}
    one("json-combined", "json", "json", json.dumps({"$ref": "#/definitions/D0", "definitions": combined}))
    chain = {f"D{i}": {"$ref": f"#/definitions/D{i + 1}"} for i in range(20000)}
    chain["D20000"] = {"type": "integer"}
    one("json-chain", "json", "json", json.dumps({"type": "object", "properties": {"a": {"$ref": "#/definitions/D0"}}, "definitions": chain}))
    p = 'syntax = "proto3";\n'
    one("proto-deep", "protobuf", "proto", p + "".join(f"message M{'' if not i else i} {{\n" for i in range(200)) + "}\n" * 200, " message M")
    one("proto-fields", "protobuf", "proto", p + "message M {\n" + "".join(f"  string f{i} = {i + 1};\n" for i in range(5000)) + "}\n", " message M")
    one("proto-doubling", "protobuf", "proto", p + "message M {\n  M0 l = 1;\n}\n" + "".join(
        f"message M{i} {{\n  M{i + 1} l = 1;\n  M{i + 1} r = 2;\n}}\n" for i in range(40)) + "message M40 {\n  string x = 1;\n}\n", " message M")
    one("proto-errors", "protobuf", "proto", p + "message M {\n" + "  string a = 1;\n" * 5000 + "}\n", " message M")
    one("proto-line", "protobuf", "proto", p + "/*" + "x" * (2 << 20), " message M")


# ---- builds that --previous is given ----

# Parts that are put into a true build, which the case makes first: PART is copied over old/.
def make_previous(folder):
    def part(name, path, data):
        write(folder, f"{name}/{path}", data)

    plan, subject, kek = "plan.json", "registry/subjects/base.topic-value.json", "registry/keks/k.json"
    write(folder, "new.flec", USE)
    write(folder, "a-file", b"x")
    os.makedirs(os.path.join(folder, "empty"), exist_ok=True)
    for name, data in {
        "manifest-empty": b"", "manifest-binary": bytes(range(256)), "manifest-list": b"[]", "manifest-other": b'{"format": "other", "version": 1}',
        "manifest-newer": b'{"format": "flec-build", "version": 999, "files": {}}', "manifest-odd": b'{"format": "flec-build", "version": "1", "files": []}',
        "manifest-deep": b"[" * 1000000, "manifest-number": b'{"format": "flec-build", "version": 1e999999, "files": {}}',
        "manifest-files": b'{"format": "flec-build", "version": 1, "files": {"../../../etc/passwd": 5, "plan.json": null}}',
    }.items():
        part(name, "MANIFEST", data)
    topic = b'{"format": "flec-plan", "version": 2, "keks": [%s], "subjects": [], "topics": [{"name": "base.topic", "clear": null, "key": {"format": "string"}, "value": %s}]}'
    for name, data in {
        "plan-empty": b"", "plan-binary": bytes(range(256)), "plan-list": b"[]", "plan-null": b"null", "plan-deep": b'{"a":' * 1000000,
        "plan-newer": b'{"format": "flec-plan", "version": 999}', "plan-odd": b'{"format": "flec-plan", "version": 2, "topics": {}, "keks": 5, "subjects": "x"}',
        "plan-utf-8": b'{"format": "flec-plan", "version": 2, "topics": [{"name": "\xff"}]}', "plan-nul": b'{"format": "flec-plan", "version": 2, "topics": [{"name": "a\\u0000b"}]}',
        "plan-topics": b'{"format": "flec-plan", "version": 2, "topics": [1, null, [], {}, {"name": 5}, {"name": "base.topic", "value": []}]}',
        "plan-side": topic % (b"", b'{"format": "avro", "subject": 5, "schema": [], "ruleSet": 7}'),
        "plan-schema": topic % (b"", b'{"format": "avro", "subject": "base.topic-value", "schemaType": "AVRO", "schema": "{"}'),
        "plan-format": topic % (b"", b'{"format": "xml", "subject": "base.topic-value", "schemaType": "XML", "schema": "<x/>"}'),
        "plan-rules": topic % (b"", b'{"format": "avro", "subject": "base.topic-value", "schemaType": "AVRO", "schema": "\\"string\\"", '
                               b'"ruleSet": {"domainRules": [1, null, {"name": 5, "params": []}, {"type": "ENCRYPT", "tags": {}, "params": {"encrypt.kek.name": 1}}]}}'),
        "plan-references": topic % (b"", b'{"format": "avro", "subject": "base.topic-value", "schemaType": "AVRO", "schema": "\\"string\\"", '
                                    b'"references": [1, {"name": 5}, {"name": "a", "subject": "base.topic-value", "version": -1}]}'),
        "plan-keks": topic % (b'1, {"name": 5}, {"name": "k", "kmsType": [], "kmsKeyId": null}', b"null"),
        "plan-controls": topic % (b'{"name": "k", "kmsType": "aws-kms", "kmsKeyId": "\\u001b[31m\\u202e"}', b"null"),
        "plan-twice": topic.replace(b'"topics"', b'"topics": [], "topics"') % (b"", b"null"),
    }.items():
        part(name, plan, data)
    for name, data in {"subject-broken": b"{", "subject-list": b"[]", "subject-schema": b'{"schemaType": "AVRO", "schema": "{"}', "subject-number": b'{"schema": 42}',
                       "subject-utf-8": b'{"schema": "\xff\xfe"}', "subject-tags": b'{"schemaType": "AVRO", "schema": "\\"string\\"", "metadata": {"tags": {"a": 5, "b": [1]}}}'}.items():
        part(name, subject, data)
    part("kek-broken", kek, b"nothing")
    part("kek-odd", kek, b'{"name": 5, "kmsType": [], "kmsKeyId": null}')


# ---- lists of words that sound personal ----

def make_words(folder):
    write(folder, "new.flec", USE)
    for name, data in {"empty": b"", "binary": bytes(range(256)), "latin-1": b"caf\xe9\n", "nul": b"a\x00b\n", "bidi": "a\u202eb\n".encode(), "punctuation": b"a-b!\n",
                       "long-line": b"x" * (1 << 20) + b"\n", "many": b"".join(b"word%d\n" % i for i in range(200000)), "huge": b"x\n" * (20 << 20),
                       "spaces": b"   \n\t\n"}.items():
        write(folder, name + ".words", data)
    os.makedirs(os.path.join(folder, "folder.words"), exist_ok=True)


if __name__ == "__main__":
    main()
