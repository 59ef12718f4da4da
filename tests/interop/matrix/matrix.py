#!/usr/bin/env python3
"""matrix.py: the vendor's clients, as they are, and flec against one `flec serve` that holds a build of the policy in estate.py. Each client registers, looks up and
writes every record; 32 days later (the clocks of server and clients are moved) it writes where keys rotate; then each reads what each wrote. What came out goes to MATRIX.json; what
is not "sealed" or "read" must be what known.json says, of which page.py makes docs/interop.md (`make interop-doc` takes the last run over into both).

usage: matrix.py FLEC REPORT.xml MATRIX.json CLIENT=COMMAND… (python=… javascript=… go=… rust=…)"""
import base64, functools, glob, io, json, os, re, shlex, shutil, signal, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clients"), os.path.join(HERE, "..", "..", "lib")]
import estate, measure, page
from junit import Report

DAYS_AGO = 32
CORE = {"python", "javascript", "go"}  # of them each reads the plain record of each in every variant, whatever known.json says


def faked_clock(days):
    """The environment of a process whose clock is that many days back; the monotonic one goes on."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not found:
        raise RuntimeError("libfaketime is not installed")
    return {"LD_PRELOAD": found[0], "FAKETIME": f"-{days}d", "DONT_FAKE_MONOTONIC": "1"}


class Served:
    """flec serve over a directory; flec encrypt and decrypt ask it, too."""

    def __init__(self, flec, work, build):
        self.flec, self.build, self.store = flec, build, "file://" + os.path.join(work, "registry")
        self.days_back, self.env, self.process = 0, dict(os.environ, INTEROP_KEK_SECRET=estate.SECRET), None

    def clock(self, days_back):
        self.days_back = days_back
        self.env = {k: v for k, v in self.env.items() if k not in ("LD_PRELOAD", "FAKETIME")}
        if days_back:
            self.env.update(faked_clock(days_back))

    def __enter__(self):
        command = [self.flec, "serve", "--listen", "127.0.0.1:0", "--store", self.store, "--build", self.build]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.env)
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("http://"):
            raise RuntimeError("flec serve does not start")
        return self.url

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()

    def crypt(self, verb, topic, lines):
        """All records of a topic at once; where one fails, each by itself."""
        by_guid = topic.variant in estate.BY_GUID
        form = (["--framing", "guid", "--to", "envelope"] if verb == "encrypt" else ["--from", "envelope"]) if by_guid else []
        done = subprocess.run([self.flec, verb, "--plan", self.build + "/plan.json", "--topic", topic.name, "--registry", self.url, "--bytes", "base64", *form],
                              input="".join(l + "\n" for l in lines), capture_output=True, text=True, env=self.env, timeout=120)
        if done.returncode and len(lines) == 1:
            return [{"error": done.stderr.strip()}]
        if done.returncode:
            return [self.crypt(verb, topic, [l])[0] for l in lines]
        out = done.stdout.split("\n")[:-1]
        if len(out) != len(lines):
            raise RuntimeError(f"flec {verb}: {len(out)} records of {len(lines)}")
        if verb == "decrypt":
            return [{"value": json.loads(l)} for l in out]
        if not by_guid:
            return [{"wire": l} for l in out]
        return [{"wire": one["value"], "headers": one["headers"]} for one in map(json.loads, out)]

    def crypt_all(self, verb, jobs):
        """jobs: (Topic, line) in any order; the results in the same."""
        by_topic = {}
        for i, (topic, line) in enumerate(jobs):
            by_topic.setdefault(topic, []).append((i, line))
        results = {}
        for topic, mine in by_topic.items():
            results.update(zip([i for i, _ in mine], self.crypt(verb, topic, [line for _, line in mine])))
        return [results[i] for i in range(len(jobs))]


@functools.lru_cache(maxsize=None)
def described(text, message):
    """Of a Protobuf schema: what drivers want, and the class."""
    case = {"schema": text, "message": message}
    found, _ = measure.descriptors(case)
    whole = measure.descriptor_pb2.FileDescriptorSet(file=found.values())
    return {"set": base64.b64encode(whole.SerializeToString()).decode(), "message": message}, measure.message_class(case)


class Topic:
    def __init__(self, name, fmt, variant, writer, body):
        self.name, self.format, self.variant, self.writer, self.body = name, fmt, variant, writer, body
        self.shape = estate.VARIANTS[variant][1]
        self.step = {"topic": name, "format": fmt, "text": body["schema"]}
        self.by_guid, self.guid = variant in estate.BY_GUID, None
        if self.by_guid:
            self.step["framing"] = "guid"
        if fmt == "PROTOBUF":
            extra, self.cls = described(body["schema"], estate.MESSAGES[self.shape])
            self.step.update(extra)

    def decoded(self, wire):
        body = wire if self.by_guid else wire[5:]
        if self.format == "PROTOBUF":
            return measure.proto_value(self.cls.FromString(body if self.by_guid else measure.skip_indexes(body)))
        if self.format == "JSON":
            return json.loads(body)
        return measure.fastavro.schemaless_reader(io.BytesIO(body), measure.fastavro.parse_schema(json.loads(self.body["schema"])))

    def headers(self):
        """What a record has to have: 1 and the GUID, and Protobuf's place of the message, the first."""
        indexes = "00" if self.format == "PROTOBUF" else ""
        return {"__value_schema_id": "01" + self.guid.replace("-", "") + indexes} if self.by_guid else {}

    def tagged(self, path):
        import fnmatch
        return any(fnmatch.fnmatchcase(path, p.replace("[]", "[[]*]")) for p in estate.TAGGED[self.shape][self.format])

    def wrote(self, value, result):
        """"sealed", or what is wrong with the bytes."""
        if "error" in result:
            return "error: " + result["error"]
        if result.get("headers", {}) != self.headers():
            return f"headers: {json.dumps(result.get('headers', {}))}"
        wire, before = bytes.fromhex(result["wire"]), measure.flat(measure.with_bytes(value))
        if "payload" in self.variant:
            seen = [p for p, v in before.items() if isinstance(v, (str, bytes)) and len(v) > 3 and (v.encode() if isinstance(v, str) else v) in wire]
            return "clear: " + " ".join(seen) if seen else "sealed"
        after = measure.flat(self.decoded(wire))
        clear = sorted(p for p, v in before.items() if v is not None and self.tagged(p) and p in after and after[p] == v)
        lost = sorted(p for p in before if p not in after or (not self.tagged(p) and after[p] != before[p]))
        return "clear: " + " ".join(clear) if clear else "another value: " + " ".join(lost) if lost else "sealed"

    def read(self, value, result):
        if "error" in result:
            return "error: " + result["error"]
        before, after = measure.flat(value_of(value)), measure.flat(value_of(result["value"]))
        same = lambda x, y: x == y or (self.format == "PROTOBUF" and not x and not y)  # proto3 does not tell an empty one from none
        other = sorted({re.sub(r"\[\d+\]", "[]", p) for p in before.keys() | after.keys() if not same(before.get(p), after.get(p))})
        return "another value: " + " ".join(other) if other else "read"


