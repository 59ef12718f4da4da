#!/usr/bin/env python3
"""aws_server.py: moto, with what its KMS and its checks of IAM leave out of AWS's documentation: the resource of a call and the condition kms:RequestAlias,
sessions that expire, disabled keys, throttling. All else, signatures among it, is moto's. usage: aws_server.py PORT.

POST /_test {"later": S}: sessions are that many seconds older; {"throttle": N}: the next N calls of KMS are refused; {"deaf": N}: answered after 5 s."""
import datetime, json, sys, threading, time

from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow
from moto.iam import access_control
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sts.models import AssumedRole, sts_backends
from werkzeug.serving import run_simple

state = {"later": 0, "throttle": 0, "deaf": 0}
here = threading.local()  # the alias that this thread's call names


# ---- the resource, and the one condition that a generated policy of IAM has

def resource(self):
    here.alias = ""
    body = json.loads(self.body or "{}")
    key = body.get("KeyId", "")
    if ":alias/" in key:
        here.alias = key.split(":", 5)[5]
        key = self.kms_backend.get_key_id_from_alias(here.alias) or key
    found = self.kms_backend.keys.get(key.split("/")[-1])
    return found.arn if found else key or "*"


def checked(self, action, asked="*", principal=None, values=None):
    return permitted(self, action, asked, principal, values if values is not None else {"kms:RequestAlias": getattr(here, "alias", "")})


KmsResponse._determine_resource = resource
permitted, access_control.IAMPolicyStatement.is_action_permitted = access_control.IAMPolicyStatement.is_action_permitted, checked


# ---- sessions

def now():
    return utcnow() + datetime.timedelta(seconds=state["later"])


def made(self, *args, **kw):
    role(self, *args, **kw)
    self.expiration += datetime.timedelta(seconds=state["later"])


def used(self, account_id, partition, access_key_id, headers):
    session(self, account_id, partition, access_key_id, headers)
    for one in sts_backends[account_id][partition].assumed_roles:
        if one.access_key_id == access_key_id and one.expiration < now():
            raise JsonRESTError("ExpiredTokenException", "The security token included in the request is expired")


role, AssumedRole.__init__ = AssumedRole.__init__, made
session, access_control.AssumedRoleAccessKey.__init__ = access_control.AssumedRoleAccessKey.__init__, used


# ---- keys

def usable(backend, key_id):
    key = backend.keys.get(backend.any_id_to_key_id(key_id)) if key_id else None
    if state["throttle"] > 0:
        state["throttle"] -= 1
        raise JsonRESTError("ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
    if state["deaf"] > 0:
        state["deaf"] -= 1
        time.sleep(5)
    if key and key.key_state == "Disabled":
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
    if key and key.key_state == "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def encrypt(self, key_id, plaintext, encryption_context):
    usable(self, key_id)
    return encrypts(self, key_id, plaintext, encryption_context)


def decrypt(self, ciphertext_blob, encryption_context, key_id=None):
    usable(self, key_id)
    return decrypts(self, ciphertext_blob, encryption_context, key_id)


encrypts, KmsBackend.encrypt = KmsBackend.encrypt, encrypt
decrypts, KmsBackend.decrypt = KmsBackend.decrypt, decrypt


def main():
    application = DomainDispatcherApplication(create_backend_app)

    def controlled(environ, start_response):
        if environ["PATH_INFO"] != "/_test":
            return application(environ, start_response)
        state.update(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]
    run_simple("127.0.0.1", int(sys.argv[1]), controlled, threaded=True, request_handler=MotoRequestHandler)


main()
