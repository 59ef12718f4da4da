#!/usr/bin/env python3
"""run.py: the broken policies of tests/hostile/policies (cases as tests/cases.py reads them), held to what must be true of every one.

Each `=== run` is done as it stands, under bounds of time and memory, and has to give the text and the exit status of its case. A run of
`flec check` is then done again in each form of output, where
  - the exit status is the same,
  - every diagnostic has a message, a check that `flec explain` knows and a place that is really in that file: of JSON also the end, the
    related places and the edits; of SARIF every region; of GitHub every annotation,
  - JSON and SARIF tell the same diagnostics.
No form of output of any run holds a planted secret (`hunter2-planted…`), a control character or the report of a sanitizer. The number of broken policies
that are told apart by their texts is counted: 200 is the least.

usage: run.py FLEC [--report FILE] [--jobs N] [FILE.case ...]
"""
import argparse, concurrent.futures, hashlib, json, os, re, shlex, shutil, subprocess, sys, tempfile, time, urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "lib")]
import cases
from junit import Report

SECRET = re.compile("hunter2-planted")
SANITIZER = re.compile(r"(Address|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PLACE = re.compile(r"^(.+?):(\d+):(\d+): (error|warning): ")
SECONDS, KIBIBYTES, LEAST, FORMS = 10, 1 << 20, 200, ("json", "sarif", "github")
MANY = 1000                 # diagnostics, of which SARIF and GitHub would say what a few of them say
TEXT_BYTES = 256 << 10      # of one run in text, which stops at ten messages
FAULTS = {2, 4}             # wrong usage, could not run: no finding, so no place


class Wrong(Exception):
    pass


def bounds(sanitized):
    """An explosion hits these; nothing else should come near. AddressSanitizer reserves terabytes of addresses and is ten times slower."""
    return f"ulimit -c 0; ulimit -t {SECONDS * 10}; " if sanitized else f"ulimit -c 0; ulimit -t {SECONDS}; ulimit -v {KIBIBYTES}; "


class Runner:
    def __init__(self, flec):
        self.flec = os.path.abspath(flec)
        with open(self.flec, "rb") as f:
            self.bounds = bounds(b"__asan_init" in f.read())
        self.tools = tempfile.mkdtemp(prefix="flec-bin-")
        os.symlink(self.flec, os.path.join(self.tools, "flec"))
        self.checks = set(re.findall(r"^([a-z0-9-]+) +(?:error|warning) ", self.shell(".", "flec explain")[1], re.M))

    def shell(self, folder, command):
        env = {"PATH": self.tools + ":/usr/local/bin:/usr/bin:/bin", "HOME": folder, "LC_ALL": "C", "TZ": "UTC", "NO_COLOR": "1",
               "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:hard_rss_limit_mb=4096", "UBSAN_OPTIONS": "print_stacktrace=1"}
        done = subprocess.run(["sh", "-c", self.bounds + command], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        out, err = (b.decode("utf-8", "backslashreplace") for b in (done.stdout, done.stderr))
        for text in (out, err):
            for what, pattern in (("a planted secret", SECRET), ("the report of a sanitizer", SANITIZER), ("a control character", CONTROL)):
                found = pattern.search(text)
                if found:
                    raise Wrong(f"$ {command}\n{what} in the output:\n{text[max(0, found.start() - 300):found.end() + 1200]}")
        if done.returncode > 4:
            raise Wrong(f"$ {command}\nended with {done.returncode}: a crash, or a bound hit\n{err[-2000:]}")
        return done.returncode, out, err


class Places:
    """Which places there are in the files of a case."""
    def __init__(self, folder):
        self.folder, self.lines = folder, {}

    def of(self, file):
        if file not in self.lines:
            path = os.path.join(self.folder, file)
            build, _, subject = path.partition(": ")
            if subject and os.path.isdir(build):    # a schema inside the plan of --previous
                return None
            if not os.path.isfile(path):
                raise Wrong(f"a message stands at {file}, which is no file")
            with open(path, "rb") as f:
                self.lines[file] = f.read().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split("\n")
        return self.lines[file]

    def hold(self, file, line, column):
        lines = self.of(file)
        if lines is None:
            if line < 1 or column < 1:
                raise Wrong(f"there is no place {file}:{line}:{column}")
        elif not (1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1].rstrip("\r")) + 1):
            raise Wrong(f"there is no place {file}:{line}:{column}")

    def span(self, file, d, start=("line", "column"), end=("endLine", "endColumn")):
        self.hold(file, d[start[0]], d[start[1]])
        self.hold(file, d[end[0]], d[end[1]])
        if (d[end[0]], d[end[1]]) < (d[start[0]], d[start[1]]):
            raise Wrong(f"{file}: the span {d} ends before it begins")


