#!/usr/bin/env python3
"""mutations.py: what is emitted is mutated, and a test of the policy must notice.

Each CSFLE and converter line of each connector's file of `flec build policies` is deleted, misspelt and flipped in turn; then the connector's tests run on the
directory as it lies. Each mutation is caught by its effect on the records, or by the five lines of the vendor's document (`not-csfle`), or is one of the few without
an effect in one run, which WITHOUT_EFFECT names with its source. All outcomes stand in tests/mutations.expect.

usage: mutations.py FLEC [--report FILE] [--update]
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
EXPECT = os.path.join(HERE, "mutations.expect")
sys.path.insert(0, os.path.join(HERE, "lib"))
from junit import Report

LINES = re.compile(r"^(csfle\.enabled|(key|value)\.converter(\..*)?|rule\.executors\..*|errors\.(tolerance|deadletterqueue\.topic\.name))$")
NO_REGISTRY = re.compile(r"^org\.apache\.kafka\.connect\.(storage\.StringConverter|json\.JsonConverter|converters\.ByteArrayConverter)$")
# a property, when that holds of the connector's file, and why nothing changes then
WITHOUT_EFFECT = [
    (r"^(key|value)\.converter\.latest\.cache\.ttl\.sec$", lambda c, k: True,
     "decides when new rules are seen, and in one run there are none (docs/connect-emulation.md)"),
    (r"^key\.converter\..*$", lambda c, k: NO_REGISTRY.match(c["key.converter"]),
     "beside a key converter without a registry its lines do nothing (docs/connect-emulation.md)"),
    (r"^rule\.executors\..*$", lambda c, k: "value.converter." + k in c,
     "the unprefixed form counts where the policy says `documented` alone; here it says both, and the prefixed form is read (docs/connect-emulation.md)"),
    (r"^errors\.", lambda c, k: True, "acts only on a record that fails, and none does (Connect's error handling)"),
]


def misspelt(name):
    """The last two letters of the property change places; equal ones: the last is doubled."""
    return name[:-2] + name[-1] + name[-2] if name[-1] != name[-2] else name + name[-1]


def flipped(value):
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    if re.fullmatch(r"\d+", value):
        return str(int(value) + 1)
    return value + ".other"


MUTATIONS = [
    ("deleted", lambda c, k: {n: v for n, v in c.items() if n != k}),
    ("misspelt", lambda c, k: {misspelt(n) if n == k else n: v for n, v in c.items()}),
    ("flipped", lambda c, k: {n: flipped(v) if n == k else v for n, v in c.items()}),
]


def run_tests(flec, build, edited, names):
    """The first message of a test that fails, or None. Every run must name the edited files, and no other."""
    for name in names:
        done = subprocess.run([flec, "test", build, "--format", "json", "--filter", name], capture_output=True, text=True, timeout=120)
        if done.returncode not in (0, 1):
            raise AssertionError(f"flec test exits with {done.returncode}: {done.stderr.strip()}")
        answer = json.loads(done.stdout)
        if answer["edited"] != edited:
            raise AssertionError(f"{edited} was edited, flec names {answer['edited']}")
        if not answer["tests"]:
            raise AssertionError(f"no test ran for --filter {name}")
        for test in answer["tests"]:
            if test["verdict"] == "failed":
                return test["message"]
    return None


def outcome(message, config, property):
    if message is None:
        sources = [why for pattern, holds, why in WITHOUT_EFFECT if re.match(pattern, property) and holds(config, property)]
        return "no effect: " + sources[0] if sources else "NOT CAUGHT"
    if message.startswith("not-csfle"):
        return "not-csfle"
    return "caught: " + re.sub(r"\d+ bytes", "N bytes", message)[:160]


def tests_of(build, connector):
    suite = json.load(open(build + "/tests.json", encoding="utf-8"))
    names = [t["name"] for t in suite["tests"] if any(s.get("connector") == connector for s in t["steps"])]
    if not names:
        raise AssertionError(f"no test of the policy uses the connector {connector}")
    return names


def mutate_all(flec, build):
    rows = []
    for file in sorted(f for f in os.listdir(build + "/connect") if f.endswith(".json")):
        connector, path = file[:-5], f"{build}/connect/{file}"
        text = open(path, encoding="utf-8").read()
        config, names = json.loads(text), tests_of(build, connector)
        failed = run_tests(flec, build, [], names)
        if failed:
            raise AssertionError(f"{connector}: a test fails before anything is edited: {failed}")
        for property in sorted(k for k in config if LINES.match(k)):
            for what, mutate in MUTATIONS:
                with open(path, "w", encoding="utf-8") as f:
                    json.dump(mutate(config, property), f, indent=2)
                rows.append("\t".join((connector, property, what, outcome(run_tests(flec, build, ["connect/" + file], names), config, property))))
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    return rows


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("--report")
    p.add_argument("--update", action="store_true")
    a = p.parse_args()
    work = tempfile.mkdtemp(prefix="flec-mutations-")
    try:
        subprocess.run([a.flec, "build", ROOT + "/policies", "--env", "prod", "-o", work + "/build", "--today", "2026-11-24"], check=True, stdout=subprocess.DEVNULL)
        rows = mutate_all(os.path.abspath(a.flec), work + "/build")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if a.update:
        with open(EXPECT, "w", encoding="utf-8") as f:
            f.write("\n".join(rows) + "\n")
    want = open(EXPECT, encoding="utf-8").read().split("\n")[:-1]
    report = Report("mutations")

    def same(i):
        if rows[i] != (want[i] if i < len(want) else None):
            raise AssertionError(f"expected {want[i] if i < len(want) else 'nothing'}\n       found    {rows[i]}")
        if rows[i].endswith("NOT CAUGHT"):
            raise AssertionError("no test notices, and no source says why one need not")

    quiet, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")
    for i, row in enumerate(rows):
        report.run(" ".join(row.split("\t")[:3]), lambda: same(i))
    report.run("as many as expected", lambda: (_ for _ in ()).throw(AssertionError(f"{len(rows)}, expected {len(want)}")) if len(rows) != len(want) else None)
    sys.stdout = quiet
    failed = [r for r in report.rows if r[2]]
    for name, _, problem in failed[:20]:
        print("FAILED " + name + "\n       " + problem)
    print(f"mutations: {len(report.rows) - len(failed)} passed, {len(failed)} failed")
    report.write(a.report or os.devnull)


main()
