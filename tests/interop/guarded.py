#!/usr/bin/env python3
"""guarded.py: the vendor's clients, as they are, against `flec serve` over TLS with users, client certificates and the role bindings that `flec build` wrote:
who has a grant registers, encrypts and decrypts; who lacks it is refused, and the client says so. usage: guarded.py FLEC REPORT.xml CLIENT=COMMAND …
"""
import json, os, shlex, shutil, signal, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "tests", "lib"))
sys.path.insert(0, os.path.join(HERE, "matrix"))
from junit import Report
import estate

POLICY = """platform cloud {
  workers  7.9.2
  registry "https://127.0.0.1:8081"
  kafka    "127.0.0.1:9092"
  grants   least
}

tag PII "identifies a person"

kek local-kek {
  kms local "interop"
  private {
    secret = secret("env:INTEROP_KEK_SECRET")
  }
}

allow local-kms on kek local-kek because "made-up people, and no cloud here" until 2099-12-31
"""
TOPIC = """
topic guarded.{name} {{
  value avro "strings.avsc" {{
    field name is PII
    encrypt PII with local-kek
  }}
  writers {writers}
  readers {readers}
}}
"""
# open: written by each client. untouched: has no data key, and only a writer could make it
RECORD = {"id": "P-1", "name": "Ada Lovelace in full", "note": "a note"}
NEW = {"schemaType": "AVRO", "schema": '{"type":"record","name":"New","fields":[{"name":"a","type":"string"}]}'}
GO_SAYS = ["no dek found for local-kek", "no kek found for local-kek"]  # the Go client does not pass on why a key is not to be had
PASSWORDS = {"writer": "a word of the writer", "reader": "a word of the reader", "subject-only": "a third one", "deployer": "a fourth one"}


def must(condition, what):
    if not condition:
        raise AssertionError(what)


# ---- what the server is given ----


