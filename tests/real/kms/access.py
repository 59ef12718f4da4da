"""access.py: the generated access/kms/ applied: with it the drivers work, with any part of it taken out they are refused.

Of AWS's elements the Sid is a name and takes nothing with it. A Condition of an Allow narrows: without it more is allowed, so it is proven by what it refuses."""
import copy, json, os, stat, subprocess, urllib.error, urllib.parse, urllib.request

from tool import HERE, KEY, clean_env

POLICY = """
platform cloud {{
  workers 7.9.2
  registry "https://registry.example.org" {{
    auth basic secret("env:REGISTRY_AUTH")
  }}
  kafka "kafka.example.org:9092"
  ids {{
    environment = env-abc12
    registry    = lsrc-abc12
    kafka       = lkc-abc12
  }}
}}
tag PII "identifies a person"
kek aws-kek {{
  kms        aws "{arn}"
  alternates "{other}"
  private {{
    profile = csfle
  }}
}}
kek alias-kek {{
  kms aws "{alias}"
  private {{
    profile = csfle
  }}
}}
kek aws-shared {{
  kms aws "{arn}"
  shared
}}
kek azure-kek {{
  kms azure "https://acme.vault.azure.net/keys/kek1/0123456789abcdef0123456789abcdef"
  private {{
    tenant.id     = "8f7c1f0e-4a53-4d0c-9a51-0f6ce4a5a111"
    client.id     = "66666666-7777-8888-9999-000000000000"
    client.secret = secret("env:AZURE_SECRET")
  }}
}}
kek gcp-kek {{
  kms gcp "projects/p1/locations/global/keyRings/r1/cryptoKeys/gkek"
  shared
}}
kek vault-kek {{
  kms        vault "{vault}/transit/keys/kek1"
  alternates "{vault}/second/keys/kek2"
  private {{
    token.id = secret("env:THE_TOKEN")
  }}
}}
topic people {{
  value avro "person.avsc" {{
    exhaustive
    field name is PII
    encrypt PII with vault-kek {{
      rotate 90d
    }}
  }}
  writers User:sa-people
}}
"""
SCHEMA = {"type": "record", "name": "Person", "fields": [{"name": "name", "type": "string"}]}


class Built:
    """The access/kms/ that `flec build` writes for keys of these servers."""

    def __init__(self, flec, work, made, vault):
        folder = work + "/access"
        os.makedirs(folder)
        with open(folder + "/access.flec", "w", encoding="ascii") as f:
            f.write(POLICY.format(arn=made["arn"], other=made["other"], alias=made["alias"], vault=vault))
        with open(folder + "/person.avsc", "w", encoding="ascii") as f:
            json.dump(SCHEMA, f)
        done = subprocess.run([flec, "build", folder, "-o", folder + "/out"], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError("flec build: " + done.stdout + done.stderr)
        self.folder = folder + "/out/access/kms/"

    def text(self, name):
        with open(self.folder + name, encoding="ascii") as f:
            return f.read()


def without(document):
    """(what, the document without it) for each statement, action and element of a policy but names and conditions."""
    def less(what, *path):
        d = copy.deepcopy(document)
        at = d
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]
        return what, d
    for key in document:
        yield less(key, key)
    for i, statement in enumerate(document["Statement"]):
        yield less(f"statement {i}", "Statement", i)
        for key in set(statement) - {"Sid", "Condition"}:
            yield less(f"{key} of statement {i}", "Statement", i, key)
        for n, action in enumerate(statement["Action"]):
            yield less(f"{action} of statement {i}", "Statement", i, "Action", n)


class Refused(Exception):
    pass


def both(tool, kms, key, wrapped, **kw):
    """Wraps and unwraps; Refused if a right is missing for one of them, any other trouble is none that may be."""
    for verb, value in (("wrap", KEY), ("unwrap", wrapped)):
        done = tool.run(verb, kms, key, value, **kw)
        if done.returncode == 4 and "access denied" in done.stderr:
            raise Refused(verb)
        if done.returncode:
            raise AssertionError(f"{verb} exits with {done.returncode}: {done.stderr}")


def must_be_refused(what, test):
    try:
        test()
    except Refused:
        return
    raise AssertionError(f"without {what} it still works")


# ---- AWS: applied to moto, and judged by an evaluator of AWS's rules

