#!/bin/sh
# Lets the registry's identity encrypt and decrypt with the key of KEK orders-kek, and nothing else.
# Run by who administers the key, with az logged in. usage: orders-kek.sh OBJECT-ID
set -eu
who=$1
subscription=$(az account show --query id --output tsv)
role='CSFLE key user'
az role definition list --custom-role-only --name "$role" --query '[0].id' --output tsv | grep -q . ||
    az role definition create --role-definition "{\"Name\": \"$role\", \"Description\": \"reads a key, encrypts and decrypts with it\", \"Actions\": [], \"DataActions\": [\"Microsoft.KeyVault/vaults/keys/read\", \"Microsoft.KeyVault/vaults/keys/encrypt/action\", \"Microsoft.KeyVault/vaults/keys/decrypt/action\"], \"AssignableScopes\": [\"/subscriptions/$subscription\"]}"
vault=$(az keyvault show --name 'acme-orders' --query id --output tsv)
az role assignment create --assignee "$who" --role "$role" --scope "$vault/keys/"'orders'
