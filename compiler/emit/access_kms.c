/* access_kms.c: access/kms/: the right that each KEK needs in its key management service, ready to be applied by who
 * administers that.
 *
 * A private key is used by the connectors' own identity: encrypt and decrypt on that key, nothing else (the calls that
 * the vendor's drivers make: facts of the key services in docs/wire.md). A shared one is used by the registry; for
 * Confluent Cloud on AWS that is the statement that GET /dek-registry/v1/policy answers with, but for the account of
 * the vendor, which only that answer names:
 * the word that stands for it is no account, and allows nobody until it is replaced (tests/real/kms/access.py). */
#include <string.h>

#include "compiler/emit/emit.h"

typedef struct paper {
    emit *m;
    const est_kek *k;
    fl_buf out;
    const char *suffix, *who; /* who: one sentence for README.txt */
} paper;

/* The key and its alternates, one after the other. */
static const char *key_id(const est_kek *k, size_t i)
{
    return !i ? k->key_id.s : i <= k->alternates.n ? k->alternates.v[i - 1].s : NULL;
}

static const char *used_by(const est_kek *k)
{
    return k->shared ? "the registry's identity" : "the connectors' identity";
}

/* ---- AWS ---- */

/* Letters and digits alone, as IAM wants a Sid. */
static const char *sid(paper *p, size_t i)
{
    char *s = fl_printf(p->m->arena, "Kek%s%zu", p->k->name.s, i);
    size_t n = 0;
    for (const char *from = s; *from; from++)
        if ((*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z') || (*from >= '0' && *from <= '9'))
            s[n++] = *from;
    s[n] = '\0';
    return s;
}

static void aws_actions(fl_jw *w)
{
    fl_jw_key(w, "Action");
    fl_jw_array(w);
    fl_jw_string(w, "kms:Encrypt");
    fl_jw_string(w, "kms:Decrypt");
    fl_jw_end_array(w);
}

static void aws_condition(fl_jw *w, const char *key, const char *value)
{
    fl_jw_key(w, "Condition");
    fl_jw_object(w);
    fl_jw_key(w, "StringEquals");
    fl_jw_object(w);
    fl_jw_kstring(w, key, value);
    fl_jw_end_object(w);
    fl_jw_end_object(w);
}

/* No policy names an alias as its resource: there it is a condition on what the request names. */
static void aws_resource(paper *p, fl_jw *w, const char *id)
{
    const char *alias = strstr(id, ":alias/");
    if (!alias) {
        fl_jw_kstring(w, "Resource", id);
        return;
    }
    fl_jw_kstring(w, "Resource", fl_printf(p->m->arena, "%.*s:key/*", (int)(alias - id), id));
    aws_condition(w, "kms:RequestAlias", alias + 1);
}

static void aws_private(paper *p, fl_jw *w)
{
    fl_jw_object(w);
    fl_jw_kstring(w, "Version", "2012-10-17");
    fl_jw_key(w, "Statement");
    fl_jw_array(w);
    for (size_t i = 0; key_id(p->k, i); i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "Sid", sid(p, i));
        fl_jw_kstring(w, "Effect", "Allow");
        aws_actions(w);
        aws_resource(p, w, key_id(p->k, i));
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    fl_jw_end_object(w);
    p->who = "an administrator of IAM makes it a policy of the connectors' role or user";
}

static void aws_shared(paper *p, fl_jw *w)
{
    const char *tenant = p->m->e->platform.id_registry.s;
    fl_jw_object(w);
    fl_jw_kstring(w, "Sid", "Allow Confluent to use the key");
    fl_jw_kstring(w, "Effect", "Allow");
    fl_jw_key(w, "Principal");
    fl_jw_object(w);
    fl_jw_kstring(w, "AWS", "arn:aws:iam::CONFLUENT_ACCOUNT:role/confluent-schema-registry-kms-access");
    fl_jw_end_object(w);
    aws_actions(w);
    fl_jw_kstring(w, "Resource", "*"); /* of a key policy: the key itself */
    aws_condition(w, "aws:PrincipalTag/TenantID", tenant ? tenant : "LSRC_ID");
    fl_jw_end_object(w);
    p->who = tenant
                 ? "the key's owner adds it to the statements of the key policy, with the account that GET "
                   "/dek-registry/v1/policy names in the place of CONFLUENT_ACCOUNT"
                 : "the key's owner adds it to the statements of the key policy, with the account that GET "
                   "/dek-registry/v1/policy names in the place of CONFLUENT_ACCOUNT and the registry's id in that of "
                   "LSRC_ID (`ids { registry = … }` in the platform writes it)";
}

static void aws(paper *p)
{
    fl_jw w;
    fl_jw_init(&w, &p->out, true);
    if (p->k->shared && p->m->e->platform.cloud)
        aws_shared(p, &w);
    else
        aws_private(p, &w);
    fl_buf_addc(&p->out, '\n');
    p->suffix = "json";
}

/* ---- shell: Azure, Google ---- */

/* In single quotes; a quote is closed, escaped and opened again. */
static void quoted(fl_buf *out, const char *s, size_t n)
{
    fl_buf_addc(out, '\'');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\'')
            fl_buf_adds(out, "'\\''");
        else
            fl_buf_addc(out, s[i]);
    }
    fl_buf_addc(out, '\'');
}

