# Lets the connectors' identity encrypt and decrypt with the key of KEK hr-kek, and nothing else.
# Run by who administers the vault: vault policy write flec-hr-kek hr-kek.hcl
path "transit/encrypt/hr" {
  capabilities = ["update"]
}
path "transit/decrypt/hr" {
  capabilities = ["update"]
}
