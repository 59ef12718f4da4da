#!/bin/sh
# Lets the registry's identity encrypt and decrypt with the key of KEK support-kek, and nothing else.
# Run by who administers the key, with gcloud logged in. usage: support-kek.sh serviceAccount:NAME@PROJECT.iam.gserviceaccount.com
set -eu
who=$1
gcloud kms keys add-iam-policy-binding --project 'acme-support' --location 'europe-west1' --keyring 'csfle' 'incidents' --member "$who" --role roles/cloudkms.cryptoKeyEncrypterDecrypter
