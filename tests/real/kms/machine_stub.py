"""machine_stub.py: the services that give credentials to what runs on AWS: a container's (ECS, EKS pod identity) and EC2's metadata, version 2. AWS's own
SDK for Python takes credentials from it (suite.py has it do so)."""
import http.server, json, threading

ROLES = "/latest/meta-data/iam/security-credentials/"


class MachineStub:
    """credentials: what is given: AccessKeyId, SecretAccessKey, Token, Expiration. token: what a container must send."""

    def __init__(self, credentials, token):
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def reply(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_PUT(self):
                right = self.path == "/latest/api/token" and 0 < int(self.headers.get("X-aws-ec2-metadata-token-ttl-seconds") or 0) <= 21600
                self.reply(200 if right else 400, "imds-token" if right else "")

            def do_GET(self):
                if self.path == "/container":
                    right = self.headers.get("Authorization") == stub.token
                    return self.reply(200 if right else 401, json.dumps(stub.credentials) if right else "{}")
                if self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
                    return self.reply(401, "")
                if self.path == ROLES:
                    return self.reply(200, "csfle")
                if self.path == ROLES + "csfle":
                    return self.reply(200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z", **stub.credentials}))
                return self.reply(404, "")
        self.credentials, self.token = credentials, token
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
