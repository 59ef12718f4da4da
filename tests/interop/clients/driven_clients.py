#!/usr/bin/env python3
"""driven_clients.py: each measured case of compiler/clients/cases.json through a client in another language, by a driver that reads cases and writes what the
client wrote. usage: driven_clients.py REPORT.xml COLUMN[,COLUMN] VERSION DRIVER…    (the driver gets IN.json OUT.json as its last arguments)"""
import base64, json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import measure
from junit import Report
from google.protobuf import descriptor_pb2

RULE = {"name": "encrypt-PII", "kind": "TRANSFORM", "mode": "WRITEREAD", "type": "ENCRYPT", "tags": ["PII"], "onFailure": "ERROR,ERROR",
        "params": {"encrypt.kek.name": "kek1", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "local"}}


def prepared(case):
    """A case as drivers want it."""
    out = {"name": case["name"], "format": case["format"], "tags": case["metadata_tags"] or None, "rules": [RULE], "value": case["value"], "refs": []}
    if case["format"] == "PROTOBUF":
        found, names = measure.descriptors(case)
        packed = {n: base64.b64encode(found[n].SerializeToString()).decode() for n in found}
        out.update(message=case["message"], text=packed["case.proto"], source=case["schema"],
                   set=base64.b64encode(descriptor_pb2.FileDescriptorSet(file=found.values()).SerializeToString()).decode())
    else:
        packed = {r["name"]: json.dumps(r["schema"]) for r in case.get("refs", [])}
        out["text"] = json.dumps(case["schema"])
    for r in case.get("refs", []):
        out["refs"].append({"name": r["name"], "subject": r["subject"], "version": r["version"], "text": packed[r["name"]],
                            "source": r["schema"] if case["format"] == "PROTOBUF" else None, "tags": (r.get("metadata") or {}).get("tags")})
    return out


def drive(driver, columns, some):
    """What the driver wrote for these cases, by column."""
    with tempfile.TemporaryDirectory(prefix="flec-clients-") as folder:
        given, made = os.path.join(folder, "in.json"), os.path.join(folder, "out.json")
        with open(given, "w", encoding="utf-8") as f:
            json.dump([prepared(c) for c in some], f)
        subprocess.run([*driver, given, made], check=True, timeout=300)
        with open(made, encoding="utf-8") as f:
            runs = json.load(f)
    return runs if len(columns) > 1 else {columns[0]: runs}


def main():
    out, columns, version, *driver = sys.argv[1:]
    columns = columns.split(",")
    report = Report("interop-clients-" + columns[0])
    runs = measure.settled(lambda some: drive(driver, columns, some), columns)
    for column in columns:
        measure.check(report, column, version, runs[column])
    report.write(out)


main()
