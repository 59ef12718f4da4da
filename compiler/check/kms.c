/* kms.c: checks on the credentials of private KEKs: whole groups, and no two KEKs or connectors that need different
 * ones in one place.
 *
 * A driver that gets half of a group falls back to the process's own credentials without a word. One
 * converter hands the same parameters to all its KMS clients, and one worker keeps a KMS client per key for all its
 * connectors (read in the vendor's drivers and AeadWrapper). */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

static const est_prop *param(const est_kek *k, const char *name)
{
    for (size_t i = 0; i < k->params.n; i++)
        if (!strcmp(k->params.v[i].name.s, name))
            return &k->params.v[i];
    return NULL;
}

/* ---- half a group ---- */

/* Is row i the first of its group? */
static bool opens_group(const cat_kms_param *known, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (known[i].group && known[j].group && !strcmp(known[j].group, known[i].group))
            return false;
    return known[i].group != NULL;
}

static void whole_group(const chk_row *row, const est_estate *e, fl_diags *diags, const est_kek *k,
                        const cat_kms_param *known, size_t n, const char *group)
{
    const est_prop *given = NULL;
    size_t missing = 0;
    fl_buf names;
    fl_buf_init(&names, 4096);
    for (size_t i = 0; i < n; i++) {
        if (!known[i].group || strcmp(known[i].group, group))
            continue;
        const est_prop *p = param(k, known[i].name);
        if (p)
            given = given ? given : p;
        else
            fl_buf_addf(&names, "%s%s", missing++ ? ", " : "", known[i].name);
    }
    if (given && missing) {
        fl_diag *d = chk_report(row, diags, given->name.at,
                                "KEK %s: %s without %s: the driver would use the worker's own credentials instead",
                                k->name.s, given->name.s, names.p);
        fl_diag_help(diags, d, "write all of them, or `private` alone for the worker's own credentials");
    }
    fl_buf_free(&names);
}

static void whole_block(const chk_row *row, const est_estate *e, fl_diags *diags, const est_kek *k)
{
    size_t n;
    const cat_kms_param *known = cat_kms_params(k->kms_type, &n);
    if (!k->params.n) {
        fl_diag *d = chk_report(row, diags, k->at, "KEK %s: its `private` block is empty", k->name.s);
        fl_diag_help(diags, d, "write `private` without a block for the worker's own credentials");
    }
    for (size_t i = 0; i < n; i++) {
        if (opens_group(known, i))
            whole_group(row, e, diags, k, known, n, known[i].group);
        const est_prop *p = param(k, known[i].name);
        if (p && known[i].needs && !param(k, known[i].needs))
            chk_report(row, diags, p->name.at, "KEK %s: %s has no effect without %s", k->name.s, known[i].name,
                       known[i].needs);
    }
}

void chk_kms_parameters_missing(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->keks.n; i++)
        if (!e->keks.v[i]->shared && e->keks.v[i]->has_private_block)
            whole_block(row, e, diags, e->keks.v[i]);
}

/* ---- two that need different ones ---- */

static const char *differs(const est_kek *a, const est_kek *b)
{
    for (size_t i = 0; i < a->params.n; i++) {
        const est_prop *other = param(b, a->params.v[i].name.s);
        if (other && strcmp(other->value, a->params.v[i].value))
            return a->params.v[i].name.s;
    }
    return NULL;
}

/* Within one connector: the parameters of both go to every driver. */
static void clash_in_connector(const chk_row *row, fl_diags *diags, const est_connector *c, const est_kek *a,
                               const est_kek *b)
{
    const char *name = differs(a, b);
    fl_diag *d = NULL;
    if (name) {
        d = chk_report(row, diags, c->at, "connector %s needs two values of %s: one for KEK %s, one for KEK %s",
                       c->name.s, name, a->name.s, b->name.s);
        fl_diag_help(diags, d, "write a connector for each KEK, or share one of them");
    } else if (a->kms == b->kms && (a->params.n > 0) != (b->params.n > 0)) {
        const est_kek *with = a->params.n ? a : b, *without = a->params.n ? b : a;
        d = chk_report(
            row, diags, c->at,
            "connector %s: KEK %s is opened with the worker's own credentials, but would get those of KEK %s",
            c->name.s, without->name.s, with->name.s);
        fl_diag_help(diags, d, "write the parameters of both in their `private` blocks, or a connector for each");
    }
    if (d) {
        fl_diag_relate(diags, d, a->at, "KEK %s", a->name.s);
        fl_diag_relate(diags, d, b->at, "KEK %s", b->name.s);
    }
}

/* ---- two connectors of one worker ---- */

/* A private key as one connector opens it. */
typedef struct opening {
    const char *worker;
    const est_kek *kek;
    const est_connector *connector;
} opening;

static int by_key(const opening *x, const opening *y)
{
    int c = strcmp(x->worker, y->worker);
    c = c ? c : (int)x->kek->kms - (int)y->kek->kms;
    return c ? c : strcmp(x->kek->key_id.s, y->kek->key_id.s);
}

static int by_key_and_connector(const void *a, const void *b)
{
    const opening *x = a, *y = b;
    int c = by_key(x, y);
    c = c ? c : strcmp(x->connector->name.s, y->connector->name.s);
    return c ? c : strcmp(x->kek->name.s, y->kek->name.s);
}

static bool same_credentials(const est_kek *a, const est_kek *b)
{
    for (size_t i = 0; i < a->params.n; i++) {
        const est_prop *other = param(b, a->params.v[i].name.s);
        if (!other || strcmp(other->value, a->params.v[i].value))
            return false;
    }
    return a->params.n == b->params.n;
}

/* The first one's KMS client serves the other's key, if it is the same key. */
static void clash_on_worker(const chk_row *row, fl_diags *diags, const opening *first, const opening *other)
{
    const est_kek *k1 = first->kek, *k2 = other->kek;
    if (k1 == k2 || first->connector == other->connector || same_credentials(k1, k2))
        return;
    fl_diag *d = chk_report(row, diags, other->connector->at,
                            "connectors %s and %s run on one worker and open one key with different "
                            "credentials: whichever is first decides",
                            first->connector->name.s, other->connector->name.s);
    fl_diag_relate(diags, d, k1->at, "KEK %s", k1->name.s);
    fl_diag_relate(diags, d, k2->at, "KEK %s", k2->name.s);
    fl_diag_help(diags, d, "give one of them its own `worker`");
}

/* Sorted, so that the openings of one key on one worker stand together; each is held against the first of them. */
static void clashes_on_workers(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    FL_VEC(opening) all = {0};
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        chk_keks keks = {0};
        chk_connector_keks(e, c, true, &keks);
        for (size_t k = 0; k < keks.list.n; k++)
            if (keks.list.v[k]->key_id.s)
                FL_PUSH(e->arena, &all, (opening){c->worker.s ? c->worker.s : "", keks.list.v[k], c});
    }
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, by_key_and_connector);
    for (size_t i = 1, first = 0; i < all.n; i++) {
        if (by_key(&all.v[first], &all.v[i]))
            first = i;
        else
            clash_on_worker(row, diags, &all.v[first], &all.v[i]);
    }
}

void chk_kms_parameters_clash(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        chk_keks keks = {0};
        chk_connector_keks(e, c, true, &keks);
        for (size_t a = 0; a < keks.list.n; a++)
            for (size_t b = a + 1; b < keks.list.n; b++)
                clash_in_connector(row, diags, c, keks.list.v[a], keks.list.v[b]);
    }
    clashes_on_workers(row, e, diags);
}
