#!/usr/bin/env python3
"""docs_links.py: does what the documentation and the comments point to exist?

Each relative link of each *.md of the repository must lead to a file that git knows (or a folder of such), and its #anchor to a heading there. Each
`docs/NAME.md` in a file of code or in a script must exist, and a number behind it (`docs/wire.md 6`) must be a heading `## 6. …` of that page. In C a page is
named with its folder, so that a name alone leads nowhere.

usage: docs_links.py        status 1 and one line for each thing that leads nowhere
"""
import os, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?\)")
CITED = re.compile(r"\bdocs/([\w/-]+\.md)(?:[ \t]+(\d+)\b(?!\.\d))?")
BARE = re.compile(r"(?<![\w/.%\"-])((?!docs/)[\w-]+(?:/[\w-]+)*\.md)\b")  # not within a string of the program
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.M | re.S)
CODE = (".c", ".h", ".l", ".y", ".py", ".case", ".json", ".flec", "Makefile")


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
    return [f for f in out.decode().split("\0") if f and os.path.isfile(os.path.join(ROOT, f))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def without_code(text):
    """Blocks and spans of code are no prose: a link in them is none. Lines keep their numbers."""
    text = FENCE.sub(lambda m: "\n" * m.group().count("\n"), text)
    return re.sub(r"`[^`\n]*`", "", text)


def headings(text):
    return re.findall(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", FENCE.sub("", text), re.M)


def anchors(text):
    """As GitHub makes them: lower case, punctuation dropped, spaces to hyphens, a number behind the second of a name."""
    seen = {}
    for h in headings(text):
        slug = re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, 0) + 1
        yield slug if seen[slug] == 1 else f"{slug}-{seen[slug] - 1}"


def links(path, known):
    for number, line in enumerate(without_code(read(path)).split("\n"), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            name, _, anchor = target.partition("#")
            to = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if to not in known:
                yield f"{path}:{number}: {target}: no such file"
            elif anchor and (not to.endswith(".md") or anchor not in anchors(read(to))):
                yield f"{path}:{number}: {target}: {to} has no such heading"


def citations(path, known):
    for number, line in enumerate(read(path).split("\n"), 1):
        for page, section in CITED.findall(line):
            to = f"docs/{page}"
            if "NAME" in page:  # stands for any of them
                continue
            if to not in known:
                yield f"{path}:{number}: {to}: no such page"
            elif section and not any(re.match(rf"{section}\. ", h) for h in headings(read(to))):
                yield f"{path}:{number}: {to} {section}: no such section"
        for page in BARE.findall(line) if path.endswith((".c", ".h", ".l", ".y")) else ():
            if page not in known and "NAME" not in page:
                yield f"{path}:{number}: {page}: no such page; write docs/…"


def main():
    files = tracked()
    known = set(files) | {os.path.dirname(f)[: i] for f in files for i in range(len(os.path.dirname(f)) + 1)}
    wrong = []
    for f in files:
        if f.endswith(".md"):
            wrong += links(f, known)
        elif f.endswith(CODE) or f.startswith(("tests/", ".ci/")):
            wrong += citations(f, known)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