def judge_text(out, places, status):
    found = [m for m in map(PLACE.match, out.split("\n")) if m]
    for m in found:
        places.hold(m[1], int(m[2]), int(m[3]))
    if status == 1 and not found:
        raise Wrong("a finding without a place:\n" + out)


def judge_json(out, places, checks):
    told = []
    for d in json.loads(out)["diagnostics"]:
        if not d["message"].strip() or d["check"] not in checks:
            raise Wrong(f"no message, or no such check: {d}")
        places.span(d["file"], d)
        for r in d["related"]:
            places.span(r["file"], r)
        told.append((d["check"], d["file"], d["line"]))
    return told


def judge_sarif(out, places):
    told = []
    for r in json.loads(out)["runs"][0]["results"]:
        for where in r["locations"] or [None]:
            if not where:
                raise Wrong(f"a result without a place: {r}")
            at = where["physicalLocation"]
            file, region = urllib.parse.unquote(at["artifactLocation"]["uri"]), at["region"]
            places.hold(file, region["startLine"], 1)
            told.append((r["ruleId"], file, region["startLine"]))
    return told


def judge_github(out, status):
    found = re.findall(r"^::(?:error|warning) file=[^,]+,line=[1-9]\d*", out, re.M)
    if status == 1 and not found:
        raise Wrong("no annotation:\n" + out[:2000])


def in_all_forms(runner, folder, command, status, places):
    told = {}
    for form in FORMS:
        if len(told.get("json", ())) > MANY:
            return
        again = command.replace("flec check", "flec check --format " + form, 1)
        got, out, err = runner.shell(folder, again)
        if got != status:
            raise Wrong(f"$ {again}\nexit status {got}, in text it is {status}")
        if status in FAULTS:
            continue
        try:
            told[form] = (judge_json(out, places, runner.checks) if form == "json" else
                          judge_sarif(out, places) if form == "sarif" else judge_github(out, status))
        except (KeyError, TypeError, ValueError) as e:
            raise Wrong(f"$ {again}\n{type(e).__name__}: {e}\n{out[:2000]}\n{err[:2000]}") from e
    if status not in FAULTS and sorted(told["json"]) != sorted(told["sarif"]):
        raise Wrong("JSON and SARIF tell different diagnostics")


def policy_of(folder, command):
    """What tells one broken policy from the next: the files of the folder that the command names, and the command."""
    digest = hashlib.sha256()
    for word in shlex.split(command):
        path = os.path.join(folder, word)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                digest.update(f.read())
    digest.update(command.split("flec", 1)[-1].encode())
    return digest.hexdigest()


def one_run(runner, folder, command, want):
    status, out, err = runner.shell(folder, command)
    problems = cases.compare(command, want, (status, out, err))
    if problems:
        raise Wrong("\n".join(problems))
    if len(out) + len(err) > TEXT_BYTES:
        raise Wrong(f"$ {command}\n{len(out) + len(err)} bytes of text")
    places = Places(folder)
    judge_text(out, places, status if "flec check" in command else 0)
    if "flec check" in command and "--format" not in command:
        in_all_forms(runner, folder, command, status, places)
    return status


def wanted(sections, i):
    want = [0, "", ""]
    for s in sections[i + 1:]:
        if s.key == "status":
            want[0] = int(s.arg)
        elif s.key in ("out", "err"):
            want[1 if s.key == "out" else 2] = s.text()
        else:
            break
    return want


def run_file(runner, path):
    """Rows (name, seconds, problem or None) and the policies that were broken."""
    folder, rows, broken = tempfile.mkdtemp(prefix="flec-hostile-"), [], set()
    _, sections = cases.parse(path)
    try:
        for i, s in enumerate(sections):
            if s.key in ("file", "copy", "make"):
                cases.place(folder, s)
            elif s.key == "run":
                started, problem = time.time(), None
                try:
                    if one_run(runner, folder, s.arg, wanted(sections, i)):
                        broken.add(policy_of(folder, s.arg))
                except (Wrong, subprocess.TimeoutExpired) as e:
                    problem = str(e)
                rows.append((f"{os.path.basename(path)}: {s.arg}", time.time() - started, problem))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows, broken


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("--report")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    folder = os.path.join(HERE, "policies")
    files = a.files or sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".case"))
    runner, report, broken = Runner(a.flec), Report("hostile"), set()
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for rows, policies in pool.map(lambda f: run_file(runner, f), files):
            report.rows += rows
            broken |= policies
    shutil.rmtree(runner.tools)
    if not a.files:
        report.rows.append(("the number of broken policies", 0, None if len(broken) >= LEAST else f"{len(broken)}, {LEAST} is the least"))
    for name, _, problem in report.rows:
        if problem:
            print(f"FAILED {name}\n{problem}")
    print(f"hostile: {len(broken)} broken policies")
    if a.report:
        report.write(a.report)
    sys.exit(1 if any(r[2] for r in report.rows) else 0)


if __name__ == "__main__":
    main()
