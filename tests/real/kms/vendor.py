#!/usr/bin/env python3
"""vendor.py: one wrapped key by the vendor's own Python driver. usage: vendor.py <JSON: kms, verb (wrap, unwrap), id, value in base64, and what the driver needs.

Prints base64. For the stub of Azure and Google the SDKs are told that it may stand in: its host is none of theirs."""
import base64
import json
import sys

asked = json.load(sys.stdin)
uri = f"{asked['kms']}://{asked['id']}"


def azure():
    from confluent_kafka.schema_registry.rules.encryption.azurekms import azure_driver, azure_client  # the driver first: they import each other
    from azure.identity import ClientSecretCredential

    class Lenient(azure_client.CryptographyClient):
        def __init__(self, key, credential, **kwargs):
            super().__init__(key, credential, verify_challenge_resource=False, **kwargs)
    azure_client.CryptographyClient = Lenient
    credential = ClientSecretCredential(asked["tenant"], asked["client"], asked["secret"], authority=asked["url"], disable_instance_discovery=True)
    return azure_client.AzureKmsClient(uri, credential, asked.get("conf", {})).get_aead(uri)


def google():
    from confluent_kafka.schema_registry.rules.encryption.gcpkms.gcp_client import _GcpKmsAead
    from google.cloud import kms_v1
    from google.oauth2 import service_account
    scopes = ["https://www.googleapis.com/auth/cloudkms"]
    credentials = service_account.Credentials.from_service_account_info(json.load(open(asked["file"], encoding="utf-8")), scopes=scopes)
    client = kms_v1.KeyManagementServiceClient(transport="rest", credentials=credentials, client_options={"api_endpoint": asked["url"][len("https://"):]})
    return _GcpKmsAead(client, asked["id"])


def vault():
    from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_driver import HcVaultKmsDriver
    return HcVaultKmsDriver().new_kms_client(asked["conf"], uri).get_aead(uri)


def aws():
    from confluent_kafka.schema_registry.rules.encryption.awskms.aws_driver import AwsKmsDriver
    return AwsKmsDriver().new_kms_client({}, uri).get_aead(uri)


def local():
    from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
    from tink import aead as ciphers
    ciphers.register()
    return LocalKmsDriver().new_kms_client(asked["conf"], uri).get_aead(uri)


driver = {"azure-kms": azure, "gcp-kms": google, "hcvault": vault, "aws-kms": aws, "local-kms": local}[asked["kms"]]()
value = base64.b64decode(asked["value"])
print(base64.b64encode(driver.encrypt(value, b"") if asked["verb"] == "wrap" else driver.decrypt(value, b"")).decode())
