#!/usr/bin/env python3
"""suite.py: flec against a real Kafka broker and a real Connect worker with Debezium's PostgreSQL connector, from Maven Central, on loopback.

What no registry serves and so is not here: the vendor's converters, its S3, IBM MQ, Salesforce and ServiceNow connectors, its Schema Registry.
It runs in the folder of the vendor's Python client (tests/interop/client_python), which dead_letters.py wants.
usage: suite.py FLEC KAFKA-PROGRAM REPORT.xml
"""
import glob, json, os, re, shutil, signal, subprocess, sys, tempfile, urllib.error, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("FLEC_TEST_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "flec-tests")
VERSIONS = os.path.join(CACHE, "kafka-4.3.1-debezium-3.6.1")
# what the worker's own class path has already: a second Jackson breaks Debezium
ALREADY = "org.apache.kafka,org.slf4j,org.lz4,at.yawk.lz4,org.xerial.snappy,com.github.luben,com.fasterxml.jackson.core,jakarta.ws.rs"
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib")]
import dead_letters
from junit import Report
from servers import Server, free_port

JVM = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + HERE + "/kafka/log4j2.properties"]
CLUSTER = "4L6g3nShT-eMCtK--X86sw"


def fetch():
    """Jars by Maven, once a user and version; the stub of the converter beside them."""
    if os.path.exists(VERSIONS + "/ready"):
        return
    shutil.rmtree(VERSIONS, ignore_errors=True)
    os.makedirs(VERSIONS)
    copy = ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime"]
    subprocess.run(copy + ["-f", HERE + "/kafka/kafka-pom.xml", "-DoutputDirectory=" + VERSIONS + "/libs"], check=True)
    subprocess.run(copy + ["-f", HERE + "/kafka/debezium-pom.xml", "-DexcludeGroupIds=" + ALREADY,
                           "-DoutputDirectory=" + VERSIONS + "/plugins/debezium-postgres"], check=True)
    stub = VERSIONS + "/stub"
    subprocess.run(["javac", "-d", stub, "-cp", VERSIONS + "/libs/*", HERE + "/kafka/stub/AvroConverter.java"], check=True)
    services = stub + "/META-INF/services"
    os.makedirs(services)
    with open(services + "/org.apache.kafka.connect.storage.Converter", "w", encoding="ascii") as f:
        f.write("io.confluent.connect.avro.AvroConverter\n")
    os.makedirs(VERSIONS + "/plugins/stub")
    shutil.make_archive(VERSIONS + "/plugins/stub/stub", "zip", stub)
    os.rename(VERSIONS + "/plugins/stub/stub.zip", VERSIONS + "/plugins/stub/stub.jar")
    open(VERSIONS + "/ready", "w").close()


def configured(name, work, values):
    with open(f"{HERE}/kafka/{name}", encoding="utf-8") as f:
        text = f.read()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def rest(url, body=None):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"},
                                     method="GET" if body is None else "PUT")
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.load(answer)


def answers(url):
    try:
        rest(url)
        return True
    except (urllib.error.URLError, OSError, ValueError):
        return False


# ---- records over a real broker ----

