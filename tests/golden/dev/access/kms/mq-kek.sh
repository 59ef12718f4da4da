#!/bin/sh
# Lets the connectors' identity encrypt and decrypt with the key of KEK mq-kek, and nothing else.
# Run by who administers the key, with az logged in. usage: mq-kek.sh OBJECT-ID
set -eu
who=$1
subscription=$(az account show --query id --output tsv)
role='CSFLE key user'
az role definition list --custom-role-only --name "$role" --query '[0].id' --output tsv | grep -q . ||
    az role definition create --role-definition "{\"Name\": \"$role\", \"Description\": \"reads a key, encrypts and decrypts with it\", \"Actions\": [], \"DataActions\": [\"Microsoft.KeyVault/vaults/keys/read\", \"Microsoft.KeyVault/vaults/keys/encrypt/action\", \"Microsoft.KeyVault/vaults/keys/decrypt/action\"], \"AssignableScopes\": [\"/subscriptions/$subscription\"]}"
vault=$(az keyvault show --name 'acme-hr' --query id --output tsv)
az role assignment create --assignee "$who" --role "$role" --scope "$vault/keys/"'mq'
