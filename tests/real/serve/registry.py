"""registry.py: `flec serve` as a process of a test, and workers that change it and know what it must hold.

A worker owns some subjects and the data keys of some more, so what they hold follows from its own calls alone. Each change is first noted as begun, then
sent, and noted as acknowledged when the answer is there: after a kill a subject holds what was acknowledged, or that and the one change that was begun."""
import hashlib, http.client, json, os, random, resource, select, signal, subprocess, sys, time
from urllib.parse import quote

TYPE = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
KEYS = "/dek-registry/v1/keks"


class Server:
    """A server of its own on a free port. store: a URL; more: further options."""

    def __init__(self, flec, store="mem:", more=(), limits=None, errors=None):
        self.errors = errors or subprocess.DEVNULL
        self.process = subprocess.Popen([flec, "serve", "--listen", "127.0.0.1:0", "--store", store, *more], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, preexec_fn=limits)
        started = time.monotonic()
        if not select.select([self.process.stdout], [], [], 120)[0]:
            self.kill()
            raise RuntimeError("flec serve says nothing for 120 s")
        line = self.process.stdout.readline().decode()
        if not line.startswith("http://127.0.0.1:"):
            self.kill()
            raise RuntimeError(f"flec serve does not start: status {self.process.returncode}")
        self.opened = time.monotonic() - started
        self.port = int(line.rsplit(":", 1)[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("flec serve does not stop within 60 s") from None
        self.process.stdout.close()
        return status

    def rss(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * resource.getpagesize()

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Client:
    """One connection that stays while it is used."""

    def __init__(self, port, timeout=120):
        self.port, self.timeout, self.connection, self.used = port, timeout, None, 0.0

    def call(self, method, path, body=None):
        """Status and JSON. OSError or HTTPException: the server went away."""
        if time.monotonic() - self.used > 5:  # the server closes what was idle for 30 s, and this machine may be slow
            self.close()
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        self.connection.request(method, path, None if body is None else json.dumps(body), TYPE if body is not None else {})
        answer = self.connection.getresponse()
        text = answer.read()
        self.used = time.monotonic()
        return answer.status, json.loads(text) if text else None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def filling(n):
    """What version n carries: 1 to 16 KiB that follow from the number."""
    digest = hashlib.sha256(b"%d" % n).hexdigest()
    return digest * (16 + int(digest[:2], 16) * 240 // 255)


class Subject:
    """A subject's versions: [number, filling's number, deleted]."""

    def __init__(self, name):
        self.name, self.versions, self.begun = name, [], None
        self.path = "/subjects/" + quote(name, safe="")

    def after(self, change):
        kind, n = change
        if kind == "register":
            last = self.versions[-1][0] if self.versions else 0
            return self.versions + [[last + 1, n, False]]
        return [] if kind == "drop" else [[v, m, True] for v, m, _ in self.versions]

    def change(self, rng, n):
        alive = [v for v in self.versions if not v[2]]
        if self.versions and not alive:
            return "drop", 0
        return ("register", n) if len(alive) < 2 or rng.random() < 0.5 and len(alive) < 6 else ("delete", 0)

    def send(self, client, change):
        kind, n = change
        if kind == "register":
            return client.call("POST", self.path + "/versions", {"schema": '"string"', "metadata": {"properties": {"n": str(n), "filling": filling(n)}}})
        return client.call("DELETE", self.path + ("?permanent=true" if kind == "drop" else ""))

    def read(self, client):
        """What the server holds of it. ValueError: something partial."""
        status, numbers = client.call("GET", self.path + "/versions?deleted=true")
        if status == 404:
            return []
        if status != 200:
            raise ValueError(f"{self.name}: versions answer {status}")
        status, alive = client.call("GET", self.path + "/versions")
        alive = alive if status == 200 else []
        found = []
        for v in numbers:
            status, body = client.call("GET", f"{self.path}/versions/{v}?deleted=true")
            properties = body.get("metadata", {}).get("properties", {}) if status == 200 else {}
            if body.get("schema") != '"string"' or properties.get("filling") != filling(int(properties.get("n", -1))):
                raise ValueError(f"{self.name}, version {v}: status {status}, it is not what was sent")
            found.append([v, int(properties["n"]), v not in alive])
        return found


class Keys(Subject):
    """The data keys of a subject under one KEK: the same life, at another address."""

    def __init__(self, kek, name):
        super().__init__(name)
        self.path = f"{KEYS}/{kek}/deks"

    def send(self, client, change):
        kind, n = change
        if kind == "register":
            number = self.after(change)[-1][0]
            return client.call("POST", self.path, {"subject": self.name, "version": number, "encryptedKeyMaterial": hashlib.sha256(b"%d" % n).hexdigest()})
        return client.call("DELETE", f"{self.path}/{quote(self.name, safe='')}" + ("?permanent=true" if kind == "drop" else ""))

    def read(self, client):
        path = f"{self.path}/{quote(self.name, safe='')}/versions"
        status, numbers = client.call("GET", path + "?deleted=true")
        found = []
        for v in numbers if status == 200 else []:
            status, body = client.call("GET", f"{path}/{v}?deleted=true")
            if status != 200 or not body.get("encryptedKeyMaterial"):
                raise ValueError(f"{self.name}, data key {v}: status {status}, {body}")
            found.append([v, body["encryptedKeyMaterial"], bool(body.get("deleted"))])
        return found

    def same(self, found, versions):
        return found == [[v, hashlib.sha256(b"%d" % n).hexdigest(), d] for v, n, d in versions]


class Worker:
    def __init__(self, name, seed, subjects=3):
        self.name, self.rng, self.next, self.acknowledged = name, random.Random(f"{seed} {name}"), 0, 0
        self.slots = [Subject(f"{name}/../{i}") for i in range(subjects)] + [Keys("kek-" + name, f"{name}-{i}") for i in range(2)]

    def prepare(self, client):
        """Once for a store: the KEK of its data keys."""
        status, body = client.call("POST", KEYS, {"name": "kek-" + self.name, "kmsType": "local-kms", "kmsKeyId": "x"})
        if status not in (200, 409):
            raise ValueError(f"a KEK: {status} {body}")

    def step(self, client):
        """One change. ValueError: it was refused."""
        slot = self.rng.choice(self.slots)
        self.next += 1
        slot.begun = slot.change(self.rng, self.next)
        status, body = slot.send(client, slot.begun)
        if status not in (200, 204):
            raise ValueError(f"{slot.name}: {slot.begun[0]} answers {status} {body}")
        slot.versions, slot.begun = slot.after(slot.begun), None
        self.acknowledged += 1

    def verify(self, client):
        """The server holds what was acknowledged; a change that was begun is whole or not there. Goes on from what is there."""
        for slot in self.slots:
            found = slot.read(client)
            could = [slot.versions] + ([slot.after(slot.begun)] if slot.begun else [])
            same = getattr(slot, "same", lambda a, b: a == b)
            held = [versions for versions in could if same(found, versions)]
            if not held:
                raise ValueError(f"{slot.name} holds {str(found)[:300]}; acknowledged was {slot.versions}, begun {slot.begun}")
            slot.versions, slot.begun = held[0], None


GONE = (OSError, http.client.HTTPException)
