#!/usr/bin/env python3
"""compat.py: compatibility of Avro schemas: flec and Apache Avro (Java), which the vendor's registry asks, judge the same pairs.

Pairs are made at random from a fixed seed: a schema and what became of it by a few changes. Both must give the same verdict, and flec's findings must be Java's.
Java gives a finding of a type that is used in two places for each of them, and those inside a union once more; flec each once: where places differ, types of findings are compared.

usage: compat.py TOOL REPORT.xml [PAIRS]      TOOL: tests/interop/compat_tool of the build
"""
import json, os, random, shutil, subprocess, sys
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("FLEC_TEST_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "flec-tests")
AVRO = os.path.join(CACHE, "avro-java-1.12.1")
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
NAMES = ["n.A", "n.B", "m.A", "m.C", "n.D"]  # none without namespace: what a name inside one then means, readers disagree on


class Maker:
    """Schemas of bounded size; named types are defined once and then used by name."""

    def __init__(self, rng):
        self.rng, self.known = rng, {}

    def named(self, kind):
        free = [n for n in NAMES if n not in self.known]
        if not free:
            return None
        name = self.rng.choice(free)
        self.known[name] = kind
        out = {"type": kind, "name": name}
        if self.rng.random() < 0.15:
            out["aliases"] = self.rng.sample(["A", "B", "n.C", "n.A", "m.C"], 2)
        return out

    def enum(self):
        out = self.named("enum")
        if out:
            out["symbols"] = self.rng.sample(["X", "Y", "Z", "W"], self.rng.randint(1, 4))
            if self.rng.random() < 0.3:
                out["default"] = self.rng.choice(out["symbols"])
        return out

    def fixed(self):
        out = self.named("fixed")
        if out:
            out["size"] = self.rng.choice([2, 4, 8])
        return out

    def field(self, name, depth):
        out = {"name": name, "type": self.type(depth - 1)}
        if self.rng.random() < 0.4:
            self.give_default(out)
        if self.rng.random() < 0.1:
            out["aliases"] = [self.rng.choice("pqrst")]
        return out

    def give_default(self, field):
        first = field["type"][0] if isinstance(field["type"], list) else field["type"]
        values = {"null": None, "boolean": True, "int": 1, "long": 2, "float": 1.5, "double": 2.5, "bytes": "b", "string": "s"}
        if isinstance(first, str) and first in values:
            field["default"] = values[first]
        elif isinstance(first, dict) and first["type"] == "array":
            field["default"] = []
        elif isinstance(first, dict) and first["type"] == "map":
            field["default"] = {}

    def record(self, depth):
        out = self.named("record")
        if out:
            out["fields"] = [self.field(n, depth) for n in self.rng.sample("abcdef", self.rng.randint(0, 4))]
        return out

    def union(self, depth):
        branches, seen = [], set()
        for _ in range(self.rng.randint(1, 4)):
            t = self.type(depth - 1, union=False)
            key = t if isinstance(t, str) else t["name"] if "name" in t else t["type"]
            if key not in seen:
                seen.add(key)
                branches.append(t)
        return branches

    def type(self, depth, union=True):
        pick = self.rng.random()
        if depth > 0 and pick < 0.2:
            return self.record(depth) or "int"
        if depth > 0 and pick < 0.3:
            return {"type": "array", "items": self.type(depth - 1)}
        if depth > 0 and pick < 0.4:
            return {"type": "map", "values": self.type(depth - 1)}
        if depth > 0 and union and pick < 0.6:
            return self.union(depth)
        if pick < 0.66:
            return self.enum() or "string"
        if pick < 0.72:
            return self.fixed() or "bytes"
        if pick < 0.8 and self.known:
            return self.rng.choice(sorted(self.known))
        return self.rng.choice(PRIMITIVES)


def parts(t):
    """All type objects and fields in a schema that can be changed in place."""
    if isinstance(t, list):
        for b in t:
            yield from parts(b)
    elif isinstance(t, dict):
        yield t
        for f in t.get("fields", []):
            yield f
            yield from parts(f["type"])
        yield from parts(t.get("items", "int"))
        yield from parts(t.get("values", "int"))


def in_order(t, known):
    """Is each name defined before it is used? Java looks ahead, the specification does not, nor does flec."""
    if isinstance(t, str):
        return t in known or t in PRIMITIVES
    if isinstance(t, list):
        return all(in_order(b, known) for b in t)
    if "name" in t:
        known.add(t["name"])
    return all(in_order(f["type"], known) for f in t.get("fields", [])) and in_order(t.get("items", "int"), known) and in_order(t.get("values", "int"), known)


def change(rng, schema):
    """One change; the result may be no schema any more, which both must refuse."""
    before = json.dumps(schema)
    changed = change_some(rng, schema)
    return changed if in_order(changed, set()) or not in_order(json.loads(before), set()) else json.loads(before)


def change_some(rng, schema):
    spots = list(parts(schema))
    if not spots:
        return rng.choice(PRIMITIVES)
    spot = rng.choice(spots)
    if "symbols" in spot:
        spot["symbols"] = rng.sample(["X", "Y", "Z", "W"], rng.randint(1, 4))
        if spot.get("default") not in spot["symbols"]:
            spot.pop("default", None)
    elif "size" in spot:
        spot["size"] = rng.choice([2, 4, 8])
    elif "fields" in spot:
        pick = rng.random()
        if pick < 0.3 and spot["fields"]:
            spot["fields"].pop(rng.randrange(len(spot["fields"])))
        elif pick < 0.6:
            new = {"name": rng.choice("pqrst"), "type": rng.choice(PRIMITIVES)}
            Maker(rng).give_default(new) if rng.random() < 0.5 else None
            spot["fields"].append(new)
        elif pick < 0.8:
            rng.shuffle(spot["fields"])
        elif spot["fields"]:
            f = rng.choice(spot["fields"])
            f["aliases"] = [f["name"]]
            f["name"] = rng.choice("pqrst")
    elif "items" in spot or "values" in spot:
        spot["items" if "items" in spot else "values"] = rng.choice(PRIMITIVES)
    elif "name" in spot:
        t = spot["type"]
        pick = rng.random()
        spot.pop("default", None)
        if pick < 0.3 and isinstance(t, list) and len(t) > 1:
            t.pop(rng.randrange(len(t)))
        elif pick < 0.5 and isinstance(t, str) and t != "null":
            spot["type"] = ["null", t]
        elif pick < 0.6 and isinstance(t, list):
            spot["type"] = t[0]
        elif isinstance(t, str):
            spot["type"] = rng.choice(PRIMITIVES)
    return schema


def pairs(n):
    rng = random.Random(20261124)
    for _ in range(n):
        a = Maker(rng).type(4)
        b = json.loads(json.dumps(a))
        for _ in range(rng.randint(0, 3)):
            b = change(rng, b)
        if rng.random() < 0.1:
            b = Maker(rng).type(3)
        yield (json.dumps(a), json.dumps(b)) if rng.random() < 0.5 else (json.dumps(b), json.dumps(a))


def classpath():
    """Apache Avro by Maven, once a user and version."""
    if not os.path.exists(AVRO + "/ready"):
        shutil.rmtree(AVRO, ignore_errors=True)
        os.makedirs(AVRO)
        subprocess.run(["mvn", "-B", "-q", "-f", os.path.join(HERE, "avro", "pom.xml"), "dependency:copy-dependencies",
                        "-DincludeScope=runtime", "-DoutputDirectory=" + AVRO], check=True, stdout=sys.stderr)
        open(AVRO + "/ready", "w").close()
    return AVRO + "/*"


def same(flec, java):
    """None, or in what they differ."""
    if (flec == "REFUSED") != (java == "REFUSED"):
        return "one refuses the schema"
    if bool(flec) != bool(java):
        return "the verdict"
    if java == "AMBIGUOUS":
        return None
    mine, theirs = set(flec.split("; ")), set(java.split("; "))
    if mine <= theirs or {f.split()[0] for f in mine} <= {f.split()[0] for f in theirs}:
        return None
    return "the findings"


def main():
    tool, report = sys.argv[1], sys.argv[2]
    made = list(pairs(int(sys.argv[3]) if len(sys.argv) > 3 else 20000))
    text = "".join(f"{r}\n{w}\n" for r, w in made)
    flec = subprocess.run([tool], input=text, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    java = subprocess.run(["java", "-cp", classpath(), os.path.join(HERE, "avro", "Judge.java")], input=text, capture_output=True,
                          text=True, check=True).stdout.split("\n")[:-1]
    assert len(flec) == len(java) == len(made), (len(flec), len(java), len(made))
    counts, bad = {}, []
    for (reader, writer), f, j in zip(made, flec, java):
        kind = "refused" if j == "REFUSED" else "incompatible" if j else "compatible"
        counts[kind] = counts.get(kind, 0) + 1
        problem = same(f, j)
        if problem:
            bad.append(problem)
            if len(bad) <= 10:
                print(f"{problem}:\n  reader {reader}\n  writer {writer}\n  flec   {f or 'compatible'}\n  Java   {j or 'compatible'}")
    thin = [k for k in ("compatible", "incompatible") if counts.get(k, 0) * 10 < len(made)]
    with open(report, "w", encoding="utf-8") as out:
        out.write(f'<testsuites><testsuite name="compat" tests="1" failures="{1 if bad or thin else 0}" errors="0" skipped="0">\n')
        out.write(f'<testcase name="{len(made)} pairs of Avro schemas are judged as Apache Avro judges them">')
        if bad or thin:
            out.write(f"<failure message={quoteattr(f'{len(bad)} differ; too few are {thin}')}/>")
        out.write("</testcase>\n</testsuite></testsuites>\n")
    print(f"compat: {len(made)} pairs ({', '.join(f'{v} {k}' for k, v in sorted(counts.items()))}), {len(bad)} judged otherwise")
    sys.exit(1 if bad or thin else 0)


main()