def value_of(value):
    """Bytes as they are in the records of estate.py, so that {"$hex": …} is one leaf."""
    return measure.with_bytes(value)


def flec_line(value):
    def plain(v):
        if isinstance(v, dict):
            return base64.b64encode(bytes.fromhex(v["$hex"])).decode() if set(v) == {"$hex"} else {k: plain(x) for k, x in v.items()}
        return [plain(x) for x in v] if isinstance(v, list) else v

    return json.dumps(plain(value))


def flec_value(value, like):
    """The other way: base64 where the record has bytes."""
    if isinstance(like, dict) and set(like) == {"$hex"} and isinstance(value, str):
        return {"$hex": base64.b64decode(value).hex()}
    if isinstance(like, dict) and isinstance(value, dict):
        return {k: flec_value(v, like.get(k)) for k, v in value.items()}
    return [flec_value(v, like[i] if i < len(like) else None) for i, v in enumerate(value)] if isinstance(value, list) and isinstance(like, list) else value


class Matrix:
    def __init__(self, flec, work, drivers):
        self.work, self.drivers, self.writers = work, drivers, list(drivers) + ["flec"]
        estate.write_policy(work + "/policy", self.writers)
        build = work + "/build"
        subprocess.run([flec, "build", work + "/policy", "-o", build], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
        self.served, self.topics, self.cells, self.ids = Served(flec, work, build), [], [], {}
        for name, fmt, variant, writer in estate.topics(self.writers):
            if variant != "made":
                # what the compiler made of it: tags inline and in metadata, the rule
                self.topics.append(Topic(name, fmt, variant, writer, json.load(open(f"{build}/registry/subjects/{name}-value.json", encoding="utf-8"))))
            elif writer != "flec":
                self.topics.append(Topic(name, fmt, variant, writer, self.made(fmt, writer)))

    def made(self, fmt, writer):
        """The schema of gcm256 under a rule of its own, whose KEK nobody has made yet."""
        body = json.load(open(f"{self.work}/build/registry/subjects/matrix.{fmt.lower()}.gcm256-value.json", encoding="utf-8"))
        params = dict(body["ruleSet"]["domainRules"][0]["params"], **{"encrypt.kek.name": f"made-by-{writer}"})
        return dict(body, ruleSet={"domainRules": [dict(body["ruleSet"]["domainRules"][0], params=params)]})

    def drive(self, client, url, steps):
        given, out = os.path.join(self.work, "scenario.json"), os.path.join(self.work, "results.json")
        with open(given, "w", encoding="utf-8") as f:
            json.dump({"url": url, "secret": estate.SECRET, "days_back": self.served.days_back, "steps": steps}, f)
        subprocess.run([*self.drivers[client], given, out], check=True, timeout=300)
        with open(out, encoding="utf-8") as f:
            results = json.load(f)
        if len(results) != len(steps):
            raise RuntimeError(f"{client}: {len(results)} results of {len(steps)} steps")
        return results

    def order(self, fmt):
        """Who comes first makes the keys: another client in each format."""
        names = list(self.drivers)
        at = estate.FORMATS.index(fmt) % len(names)
        return names[at:] + names[:at]

    # ---- registering ----

    def register(self, client, url):
        own = [t for t in self.topics if t.variant == "made" and t.writer == client]
        steps = []
        for t in own:
            one = {"subject": t.name + "-value", "body": t.body}
            steps += [dict(one, do="register"), dict(one, do="register"), dict(one, do="lookup"), {"do": "latest", "subject": one["subject"]}]
        results = self.drive(client, url, steps)
        for i, t in enumerate(own):
            first, again, found, latest = results[4 * i:4 * i + 4]
            self.ids[t.name] = first.get("id")
            if "error" in first or again != first or found != {"id": first["id"], "version": 1}:
                raise AssertionError(f"{t.name}: {first}, registered again {again}, looked up {found}")
            if latest.get("id") != first["id"] or latest.get("version") != 1:
                raise AssertionError(f"{t.name}: the latest version is {latest}")

    def same_ids(self, client, url):
        """What another client registered is found by this one, with all it says."""
        others = [t for t in self.topics if t.variant == "made" and t.writer != client]
        results = self.drive(client, url, [{"do": "lookup", "subject": t.name + "-value", "body": t.body} for t in others])
        for t, found in zip(others, results):
            if found != {"id": self.ids[t.name], "version": 1}:
                raise AssertionError(f"{t.name} was registered as {self.ids[t.name]}, and {client} finds {found}")

    def learn_guids(self, url):
        import urllib.request
        for t in self.topics:
            if t.by_guid:
                with urllib.request.urlopen(f"{url}/subjects/{t.name}-value/versions/latest", timeout=20) as answer:
                    t.guid = json.load(answer)["guid"]

    # ---- writing and reading ----

    def write(self, client, url, topics, turn):
        jobs = [(t, name, value) for t in topics for name, value in estate.records(t.format, t.variant).items()]
        if url:
            results = self.drive(client, url, [dict(t.step, do="write", value=value) for t, _, value in jobs])
        else:
            results = self.served.crypt_all("encrypt", [(t, flec_line(value)) for t, _, value in jobs])
        for (t, name, value), result in zip(jobs, results):
            self.cells.append({"format": t.format, "variant": t.variant, "record": name + turn, "writer": client, "outcome": t.wrote(value, result),
                               "topic": t, "value": value, "wire": result.get("wire"), "headers": result.get("headers", {}), "reads": {}})

    def read(self, client, url):
        cells = [c for c in self.cells if c["wire"] and (client != "flec" or c["variant"] != "made")]
        if url:
            results = self.drive(client, url, [dict(c["topic"].step, do="read", wire=c["wire"], headers=c["headers"]) for c in cells])
        else:
            results = self.served.crypt_all("decrypt", [(c["topic"], self.flec_wire(c)) for c in cells])
            for c, r in zip(cells, results):
                if "value" in r:
                    r["value"] = flec_value(r["value"], c["value"])
        for c, result in zip(cells, results):
            c["reads"][client] = c["topic"].read(c["value"], result)

    @staticmethod
    def flec_wire(c):
        return json.dumps({"value": c["wire"], "headers": c["headers"]}) if c["topic"].by_guid else c["wire"]

    def run(self, report):
        self.served.clock(DAYS_AGO)
        with self.served as url:
            for client in self.drivers:
                report.run(f"{client}: registers, registers again, looks up, gets the latest version", lambda: self.register(client, url))
            for client in self.drivers:
                report.run(f"{client}: finds what the others registered under the same ids", lambda: self.same_ids(client, url))
            self.learn_guids(url)
            for fmt in estate.FORMATS:
                for client in self.order(fmt):
                    self.write(client, url, [t for t in self.topics if t.format == fmt and t.writer in (None, client)], "")
            self.write("flec", None, [t for t in self.topics if t.writer in (None, "flec")], "")
        self.served.clock(0)
        rotated = lambda client: [t for t in self.topics if t.variant == "rotated" and t.writer == client]
        with self.served as url:
            for client in self.drivers:
                self.write(client, url, rotated(client), ", rotated")
            self.write("flec", None, rotated("flec"), ", rotated")
        with self.served as url:
            for client in self.drivers:
                self.read(client, url)
            report.run("data keys: one version, two where they rotated", lambda: self.versions(url))
            self.read("flec", None)

    def versions(self, url):
        import urllib.request
        wrong = []
        for t in self.topics:
            if t.variant != "rotated" or t.writer not in CORE | {"flec"} or (t.writer == "flec" and t.format not in estate.FLEC["rotated"]):
                continue
            with urllib.request.urlopen(f"{url}/dek-registry/v1/keks/local-kek/deks/{t.name}-value/versions?algorithm=AES256_GCM", timeout=20) as answer:
                found = json.load(answer)
            if found != [1, 2]:
                wrong.append(f"{t.name}: versions {found}")
        if wrong:
            raise AssertionError("; ".join(wrong) + "; expected 1 and 2")

    def exported(self):
        return {"clients": self.writers,
                "cells": [{k: c[k] for k in ("format", "variant", "record", "writer", "outcome", "reads")} for c in self.cells]}


# ---- what came out beside what is known ----


def supported(cell, client):
    return estate.supported(client, cell["format"], cell["variant"])


def first_line(outcome):
    return re.sub(r"(: )?\d{9,}.*", "", outcome.split("\n")[0])[:120]


def exceptions(matrix):
    """Every outcome that is not the one to be had, as rows; what flec cannot do yet is not one of them."""
    rows = []
    for c in matrix["cells"]:
        where = {k: c[k] for k in ("format", "variant", "record", "writer")}
        if c["outcome"] != "sealed" and supported(c, c["writer"]):
            rows.append(dict(where, outcome=first_line(c["outcome"])))
        for reader, outcome in c["reads"].items():
            if outcome != "read" and supported(c, reader):
                rows.append(dict(where, reader=reader, outcome=first_line(outcome)))
    return rows


def kinds(rows, clients):
    """What is compared: not the words of an error."""
    kind = lambda o: "error" if o.startswith("error") else o
    key = lambda r: " ".join([r["format"], r["variant"], f"'{r['record']}'", "by", r["writer"]] + (["read by", r["reader"]] if "reader" in r else []))
    return {key(r): kind(r["outcome"]) for r in rows if r["writer"] in clients and r.get("reader", r["writer"]) in clients}


def judge(report, matrix, known, client):
    """One client as a writer and a reader: as it is known to be."""
    now = {k: v for k, v in kinds(exceptions(matrix), matrix["clients"]).items() if f"by {client}" in k}
    was = {k: v for k, v in kinds(known["exceptions"], matrix["clients"]).items() if f"by {client}" in k}
    lines = [f"{k}: {now.get(k, 'as it should be')}, known: {was.get(k, 'as it should be')}" for k in sorted(now.keys() | was.keys()) if now.get(k) != was.get(k)]
    if lines:
        raise AssertionError("; ".join(lines[:20]) + (f" and {len(lines) - 20} more" if len(lines) > 20 else ""))


def core(matrix):
    for c in matrix["cells"]:
        if c["writer"] in CORE and c["record"].startswith("texts"):
            bad = [r for r in CORE & set(matrix["clients"]) if c["reads"].get(r) != "read"]
            if c["outcome"] != "sealed" or bad:
                raise AssertionError(f"{c['format']} {c['variant']} {c['record']} by {c['writer']}: {first_line(c['outcome'])}; not read by {bad}")


def not_yet(matrix):
    """A cell that is said not to be supported and is: estate.FLEC has to be told."""
    now = {(c["format"], c["variant"]) for c in matrix["cells"] if not supported(c, "flec") and c["variant"] != "made"
           and ((c["writer"] == "flec" and c["outcome"] == "sealed") or c["reads"].get("flec") == "read")}
    if now:
        raise AssertionError("flec does this now; add it to FLEC in estate.py: " + ", ".join(" ".join(x) for x in sorted(now)))


def main():
    flec, out, where, *clients = sys.argv[1:]
    drivers = {name: shlex.split(command) for name, _, command in (c.partition("=") for c in clients)}
    report, work = Report("interop-matrix"), tempfile.mkdtemp(prefix="flec-matrix-")
    try:
        m = Matrix(flec, work, drivers)
        m.run(report)
        matrix = m.exported()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    with open(where, "w", encoding="utf-8") as f:
        json.dump(matrix, f, ensure_ascii=False, indent=0)
    known = page.known()
    report.run("python, javascript and go read each other's plain record in every format and variant", lambda: core(matrix))
    for client in m.writers:
        report.run(f"{client}: writes and reads as it is known to, {len(matrix['cells'])} records", lambda: judge(report, matrix, known, client))
    report.run("flec: what it does not support yet is refused", lambda: not_yet(matrix))
    report.run("docs/interop.md is made from known.json", page.check)
    for client in estate.CLIENTS:
        if client not in m.writers:
            report.skip(f"{client}: writes and reads as it is known to", "its client is not built here")
    report.write(out)


if __name__ == "__main__":
    main()
