#!/usr/bin/env python3
"""problems.py: the 30 problems that users meet with field level encryption, each proven on policies/.

tests/problem_rows.py holds the rows. A mutant is a copy of policies/ with a small edit that makes the mistake: `flec check` must report the named check, at the place
that the row names, and nothing of it without the edit. A near miss is an edit that looks like the mistake and is right: nothing may be reported. What only shows in
artefacts is looked up in those of `flec build --env prod`. What needs the live estate names the command that will do it.

docs/checks/README.md has a table of the rows, between two marks; it must be what the rows say.

usage: problems.py FLEC [--report FILE.xml]     runs all
       problems.py FLEC --show NUMBER           what flec says of the mutants and near misses of one row
       problems.py --update                     writes the table into docs/checks/README.md
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
README = os.path.join(ROOT, "docs", "checks", "README.md")
BEGIN, END = "<!-- problems -->\n", "<!-- end of problems -->\n"
TODAY = "2026-11-24"
sys.path[:0] = [HERE, os.path.join(HERE, "lib")]
from junit import Report  # noqa: E402
from problem_rows import ROWS  # noqa: E402


def apply(edits, folder):
    """Each edit must find its text once: a row that edits nothing proves nothing."""
    for e in edits:
        path = os.path.join(folder, e.file)
        if e.old is None:
            with open(path, "a", encoding="utf-8") as f:
                f.write(e.new)
            continue
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if text.count(e.old) != 1:
            raise AssertionError(f"{e.file} has {text.count(e.old)} times: {e.old!r}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(e.old, e.new))


class Bench:
    """policies/, what it builds to, and copies of both that are edited."""

    def __init__(self, flec, work):
        self.flec, self.work, self.count = os.path.abspath(flec), work, 0
        self.policies = os.path.join(ROOT, "policies")
        self.built = os.path.join(work, "built")
        self.run("build", self.policies, "--env", "prod", "-o", self.built, "--today", TODAY)
        self.sound = {d["check"] for previous in (None, []) for d in self.check([], previous)}

    def run(self, *args, may_find=False):
        done = subprocess.run([self.flec, *args], capture_output=True, text=True, timeout=120)
        if done.returncode not in ((0, 1) if may_find else (0,)):
            raise AssertionError(f"flec {args[0]} exits with {done.returncode}: {done.stderr.strip()[:500]}")
        return done.stdout

    def copy(self, of, edits):
        folder = tempfile.mkdtemp(dir=self.work)
        shutil.copytree(of, folder, dirs_exist_ok=True)
        apply(edits, folder)
        return folder

    def check(self, edits, previous=None):
        """What flec reports of the edited policies; `previous` are edits of the build in use."""
        folder, in_use = self.copy(self.policies, edits), self.built
        args = ["check", folder, "--today", TODAY, "--format", "json"]
        if previous is not None:
            in_use = self.copy(self.built, previous) if previous else self.built
            args += ["--env", "prod", "--previous", in_use]
        found = json.loads(self.run(*args, may_find=True))["diagnostics"]
        for d in found:
            d["file"] = os.path.relpath(d["file"], folder) if d["file"] else ""
            d["text"] = line_of(folder, d)
        for made in {folder, in_use} - {self.built}:
            shutil.rmtree(made)
        return found


def line_of(folder, diagnostic):
    try:
        with open(os.path.join(folder, diagnostic["file"]), encoding="utf-8") as f:
            return f.read().split("\n")[diagnostic["line"] - 1].strip()
    except OSError:
        return ""


def shown(found):
    return "; ".join(f"{d['file']}:{d['line']} {d['severity']} {d['check']}: {d['message'][:150]} [{d['text'][:80]}]" for d in found) or "nothing"


def judge_mutant(bench, m):
    if m.check in bench.sound:
        raise AssertionError(f"{m.check} is reported without the edit")
    found = bench.check(m.edits, m.previous)
    ours = [d for d in found if d["check"] == m.check and d["severity"] == m.severity]
    if not ours:
        raise AssertionError(f"no {m.severity} {m.check}, but {shown(found)}")
    if not any(d["file"] == m.file and m.at in d["text"] for d in ours):
        raise AssertionError(f"not at `{m.at}` in {m.file}, but {shown(ours)}")


def judge_near(bench, n):
    found = bench.check(n.edits, n.previous)
    if found:
        raise AssertionError(f"a near miss is reported: {shown(found)}")


def judge_built(bench, b):
    b.look(bench.built if not b.edits else build_of(bench, b.edits))


def build_of(bench, edits):
    folder, out = bench.copy(bench.policies, edits), tempfile.mkdtemp(dir=bench.work)
    bench.run("build", folder, "--env", "prod", "-o", out, "--today", TODAY)
    return out


JUDGES = {"mutant": judge_mutant, "near": judge_near, "built": judge_built}


# ---- the table of docs/checks/README.md ----

def test_name(row):
    return f"problems {row.number:02d}"


def caught_by(row):
    links = [f"[`{c}`]({c}.md)" for c in row.checks]
    return "; ".join(filter(None, [", ".join(links), row.says]))


def table():
    lines = ["| # | problem | caught by | test |", "|---|---|---|---|"]
    for row in ROWS:
        kinds = [p.kind for p in row.proofs]
        counts = [f"{kinds.count(k)} {w}{'s' if kinds.count(k) != 1 else ''}" for k, w in (("mutant", "mutant"), ("near", "near miss"), ("built", "build")) if k in kinds]
        counts = ", ".join(c.replace("misss", "misses") for c in counts)
        lines.append(f"| {row.number} | {row.problem} | {caught_by(row)} | {f'`{test_name(row)}`: {counts}' if counts else 'with that command'} |")
    return "\n".join(lines) + "\n"


def split_readme():
    with open(README, encoding="utf-8") as f:
        text = f.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise AssertionError(f"{README} has not both marks of the table")
    head, rest = text.split(BEGIN)
    here, tail = rest.split(END)
    return head, here, tail


def update():
    head, _, tail = split_readme()
    with open(README, "w", encoding="utf-8") as f:
        f.write(head + BEGIN + "\n" + table() + "\n" + END + tail)


def judge_table():
    if split_readme()[1] != "\n" + table() + "\n":
        raise AssertionError("docs/checks/README.md is not what tests/problem_rows.py says: run tests/problems.py --update")


def judge_rows():
    """The rows are 1 to 30, and each one that is caught before deployment has a mutant and a near miss or looks at a build."""
    if [r.number for r in ROWS] != list(range(1, 31)):
        raise AssertionError("the rows are not 1 to 30")
    for row in ROWS:
        kinds = {p.kind for p in row.proofs}
        if row.kind in "CE" and not ({"mutant", "near"} <= kinds or "built" in kinds):
            raise AssertionError(f"row {row.number} has no proof")
        if row.kind == "P" and not row.says:
            raise AssertionError(f"row {row.number} names no command")
        reported = {p.check for p in row.proofs if p.kind == "mutant"}
        if reported != set(row.checks):
            raise AssertionError(f"row {row.number} names {sorted(row.checks)}, and its mutants are caught by {sorted(reported)}")
        names = [p.name for p in row.proofs]
        if len(set(names)) != len(names):
            raise AssertionError(f"row {row.number} has two proofs of one name")


def show(flec, number):
    with tempfile.TemporaryDirectory(prefix="flec-problems-") as work:
        bench = Bench(flec, work)
        for p in ROWS[number - 1].proofs:
            try:
                JUDGES[p.kind](bench, p)
                verdict = "ok    "
            except Exception as e:  # shown, not judged
                verdict = "FAILED " + str(e)
            print(f"{p.kind} {p.name}: {verdict}")
            for d in bench.check(p.edits, p.previous) if p.kind != "built" and not verdict.startswith("FAILED") else ():
                print(f"    {d['file']}:{d['line']} {d['severity']} {d['check']}: {d['message']}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec", nargs="?")
    p.add_argument("--report")
    p.add_argument("--show", type=int)
    p.add_argument("--update", action="store_true")
    a = p.parse_args()
    if a.update:
        return update()
    if not a.flec:
        p.error("which flec?")
    if a.show:
        return show(a.flec, a.show)
    report = Report("problems")
    quiet, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="flec-problems-") as work, concurrent.futures.ThreadPoolExecutor(2) as pool:
        bench = Bench(a.flec, work)
        proofs = [(f"{test_name(row)} {row.problem}: {proof.name}", pool.submit(JUDGES[proof.kind], bench, proof)) for row in ROWS for proof in row.proofs]
        report.run("problems rows", judge_rows)
        report.run("problems table of docs/checks/README.md", judge_table)
        for name, future in proofs:
            report.run(name, future.result)
    sys.stdout = quiet
    failed = [r for r in report.rows if r[2]]
    for name, _, problem in failed[:40]:
        print(f"FAILED {name}\n       {problem}")
    print(f"problems: {len(report.rows) - len(failed)} passed, {len(failed)} failed")
    if a.report:
        report.write(a.report)
    return 1 if failed or not report.rows else 0


if __name__ == "__main__":
    sys.exit(main())
