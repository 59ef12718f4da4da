#!/usr/bin/env python3
"""sum.py: adds up the runners' own reports (JUnit XML, cmocka's included) and prints the one closing line.

usage: sum.py SUITE=FOLDER-OR-FILE[:MINIMUM] ...

Every suite named must have at least one report with at least MINIMUM (1) tests in it: a missing, empty or broken report counts as one failure. A
file `*.crashed` beside the reports is a suite that could not run: a failure, too.
"""
import glob, os, sys
import xml.etree.ElementTree as ET


def count(path):
    """passed, failed, skipped of one report, from its test cases."""
    text = open(path, encoding="utf-8", errors="replace").read().strip()
    # cmocka appends one document a group to the same file
    documents = ["<testsuites>" + part for part in text.split("<testsuites>")[1:]] or [text]
    passed = failed = skipped = 0
    for document in documents:
        document = document.replace('<?xml version="1.0" encoding="UTF-8" ?>', "").strip()
        for case in ET.fromstring(document).iter("testcase"):
            tags = {child.tag for child in case}
            if tags & {"failure", "error"}:
                failed += 1
            elif "skipped" in tags:
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def suite(where):
    reports = sorted(glob.glob(os.path.join(where, "*.xml"))) if os.path.isdir(where) else glob.glob(where)
    total, problems = [0, 0, 0], []
    for path in reports:
        try:
            one = count(path)
            if not sum(one):
                raise ValueError("no test in it")
            total = [a + b for a, b in zip(total, one)]
        except (ET.ParseError, ValueError, OSError) as e:
            problems.append(f"{os.path.basename(path)}: {e}")
    if os.path.isdir(where):
        problems += [f"{os.path.basename(p)}: could not run" for p in sorted(glob.glob(os.path.join(where, "*.crashed")))]
    if not reports:
        problems.append("no report")
    return total, problems


def main():
    totals = [0, 0, 0]
    if len(sys.argv) < 2:
        sys.exit("usage: sum.py SUITE=WHERE[:MINIMUM] ...")
    for argument in sys.argv[1:]:
        name, _, where = argument.partition("=")
        where, _, minimum = where.partition(":")
        (passed, failed, skipped), problems = suite(where)
        if passed + failed + skipped < int(minimum or 1):
            problems.append(f"{passed + failed + skipped} tests, expected at least {minimum or 1}")
        for p in problems:
            print(f"{name}: {p}")
        print(f"{name + ':':<12} {passed} passed, {failed + len(problems)} failed, {skipped} skipped")
        totals = [totals[0] + passed, totals[1] + failed + len(problems), totals[2] + skipped]
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    sys.exit(1 if totals[1] or not totals[0] else 0)


main()