static void script(paper *p, const char *tool, const char *identity)
{
    fl_buf_addf(&p->out,
                "#!/bin/sh\n# Lets %s encrypt and decrypt with the key of KEK %s, and nothing else.\n"
                "# Run by who administers the key, with %s logged in. usage: %s.sh %s\nset -eu\nwho=$1\n",
                used_by(p->k), p->k->name.s, tool, fl_file_name(p->m->arena, p->k->name.s), identity);
    p->suffix = "sh";
    p->who = "who administers the key runs it";
}

/* https://VAULT.vault.azure.net/keys/NAME/VERSION */
static void azure_key(paper *p, const char *id)
{
    const char *host = strstr(id, "://"), *keys = strstr(id, "/keys/");
    if (!host || !keys)
        return;
    host += 3;
    keys += 6;
    fl_buf_adds(&p->out, "vault=$(az keyvault show --name ");
    quoted(&p->out, host, strcspn(host, "./"));
    fl_buf_adds(&p->out,
                " --query id --output tsv)\naz role assignment create --assignee \"$who\" --role \"$role\" --scope "
                "\"$vault/keys/\"");
    quoted(&p->out, keys, strcspn(keys, "/"));
    fl_buf_addc(&p->out, '\n');
}

/* The drivers read the public part to encrypt, or post encrypt, and post decrypt. */
static void azure(paper *p)
{
    script(p, "az", "OBJECT-ID");
    fl_buf_adds(
        &p->out,
        "subscription=$(az account show --query id --output tsv)\n"
        "role='CSFLE key user'\n"
        "az role definition list --custom-role-only --name \"$role\" --query '[0].id' --output tsv | grep -q . ||\n"
        "    az role definition create --role-definition \"{\\\"Name\\\": \\\"$role\\\", \\\"Description\\\": "
        "\\\"reads a key, encrypts and decrypts with it\\\", \\\"Actions\\\": [], \\\"DataActions\\\": "
        "[\\\"Microsoft.KeyVault/vaults/keys/read\\\", \\\"Microsoft.KeyVault/vaults/keys/encrypt/action\\\", "
        "\\\"Microsoft.KeyVault/vaults/keys/decrypt/action\\\"], \\\"AssignableScopes\\\": "
        "[\\\"/subscriptions/$subscription\\\"]}\"\n");
    for (size_t i = 0; key_id(p->k, i); i++)
        azure_key(p, key_id(p->k, i));
}

/* projects/P/locations/L/keyRings/R/cryptoKeys/K */
static void gcp_key(paper *p, const char *id)
{
    static const char *const flags[] = {" --project ", " --location ", " --keyring ", " "};
    fl_buf_adds(&p->out, "gcloud kms keys add-iam-policy-binding");
    for (size_t i = 0; i < 4; i++) {
        const char *value = strchr(id, '/');
        if (!value)
            break;
        value++;
        fl_buf_adds(&p->out, flags[i]);
        quoted(&p->out, value, strcspn(value, "/"));
        id = value + strcspn(value, "/");
        id += *id == '/';
    }
    fl_buf_adds(&p->out, " --member \"$who\" --role roles/cloudkms.cryptoKeyEncrypterDecrypter\n");
}