def aws_access(report, tool, at, made, built, unchecked):
    def iam(**form):
        headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x"}
        request = urllib.request.Request(at + "/", urllib.parse.urlencode({"Version": "2010-05-08", **form}).encode(), headers)
        unchecked(1000000)
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as e:
            text = e.read().decode()
            if "MalformedPolicyDocument" not in text:
                raise AssertionError("IAM: " + text) from None
            raise Refused("by IAM") from None
        finally:
            unchecked(0)

    least = {"settings": {"access.key.id": made["least"][0], "secret.access.key": made["least"][1]}, "env": {"AWS_ENDPOINT_URL": at}}
    writer = {"settings": {"access.key.id": made["writer"][0], "secret.access.key": made["writer"][1]}, "env": {"AWS_ENDPOINT_URL": at}}
    wrapped = {k: tool.good("wrap", "aws-kms", made[k], KEY, **writer) for k in ("arn", "other", "alias")}

    def uses(document, *keys):
        iam(Action="PutUserPolicy", UserName="least", PolicyName="generated", PolicyDocument=document if isinstance(document, str) else json.dumps(document))
        for k in keys:
            both(tool, "aws-kms", made[k], wrapped[k], **least)

    def each_part(name, *keys):
        text = built.text(name)
        uses(text, *keys)
        parts = list(without(json.loads(text)))
        if len(parts) < 6:
            raise AssertionError(f"only {len(parts)} parts in {name}")
        for what, document in parts:
            must_be_refused(what, lambda: uses(document, *keys))

    def alias():
        each_part("alias-kek.json", "alias")
        text = built.text("alias-kek.json")
        must_be_refused("the alias in the call", lambda: uses(text, "arn"))  # the condition: by that alias alone
        document = json.loads(text)
        del document["Statement"][0]["Condition"]
        uses(document, "arn")

    report.run("access: the generated policy for AWS, and each of its parts taken out, in moto", lambda: each_part("aws-kek.json", "arn", "other"))
    report.run("access: the same for an alias, and its condition", alias)


def simulation(principal, action, key, identity, key_policy, **context):
    account = key.split(":")[4]
    return {"request": {"principal": principal, "action": action, "resource": {"resource": key, "accountId": account}, "contextVariables": context},
            "identityPolicies": [{"name": "p", "policy": identity}], "serviceControlPolicies": [], "resourceControlPolicies": [], "resourcePolicy": key_policy}


def rules_access(report, made, built):
    """By AWS's rules: what moto does not look at, the key policy with the tenant's condition."""
    module = subprocess.run([HERE + "/iam_module"], check=True, capture_output=True, text=True, timeout=300).stdout.strip()
    vendor = "arn:aws:iam::999999999999:role/confluent-schema-registry-kms-access"
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    account = made["arn"].split(":")[4]
    by_iam = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}]}

    def judged(rows):
        done = subprocess.run(["node", HERE + "/iam.mjs", module], input=json.dumps([r[1] for r in rows]), check=True, capture_output=True, text=True, timeout=120)
        return list(zip([r[0] for r in rows], json.loads(done.stdout)))

    def want(rows, allowed):
        wrong = [f"{what}: {result}" for what, result in judged(rows) if (result == "Allowed") != allowed]
        if wrong or not rows:
            raise AssertionError("; ".join(wrong) or "nothing was judged")

    def all_allowed(rows):
        """Of a part taken out: one of the calls that a KEK needs is no longer allowed."""
        still = {}
        for what, result in judged(rows):
            still[what] = still.get(what, True) and result == "Allowed"
        wrong = [what for what, is_allowed in still.items() if is_allowed]
        if wrong or not still:
            raise AssertionError("still allowed without " + ", ".join(wrong))

    def private():
        user, document = f"arn:aws:iam::{account}:user/least", json.loads(built.text("aws-kek.json"))
        calls = [(a, k) for a in ("kms:Encrypt", "kms:Decrypt") for k in (made["arn"], made["other"])]
        want([(f"{a} {k}", simulation(user, a, k, document, by_iam)) for a, k in calls], True)
        third = made["arn"][:-12] + "000000000000"
        want([(f"{a} {k}", simulation(user, a, k, document, by_iam))
              for a, k in [("kms:Encrypt", third), ("kms:Decrypt", third), ("kms:CreateGrant", made["arn"]), ("kms:ScheduleKeyDeletion", made["arn"]), ("kms:ReEncryptFrom", made["arn"])]], False)
        all_allowed([(what, simulation(user, a, k, d, by_iam)) for what, d in without(document) for a, k in calls if what != "Version"])

    def alias():
        user, document = f"arn:aws:iam::{account}:user/least", json.loads(built.text("alias-kek.json"))
        for action in ("kms:Encrypt", "kms:Decrypt"):
            want([(action, simulation(user, action, made["arn"], document, by_iam, **{"kms:RequestAlias": "alias/kek"}))], True)
            want([(action + ", another alias", simulation(user, action, made["arn"], document, by_iam, **{"kms:RequestAlias": "alias/other"})),
                  (action + ", by its ARN", simulation(user, action, made["arn"], document, by_iam))], False)

    def shared():
        text = built.text("aws-shared.json")
        statement = json.loads(text.replace("CONFLUENT_ACCOUNT", "999999999999"))

        def asks(one, action="kms:Encrypt", who=vendor, **context):
            return simulation(who, action, made["arn"], everything, {"Version": "2012-10-17", "Statement": [one] if one else []}, **context)
        tenant = {"aws:PrincipalTag/TenantID": "lsrc-abc12"}
        want([(a, asks(statement, a, **tenant)) for a in ("kms:Encrypt", "kms:Decrypt")], True)
        want([("another tenant", asks(statement, **{"aws:PrincipalTag/TenantID": "lsrc-other"})), ("no tenant", asks(statement)),
              ("another role", asks(statement, who=vendor + "-2", **tenant)), ("another action", asks(statement, "kms:CreateGrant", **tenant)),
              ("the account not replaced", asks(json.loads(text), **tenant)), ("no statement", asks(None, **tenant))], False)
        document = {"Statement": [statement]}
        # AWS documents that a statement of a key policy without a Resource has no effect; the evaluator does not know that
        all_allowed([(what, asks(d["Statement"][0], a, **tenant)) for what, d in without(document)
                     if d.get("Statement") and not what.startswith("Resource") for a in ("kms:Encrypt", "kms:Decrypt")])
        open_ = {k: v for k, v in statement.items() if k != "Condition"}
        want([("any tenant, without the condition", asks(open_, **{"aws:PrincipalTag/TenantID": "lsrc-other"}))], True)
    report.run("access: the private statements by AWS's rules, and each part taken out", private)
    report.run("access: the condition of an alias by AWS's rules", alias)
    report.run("access: the key policy of a shared KEK by AWS's rules, its tenant, and each part taken out", shared)


