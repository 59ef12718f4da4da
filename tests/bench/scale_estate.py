#!/usr/bin/env python3
"""scale_estate.py: writes an estate of any size. usage: scale_estate.py FOLDER TOPICS TOPICS-A-SCHEMA

Topics with an Avro value of seven fields, five of them tagged, all named; a sink of S3 for ten topics; a KEK for a
hundred; a policy file for five hundred. TOPICS-A-SCHEMA topics share a schema file."""
import json
import os
import sys

HEAD = """platform cloud {
  workers  7.9.2
  grants   least
  registry "https://registry.example"
  kafka    "broker.example:9092"
}

tag PII "identifies a person"
tag PCI "card data"

defaults connector {
  principal User:sa-connect
  refresh   300s
}
"""

KEK = """
kek kek-%(n)d {
  kms aws "arn:aws:kms:eu-west-1:111122223333:key/%(n)08d-12ab-34cd-56ef-1234567890ab"
  shared
}
"""

TOPIC = """
topic shop.orders-%(n)d {
  key   string
  value avro "schemas/%(schema)d.avsc" {
    exhaustive
    field id              is clear
    field ssn             is PII
    field email           is PII
    field home.street     is PII
    field notes.*         is PII
    field card            is PCI
    field quantity        is clear
    encrypt PII with kek-%(kek)d {
      rotate 90d
    }
    encrypt PCI with kek-%(kek)d {
      algorithm AES256_SIV
    }
  }
  writers User:sa-shop
}
"""

SINK = """
connector archive-%(n)d : s3-sink 10.6.0 {
  topics %(topics)s
  config {
    s3.bucket.name        = acme-%(n)d
    s3.region             = eu-west-1
    flush.size            = 1000
    format.class          = avro
    storage.class         = "io.confluent.connect.s3.storage.S3Storage"
    aws.access.key.id     = "${env:S3_KEY}"
    aws.secret.access.key = secret("file:/run/secrets/s3.properties:secret")
  }
}
"""


def schema(n):
    return {"type": "record", "name": "Order%d" % n, "namespace": "com.acme.shop", "fields": [
        {"name": "id", "type": "string"},
        {"name": "ssn", "type": ["null", "string"], "default": None},
        {"name": "email", "type": "string"},
        {"name": "home", "type": {"type": "record", "name": "Home%d" % n, "fields": [
            {"name": "street", "type": "string"}]}},
        {"name": "notes", "type": {"type": "map", "values": "string"}},
        {"name": "card", "type": "string"},
        {"name": "quantity", "type": "int"}]}


def policy(first, last, share):
    text = []
    for n in range(first, last):
        if n % 100 == 0:
            text.append(KEK % {"n": n // 100})
        text.append(TOPIC % {"n": n, "schema": n // share, "kek": n // 100})
        if n % 10 == 9 or n == last - 1:
            names = ", ".join("shop.orders-%d" % k for k in range(n - n % 10, n + 1))
            text.append(SINK % {"n": n // 10, "topics": names})
    return "".join(text)


def main(folder, topics, share):
    os.makedirs(os.path.join(folder, "schemas"))
    with open(os.path.join(folder, "estate.flec"), "w") as f:
        f.write(HEAD)
    for first in range(0, topics, 500):
        with open(os.path.join(folder, "orders-%d.flec" % (first // 500)), "w") as f:
            f.write(policy(first, min(first + 500, topics), share))
    for n in range(-(-topics // share)):
        with open(os.path.join(folder, "schemas", "%d.avsc" % n), "w") as f:
            json.dump(schema(n), f, indent=2)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
