"""clouds.py: the drivers of Azure and Google against cloud_stub.py."""
import base64, json, ssl, subprocess, time

from servers import Server
from tool import HERE, KEY, call, tampered

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


def azure_settings(stub):
    e = stub.env
    settings = {"tenant.id": e["tenant"], "client.id": e["client"], "client.secret": e["secret"], "ssl.ca.location": stub.folder + "/ca.pem",
                "azure.resource": "https://vault.azure.net"}
    return {"settings": settings, "env": {"AZURE_AUTHORITY_HOST": stub.url}}


def azure_tests(report, tool, stub):
    e = stub.env
    form = f"grant_type=client_credentials&client_id={e['client']}&client_secret={e['secret']}&scope=https://vault.azure.net/.default"
    token = stub.call(f"/{e['tenant']}/oauth2/v2.0/token", form.encode())["access_token"]
    key = stub.call("/keys/kek1/create?api-version=7.4", {"kty": "RSA"}, token)["key"]["kid"]
    bare = stub.url + "/keys/kek1"
    kw = azure_settings(stub)
    settings = kw["settings"]
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

    def expired():
        """A token that Azure no longer takes is got anew, once."""
        with tool.one_client("wrap", "azure-kms", key, **kw) as client:
            client.good(KEY)
            stub.set(expire=True)
            if tool.good("unwrap", "azure-kms", key, client.good(KEY), **kw) != KEY:
                raise AssertionError("what was wrapped does not unwrap")
            stub.set(expire=True, tokens="refused")
            try:
                client.refused("the token or session has expired", KEY)
            finally:
                stub.set(tokens="")

    def wrong(name, value):
        return {**kw, "settings": {**settings, name: value}}
    waited, throttled, slow = faults(tool, stub, "azure-kms", key, kw)
    run = report.run
    run("azure: a client's secret", lambda: tool.both_ways("azure-kms", key, **kw))
    run("azure: the vendor's driver both ways", lambda: tool.interop("azure-kms", key, asked, trust, **kw))
    run("azure: the vendor's version prefix both ways", saved_by_vendor)
    run("azure: a key id without a version, and a rotated key", versions)
    run("azure: a token that has expired", expired)
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

    def expired():
        """A token of the metadata server that Google no longer takes is got anew, once."""
        with tool.one_client("wrap", "gcp-kms", key, **machine) as client:
            client.good(KEY)
            stub.set(expire=True)
            if tool.good("unwrap", "gcp-kms", key, client.good(KEY), **by_file) != KEY:
                raise AssertionError("what was wrapped does not unwrap")
            stub.set(expire=True, tokens="refused")
            try:
                client.refused("the credentials are refused", KEY)
            finally:
                stub.set(tokens="")

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
    run("gcp: a token that has expired", expired)
    run("gcp: a key that is another's", stranger)
    run("gcp: no such key", lambda: tool.refused("no such key", "wrap", "gcp-kms", key + "x", KEY, **by_file))
    run("gcp: a denied key", lambda: stub.with_state("gkek", "denied", lambda: tool.refused("access denied", "wrap", "gcp-kms", key, KEY, **by_file)))
    run("gcp: a disabled key", lambda: stub.with_state("gkek", "disabled", lambda: tool.refused("disabled", "wrap", "gcp-kms", key, KEY, **by_file)))
    run("gcp: a tampered key", lambda: tool.refused("does not open", "unwrap", "gcp-kms", key, tampered(tool.good("wrap", "gcp-kms", key, KEY, **by_file)), **by_file))
    run("gcp: throttled for a while", waited)
    run("gcp: throttled without end", throttled)
    run("gcp: no answer in time", slow)