class Records:
    def __init__(self, flec, kafka, work, brokers):
        self.flec, self.kafka, self.work, self.brokers = flec, kafka, work, brokers
        self.env = dict(os.environ, LAB_KEK_SECRET="a secret of the tests")
        self.build = work + "/build"
        self.run([flec, "build", ROOT + "/policies", "--env", "prod", "-o", self.build])

    def run(self, command, stdin=""):
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=self.env, timeout=300)
        if done.returncode:
            raise RuntimeError(f"{command[0]} {command[1]} exits with {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def crypt(self, verb, topic, stdin):
        return self.run([self.flec, verb, "--plan", self.build + "/plan.json", "--topic", topic, "--registry", f"file://{self.work}/registry"], stdin)

    def values(self, fixture):
        lines = open(f"{ROOT}/policies/fixtures/{fixture}", encoding="utf-8").read().split("\n")[:-1]
        if not fixture.endswith(".envelope.jsonl"):
            return lines
        return [json.dumps(json.loads(l)["value"], ensure_ascii=False) for l in lines]

    def there_and_back(self, topic, fixture, secrets):
        values = self.values(fixture)
        wire = self.crypt("encrypt", topic, "\n".join(values) + "\n")
        back = self.run([self.kafka, self.brokers, topic], wire)
        if back != wire:
            raise AssertionError("the broker gives back other bytes")
        clear = [json.loads(l) for l in self.crypt("decrypt", topic, back).split("\n")[:-1]]
        if len(clear) != len(values):
            raise AssertionError(f"{len(clear)} records, {len(values)} were sent")
        sent = list(map(json.loads, values))
        for i, (before, after) in enumerate(zip(sent, clear)):
            if before != after:
                raise AssertionError(f"record {i + 1} came back with another value")
        stored = subprocess.run(["kcat", "-b", self.brokers, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%k %s\n"],
                                capture_output=True, timeout=60, check=True).stdout
        looked = [s for value in sent for s in (get(value) for get in secrets) if s and len(s) > 5]
        seen = [s for s in looked if s.encode() in stored]
        if not stored or not looked or seen:
            raise AssertionError(f"kcat finds {len(seen)} of {len(looked)} plaintext values in {len(stored)} bytes of the topic")


def dig(*path):
    def get(value):
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, str) else None
    return get


TOPICS = [
    ("lab.surveys", "surveys.jsonl", [dig("participant")]),
    ("crm.consents", "consents.envelope.jsonl", [dig("person", "name")]),
    ("orders.changes", "order-changes.envelope.jsonl", [dig("before", "buyer_email"), dig("after", "buyer_email")]),
    ("support.incidents", "incidents.jsonl", [dig("description")]),
]


# ---- configurations before a real worker ----

NO_DATABASE = "Error while validating connector config: Connection to 127.0.0.1"  # the one error that may be: nothing listens there


def generated(build, name):
    """A generated configuration, its references to secrets replaced (the worker answers 500 for a file that is not there), its database on a closed port."""
    config = json.load(open(f"{build}/connect/{name}.json", encoding="utf-8"))
    config = {k: re.sub(r"\$\{[^}]*\}", "placeholder", v) for k, v in config.items()}
    config.update({"database.hostname": "127.0.0.1", "database.port": str(free_port())})
    return config


def validate(url, build, name):
    """Every property of the generated file that the real plugin declares is one it accepts; only the database itself may be missing."""
    config = generated(build, name)
    answer = rest(f"{url}/connector-plugins/{config['connector.class']}/config/validate", config)
    known, wrong = set(), []
    for row in answer["configs"]:
        value = row.get("value") or {}
        known.add(value.get("name"))
        wrong += [f"{value.get('name')}: {e}" for e in value.get("errors") or [] if not (value.get("name") == "database.hostname" and NO_DATABASE in e)]
    if wrong:
        raise AssertionError("; ".join(wrong))
    unknown = [k for k in config if k not in known and k.split(".")[0] not in ("csfle", "rule") and ".converter." not in k]
    if unknown:
        raise AssertionError("the plugin does not declare " + ", ".join(unknown))


def misspelt(url, build, name):
    """Why flec has its own catalogue: the worker says nothing of a misspelt CSFLE line or property."""
    config = generated(build, name)
    config["csfle.enabeld"] = config.pop("csfle.enabled")
    config["table.inlcude.list"] = config.pop("table.include.list")
    answer = rest(f"{url}/connector-plugins/{config['connector.class']}/config/validate", config)
    said = [r["value"]["name"] for r in answer["configs"] if any(NO_DATABASE not in e for e in (r.get("value") or {}).get("errors") or [])]
    if said:
        raise AssertionError("the worker now reports " + ", ".join(said) + ": docs and README say that it does not")


def main():
    flec, kafka, out = map(os.path.abspath, sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end with us
    report = Report("real")
    work = tempfile.mkdtemp(prefix="flec-real-")
    servers = []
    try:
        fetch()
        broker, control, connect = free_port(), free_port(), free_port()
        libs = VERSIONS + "/libs/*"
        server = configured("server.properties", work, {"DATA": work, "BROKER_PORT": broker, "CTRL_PORT": control})
        subprocess.run(JVM + ["-cp", libs, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", server], check=True, capture_output=True)
        servers.append(Server("broker", JVM + ["-cp", libs, "kafka.Kafka", server], work, lambda t: "Kafka Server started" in t))
        r = Records(flec, kafka, work, f"127.0.0.1:{broker}")
        for topic, fixture, secrets in TOPICS:
            report.run(f"{topic}: {fixture} over a broker and back, no plaintext on it", lambda: r.there_and_back(topic, fixture, secrets))
        report.run("a tombstone passes a broker", lambda: tombstone(r))
        dead_letters.run(report, flec, work, r.brokers)
        worker = configured("connect-distributed.properties", work, {"PLUGINS": VERSIONS + "/plugins", "BROKER_PORT": broker, "CONNECT_PORT": connect})
        url = f"http://127.0.0.1:{connect}"
        servers.append(Server("connect", JVM + ["-cp", libs, "org.apache.kafka.connect.cli.ConnectDistributed", worker], work,
                              lambda t: "Kafka Connect started" in t and answers(url + "/connectors")))
        for path in sorted(glob.glob(r.build + "/connect/*.json")):
            if json.load(open(path, encoding="utf-8"))["connector.class"].startswith("io.debezium."):
                name = os.path.basename(path)[:-5]
                report.run(f"{name}: Debezium 3.6.1 accepts every generated property", lambda: validate(url, r.build, name))
                report.run(f"{name}: the worker does not notice a misspelt line", lambda: misspelt(url, r.build, name))
    finally:
        for s in reversed(servers):  # Connect before the broker: the other order hangs
            s.stop()
        shutil.rmtree(work, ignore_errors=True)
    report.write(out)


def tombstone(r):
    wire = r.crypt("encrypt", "crm.consents", "null\n")
    if wire != "null\n" or r.run([r.kafka, r.brokers, "tombstones"], wire) != "null\n" or r.crypt("decrypt", "crm.consents", "null\n") != "null\n":
        raise AssertionError("it changed")


main()