# ---- Vault: applied to OpenBao

def vault_access(report, tool, bao, built):
    keys = [bao.at + "/transit/keys/kek1", bao.at + "/second/keys/kek2"]
    root = {"settings": {"token.id": bao.token}}

    def setup():
        bao.call("sys/mounts/second", {"type": "transit"})
        bao.call("second/keys/kek2", {"type": "aes256-gcm96"})
        return {k: tool.good("wrap", "hcvault", k, KEY, **root) for k in keys}

    def uses(text, wrapped):
        try:
            token = bao.policy_token("generated", text)
        except urllib.error.HTTPError as e:
            if e.code != 400:
                raise
            raise Refused("by Vault") from None
        for k in keys:
            both(tool, "hcvault", k, wrapped[k], settings={"token.id": token})

    def each_line():
        wrapped, text = setup(), built.text("vault-kek.hcl")
        uses(text, wrapped)
        lines = text.split("\n")
        refused = 0
        for i, line in enumerate(lines):
            if line and not line.startswith("#"):
                must_be_refused(f"line {i + 1}, {line}", lambda: uses("\n".join(lines[:i] + lines[i + 1:]), wrapped))
                refused += 1
        blocks = ["path " + b for b in text.split("path ")[1:]]
        for b in blocks:
            must_be_refused(b, lambda: uses(text.replace(b, ""), wrapped))
            must_be_refused("the capability of " + b, lambda: uses(text.replace(b, b.replace('"update"', "")), wrapped))
        if len(blocks) != 4 or refused != 12:
            raise AssertionError(f"{len(blocks)} paths and {refused} lines were taken out")

    def nothing_else():
        token = bao.policy_token("generated", built.text("vault-kek.hcl"))
        tool.refused("access denied", "wrap", "hcvault", bao.at + "/transit/keys/other", KEY, settings={"token.id": token})
        for path, body, method in (("transit/keys/kek1", None, "GET"), ("transit/export/encryption-key/kek1", None, "GET"), ("transit/keys/kek1/rotate", {}, "POST"),
                                   ("transit/rewrap/kek1", {"ciphertext": "vault:v1:AAAA"}, "POST"), ("transit/datakey/plaintext/kek1", {}, "POST")):
            asked = urllib.request.Request(f"{bao.at}/v1/{path}", None if body is None else json.dumps(body).encode(), {"X-Vault-Token": token}, method=method)
            try:
                urllib.request.urlopen(asked, timeout=30).close()
            except urllib.error.HTTPError as e:
                if e.code == 403:
                    continue
            raise AssertionError(f"{method} {path} is not refused")
    report.run("access: the generated policy for Vault, and each of its lines taken out, in OpenBao", each_line)
    report.run("access: the generated policy for Vault allows nothing else", nothing_else)


