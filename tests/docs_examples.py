#!/usr/bin/env python3
"""docs_examples.py: every example of policy text in the documentation is compiled, and what pages of checks show is what flec says.

An example is a block that begins with ```flec. Behind that may stand the block of the language that it is a part of (`platform`, `kek`, `topic`, `side`, `encrypt`,
`connector`, `config`, `environment`, `test`); without one it stands at the top level. It is written into such a block and checked: nothing in it may be refused by
the grammar or the forms, but on the pages of the checks whose business that is (there it must be). An example with a platform of its own is a whole policy: then
nothing else may be found in it but files that are not there.

A block of docs/checks/NAME.md that begins with a finding must stand in a golden case of that check, line numbers apart. A block that says nothing of its
language must not be policy text: it begins with a finding, or is listed in OTHER.

usage: docs_examples.py FLEC [--report FILE.xml]
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from junit import Report  # noqa: E402

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
FINDING = re.compile(r"\S+:\d+:\d+: (error|warning): .* \[[a-z0-9-]+\]$")
AROUND = {
    "": [],
    "platform": ["platform cloud {"],
    "kek": ["kek example {"],
    "topic": ["topic example {"],
    "side": ["topic example {", 'value avro "example.avsc" {'],
    "encrypt": ["topic example {", 'value avro "example.avsc" {', "encrypt PII with example {"],
    "connector": ["connector example : s3-sink 10.5.13 {"],
    "config": ["connector example : s3-sink 10.5.13 {", "config {"],
    "environment": ["environment example {"],
    "test": ['test "example" {'],
}
PLATFORM = ["platform cloud {", "workers 7.9.2", 'registry "https://registry.example"', 'kafka "broker.example:9092"', "}"]
LACKS = re.compile(r" missing in `|has no `")
FORMS = ("syntax", "duplicate-attribute")  # what the grammar and the forms refuse; pages of these show what is refused
# blocks of pages that are neither policy text nor findings, by their first line
OTHER = {
    "README.md": ("make demo ", "1. The policy in", "$ flec ", '  "csfle.enabled"', "make && sudo"),
    "policies/README.md": (),
    "docs/language.md": ("file     = ",),
    "docs/build-directory.md": ("DIR/",),
    "docs/how-it-is-built.md": (" *.flec ", "    0  length", "start 1\n"),
    "docs/serve.md": ("$ ",),
    "docs/output.md": ("flec check --format sarif", "::error "),
    "docs/registry.md": ("flec-registry 3 ",),
    "docs/checks/incompatible-schema.md": ('{"name": "id"',),
}


def pages():
    found = ["README.md", "policies/README.md", "CONTRIBUTING.md"] + [os.path.relpath(p, ROOT) for p in glob.glob(ROOT + "/docs/**/*.md", recursive=True)]
    return sorted(found)


def blocks(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        text = f.read()
    for m in BLOCK.finditer(text):
        yield text.count("\n", 0, m.start()) + 1, m[1].strip(), m[2]


def check(flec, text):
    with tempfile.TemporaryDirectory(prefix="flec-examples-") as work:
        path = os.path.join(work, "example.flec")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run([flec, "check", path, "--today", "2026-11-24", "--format", "json"], capture_output=True, text=True, timeout=60)
        if done.returncode not in (0, 1):
            raise AssertionError(f"flec check exits with {done.returncode}: {done.stderr.strip()[:300]}")
        return json.loads(done.stdout)["diagnostics"]


def compile_example(flec, page, hint, text):
    if hint not in AROUND:
        raise AssertionError(f"no block is called `{hint}`")
    closed = "}\n" * len(AROUND[hint])
    around = ([] if re.search(r"^platform ", text, re.M) or hint == "platform" else PLATFORM) + AROUND[hint]
    last = text.count("\n")
    found = check(flec, "".join(line + "\n" for line in around) + text + closed)
    # of what stands around it only this is no matter: that a block lacks what the example does not show
    mine = [d for d in found if len(around) < d["line"] <= len(around) + last or (d["check"] in FORMS and not LACKS.search(d["message"]))]
    about = os.path.basename(page)[:-3]
    whole = re.search(r"^platform ", text, re.M) and re.search(r"^  workers ", text, re.M) and re.search(r"^topic ", text, re.M)
    if about in FORMS:
        if about not in {d["check"] for d in mine}:
            raise AssertionError(f"shows no {about}")
        return
    refused = [d for d in (found if whole else mine) if d["check"] in FORMS or (whole and d["check"] != "no-such-file")]
    if refused:
        d = refused[0]
        raise AssertionError(f"line {d['line'] - len(around)}: {d['message']} [{d['check']}]")


def without_numbers(text):
    """A finding's text without its numbers of lines, with the gutter narrow: a page may show a shorter file than the case."""
    text = re.sub(r"^(\S+\.flec):\d+:", r"\1:#:", text, flags=re.M)
    return re.sub(r"^ *\d* (\||\.\.\.| = )", r"\1", text, flags=re.M)


def show_finding(page, text, cases):
    lines = text.rstrip("\n").split("\n")
    if re.match(r"\d+ errors?, \d+ warnings?", lines[-1]):
        lines.pop()
    if page.startswith("docs/checks/") and not any(without_numbers("\n".join(lines)) in without_numbers(c) for c in cases):
        raise AssertionError("no case of this check shows it:\n" + text)


def cases_of(page):
    name = os.path.basename(page)[:-3]
    found = []
    for path in glob.glob(f"{ROOT}/**/cases/{name}*.case", recursive=True):
        with open(path, encoding="utf-8") as f:
            found.append(f.read())
    return found


def plain(page, text):
    if not text.startswith(OTHER.get(page, ("\0",)) or ("\0",)):
        raise AssertionError("a block of no language: write ```flec, or list it in tests/docs_examples.py:\n" + text[:200])


def test_of(flec, page, language, text):
    if language.split(" ")[0] == "flec":
        return lambda: compile_example(flec, page, language[4:].strip(), text)
    if FINDING.match(text.split("\n")[0]):
        return lambda: show_finding(page, text, cases_of(page))
    return (lambda: plain(page, text)) if not language else None


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("--report")
    a = p.parse_args()
    report, flec = Report("examples"), os.path.abspath(a.flec)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tests = [(f"{page}:{line}", test_of(flec, page, language, text)) for page in pages() for line, language, text in blocks(page)]
        futures = [(name, pool.submit(test)) for name, test in tests if test]
        quiet, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")
        for name, future in futures:
            report.run(name, future.result)
        sys.stdout = quiet
    failed = [r for r in report.rows if r[2]]
    for name, _, problem in failed[:60]:
        print(f"FAILED {name}\n       {problem}")
    print(f"examples: {len(report.rows) - len(failed)} passed, {len(failed)} failed")
    if a.report:
        report.write(a.report)
    return 1 if failed or not report.rows else 0


if __name__ == "__main__":
    sys.exit(main())
