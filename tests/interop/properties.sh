#!/bin/sh
# properties.sh: the .properties file of every connector says to java.util.Properties what its .json file says.
# usage: properties.sh FLEC [REPORT.xml]
# Two policies are built: the estate of policies/, and one whose values are full of what a properties file has to escape.
set -eu
flec=$(realpath "$1")
report=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$flec" build "$here/../../policies" --env prod -o "$work/estate" --today 2026-11-24 >/dev/null
"$flec" build "$here/properties.flec" -o "$work/odd" --today 2026-11-24 >/dev/null
cd "$work"
java "$here/ReadProperties.java" ./*/connect/*.properties >java.txt
python3 - "$report" <<'EOF'
import glob, json, sys
from xml.sax.saxutils import quoteattr

java = {}
for line in open("java.txt", encoding="ascii"):
    name, key, value = line.rstrip("\n").split(" ")
    java.setdefault(name, {})[bytes.fromhex(key).decode()] = bytes.fromhex(value).decode()
rows = []
for path in sorted(glob.glob("./*/connect/*.json")):
    want, got = json.load(open(path, encoding="utf-8")), java.get(path[:-5] + ".properties")
    problem = "" if want == got else "no such file" if got is None else "differs in " + ", ".join(
        sorted(k for k in set(want) | set(got) if want.get(k) != got.get(k)))
    rows.append((path, problem))
    if problem:
        print(f"{path}: {problem}")
bad = sum(1 for r in rows if r[1])
if sys.argv[1]:
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        f.write(f'<testsuites><testsuite name="properties" tests="{len(rows)}" failures="{bad}" errors="0" skipped="0">\n')
        for path, problem in rows:
            f.write(f"<testcase name={quoteattr(path)}>" + (f"<failure message={quoteattr(problem)}/>" if problem else "") + "</testcase>\n")
        f.write("</testsuite></testsuites>\n")
print(f"properties: {len(rows) - bad} equal, {bad} not")
sys.exit(1 if bad or len(rows) < 9 else 0)
EOF
