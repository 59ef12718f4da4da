#!/usr/bin/env python3
"""page.py: the tables of docs/interop.md out of known.json, which holds what of the matrix is not as it should be. usage: page.py MATRIX.json takes a run over into both."""
import json, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import estate

KNOWN, PAGE = os.path.join(HERE, "known.json"), os.path.join(HERE, "..", "..", "..", "docs", "interop.md")
NAMES = {c: text.split(",")[0] for c, text in estate.CLIENTS.items()}

# What an exception is about: who has to do with it, and what to know. Every exception needs one; the first that fits counts.
NOTES = [
    (lambda r: r["writer"] == "rust" and r["variant"] == "rotated" and r.get("reader", "") != "",
     "Rust writes version 1 before the ciphertext and encrypts with another key where keys rotate: nobody reads it, Rust neither. Do not write with it where `rotate` is on"),
    (lambda r: r["writer"] == "rust" and r["variant"] == "rotated" and "rest error" in r["outcome"],
     "Rust fails with the first record that needs a new key, where keys rotate, and goes on with the next one"),
    (lambda r: r["variant"] == "deep" and "rust" in (r["writer"], r.get("reader")),
     "Rust does not find fields of objects in arrays of a JSON Schema, and writes them **in clear**; it panics where a Protobuf message has messages, and does not read an Avro record with an array and a map"),
    (lambda r: r["format"] == "AVRO" and r.get("reader") == "rust",
     "Rust hands out `bytes` of Avro as a list of numbers, and fails to decrypt them"),
    (lambda r: r["writer"] == "rust" and r["format"] in ("AVRO", "JSON"),
     "Rust fails to write a tagged string that may be null in Avro, and a null in JSON. Nothing goes out"),
    (lambda r: r["format"] == "PROTOBUF" and r["variant"] == "deep" and "javascript" in (r["writer"], r.get("reader")),
     "JavaScript does not find fields of messages below the root, and writes them **in clear**; of a repeated string it writes something that nobody reads. "
     "`flec check` refuses such a field unless the topic's writers are said to use another client"),
    (lambda r: r["format"] == "PROTOBUF" and r["variant"] == "deep" and "go" in (r["writer"], r.get("reader")),
     "Go panics where a tagged message has repeated messages. `flec check` refuses it, too"),
    (lambda r: r["format"] == "PROTOBUF" and r["writer"] == "go" and r["record"].startswith("empty"),
     "Go refuses to write an empty `bytes` field that is tagged; the others encrypt it. Nothing goes out in clear"),
]


def known():
    with open(KNOWN, encoding="utf-8") as f:
        return json.load(f)


def note(row):
    for i, (about, _) in enumerate(NOTES):
        if about(row):
            return i + 1
    raise ValueError(f"nothing is said in page.py of {row}")


def cell(rows, fmt, variant, client):
    if client == "flec" and variant == "made":
        return "no plan"
    if not estate.supported(client, fmt, variant):
        return "not yet"
    notes = sorted({note(r) for r in rows if (r["format"], r["variant"]) == (fmt, variant) and r.get("reader", r["writer"]) == client})
    return "but " + ", ".join(f"({n})" for n in notes) if notes else "yes"


def tables(k):
    for fmt in estate.FORMATS:
        yield f"\n### {dict(AVRO='Avro', JSON='JSON Schema', PROTOBUF='Protobuf')[fmt]}\n"
        yield "| | " + " | ".join(NAMES.values()) + " |\n|---|" + "---|" * len(NAMES)
        for variant, (_, _, label) in estate.VARIANTS.items():
            yield f"| `{variant}`: {label} | " + " | ".join(cell(k["exceptions"], fmt, variant, c) for c in NAMES) + " |"


def merged(rows, by, what):
    """Rows that differ in `what` alone, as one with a list of it."""
    out = {}
    for r in rows:
        out.setdefault(tuple(r[k] for k in by), []).append(r)
    return [dict(same[0], **{what: list(dict.fromkeys(x for r in same for x in r[what]))}) for same in out.values()]


