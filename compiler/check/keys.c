/* keys.c: names and key ids of KEKs, and their use. */
#include <string.h>

#include "compiler/check/check.h"

/* ---- kek-name ---- */

#define NAME_MAX_BYTES 256

/* Both sides at once: the registry takes Unicode letters, Java's client ASCII alone (read in
 * their source). */
static const char *bad_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NAME_MAX_BYTES)
        return "it has 1 to 256 characters";
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && ((c >= '0' && c <= '9') || c == '-')))
            return i ? "after the first come letters, digits, `_` and `-`" : "it begins with a letter or `_`";
    }
    return NULL;
}

void chk_kek_name(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->keks.n; i++) {
        const char *why = bad_name(e->keks.v[i]->name.s);
        if (!why)
            continue;
        fl_diag *d =
            chk_report(row, diags, e->keks.v[i]->name.at, "`%s` is no name for a KEK: %s", e->keks.v[i]->name.s, why);
        fl_diag_help(diags, d, "registry and clients both refuse it; dots become `-`");
    }
}

/* ---- kek-key-id ---- */

typedef struct shape {
    const char *want;                     /* what the id must look like, for the help */
    const char *(*wrong)(const char *id); /* NULL, or what is wrong */
} shape;

static size_t parts(const char *s, char sep)
{
    size_t n = 1;
    for (; *s; s++)
        n += *s == sep;
    return n;
}

static const char *part(const char *s, char sep, size_t i)
{
    while (i-- && s) {
        s = strchr(s, sep);
        s = s ? s + 1 : NULL;
    }
    return s ? s : "";
}

static const char *aws_wrong(const char *id)
{
    if (strncmp(id, "arn:", 4))
        return "it is no ARN";
    if (strncmp(id, "arn:aws:", 8))
        return "the registry and the Python client take the partition `aws` alone";
    if (strncmp(id, "arn:aws:kms:", 12))
        return "it names another service than kms";
    if (parts(id, ':') != 6 || *part(id, ':', 3) == ':' || *part(id, ':', 4) == ':')
        return "it lacks region or account";
    const char *key = part(id, ':', 5);
    bool kind = !strncmp(key, "key/", 4) || !strncmp(key, "alias/", 6);
    return kind && strchr(key, '/')[1] ? NULL : "it names neither a key/… nor an alias/…";
}

static bool hex32(const char *s)
{
    return strspn(s, "0123456789abcdefABCDEF") == 32 && !s[32];
}

static const char *azure_wrong(const char *id)
{
    if (strncmp(id, "https://", 8))
        return "it does not begin with https://";
    const char *path = strchr(id + 8, '/');
    if (!path || path == id + 8 || strncmp(path, "/keys/", 6) || !path[6] || path[6] == '/')
        return "it lacks /keys/NAME";
    const char *version = strchr(path + 6, '/');
    if (!version || !version[1])
        return "it has no version: after a rotation of the key, data keys made before could no longer be opened";
    return hex32(version + 1) ? NULL : "its version is not 32 hexadecimal digits";
}

static const char *gcp_wrong(const char *id)
{
    static const char *const names[] = {"projects", "locations", "keyRings", "cryptoKeys"};
    for (size_t i = 0; i < 4; i++) {
        const char *p = part(id, '/', 2 * i), *value = part(id, '/', 2 * i + 1);
        size_t n = strlen(names[i]);
        if (strncmp(p, names[i], n) || p[n] != '/' || !*value || *value == '/')
            return "it is not the full resource name of a key";
    }
    return parts(id, '/') == 8 ? NULL : "it names more than a key (a version is chosen by the service)";
}

static const char *vault_wrong(const char *id)
{
    const char *path = !strncmp(id, "https://", 8)  ? strchr(id + 8, '/')
                       : !strncmp(id, "http://", 7) ? strchr(id + 7, '/')
                                                    : NULL;
    if (strncmp(id, "http", 4))
        return "it does not begin with https://";
    if (!path || parts(path + 1, '/') < 3)
        return "it lacks /MOUNT/keys/NAME";
    if (parts(path + 1, '/') > 3)
        return "its mount has more than one step, which the Java client (so every connector) cannot use";
    const char *name = part(path + 1, '/', 2);
    return !strncmp(part(path + 1, '/', 1), "keys/", 5) && *name ? NULL : "it lacks /MOUNT/keys/NAME";
}

static const char *local_wrong(const char *id)
{
    return *id ? NULL : "it is empty";
}

static const shape shapes[] = {
    [EST_AWS] = {"arn:aws:kms:REGION:ACCOUNT:key/ID", aws_wrong},
    [EST_AZURE] = {"https://VAULT.vault.azure.net/keys/NAME/VERSION", azure_wrong},
    [EST_GCP] = {"projects/P/locations/L/keyRings/R/cryptoKeys/K", gcp_wrong},
    [EST_VAULT] = {"https://HOST:8200/transit/keys/NAME", vault_wrong},
    [EST_LOCAL] = {"any name", local_wrong},
};

static void check_id(const chk_row *row, fl_diags *diags, const est_kek *k, const est_text *id)
{
    const char *why = id->s ? shapes[k->kms].wrong(id->s) : NULL;
    if (!why)
        return;
    fl_diag *d = chk_report(row, diags, id->at, "the key id of KEK `%s` is out of shape: %s", k->name.s, why);
    fl_diag_help(diags, d, "write it as %s", shapes[k->kms].want);
    chk_about_kek(d, k);
}

void chk_kek_key_id(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->keks.n; i++) {
        const est_kek *k = e->keks.v[i];
        check_id(row, diags, k, &k->key_id);
        for (size_t a = 0; a < k->alternates.n; a++)
            check_id(row, diags, k, &k->alternates.v[a]);
    }
}

/* ---- unused-kek ---- */

/* Marks the KEKs of a side; false: the KEK of a line is unknown (reported as such), so it may have meant any. */
static bool mark_used(const est_side *s, fl_map *used)
{
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_kek *k = s->encrypts.v[i].kek;
        if (!k)
            return false;
        if (!fl_map_get(used, k->name.s))
            fl_map_put(used, k->name.s, (void *)k);
    }
    return true;
}

void chk_unused_kek(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    fl_map *used = fl_map_new();
    bool known = !e->incomplete;
    for (size_t i = 0; i < e->topics.n && known; i++)
        known = mark_used(&e->topics.v[i]->key, used) && mark_used(&e->topics.v[i]->value, used);
    for (size_t i = 0; i < e->keks.n && known; i++) {
        const est_kek *k = e->keks.v[i];
        if (fl_map_get(used, k->name.s))
            continue;
        fl_diag *d = chk_report(row, diags, k->name.at, "no `encrypt` line uses the KEK `%s`", k->name.s);
        fl_diag_help(diags, d, "take it out, or encrypt something with it");
        chk_about_kek(d, k);
    }
    fl_map_free(used);
}