def certificate(folder, name, subject, by=None, san=None):
    """NAME.pem and NAME.key in the folder; by None: an authority."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject,
               "-out", f"{folder}/{name}.pem", "-keyout", f"{folder}/{name}.key"]
    if by:
        command += ["-CA", f"{folder}/{by}.pem", "-CAkey", f"{folder}/{by}.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    if san:
        command += ["-addext", "subjectAltName=" + san]
    subprocess.run(command, check=True, capture_output=True)


def certificates(folder):
    certificate(folder, "ca", "/CN=the authority of these tests")
    certificate(folder, "server", "/CN=server", "ca", "IP:127.0.0.1")
    certificate(folder, "batch", "/CN=batch", "ca")
    certificate(folder, "other-ca", "/CN=another authority")
    certificate(folder, "foreign", "/CN=batch", "other-ca")


def users_file(flec, folder):
    lines = ["flec-users 1"]
    for name, password in PASSWORDS.items():
        done = subprocess.run([flec, "serve", "--hash-password", name], input=password + "\n", check=True, capture_output=True, text=True)
        lines.append(done.stdout.strip() + (":admin" if name == "deployer" else ""))
    path = f"{folder}/users"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    return path


def build(flec, folder):
    policy = folder + "/policy"
    os.makedirs(policy)
    with open(policy + "/strings.avsc", "w", encoding="utf-8") as f:
        f.write(estate.schema_text("AVRO", "strings"))
    with open(policy + "/estate.flec", "w", encoding="utf-8") as f:
        f.write(POLICY)
        for name in ("open", "untouched"):
            f.write(TOPIC.format(name=name, writers="User:writer, User:batch", readers="User:reader, User:batch"))
    done = subprocess.run([flec, "build", policy, "-o", folder + "/build"], capture_output=True, text=True, timeout=60)
    must(done.returncode == 0, "flec build: " + done.stderr)
    # one grant more, as an administrator may give: a subject to read, and no key
    with open(folder + "/build/access/role-bindings.json", encoding="utf-8") as f:
        bindings = json.load(f)
    bindings.append({"principal": "User:subject-only", "role": "DeveloperRead", "resourceType": "Subject", "resource": "guarded.", "patternType": "PREFIXED"})
    bindings.append({"principal": "User:writer", "role": "DeveloperWrite", "resourceType": "Subject", "resource": "new.", "patternType": "PREFIXED"})
    with open(folder + "/bindings.json", "w", encoding="utf-8") as f:
        json.dump(bindings, f)


class Server:
    def __init__(self, flec, folder, *more):
        command = [flec, "serve", "--listen", "127.0.0.1:0", "--store", f"file://{folder}/registry", "--build", folder + "/build", "--bindings", folder + "/bindings.json",
                   "--tls-cert", folder + "/server.pem", "--tls-key", folder + "/server.key", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("https://"):
            raise RuntimeError("flec serve does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()


# ---- the clients ----


class Client:
    def __init__(self, name, command, folder):
        self.name, self.command, self.folder, self.runs = name, shlex.split(command), folder, 0

    def run(self, server, steps, ca="ca", **who):
        self.runs += 1
        given, got = f"{self.folder}/{self.name}{self.runs}.json", f"{self.folder}/{self.name}{self.runs}.out"
        with open(given, "w", encoding="utf-8") as f:
            json.dump({"url": server.url, "secret": estate.SECRET, "days_back": 0, "ca": f"{self.folder}/{ca}.pem", "steps": steps, **who}, f)
        done = subprocess.run([*self.command, given, got], capture_output=True, text=True, timeout=120)
        must(done.returncode == 0, f"the driver exits with {done.returncode}: {done.stderr[-500:]}")
        with open(got, encoding="utf-8") as f:
            return json.load(f)

    def as_user(self, server, user, steps, password=None):
        return self.run(server, steps, user=f"{user}:{password or PASSWORDS[user]}")

    def by_certificate(self, server, name, steps):
        pair = {"certificate": f"{self.folder}/{name}.pem", "key": f"{self.folder}/{name}.key"} if name else {}
        return self.run(server, steps, **pair)


def write(topic):
    return {"do": "write", "topic": topic, "format": "AVRO", "text": estate.schema_text("AVRO", "strings"), "value": RECORD}


def read(wire):
    return {"do": "read", "topic": "guarded.open", "format": "AVRO", "text": estate.schema_text("AVRO", "strings"), "wire": wire}


def fine(result):
    must("error" not in result, result.get("error"))
    return result


def refused(result, *any_of):
    must("error" in result, f"it is taken: {result}")
    must(any(word in result["error"] for word in any_of), f"the client says {result['error']!r}, which has none of {', '.join(any_of)}")


def crossing(client, server):
    wire = fine(client.as_user(server, "writer", [write("guarded.open")])[0])["wire"]
    must(RECORD["name"].encode().hex() not in wire, "a name is on the wire in clear")
    must(fine(client.as_user(server, "reader", [read(wire)])[0])["value"] == RECORD, "the reader reads something else than was written")
    return wire


def registering(client, server):
    subject = f"new.{client.name}-value"
    first = fine(client.as_user(server, "writer", [{"do": "register", "subject": subject, "body": NEW}])[0])
    both = client.as_user(server, "deployer", [{"do": "register", "subject": subject, "body": NEW}, {"do": "latest", "subject": subject}])
    must(fine(both[0])["id"] == fine(both[1])["id"] == first["id"], "the same schema has another id")
    must(fine(both[1])["version"] == 1, "the same schema is another version")


def no_grant(client, server, wire):
    register = {"do": "register", "subject": "guarded.open-value", "body": NEW}
    results = client.as_user(server, "reader", [register, write("guarded.untouched")])
    refused(results[0], "403")
    refused(results[1], "403", "denied", *GO_SAYS)
    refused(client.as_user(server, "subject-only", [read(wire)])[0], "403", "denied", *GO_SAYS)
    results = client.as_user(server, "writer", [{"do": "register", "subject": "newer-value", "body": NEW}, {"do": "latest", "subject": f"new.{client.name}-value"}])
    refused(results[0], "403")
    refused(results[1], "403")  # may write it, and not read it


def no_login(client, server):
    refused(client.as_user(server, "writer", [{"do": "latest", "subject": "guarded.open-value"}], password="a word of the write")[0], "401")
    refused(client.run(server, [{"do": "latest", "subject": "guarded.open-value"}])[0], "401")


def another_authority(client, server):
    steps = [{"do": "latest", "subject": "guarded.open-value"}]
    refused(client.run(server, steps, ca="other-ca", user="writer:" + PASSWORDS["writer"])[0], "certificate")


def by_certificate(client, server):
    wire = fine(client.by_certificate(server, "batch", [write("guarded.open")])[0])["wire"]
    must(fine(client.by_certificate(server, "batch", [read(wire)])[0])["value"] == RECORD, "it reads something else than was written")
    refused(client.by_certificate(server, "batch", [{"do": "register", "subject": "guarded.open-value", "body": NEW}])[0], "403")


def no_certificate(client, server):
    steps = [{"do": "latest", "subject": "guarded.open-value"}]
    refused(client.by_certificate(server, None, steps)[0], "403")
    refused(client.by_certificate(server, "foreign", steps)[0], "403")


def main():
    flec, out = sys.argv[1:3]
    os.environ["INTEROP_KEK_SECRET"] = estate.SECRET
    work = tempfile.mkdtemp(prefix="flec-guarded-")
    report = Report("interop-guarded")
    try:
        certificates(work)
        users = users_file(flec, work)
        build(flec, work)
        clients = [Client(*argument.split("=", 1), work) for argument in sys.argv[3:]]
        with Server(flec, work, "--users", users) as server:
            for c in clients:
                wires = []
                report.run(f"{c.name}: writer encrypts, reader decrypts, by name and password over TLS", lambda: wires.append(crossing(c, server)))
                report.run(f"{c.name}: who may write a subject registers", lambda: registering(c, server))
                report.run(f"{c.name}: a reader makes no data key, nobody without the key reads, nobody registers what is not theirs: 403", lambda: no_grant(c, server, wires[0]))
                report.run(f"{c.name}: a wrong password, and none: 401", lambda: no_login(c, server))
                report.run(f"{c.name}: a server of another authority", lambda: another_authority(c, server))
        with Server(flec, work, "--users", users, "--client-ca", work + "/ca.pem") as server:
            for c in clients:
                report.run(f"{c.name}: by certificate, what its name is granted", lambda: by_certificate(c, server))
                report.run(f"{c.name}: no certificate, or a foreign one: 403", lambda: no_certificate(c, server))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report.write(out)


main()
