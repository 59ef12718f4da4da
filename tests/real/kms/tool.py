"""tool.py: what the tests of the KMS drivers share: kms_tool with one KMS, the vendor's drivers, calls over HTTP."""
import base64, json, os, subprocess, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = base64.b64encode(b"\x1a\x20" + bytes(range(32))).decode()
UNSEEN = ["AKID", "s3cr3t", "BEGIN PRIVATE"]  # begin secrets, which no message may hold
CLOUD_VARIABLES = ("AWS_", "AZURE_", "VAULT_", "GOOGLE_", "CLOUDSDK_", "GCE_", "IDENTITY_", "IMDS_", "MSI_", "LOCAL_SECRET", "HTTP", "http", "REQUESTS_")


def call(url, body=None, method=None, headers=None, context=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def clean_env(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(CLOUD_VARIABLES)}
    return {**kept, "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **more}


class Tool:
    """kms_tool with one KMS: settings go into a file, variables into its environment."""

    def __init__(self, program, work, vendor):
        self.program, self.work, self.vendor_python, self.n = program, work, vendor, 0

    def command(self, verb, kms, key, settings=None, props=None, named=True):
        self.n += 1
        path = f"{self.work}/{self.n}.properties"
        lines = [f"rule.executors._default_.param.{k}={v}".replace("\n", "\\n") for k, v in (settings or {}).items()]
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(lines + ([f"flec.kms.key.ids={key}"] if named else [])) + "\n")
        return [self.program, verb, kms, key, path] + ([props] if props else [])

    def run(self, verb, kms, key, value, env=None, **kw):
        return subprocess.run(self.command(verb, kms, key, **kw), input=value + "\n", capture_output=True, text=True, timeout=120, env=clean_env(**(env or {})))

    def one_client(self, verb, kms, key, env=None, **kw):
        return Client(self.command(verb, kms, key, **kw), clean_env(**(env or {})))

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


class Client:
    """One process of kms_tool, and so one set of kept tokens, for several keys."""

    def __init__(self, command, env):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        self.process.stderr.close()

    def good(self, value):
        self.process.stdin.write(value + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("refused: " + self.process.stderr.read())
        return line.strip()

    def refused(self, says, value):
        self.process.stdin.write(value + "\n")
        self.process.stdin.flush()
        line, text, status = self.process.stdout.readline(), self.process.stderr.read(), self.process.wait(60)
        if line or says not in text or status != 4:
            raise AssertionError(f"exit status {status}, {says!r} was expected: {text}{line}")


def tampered(wrapped):
    data = bytearray(base64.b64decode(wrapped))
    data[-5] ^= 1
    return base64.b64encode(data).decode()