# ---- Azure, Google: the scripts run, against programs that write down what they were asked

FAKE = """#!/bin/sh
printf '%s\\n' "$#" "$@" >>"$RECORD"
case "$*" in
'account show'*) echo 00000000-1111-2222-3333-444444444444 ;;
'keyvault show'*) echo /subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/acme ;;
esac
"""


def ran(built, name, program, work, who):
    """The calls that a generated script makes, each a list of arguments."""
    folder = f"{work}/fake-{program}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{program}", "w", encoding="ascii") as f:
        f.write(FAKE)
    os.chmod(f"{folder}/{program}", stat.S_IRWXU)
    record = f"{folder}/record"
    if os.path.exists(record):
        os.remove(record)
    subprocess.run(["sh", built.folder + name, who], check=True, capture_output=True, timeout=60,
                   env=clean_env(RECORD=record, PATH=f"{folder}:{os.environ['PATH']}"))
    with open(record, encoding="ascii") as f:
        words = f.read().split("\n")
    calls = []
    while words[0]:
        n = int(words[0])
        calls.append(words[1:n + 1])
        words = words[n + 1:]
    return calls


def option(call, name):
    return call[call.index(name) + 1]


def azure_access(report, tool, stub, kw, built, work):
    """The data actions of the role, one by one, held by the stub against the driver's calls: a key id without a version needs all three."""
    key = stub.url + "/keys/kek1"

    def role():
        calls = ran(built, "azure-kek.sh", "az", work, "object-1")
        create = next(c for c in calls if c[:3] == ["role", "definition", "create"])
        return json.loads(option(create, "--role-definition")), next(c for c in calls if c[:3] == ["role", "assignment", "create"])

    def assigned():
        definition, assignment = role()
        if set(definition) != {"Name", "Description", "Actions", "DataActions", "AssignableScopes"} or definition["Actions"] != []:
            raise AssertionError(f"another role: {definition}")
        if option(assignment, "--assignee") != "object-1" or option(assignment, "--role") != definition["Name"]:
            raise AssertionError(f"another assignment: {assignment}")
        if option(assignment, "--scope") != "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/acme/keys/kek1":
            raise AssertionError(f"another scope: {assignment}")

    def each_action():
        wrapped = tool.good("wrap", "azure-kms", key, KEY, **kw)
        actions = role()[0]["DataActions"]
        try:
            stub.set(key="kek1", rights=actions)
            both(tool, "azure-kms", key, wrapped, **kw)
            for a in actions:
                stub.set(key="kek1", rights=[b for b in actions if b != a])
                must_be_refused(a, lambda: both(tool, "azure-kms", key, wrapped, **kw))
        finally:
            stub.set(key="kek1", rights=None)
    report.run("access: the generated role for Azure is created and assigned to that key alone", assigned)
    report.run("access: each data action of the generated role for Azure", each_action)


def google_access(report, tool, vendor, built, work):
    def binding():
        calls = ran(built, "gcp-kek.sh", "gcloud", work, "serviceAccount:sa@p1.iam.gserviceaccount.com")
        if len(calls) != 1 or calls[0][:3] != ["kms", "keys", "add-iam-policy-binding"]:
            raise AssertionError(f"other calls: {calls}")
        call = calls[0]
        named = "projects/{}/locations/{}/keyRings/{}/cryptoKeys/{}".format(option(call, "--project"), option(call, "--location"), option(call, "--keyring"), call[9])
        if named != "projects/p1/locations/global/keyRings/r1/cryptoKeys/gkek":
            raise AssertionError("another key: " + named)
        policy = {"bindings": [{"role": option(call, "--role"), "members": [option(call, "--member")]}]}
        text = ("import json,sys; from google.iam.v1 import policy_pb2; from google.protobuf import json_format; "
                "p = json_format.Parse(sys.stdin.read(), policy_pb2.Policy()); print(p.bindings[0].role, p.bindings[0].members[0])")
        done = subprocess.run([vendor, "-c", text], input=json.dumps(policy), check=True, capture_output=True, text=True, timeout=60)
        if done.stdout.strip() != "roles/cloudkms.cryptoKeyEncrypterDecrypter serviceAccount:sa@p1.iam.gserviceaccount.com":
            raise AssertionError("another binding: " + done.stdout)
    report.run("access: the generated binding for Google names the key, the role and the member", binding)