def exceptions(k):
    yield "\n### Where it is not so\n"
    yield "`but (n)` in a table leads here. An outcome is an error, or what came out instead." if k["exceptions"] else "Nowhere."
    rows = [dict(r, note=note(r), reader=r.get("reader"), kind=r["outcome"].partition(":")[0], variants=[r["variant"]], records=[r["record"]], words=[r["outcome"]],
                 whose=[NAMES[r["writer"]]]) for r in k["exceptions"]]
    rows = merged(rows, ("note", "format", "record", "writer", "reader", "kind"), "variants")
    rows = merged([dict(r, variants=tuple(r["variants"])) for r in rows], ("note", "format", "variants", "writer", "reader", "kind"), "records")
    rows = merged([dict(r, records=tuple(r["records"])) for r in rows], ("note", "format", "variants", "records", "reader", "kind"), "whose")
    for n, (_, text) in enumerate(NOTES, 1):
        mine = [r for r in rows if r["note"] == n]
        if mine:
            yield f"\n**({n})** {text}.\n\n| topics | records | who | what came out |\n|---|---|---|---|"
        for r in mine:
            writers = ", ".join(r["whose"])
            who = f"{NAMES[r['reader']]} reads what {writers} wrote" if r["reader"] else f"{writers} writes"
            outcome = r["outcome"].replace("|", "/").replace("`", "'")
            yield f"| {r['format'].capitalize()}: {', '.join(r['variants'])} | {'; '.join(r['records'])} | {who} | `{outcome}` |"


HEAD = """## Who reads what who wrote

<!-- Made from tests/interop/matrix/known.json by `make interop-doc`, after `make test-interop`, which holds every run to it. Do not edit. -->

`make test-interop` starts one `flec serve` that holds a build of one policy, and runs the clients against it as they come from their package registries:

{clients}

Each registers and looks up schemas with rules, gets or makes KEKs and data keys over HTTP, and writes each record: texts of several scripts, empty ones, a null, 64 KiB; then each reads what each has written. Each writes first in one
of the formats, so that each makes the keys that others use. For rotation, server and clients are 32 days in the past at first: the second version of each key is made by the client itself, and both are read. {records} records
and {reads} reads in the run that this page was made from, {wrong} of them not as they should be.

flec reads and writes with `flec decrypt` and `flec encrypt` and the same registry. **no plan**: here it goes by the policy's plan, and that subject is no policy's.
The Rust client takes minutes to build: it is run where its build is at hand, or with `INTEROP_RUST=1`. Which schema constructs each client leaves in clear is measured apart, in [clients.md](clients.md)."""


def text(k):
    clients = "\n".join(f"- {c}" for c in list(estate.CLIENTS.values())[:-1])
    head = HEAD.format(clients=clients, records=k["records"], reads=k["reads"], wrong=len(k["exceptions"]))
    return "\n".join([head, "\n`yes`: it writes every record, and reads what each of the others wrote.", *tables(k), *exceptions(k)]) + "\n"


def page_with(made):
    """The page as it stands, with these tables in it."""
    with open(PAGE, encoding="utf-8") as f:
        before, start, rest = f.read().partition("<!-- matrix -->\n")
    _, end, after = rest.partition("<!-- end of matrix -->\n")
    if not start or not end:
        raise AssertionError("docs/interop.md has no place for the matrix")
    return before + start + made + end + after


def check():
    whole = page_with(text(known()))
    with open(PAGE, encoding="utf-8") as f:
        if f.read() != whole:
            raise AssertionError("the tables of docs/interop.md are not what page.py makes of known.json: make interop-doc")


def main():
    import matrix
    with open(sys.argv[1], encoding="utf-8") as f:
        run = json.load(f)
    absent = set(estate.CLIENTS) - set(run["clients"])
    if absent and os.path.exists(KNOWN):
        sys.exit(f"page.py: {', '.join(absent)} did not run: the page is made from a run with all clients")
    reads = sum(estate.supported(r, c["format"], c["variant"]) for c in run["cells"] for r in c["reads"])
    records = sum(estate.supported(c["writer"], c["format"], c["variant"]) for c in run["cells"])
    k = {"records": records, "reads": reads, "exceptions": matrix.exceptions(run)}
    with open(KNOWN, "w", encoding="utf-8") as f:
        json.dump(k, f, ensure_ascii=False, indent=1)
        f.write("\n")
    whole = page_with(text(k))
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(whole)


if __name__ == "__main__":
    main()
