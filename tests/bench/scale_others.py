"""scale_others.py: estates of the same size for programs that people know: what they check is not what flec checks. Each
writes one file into a folder and gives the command that looks at it."""
import json
import os
import shutil
import subprocess

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "flec", "bench")
GO = {"cue": "cuelang.org/go/cmd/cue@v0.15.1", "opa": "github.com/open-policy-agent/opa@v1.10.1"}
DEBIAN = {"jsonnet": "jsonnet", "nft": "nftables"}


def run(command, env=None):
    try:
        return subprocess.run(command, env=env, capture_output=True, timeout=300, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install_go(name):
    os.makedirs(CACHE, exist_ok=True)
    run(["go", "install", GO[name]], dict(os.environ, GOBIN=CACHE, GOFLAGS="-mod=mod"))


def install_debian(name):
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    run(sudo + ["apt-get", "install", "-y", "--no-install-recommends", DEBIAN[name]])


def find(name):
    """The program, installed if it can be; None: it is missing."""
    where = os.pathsep.join([CACHE, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=where)
    if not found and not os.environ.get("FLEC_NO_DEPS"):
        (install_go if name in GO else install_debian)(name)
        found = shutil.which(name, path=where)
    return found


def topic(n):
    return {"name": "shop.orders-%d" % n, "schema": "schemas/%d.avsc" % n, "kek": "kek-%d" % (n // 100), "rotate": 90,
            "fields": {"id": ["clear"], "ssn": ["PII"], "email": ["PII"], "home.street": ["PII"], "notes": ["PII"],
                       "card": ["PCI"], "quantity": ["clear"]}, "writers": ["User:sa-shop"]}


def cue(folder, topics):
    path = os.path.join(folder, "estate.cue")
    with open(path, "w", encoding="utf-8") as f:
        f.write('package estate\n#Tag: "PII" | "PCI" | "clear"\n#Topic: {\n  name: =~"^[a-z.0-9-]+$"\n  schema: string\n'
                "  kek: string\n  rotate: int & >0\n  fields: [string]: [...#Tag]\n"
                '  writers: [...=~"^User:"]\n}\ntopics: [string]: #Topic\n')
        for n in range(topics):
            f.write("topics: %s: %s\n" % (json.dumps("shop.orders-%d" % n), json.dumps(topic(n))))
    return ["vet", path]


def opa(folder, topics):
    path = os.path.join(folder, "estate.rego")
    with open(path, "w", encoding="utf-8") as f:
        f.write("package estate\n\nimport rego.v1\n\n")
        for n in range(topics):
            f.write('topic_%d := %s\n\ndeny_%d contains message if {\n  some field, tags in topic_%d.fields\n  not "clear" in tags\n'
                    '  not topic_%d.kek\n  message := sprintf("%%s is in clear", [field])\n}\n\n'
                    % (n, json.dumps(topic(n)), n, n, n))
    return ["check", path]


def jsonnet(folder, topics):
    path = os.path.join(folder, "estate.jsonnet")
    with open(path, "w", encoding="utf-8") as f:
        f.write("local topic(t) = t { assert std.length(self.name) > 0, subject: self.name + '-value',\n"
                "  rules: [{ name: tag, kek: t.kek } for tag in ['PII', 'PCI']] };\n{\n")
        for n in range(topics):
            f.write("  %s: topic(%s),\n" % (json.dumps("shop.orders-%d" % n), json.dumps(topic(n))))
        f.write("}\n")
    return [path]


def nft(folder, topics):
    path = os.path.join(folder, "estate.nft")
    with open(path, "w", encoding="utf-8") as f:
        f.write("table inet estate {\n")
        for n in range(topics):
            f.write("  chain topic_%d {\n" % n)
            for port in range(7):
                f.write("    ip saddr 10.%d.%d.0/24 tcp dport %d counter accept\n" % (n // 256 % 256, n % 256, 9000 + port))
            f.write("  }\n")
        f.write("}\n")
    return ["-c", "-f", path]


OTHERS = [("cue", "cue vet", cue), ("opa", "opa check", opa), ("jsonnet", "jsonnet", jsonnet), ("nft", "nft -c", nft)]
