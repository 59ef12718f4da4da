/* keks.c: tags, principals and key encryption keys. */
#include <string.h>

#include "compiler/resolve/resolve.h"

void res_tags(res *r)
{
    for (size_t i = 0; i < r->kinds[RES_TAG].n; i++) {
        const res_decl *d = &r->kinds[RES_TAG].v[i];
        est_tag *t = FL_NEW(r->a, est_tag);
        t->name = d->name;
        t->doc = res_slot(r, d->stmt, "text");
        if (lang_has(d->stmt, "clear"))
            t->clear = res_reason(r, d->stmt);
        FL_PUSH(r->a, &r->e->tags, t);
    }
}

void res_principals(res *r)
{
    for (size_t i = 0; i < r->kinds[RES_PRINCIPAL].n; i++) {
        const res_decl *d = &r->kinds[RES_PRINCIPAL].v[i];
        const lang_value *v = lang_get1(d->stmt, "principal");
        est_principal *p = FL_NEW(r->a, est_principal);
        p->type = res_text_of(r, v);
        p->name = (est_text){est_expand(r->e, v->second), v->second->span};
        p->full = res_principal(r, v).s;
        p->client = res_slot(r, d->stmt, "client");
        p->doc = res_slot(r, d->stmt, "text");
        if (p->full)
            FL_PUSH(r->a, &r->e->principals, p);
    }
}

/* ---- KEKs ---- */

static void kms(res *r, est_kek *k, const lang_stmt *s)
{
    static const struct {
        const char *word;
        est_kms kms;
        const char *type;
    } known[] = {
        {"aws", EST_AWS, "aws-kms"},     {"azure", EST_AZURE, "azure-kms"}, {"gcp", EST_GCP, "gcp-kms"},
        {"vault", EST_VAULT, "hcvault"}, {"local", EST_LOCAL, "local-kms"},
    };
    const char *word = res_slot(r, s, "type").s;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(word, known[i].word)) {
            k->kms = known[i].kms;
            k->kms_type = known[i].type;
        }
    k->key_id = res_slot(r, s, "key-id");
}

static void alternates(res *r, est_kek *k, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "kek.alternates");
    RES_SET(k->alternates, res_list(r, s ? lang_get(s, "key-ids") : NULL, res_text_of));
    for (size_t i = 0; i < k->alternates.n; i++)
        if (strchr(k->alternates.v[i].s, ',')) /* they are joined by commas */
            res_error(r, "kek-key-id", k->alternates.v[i].at,
                      "an alternate key id of `%s` has a comma in it, which would split it", k->name.s);
}

static est_kek *one(res *r, const res_decl *d)
{
    est_kek *k = FL_NEW(r->a, est_kek);
    const lang_block *b = d->stmt->block;
    const lang_block *own = res_block(b, "kek.private");
    k->name = d->name;
    k->at = res_at(d->stmt);
    kms(r, k, lang_find(b, "kek.kms"));
    k->shared = lang_find(b, "kek.shared") != NULL;
    k->has_private_block = own != NULL;
    RES_SET(k->params, res_properties(r, own));
    alternates(r, k, b);
    RES_SET(k->properties, res_properties(r, res_block(b, "kek.properties")));
    k->owner = res_stated(r, b, "kek.owner", "owner");
    k->doc = res_stated(r, b, "kek.doc", "doc");
    return k;
}

void res_keks(res *r)
{
    for (size_t i = 0; i < r->kinds[RES_KEK].n; i++)
        FL_PUSH(r->a, &r->e->keks, one(r, &r->kinds[RES_KEK].v[i]));
}
