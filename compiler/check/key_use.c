/* key_use.c: how keys are used over the estate: how long one data key serves, where a KEK's credentials come from, how
 * soon a connector sees that rules changed. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/previous.h"
#include "compiler/check/uses.h"

/* ---- gcm-without-rotation ---- */

/* Random IVs of 96 bits: after 2^32 of them under one key a repeated one is no longer negligible (NIST SP 800-38D,
 * 8.3), and all lines of a subject with one KEK and algorithm share that data key. */
static bool never_ends(const est_encrypt *r)
{
    return r->algorithm != EST_AES256_SIV && !r->rotate_days;
}

static bool same_data_key(const est_encrypt *a, const est_encrypt *b)
{
    return a->kek == b->kek && a->algorithm == b->algorithm;
}

static void side_without_rotation(const chk_row *row, fl_diags *diags, const est_side *s)
{
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_encrypt *r = &s->encrypts.v[i];
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = same_data_key(&s->encrypts.v[k], r) && never_ends(&s->encrypts.v[k]);
        if (told || !never_ends(r) || !r->kek)
            continue;
        fl_diag *d = chk_report(row, diags, r->at,
                                "the %s of %s has one data key of KEK %s for ever, and its random IVs are good for "
                                "2^32 fields",
                                est_side_name(s), s->topic->name.s, r->kek->name.s);
        fl_diag_help(diags, d, "write `rotate 90d` in the block of this line");
        chk_about_side(d, s, NULL);
    }
}

void chk_gcm_without_rotation(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->topics.n; i++) {
        side_without_rotation(row, diags, &e->topics.v[i]->key);
        side_without_rotation(row, diags, &e->topics.v[i]->value);
    }
}

/* ---- local-kms ---- */

void chk_local_kms(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->keks.n; i++) {
        const est_kek *k = e->keks.v[i];
        if (k->kms != EST_LOCAL)
            continue;
        fl_diag *d = chk_report(row, diags, k->key_id.at,
                                "KEK %s is kept by a local KMS: whoever reads its secret opens everything, and nobody "
                                "can withdraw it",
                                k->name.s);
        fl_diag_help(diags, d,
                     "name a key of aws, azure, gcp or vault; for made-up data write `allow local-kms on kek "
                     "%s because \"…\" until DATE`",
                     k->name.s);
        chk_about_kek(d, k);
    }
}

/* ---- assume-role-loop ---- */

static const est_prop *param(const est_kek *k, const char *name)
{
    for (size_t i = 0; i < k->params.n; i++)
        if (!strcmp(k->params.v[i].name.s, name))
            return &k->params.v[i];
    return NULL;
}

/* A worker with a web identity (EKS) has AWS_ROLE_ARN in its environment. Drivers before May 2026 either assumed that
 * role by itself, or passed over the one that is written here (schema-registry PRs 4298, 4299). With an access key the
 * role is assumed by that, and nothing loops. */
void chk_assume_role_loop(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->keks.n; i++) {
        const est_kek *k = e->keks.v[i];
        const est_prop *role = k->kms == EST_AWS ? param(k, "role.arn") : NULL;
        if (!role || param(k, "access.key.id"))
            continue;
        fl_diag *d = chk_report(row, diags, role->name.at,
                                "KEK %s: role.arn is assumed by the worker's own credentials; where these are a web "
                                "identity, drivers of different age assume it twice or not at all",
                                k->name.s);
        fl_diag_help(diags, d,
                     "give access.key.id and secret.access.key as well, or `private` alone and the role to "
                     "the worker");
        chk_about_kek(d, k);
    }
}

/* ---- stale-rules ---- */

/* The side whose rules the connector would keep for ever, or NULL. */
static const est_side *stale_side(const est_connector *c)
{
    for (size_t i = 0; i < c->topics.n; i++) {
        const est_topic *t = c->topics.v[i];
        if (t->value.encrypts.n && c->refresh_value < 0)
            return &t->value;
        if (t->key.encrypts.n && c->refresh_key < 0)
            return &t->key;
    }
    return NULL;
}

void chk_stale_rules(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        const est_side *s = stale_side(c);
        if (!s)
            continue;
        fl_diag *d = chk_report(row, diags, c->at,
                                "connector %s keeps the rules that it starts with: a field tagged later would go out "
                                "in clear until somebody restarts it",
                                c->name.s);
        fl_diag_relate(diags, d, s->at, "the %s of %s has rules", est_side_name(s), s->topic->name.s);
        fl_diag_help(diags, d, "write `refresh 300s`");
        chk_about_connector(d, c, NULL);
    }
}

/* ---- kek-differs ---- */

/* The registry never changes the KMS or the key of a KEK, and a client whose rule names another key refuses the record:
 * "Found K with kms key id … which differs" (UpdateKekRequest, EncryptionExecutor). */
static fl_diag *differs(const chk_row *row, fl_diags *diags, const est_kek *k, const char *where, const char *kms_type,
                        const char *key_id)
{
    bool type = strcmp(k->kms_type, kms_type) != 0;
    fl_diag *d =
        chk_report(row, diags, k->key_id.at, "KEK %s has %s %s here, and %s %s", k->name.s,
                   type ? "the KMS" : "the key", type ? k->kms_type : k->key_id.s, type ? kms_type : key_id, where);
    fl_diag_help(diags, d,
                 "a registered KEK keeps its key: give the new one a new name, and keep the old one for the "
                 "records that it opens");
    return chk_about_kek(d, k);
}

void chk_kek_differs(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; e->previous && i < e->keks.n; i++) {
        const est_kek *k = e->keks.v[i];
        const prev_kek *old = k->key_id.s ? prev_find_kek(e->previous, k->name.s) : NULL;
        if (old && (strcmp(old->kms_type, k->kms_type) || strcmp(old->key_id, k->key_id.s)))
            differs(row, diags, k, "in the previous build", old->kms_type, old->key_id);
    }
}

/* Do two environments have one registry? The id says (in the cloud many logical registries share a URL, psrc-…);
 * without it the URL, unless only the worker knows that. */
static bool one_registry(const est_platform *a, const est_platform *b)
{
    if (a->id_registry.s && b->id_registry.s)
        return !strcmp(a->id_registry.s, b->id_registry.s);
    const char *url = a->registry_url.s, *other = b->registry_url.s;
    return url && other && !strstr(url, "${") && !strcmp(url, other);
}

static void two_environments(const chk_row *row, const est_estate *one, const est_estate *other, fl_diags *diags)
{
    for (size_t i = 0; i < other->keks.n; i++) {
        const est_kek *k = other->keks.v[i], *first = est_find_kek(one, k->name.s);
        if (!first || !first->key_id.s || !k->key_id.s ||
            (first->kms == k->kms && !strcmp(first->key_id.s, k->key_id.s)))
            continue;
        fl_diag *d =
            differs(row, diags, k, fl_printf(diags->arena, "in %s, which has the same registry", one->environment),
                    first->kms_type, first->key_id.s);
        fl_diag_relate(diags, d, first->key_id.at, "in %s", one->environment);
        d->environments = FL_NEW_N(diags->arena, const char *, 2);
        d->environments[0] = other->environment;
    }
}

void chk_keks_of_environments(const est_estate *const *all, size_t n, fl_diags *diags)
{
    const chk_row *row = chk_find("kek-differs");
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; all[i]->has_platform && k < i; k++) {
            if (!all[k]->has_platform || !one_registry(&all[k]->platform, &all[i]->platform))
                continue;
            two_environments(row, all[k], all[i], diags);
            break; /* the first with that registry */
        }
    }
}
