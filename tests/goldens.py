#!/usr/bin/env python3
"""goldens.py: what the policies of policies/ compile to, byte for byte, in each environment.

usage: goldens.py FLEC [--report FILE.xml] [--update]

tests/golden/ENVIRONMENT holds every file of the build but fixtures/, which are copies (MANIFEST has their digests).
--update writes them anew: read the difference before you commit it."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from junit import Report  # noqa: E402

GOLDEN = os.path.join(ROOT, "tests", "golden")
ENVIRONMENTS = ["dev", "prod", "staging"]
TODAY = "2026-11-24"


def files_of(folder):
    """Path to content of every file but the copied fixtures."""
    found = {}
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not (at == folder and f == "fixtures"))
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


def build(flec, environment, out):
    subprocess.run([flec, "build", "policies", "--env", environment, "-o", out, "--today", TODAY], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return files_of(out)


def update(environment, made):
    folder = os.path.join(GOLDEN, environment)
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in made.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "wb") as f:
            f.write(content)


def first_difference(want, found):
    a, b = want.decode("utf-8", "replace").split("\n"), found.decode("utf-8", "replace").split("\n")
    for i in range(max(len(a), len(b))):
        x, y = a[i] if i < len(a) else "(the end)", b[i] if i < len(b) else "(the end)"
        if x != y:
            return f"line {i + 1}: expected {x[:200]}\n       found    {y[:200]}"
    return "line ends"


def compare(want, made, path):
    if path not in made:
        raise AssertionError("is not built any more")
    if path not in want:
        raise AssertionError("is new")
    if want[path] != made[path]:
        raise AssertionError(first_difference(want[path], made[path]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("--report")
    p.add_argument("--update", action="store_true")
    a = p.parse_args()
    report = Report("goldens")
    quiet, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="flec-goldens-") as work:
        for environment in ENVIRONMENTS:
            made = build(os.path.abspath(a.flec), environment, os.path.join(work, environment))
            if a.update:
                update(environment, made)
            want = files_of(os.path.join(GOLDEN, environment))
            for path in sorted(set(want) | set(made)):
                report.run(f"{environment}/{path}", lambda: compare(want, made, path))
    sys.stdout = quiet
    failed = [r for r in report.rows if r[2]]
    for name, _, problem in failed[:20]:
        print(f"FAILED {name}\n       {problem}")
    print(f"goldens: {len(report.rows) - len(failed)} passed, {len(failed)} failed")
    if a.report:
        report.write(a.report)
    return 1 if failed or not report.rows else 0


if __name__ == "__main__":
    sys.exit(main())
