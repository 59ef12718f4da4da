#!/usr/bin/env python3
"""cloud_stub.py: stands in for Azure Key Vault (with Entra ID) and Google Cloud KMS (with its metadata server) on loopback.

Real cryptography (RSA-OAEP-256; AES-256-GCM with AAD) and real checks of credentials, written from the public REST references; the vendors' own SDKs accept
it. No cloud was at hand: what they do otherwise is not known here. Needs cryptography.
usage: cloud_stub.py DIR: writes DIR/{ca.pem,server.pem,gcp-sa.json,env.json}, prints the port, serves https://127.0.0.1:PORT and the metadata over http.
POST /_stub {"fault": {"n": 2, "status": 429, "retry_after": 1, "delay": 0}} makes the next n calls of a key fail; {"key": NAME, "state": "disabled"|"denied"|""}
sets a key's state; {"key": NAME, "rights": [DATA ACTION, …] or null}: the role that Azure's client has on a key (null: all); {"expire": true} forgets all
tokens; {"tokens": "refused" or ""}: those given from now on are none that count. GET /_stub: the calls seen."""
import base64, datetime, http.server, ipaddress, json, os, re, secrets, ssl, struct, sys, threading, time, urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PEM = serialization.Encoding.PEM
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
AZURE = {"tenant": "11111111-2222-3333-4444-555555555555", "client": "66666666-7777-8888-9999-000000000000", "secret": "s3cr3t~az"}
ACCOUNT = {}


def b64u(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def unb64u(s):
    return base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))


def crc32c(b):
    c = 0xFFFFFFFF
    for x in b:
        c ^= x
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    return c ^ 0xFFFFFFFF


