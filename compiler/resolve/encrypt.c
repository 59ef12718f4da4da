/* encrypt.c: the `encrypt` lines of a side, by tags or of the whole body: defaults, names, order. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

static void tags(res *r, est_encrypt *x, const lang_stmt *s)
{
    RES_SET(x->tags, res_list(r, lang_get(s, "tags"), res_text_of));
    qsort(x->tags.v, x->tags.n, sizeof *x->tags.v, res_by_text);
}

static void kek(res *r, est_encrypt *x, const lang_stmt *s)
{
    x->kek_name = res_slot(r, s, "kek");
    if (!r->early)
        res_link_kek(r, x);
}

void res_link_kek(res *r, est_encrypt *x)
{
    x->kek = x->kek_name.s ? est_find_kek(r->e, x->kek_name.s) : NULL;
    r->e->incomplete |= !x->kek;
    if (x->kek || !x->kek_name.s)
        return;
    struct res_names names = res_names(r, RES_KEK);
    res_unknown(r, x->kek_name.at, "KEK", x->kek_name.s, names.v, names.n);
}

static bool in_rule_name(char c)
{
    return c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c);
}

/* `encrypt-` and the tags, with `_` for what a rule's name does not hold. */
static const char *derived_name(res *r, const est_encrypt *x)
{
    const char *name = x->payload ? "encrypt-payload" : "encrypt";
    for (size_t i = 0; i < x->tags.n; i++) {
        char *tag = fl_strdup(r->a, x->tags.v[i].s);
        for (char *p = tag; *p; p++)
            if (!in_rule_name(*p))
                *p = '_';
        name = fl_printf(r->a, "%s-%s", name, tag);
        if (strlen(name) > EST_MAX_RULE_NAME) /* refused (rule-name); the rest would only grow it */
            break;
    }
    return name;
}

static void name(res *r, est_encrypt *x, const lang_block *b)
{
    const lang_stmt *given = lang_find(b, "encrypt.name");
    x->name = given ? res_slot(r, given, "name") : (est_text){derived_name(r, x), x->at};
}

static void cipher(res *r, est_encrypt *x, const lang_block *b)
{
    est_text algorithm = res_stated(r, b, "encrypt.algorithm", "algorithm");
    const lang_stmt *rotate = lang_find(b, "encrypt.rotate");
    x->algorithm = !algorithm.s || !strcmp(algorithm.s, "AES256_GCM") ? EST_AES256_GCM
                   : !strcmp(algorithm.s, "AES128_GCM")               ? EST_AES128_GCM
                                                                      : EST_AES256_SIV;
    x->algorithm_at = algorithm.s ? algorithm.at : x->at;
    x->rotate_days = rotate ? res_int(rotate, "rotate") : 0; /* `never` has no digits */
    x->rotate_at = rotate ? lang_get1(rotate, "rotate")->span : x->at;
}

/* No reader gets usable data from either: the bytes are no record, and two clients return an empty message of them
 * without an error (docs/wire.md). */
static void payload_is_whole(res *r, const est_encrypt *x, fl_span mode, fl_span failure)
{
    if (!x->payload || (!x->write_only && !x->read_failure_ciphertext))
        return;
    fl_diag *d =
        x->write_only
            ? res_error(r, "syntax", mode, "`mode WRITE` with `encrypt payload`: nobody could read the record")
            : res_error(r, "syntax", failure,
                        "`read-failure ciphertext` with `encrypt payload`: the ciphertext of a whole body is no "
                        "record, and some clients return an empty one without an error");
    fl_diag_relate(r->diags, d, x->at, "the whole body is encrypted here");
    fl_diag_help(r->diags, d,
                 x->write_only ? "leave the line out: a reader decrypts what it may read"
                               : "leave the line out, or write `read-failure error` into this block");
}

static est_encrypt one(res *r, const lang_stmt *s)
{
    est_encrypt x = {.at = res_at(s), .payload = lang_is(s, "side.encrypt-payload")};
    const lang_block *b = s->block;
    const lang_stmt *order = lang_find(b, "encrypt.order");
    est_text mode = res_stated(r, b, "encrypt.mode", "mode"),
             failure = res_stated(r, b, "encrypt.read-failure", "read-failure");
    if (!x.payload)
        tags(r, &x, s);
    kek(r, &x, s);
    cipher(r, &x, b);
    name(r, &x, b);
    x.order = order ? res_int(order, "order") : 100;
    x.write_only = mode.s && !strcmp(mode.s, "WRITE");
    x.read_failure_ciphertext = failure.s && !strcmp(failure.s, "ciphertext");
    payload_is_whole(r, &x, mode.at, failure.at);
    return x;
}

/* ---- all of a side ---- */

static int by_order(const void *a, const void *b)
{
    const est_encrypt *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    int names = strcmp(x->name.s ? x->name.s : "", y->name.s ? y->name.s : "");
    return names ? names : x->at.from < y->at.from ? -1 : x->at.from > y->at.from;
}

static bool is_encrypt(const lang_stmt *s)
{
    return lang_is(s, "side.encrypt") || lang_is(s, "side.encrypt-payload");
}

void res_encrypts(res *r, est_side *s, const lang_block *b)
{
    size_t n = 0;
    for (size_t i = 0; b && i < b->n; i++)
        n += is_encrypt(b->stmts[i]);
    s->encrypts.v = FL_NEW_N(r->a, est_encrypt, n);
    s->encrypts.cap = n;
    for (size_t i = 0; b && i < b->n; i++)
        if (is_encrypt(b->stmts[i]))
            FL_PUSH(r->a, &s->encrypts, one(r, b->stmts[i]));
    if (s->encrypts.n)
        qsort(s->encrypts.v, s->encrypts.n, sizeof *s->encrypts.v, by_order);
    for (size_t i = 0; i < s->encrypts.n && !s->payload; i++)
        s->payload = s->encrypts.v[i].payload ? &s->encrypts.v[i] : NULL;
}
