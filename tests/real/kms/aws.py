"""aws.py: the AWS driver against moto and what aws_server.py adds to it."""
import json, subprocess, time, urllib.request

from machine_stub import MachineStub
from servers import Server, free_port
from tool import HERE, KEY, call, clean_env, tampered

MOTO_SETUP = r"""
import boto3, json, sys, urllib.request
at = sys.argv[1]
kms, iam = (boto3.client(s, endpoint_url=at, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y") for s in ("kms", "iam"))
out = {"arn": kms.create_key()["KeyMetadata"]["Arn"], "other": kms.create_key()["KeyMetadata"]["Arn"]}
kms.create_alias(AliasName="alias/kek", TargetKeyId=out["arn"])
out["alias"] = out["arn"].split(":key/")[0] + ":alias/kek"
def allow(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})
for name, actions in (("writer", ["kms:Encrypt", "kms:Decrypt", "sts:AssumeRole"]), ("encrypts", ["kms:Encrypt"]), ("nobody", []), ("least", [])):
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


class Aws:
    """The server, and what was made in it."""

    def __init__(self, python, work, servers):
        port = free_port()
        self.at = f"http://127.0.0.1:{port}"
        servers.append(Server("moto", [python, HERE + "/aws_server.py", str(port)], work, lambda t: "Running on" in t))
        self.made = json.loads(subprocess.run([python, "-c", MOTO_SETUP, self.at], check=True, capture_output=True, text=True, timeout=120).stdout)

    def unchecked(self, calls):
        request = urllib.request.Request(self.at + "/moto-api/reset-auth", str(calls).encode(), {"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def set(self, **what):
        call(self.at + "/_test", what)

    def admin(self, action, **body):
        """A call of KMS that nobody checks."""
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService." + action,
                   "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=x"}
        self.unchecked(1000000)
        try:
            call(self.at + "/", body, headers=headers)
        finally:
            self.unchecked(0)


def aws_tests(report, tool, python, work, aws):
    at, made, unchecked = aws.at, aws.made, aws.unchecked
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

    def session():
        """Variables of a session of the role."""
        text = subprocess.run([python, "-W", "ignore", "-c", f"""
import boto3, json
c = boto3.client("sts", endpoint_url={at!r}, region_name="eu-west-1", aws_access_key_id={made["writer"][0]!r}, aws_secret_access_key={made["writer"][1]!r})
print(json.dumps(c.assume_role(RoleArn={made["role-csfle"]!r}, RoleSessionName="tests")["Credentials"], default=str))"""],
                              check=True, capture_output=True, text=True, timeout=60, env=clean_env()).stdout
        c = json.loads(text)
        return {"AWS_ENDPOINT_URL": at, "AWS_ACCESS_KEY_ID": c["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": c["SecretAccessKey"], "AWS_SESSION_TOKEN": c["SessionToken"]}

    def temporary():
        env = session()
        tool.both_ways("aws-kms", arn, env=env)
        tool.refused("credentials are refused", "wrap", "aws-kms", arn, KEY, env={**env, "AWS_SECRET_ACCESS_KEY": "x" * 40})

    def expired():
        """One of the environment is refused; one that flec got itself is got anew, once."""
        env = session()
        role = keys("writer", **{"role.arn": made["role-csfle"]})
        with tool.one_client("wrap", "aws-kms", arn, **role) as client:
            wrapped = client.good(KEY)
            try:
                aws.set(later=4000)
                tool.refused("the token or session has expired", "wrap", "aws-kms", arn, KEY, env=env)
                if tool.good("unwrap", "aws-kms", arn, client.good(KEY), **role) != KEY or tool.good("unwrap", "aws-kms", arn, wrapped, **role) != KEY:
                    raise AssertionError("what was wrapped does not unwrap")
            finally:
                aws.set(later=0)

    def machine():
        """A container's credentials and EC2's: taken by AWS's own SDK, then by flec; a wrong token, and no service."""
        env = session()
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3000))
        stub = MachineStub({"AccessKeyId": env["AWS_ACCESS_KEY_ID"], "SecretAccessKey": env["AWS_SECRET_ACCESS_KEY"], "Token": env["AWS_SESSION_TOKEN"],
                            "Expiration": later}, "pod-token")
        path = work + "/pod-token"
        with open(path, "w", encoding="ascii") as f:
            f.write("pod-token")
        container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": stub.url + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path}
        ec2 = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": stub.url, "AWS_EC2_METADATA_DISABLED": "false"}
        try:
            for kind in (container, ec2):
                text = "import boto3; c = boto3.Session(region_name='eu-west-1').get_credentials().get_frozen_credentials(); print(c.access_key)"
                got = subprocess.run([python, "-W", "ignore", "-c", text], check=True, capture_output=True, text=True, timeout=60, env=clean_env(**kind)).stdout
                if got.strip() != env["AWS_ACCESS_KEY_ID"]:
                    raise AssertionError("AWS's SDK takes other credentials: " + got)
                tool.both_ways("aws-kms", arn, env={"AWS_ENDPOINT_URL": at, **kind})
            stub.token = "another"
            tool.refused("the container's credentials: the credentials are refused", "wrap", "aws-kms", arn, KEY, env={"AWS_ENDPOINT_URL": at, **container})
        finally:
            stub.stop()
        tool.refused("no other credentials for AWS are set", "wrap", "aws-kms", arn, KEY, env={"AWS_ENDPOINT_URL": at, **ec2})
        tool.refused("no credentials for AWS", "wrap", "aws-kms", arn, KEY, env={"AWS_ENDPOINT_URL": at})

    def off(action, back, says, **more):
        wrapped, key = tool.good("wrap", "aws-kms", made["other"], KEY, **keys("writer")), made["other"].split("/")[1]
        aws.admin(action, KeyId=key, **more)
        try:
            tool.refused(says, "wrap", "aws-kms", made["other"], KEY, **keys("writer"))
            tool.refused(says, "unwrap", "aws-kms", made["other"], wrapped, **keys("writer"))
        finally:
            for b in back:
                aws.admin(b, KeyId=key)
        tool.both_ways("aws-kms", made["other"], **keys("writer"))

    def throttled():
        aws.set(throttle=2)
        tool.good("wrap", "aws-kms", arn, KEY, **keys("writer"))
        try:
            aws.set(throttle=100)
            tool.refused("throttled", "wrap", "aws-kms", arn, KEY, **keys("writer"))
        finally:
            aws.set(throttle=0)

    def slow():
        aws.set(deaf=1)
        tool.refused("time-out", "wrap", "aws-kms", arn, KEY, **keys("writer", **{"request.timeout.ms": "700"}))
        aws.set(deaf=0)

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
    run("aws: credentials of a container and of EC2's metadata service", machine)
    run("aws: a session that has expired", expired)
    run("aws: a disabled key", lambda: off("DisableKey", ["EnableKey"], "the key is disabled"))
    run("aws: a key about to be deleted", lambda: off("ScheduleKeyDeletion", ["CancelKeyDeletion", "EnableKey"], "about to be deleted", PendingWindowInDays=7))
    run("aws: throttled for a while, and without end", throttled)
    run("aws: no answer in time", slow)
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