class State:
    lock = threading.Lock()
    azure, google, tokens, states, rights, log, fault, issuing = {}, {}, {}, {}, {}, [], {"n": 0}, ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, obj, **headers):
        body = json.dumps(obj).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        State.log.append([self.command, self.path, status])

    def azure_error(self, status, code, message, inner=None, **headers):
        error = {"code": code, "message": message, **({"innererror": {"code": inner}} if inner else {})}
        self.reply(status, {"error": error}, **headers)

    def google_error(self, status, name, message):
        self.reply(status, {"error": {"code": status, "message": message, "status": name}})

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_PUT = do_PATCH = do_POST

    def answer(self, body):
        url = urllib.parse.urlsplit(self.path)
        path, query = urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query, keep_blank_values=True)
        try:
            if State.fault.get("n", 0) > 0 and path.startswith(("/keys/", "/v1/")):
                time.sleep(State.fault.get("delay", 0))
            with State.lock:
                self.route(path, query, body)
        except (BrokenPipeError, ConnectionError):
            pass

    def route(self, path, query, body):
        if path == "/_stub":
            return self.control(body)
        if path.startswith("/computeMetadata/"):
            return self.metadata()
        found = re.fullmatch(r"/([\w.-]+)/v2\.0/\.well-known/openid-configuration", path)
        if found:
            at = f"https://{self.headers['Host']}/{found[1]}"
            return self.reply(200, {"issuer": at + "/v2.0", "token_endpoint": at + "/oauth2/v2.0/token",
                                    "authorization_endpoint": at + "/oauth2/v2.0/authorize"})
        found = re.fullmatch(r"/([\w.-]+)/oauth2/v2\.0/token", path)
        if found:
            return self.entra(found[1], body)
        if path.startswith(("/keys/", "/v1/")) and self.faulty(path):
            return None
        if path.startswith("/keys/"):
            return self.key_vault(path, query, json.loads(body) if body else {})
        if path.startswith("/v1/projects/"):
            return self.cloud_kms(path[4:], query, json.loads(body) if body else {})
        return self.reply(404, {"error": "no such path"})

    def control(self, body):
        if body:
            asked = json.loads(body)
            State.fault = asked.get("fault", State.fault)
            if "state" in asked:
                State.states[asked["key"]] = asked["state"]
            if "rights" in asked:
                State.rights[asked["key"]] = asked["rights"]
            State.issuing = asked.get("tokens", State.issuing)
            if asked.get("expire"):
                State.tokens.clear()
        self.reply(200, State.log[:])

    def faulty(self, path):
        if State.fault.get("n", 0) < 1 or "authorization" not in self.headers:
            return False
        State.fault["n"] -= 1
        status = State.fault.get("status", 503)
        if status == 200:
            return False
        headers = {"Retry_After": str(State.fault["retry_after"])} if "retry_after" in State.fault else {}
        if path.startswith("/keys/"):
            self.azure_error(status, "Throttled", "injected", **headers)
        else:
            self.google_error(status, "UNAVAILABLE" if status == 503 else "RESOURCE_EXHAUSTED", "injected")
        return True

    # ---- tokens

    def token(self, kind):
        text = kind + "." + secrets.token_urlsafe(32)
        State.tokens[text] = (kind, time.time() + (3600 if State.issuing != "refused" else -1))
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": text}

    def entra(self, tenant, body):
        form = {k: v[0] for k, v in urllib.parse.parse_qs(body.decode()).items()}

        def refuse(status, error, text):
            self.reply(status, {"error": error, "error_description": text, "error_codes": []})
        if tenant != AZURE["tenant"]:
            return refuse(400, "invalid_request", f"AADSTS90002: Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            return refuse(400, "unsupported_grant_type", "AADSTS70003")
        if form.get("client_id") != AZURE["client"]:
            return refuse(400, "unauthorized_client", "AADSTS700016: Application not found")
        if form.get("client_secret") != AZURE["secret"]:
            return refuse(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if form.get("scope", "").split()[:1] != ["https://vault.azure.net/.default"]:
            return refuse(400, "invalid_scope", "AADSTS70011")
        return self.reply(200, self.token("az"))

    def metadata(self):
        if self.headers.get("Metadata-Flavor") != "Google":
            return self.reply(403, {"error": "Metadata-Flavor"})
        return self.reply(200, self.token("google"), Metadata_Flavor="Google")

    def bearer(self, kind):
        text = self.headers.get("Authorization", "")
        text = text[7:] if text.lower().startswith("bearer ") else ""
        if text in State.tokens:
            return State.tokens[text][0] == kind and State.tokens[text][1] > time.time()
        return kind == "google" and text.count(".") == 2 and self.self_signed(text)

    def self_signed(self, text):
        try:
            head, claims, signature = text.split(".")
            ACCOUNT["key"].public_key().verify(unb64u(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
            head, claims = json.loads(unb64u(head)), json.loads(unb64u(claims))
        except Exception:  # whatever is wrong with it
            return False
        now, email = time.time(), ACCOUNT["file"]["client_email"]
        return (head.get("alg") == "RS256" and head.get("kid") == ACCOUNT["file"]["private_key_id"] and claims.get("iss") == claims.get("sub") == email
                and claims["iat"] - 60 <= now < claims["exp"] and claims["exp"] - claims["iat"] <= 3660
                and (claims.get("scope") == "https://www.googleapis.com/auth/cloudkms" or claims.get("aud") == "https://cloudkms.googleapis.com/"))

    # ---- Azure Key Vault

    def bundle(self, base, version, key):
        numbers = key.public_key().public_numbers()
        n, e = (b64u(x.to_bytes((x.bit_length() + 7) // 8, "big")) for x in (numbers.n, numbers.e))
        operations = ["encrypt", "decrypt", "wrapKey", "unwrapKey"]
        return {"key": {"kid": f"{base}/{version}", "kty": "RSA", "key_ops": operations, "n": n, "e": e},
                "attributes": {"enabled": True, "created": 1700000000, "updated": 1700000000, "recoveryLevel": "Recoverable+Purgeable"}}

    def key_vault(self, path, query, asked):
        if not self.bearer("az"):
            challenge = f'Bearer authorization="https://{self.headers["Host"]}/{AZURE["tenant"]}", resource="https://vault.azure.net"'
            return self.azure_error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.", WWW_Authenticate=challenge)
        if not re.fullmatch(r"7\.\d+|20\d\d-\d\d-\d\d", query.get("api-version", [""])[0]):
            return self.azure_error(400, "BadParameter", "api-version must be specified")
        parts = path.split("/")[2:]
        name, verb = parts[0], parts[-1].lower() if len(parts) > 1 else ""
        base = f"https://{self.headers['Host']}/keys/{name}"
        if verb in ("create", "rotate"):
            version, key = secrets.token_hex(16), rsa.generate_private_key(65537, 2048)
            State.azure.setdefault(name, {})[version] = key
            return self.reply(200, self.bundle(base, version, key))
        versions = State.azure.get(name, {})
        operation = self.command == "POST" and verb in ("encrypt", "decrypt", "wrapkey", "unwrapkey")
        version = (parts[1] if len(parts) > (2 if operation else 1) else "") or (list(versions) or [""])[-1]
        if version not in versions:
            return self.azure_error(404, "KeyNotFound", f"A key with (name/id) {name}/{version} was not found in this key vault.")
        right = "Microsoft.KeyVault/vaults/keys/" + (f"{verb}/action" if operation else "read")
        if State.states.get(name) == "denied" or (State.rights.get(name) is not None and right not in State.rights[name]):
            return self.azure_error(403, "Forbidden", "Caller is not authorized to perform action on resource.", "ForbiddenByRbac")
        if self.command == "GET":
            return self.reply(200, self.bundle(base, version, versions[version]))
        if State.states.get(name) == "disabled":
            return self.azure_error(403, "Forbidden", f"Operation {verb} is not allowed on a disabled key.", "KeyDisabled")
        if not operation or asked.get("alg") != "RSA-OAEP-256" or re.search(r"[+/=]", asked["value"]):
            return self.azure_error(400, "BadParameter", "The parameter is incorrect.")
        value, key = unb64u(asked["value"]), versions[version]
        try:
            out = key.public_key().encrypt(value, OAEP) if verb in ("encrypt", "wrapkey") else key.decrypt(value, OAEP)
        except ValueError:
            return self.azure_error(400, "BadParameter", "The parameter is incorrect.")
        return self.reply(200, {"kid": f"{base}/{version}", "value": b64u(out)})

    # ---- Google Cloud KMS

    def cloud_kms(self, path, query, asked):
        if not self.bearer("google"):
            return self.google_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if path.endswith("/cryptoKeys"):
            name = f"{path}/{query['cryptoKeyId'][0]}"
            State.google[name] = [AESGCM.generate_key(256)]
            return self.reply(200, {"name": name, "purpose": "ENCRYPT_DECRYPT"})
        found = re.fullmatch(r"(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/:]+)(?:/cryptoKeyVersions/(\d+))?:(encrypt|decrypt)", path)
        if not found or found[1] not in State.google:
            return self.google_error(404, "NOT_FOUND", f"CryptoKey {path} not found.")
        name, version, verb = found.groups()
        state = State.states.get(name.split("/")[-1])
        if state == "denied":
            return self.google_error(403, "PERMISSION_DENIED", f"Permission 'cloudkms.cryptoKeyVersions.useTo{verb.capitalize()}' denied on resource '{name}'.")
        if state == "disabled":
            return self.google_error(400, "FAILED_PRECONDITION", f"{name}/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.")
        given = "plaintext" if verb == "encrypt" else "ciphertext"
        value = base64.b64decode(asked[given].replace("-", "+").replace("_", "/"))
        if given + "Crc32c" in asked and int(asked[given + "Crc32c"]) != crc32c(value):
            return self.google_error(400, "INVALID_ARGUMENT", f"The checksum in field {given}Crc32c did not match the data in field {given}.")
        return self.seal(name, version, value) if verb == "encrypt" else self.open(name, value)

    def seal(self, name, version, value):
        i, iv = int(version) if version else len(State.google[name]), secrets.token_bytes(12)
        out = b"\x0a\x24\x00" + struct.pack(">I", i) + iv + AESGCM(State.google[name][i - 1]).encrypt(iv, value, b"")
        self.reply(200, {"name": f"{name}/cryptoKeyVersions/{i}", "ciphertext": base64.b64encode(out).decode(), "ciphertextCrc32c": str(crc32c(out)),
                         "verifiedPlaintextCrc32c": True, "protectionLevel": "SOFTWARE"})

    def open(self, name, value):
        try:
            out = AESGCM(State.google[name][struct.unpack(">I", value[3:7])[0] - 1]).decrypt(value[7:19], value[19:], b"")
        except Exception:  # whatever is wrong with it
            return self.google_error(400, "INVALID_ARGUMENT", "Decryption failed: verify that 'name' refers to the correct CryptoKey.")
        return self.reply(200, {"plaintext": base64.b64encode(out).decode(), "plaintextCrc32c": str(crc32c(out)), "protectionLevel": "SOFTWARE"})


# ---- certificates

def certificate(name, public, issuer, key, extensions):
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - day).not_valid_after(now + 30 * day)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def private(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def usage(**used):
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign encipher_only decipher_only"
    return x509.KeyUsage(**{**dict.fromkeys(names.split(), False), **used})


def secret_file(path, data):
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as f:
        f.write(data)


def named(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def make_certificates(folder):
    """ca.pem; server.pem and client.pem, each with its key in front."""
    ca_key = rsa.generate_private_key(65537, 2048)
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = certificate(named("tests of flec"), ca_key.public_key(), named("tests of flec"), ca_key,
                     [(x509.BasicConstraints(True, 0), True), (usage(key_cert_sign=True, crl_sign=True), True), (identifier, False)])
    with open(folder + "/ca.pem", "wb") as f:
        f.write(ca.public_bytes(PEM))
    for name, purpose in (("server", x509.ExtendedKeyUsageOID.SERVER_AUTH), ("client", x509.ExtendedKeyUsageOID.CLIENT_AUTH)):
        key = rsa.generate_private_key(65537, 2048)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = certificate(named(name), key.public_key(), ca.subject, ca_key,
                           [(x509.BasicConstraints(False, None), True), (usage(digital_signature=True, key_encipherment=True), True),
                            (x509.ExtendedKeyUsage([purpose]), False), (names, False),
                            (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)])
        secret_file(f"{folder}/{name}.pem", private(key) + made.public_bytes(PEM))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    make_certificates(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    ACCOUNT["key"] = rsa.generate_private_key(65537, 2048)
    url = f"https://127.0.0.1:{server.server_address[1]}"
    ACCOUNT["file"] = {"type": "service_account", "project_id": "p1", "client_id": "123", "client_email": "csfle@p1.iam.gserviceaccount.com",
                       "private_key_id": secrets.token_hex(20), "token_uri": url + "/token", "private_key": private(ACCOUNT["key"]).decode()}
    secret_file(folder + "/gcp-sa.json", json.dumps(ACCOUNT["file"]).encode())
    with open(folder + "/env.json", "w", encoding="ascii") as f:
        json.dump({"url": url, "metadata": f"127.0.0.1:{plain.server_address[1]}", **AZURE}, f)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    print("listening", flush=True)
    server.serve_forever()


main()
