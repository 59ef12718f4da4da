#!/usr/bin/python3
"""sarif.py: holds a SARIF log against the schema of OASIS and against the JSON of the same run, and prints what it says.
usage: sarif.py SCHEMA LOG.sarif REPORT.json"""
import json, sys, urllib.parse, warnings

warnings.simplefilter("ignore")
import jsonschema


def region(place):
    r = place["physicalLocation"]["region"]
    return f'{urllib.parse.unquote(place["physicalLocation"]["artifactLocation"]["uri"])}:{r["startLine"]}:{r["startColumn"]}-{r["endLine"]}:{r["endColumn"]}'


def same(result, d):
    """Is the result of the log the diagnostic of the report?"""
    if result["ruleId"] != d["check"] or result["level"] != d["severity"]:
        return False
    if d["file"] is None:
        return not result["locations"]
    where = f'{d["file"]}:{d["line"]}:{d["column"]}-{d["endLine"]}:{d["endColumn"]}'
    edits = d["fix"]["edits"] if d["fix"] else []
    replaced = [r for f in result.get("fixes", []) for c in f["artifactChanges"] for r in c["replacements"]]
    return (region(result["locations"][0]) == where and len(result.get("relatedLocations", [])) == len(d["related"])
            and [r["insertedContent"]["text"] for r in replaced] == [e["text"] for e in edits])


def main():
    schema, log, report = (json.load(open(p, encoding="utf-8")) for p in sys.argv[1:4])
    jsonschema.Draft4Validator.check_schema(schema)
    problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in jsonschema.Draft4Validator(schema).iter_errors(log)]
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    if len({r["id"] for r in rules}) != len(rules):
        problems.append("two rules have one id")
    open_results = [r for r in run["results"] if not r.get("suppressions")]
    if len(open_results) != len(report["diagnostics"]):
        problems.append(f'{len(open_results)} results, {len(report["diagnostics"])} diagnostics')
    problems += [f"no result for {d}" for r, d in zip(open_results, report["diagnostics"]) if not same(r, d)]
    problems += [f"rule {r['ruleId']} is not at its index" for r in run["results"] if rules[r["ruleIndex"]]["id"] != r["ruleId"]]
    for r in run["results"]:
        places = " ".join(map(region, r["locations"])) or "no place"
        print(r["level"], r["ruleId"], places, *(["fix"] if "fixes" in r else []),
              *(f"waived: {s['justification']}" for s in r.get("suppressions", [])))
    print("\n".join(problems) or f"valid, {len(rules)} rules")
    sys.exit(bool(problems))


main()
