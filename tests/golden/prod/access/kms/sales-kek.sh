#!/bin/sh
# Lets the connectors' identity encrypt and decrypt with the key of KEK sales-kek, and nothing else.
# Run by who administers the key, with gcloud logged in. usage: sales-kek.sh serviceAccount:NAME@PROJECT.iam.gserviceaccount.com
set -eu
who=$1
gcloud kms keys add-iam-policy-binding --project 'acme-sales' --location 'europe-west1' --keyring 'csfle' 'leads' --member "$who" --role roles/cloudkms.cryptoKeyEncrypterDecrypter
