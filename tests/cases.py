#!/usr/bin/env python3
"""cases.py: golden cases. One file a case, so that a bug report becomes a test by pasting.

    # a comment, only before the first section
    === file NAME            a file in the case's empty folder; the text up to the next `===` line
    === copy PATH            a file or folder of the repository, copied into the folder under its own name
    === make NAME            what no text file can hold (huge, binary, deep), written by tests/hostile/generate.py
    === run COMMAND          one line for `sh`; `flec` is the program under test
    === status N             what the run before it must give: exit status,
    === out                  standard output,
    === err                  standard error. A section that is missing stands for 0 or nothing.

Runs follow each other in the same folder. A line of text that starts with `===` is written `\\===`; a text without a last line end ends
in a line `\\`. Cases that depend on the day pass --today.

usage: cases.py [--flec PROGRAM] [--update] [--report FILE] [FILE.case ...]      without files: every *.case of the repository
"""
import argparse, difflib, os, shutil, subprocess, sys, tempfile, time
from xml.sax.saxutils import escape

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOSTILE = "tests/hostile/"
KEYS = ("file", "copy", "make", "run", "status", "out", "err")


class Section:
    def __init__(self, key, arg):
        self.key, self.arg, self.lines = key, arg, []

    def text(self):
        lines = [l[1:] if l.startswith("\\===") else l for l in self.lines]
        if lines and lines[-1] == "\\":
            return "\n".join(lines[:-1])
        return "".join(l + "\n" for l in lines)


def encode(text):
    if not text:
        return ""
    body = "".join(("\\" + l if l.startswith("===") else l) + "\n" for l in text.split("\n")[:-1])
    last = text.split("\n")[-1]
    return body + (last + "\n\\\n" if last else "")


def parse(path):
    head, sections = [], []
    with open(path, encoding="utf-8", newline="\n") as f:
        for number, line in enumerate(f.read().split("\n"), 1):
            if line.startswith("=== "):
                key, _, arg = line[4:].partition(" ")
                if key not in KEYS:
                    sys.exit(f"{path}:{number}: `=== {key}` is none of {', '.join(KEYS)}")
                sections.append(Section(key, arg.strip()))
            elif sections:
                sections[-1].lines.append(line)
            else:
                head.append(line)
    if sections and sections[-1].lines and sections[-1].lines[-1] == "":
        sections[-1].lines.pop()
    if not any(s.key == "run" for s in sections):
        sys.exit(f"{path}: nothing is run")
    return head, sections


def place(folder, section):
    if section.key == "file":
        target = os.path.join(folder, section.arg)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8", newline="\n") as f:
            f.write(section.text())
    elif section.key == "make":
        subprocess.run([os.path.join(ROOT, "tests", "hostile", "generate.py"), section.arg, folder], check=True)
    else:
        source = os.path.join(ROOT, section.arg)
        target = os.path.join(folder, os.path.basename(section.arg.rstrip("/")))
        shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy(source, target)


def execute(folder, command, flec, tools):
    env = {"PATH": tools + ":/usr/local/bin:/usr/bin:/bin", "HOME": folder, "LC_ALL": "C", "TZ": "UTC", "NO_COLOR": "1",
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "")}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "backslashreplace")


def run_case(path, flec, update):
    """Returns a list of differences, empty when all is as expected."""
    head, sections = parse(path)
    folder, tools = tempfile.mkdtemp(prefix="flec-case-"), tempfile.mkdtemp(prefix="flec-bin-")
    os.symlink(flec, os.path.join(tools, "flec"))
    problems, new = [], list(head)
    try:
        i = 0
        while i < len(sections):
            s = sections[i]
            i += 1
            new.append(f"=== {s.key} {s.arg}".rstrip())
            if s.key in ("file", "copy", "make"):
                place(folder, s)
                new += s.lines
            elif s.key == "run":
                got = execute(folder, s.arg, flec, tools)
                want = [0, "", ""]
                while i < len(sections) and sections[i].key in ("status", "out", "err"):
                    e = sections[i]
                    i += 1
                    if e.key == "status":
                        want[0] = int(e.arg)
                    else:
                        want[1 if e.key == "out" else 2] = e.text()
                problems += compare(s.arg, want, got)
                if got[0]:
                    new.append(f"=== status {got[0]}")
                for name, text in (("out", got[1]), ("err", got[2])):
                    if text:
                        new += [f"=== {name}"] + encode(text).split("\n")[:-1]
            else:
                sys.exit(f"{path}: `=== {s.key}` without a run before it")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(tools, ignore_errors=True)
    if update and problems:
        with open(path, "w", encoding="utf-8", newline="\n") as f:
            f.write("\n".join(new) + "\n")
    return problems


def compare(command, want, got):
    problems = []
    if want[0] != got[0]:
        problems.append(f"$ {command}\nexit status {got[0]}, expected {want[0]}")
    for name, a, b in (("out", want[1], got[1]), ("err", want[2], got[2])):
        if a != b:
            diff = difflib.unified_diff(a.splitlines(True), b.splitlines(True), f"expected {name}", f"{name}")
            problems.append(f"$ {command}\n" + "".join(l if l.endswith("\n") else l + "\n\\ no line end\n" for l in diff))
    return problems


def every_case():
    """Every *.case of the tree but those of tests/hostile, which tests/hostile/run.py runs; without git, by walking it. Build folders hold none."""
    if shutil.which("git"):
        listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.case"],
                                 capture_output=True, text=True)
        if listing.returncode == 0:
            return sorted(os.path.join(ROOT, p) for p in set(listing.stdout.split("\0"))
                          if p and not p.startswith(HOSTILE) and os.path.exists(os.path.join(ROOT, p)))
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [b for b in below if not b.startswith(("build", ".")) and b != "hostile"]
        found += [os.path.join(folder, n) for n in names if n.endswith(".case")]
    return sorted(found)


def write_report(path, rows):
    failed = sum(1 for r in rows if r[2])
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'<testsuites><testsuite name="cases" tests="{len(rows)}" failures="{failed}" errors="0" skipped="0">\n')
        for name, seconds, problems in rows:
            f.write(f'<testcase name="{escape(name)}" time="{seconds:.3f}">')
            if problems:
                f.write("<failure>" + escape("\n".join(problems)) + "</failure>")
            f.write("</testcase>\n")
        f.write("</testsuite></testsuites>\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--flec", default=os.path.join(ROOT, "build", "flec"))
    p.add_argument("--update", action="store_true")
    p.add_argument("--report")
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    flec = os.path.abspath(a.flec)
    if not os.access(flec, os.X_OK):
        sys.exit(f"{flec} is not there: build it first")
    rows = []
    for path in [os.path.abspath(f) for f in a.files] or every_case():
        started = time.time()
        problems = run_case(path, flec, a.update)
        name = os.path.relpath(path, ROOT)
        rows.append((name, time.time() - started, problems))
        if problems:
            print(("updated " if a.update else "FAILED ") + name)
            if not a.update:
                print("\n".join(problems))
    failed = sum(1 for r in rows if r[2])
    if a.report:
        write_report(a.report, rows)
    print(f"cases: {len(rows) - failed} passed, {failed} {'updated' if a.update else 'failed'}")
    sys.exit(1 if (failed and not a.update) or not rows else 0)


if __name__ == "__main__":
    main()