static void gcp(paper *p)
{
    script(p, "gcloud", "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com");
    for (size_t i = 0; key_id(p->k, i); i++)
        gcp_key(p, key_id(p->k, i));
}

/* ---- Vault ---- */

/* In HCL a `"` and a `\` are escaped, and `${` would be read. */
static void hcl_string(fl_buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\')
            fl_buf_addc(out, '\\');
        fl_buf_addc(out, s[i]);
        if ((s[i] == '$' || s[i] == '%') && i + 1 < n && s[i + 1] == '{')
            fl_buf_addc(out, s[i]);
    }
}

/* https://HOST:PORT/MOUNT/keys/NAME; the mount may have several steps. */
static void vault_key(paper *p, const char *id)
{
    static const char *const calls[] = {"encrypt", "decrypt"};
    const char *path = strstr(id, "://"), *keys;
    path = path ? strchr(path + 3, '/') : NULL;
    keys = path ? strstr(path, "/keys/") : NULL;
    if (keys && strpbrk(path, "*+")) { /* a policy would take them for wildcards, and allow more than this key */
        fl_buf_adds(&p->out,
                    "# The key's path holds a sign that policies read as a wildcard: write this one by hand.\n");
        return;
    }
    for (size_t i = 0; keys && i < 2; i++) {
        fl_buf_adds(&p->out, "path \"");
        hcl_string(&p->out, path + 1, (size_t)(keys - path - 1));
        fl_buf_addf(&p->out, "/%s/", calls[i]);
        hcl_string(&p->out, keys + 6, strlen(keys + 6));
        fl_buf_adds(&p->out, "\" {\n  capabilities = [\"update\"]\n}\n");
    }
}

static bool same_path(const char *a, const char *b)
{
    const char *x = strstr(a, "://"), *y = strstr(b, "://");
    x = x ? strchr(x + 3, '/') : NULL;
    y = y ? strchr(y + 3, '/') : NULL;
    return x && y && !strcmp(x, y);
}

/* An alternate is mostly the same key on another host: one policy for both. */
static void vault(paper *p)
{
    fl_buf_addf(&p->out,
                "# Lets %s encrypt and decrypt with the key of KEK %s, and nothing else.\n"
                "# Run by who administers the vault: vault policy write flec-%s %s.hcl\n",
                used_by(p->k), p->k->name.s, p->k->name.s, fl_file_name(p->m->arena, p->k->name.s));
    for (size_t i = 0; key_id(p->k, i); i++) {
        bool again = false;
        for (size_t j = 0; j < i && !again; j++)
            again = same_path(key_id(p->k, i), key_id(p->k, j));
        if (!again)
            vault_key(p, key_id(p->k, i));
    }
    p->suffix = "hcl";
    p->who = "who administers the vault writes it as a policy, and gives it to that identity";
}

/* ---- all of it ---- */

static void one(emit *m, const est_kek *k, fl_buf *readme)
{
    static void (*const papers[])(paper *) = {
        [EST_AWS] = aws, [EST_AZURE] = azure, [EST_GCP] = gcp, [EST_VAULT] = vault};
    paper p = {.m = m, .k = k};
    if (k->kms == EST_LOCAL)
        return;
    fl_buf_init(&p.out, 1 << 20);
    papers[k->kms](&p);
    const char *name = fl_printf(m->arena, "%s.%s", fl_file_name(m->arena, k->name.s), p.suffix);
    emit_file(m, fl_printf(m->arena, "access/kms/%s", name), p.out.p, p.out.len);
    fl_buf_addf(readme, "%s: for %s; %s.\n", name, used_by(k), p.who);
    fl_buf_free(&p.out);
}

void emit_access_kms(emit *m)
{
    fl_buf readme;
    fl_buf_init(&readme, EMIT_MAX);
    for (size_t i = 0; i < m->e->keks.n; i++)
        one(m, m->e->keks.v[i], &readme);
    if (readme.len)
        emit_file(m, "access/kms/README.txt", readme.p, readme.len);
    fl_buf_free(&readme);
}
