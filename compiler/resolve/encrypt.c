/* encrypt.c: the `encrypt` lines of a side: defaults, names, order. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

#define MAX_RULE_NAME 256 /* bytes, as the registry takes */

static void tags(res *r, est_encrypt *x, const lang_stmt *s)
{
    RES_SET(x->tags, res_list(r, lang_get(s, "tags"), res_text_of));
    qsort(x->tags.v, x->tags.n, sizeof *x->tags.v, res_by_text);
}

static void kek(res *r, est_encrypt *x, const lang_stmt *s)
{
    x->kek_name = res_slot(r, s, "kek");
    x->kek = x->kek_name.s ? est_find_kek(r->e, x->kek_name.s) : NULL;
    r->e->incomplete |= !x->kek;
    if (x->kek || !x->kek_name.s)
        return;
    const char **names = FL_NEW_N(r->a, const char *, r->e->keks.n + 1);
    for (size_t i = 0; i < r->e->keks.n; i++)
        names[i] = r->e->keks.v[i]->name.s;
    res_unknown(r, x->kek_name.at, "KEK", x->kek_name.s, names, r->e->keks.n);
}

static bool in_rule_name(char c)
{
    return c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c);
}

/* `encrypt-` and the tags, with `_` for what a rule's name does not hold. */
static const char *derived_name(res *r, const est_encrypt *x)
{
    const char *name = "encrypt";
    for (size_t i = 0; i < x->tags.n; i++) {
        char *tag = fl_strdup(r->a, x->tags.v[i].s);
        for (char *p = tag; *p; p++)
            if (!in_rule_name(*p))
                *p = '_';
        name = fl_printf(r->a, "%s-%s", name, tag);
        if (strlen(name) > MAX_RULE_NAME) /* refused; the rest would only grow it */
            break;
    }
    return name;
}

/* The registry refuses a rule set that has another name in it (error 42210: docs/registry.md). */
static void check_rule_name(res *r, const est_text *name)
{
    const char *s = name->s;
    while (in_rule_name(*s))
        s++;
    if (!*s && !strchr("0123456789-", name->s[0]))
        return;
    fl_diag *d = res_error(r, "syntax", name->at, "`%s` is no name of a rule: the registry refuses it", name->s);
    fl_diag_help(r->diags, d, "it begins with a letter or `_`; letters, digits, `_` and `-` follow");
}

static void name(res *r, est_encrypt *x, const lang_block *b)
{
    const lang_stmt *given = lang_find(b, "encrypt.name");
    x->name = given ? res_slot(r, given, "name") : (est_text){derived_name(r, x), x->at};
    if (!x->name.s)
        return;
    check_rule_name(r, &x->name);
    if (strlen(x->name.s) <= MAX_RULE_NAME)
        return;
    fl_diag *d = res_error(r, "syntax", x->name.at, "the name of the rule is longer than %d bytes", MAX_RULE_NAME);
    fl_diag_help(r->diags, d, "write `name NAME` into the block, with a shorter one");
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

static est_encrypt one(res *r, const lang_stmt *s)
{
    est_encrypt x = {.at = res_at(s)};
    const lang_block *b = s->block;
    const lang_stmt *order = lang_find(b, "encrypt.order");
    est_text mode = res_stated(r, b, "encrypt.mode", "mode"),
             failure = res_stated(r, b, "encrypt.read-failure", "read-failure");
    tags(r, &x, s);
    kek(r, &x, s);
    cipher(r, &x, b);
    name(r, &x, b);
    x.order = order ? res_int(order, "order") : 100;
    x.write_only = mode.s && !strcmp(mode.s, "WRITE");
    x.read_failure_ciphertext = failure.s && !strcmp(failure.s, "ciphertext");
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

/* Two lines with the same tags and no names of their own are one mistake, which encrypted-twice reports. */
static bool same_tags(const est_encrypt *x, const est_encrypt *y)
{
    bool same = x->tags.n == y->tags.n && x->name.at.from == x->at.from && y->name.at.from == y->at.from;
    for (size_t i = 0; same && i < x->tags.n; i++)
        same = !strcmp(x->tags.v[i].s, y->tags.v[i].s);
    return same;
}

static void unique_names(res *r, const est_side *s)
{
    for (size_t i = 1; i < s->encrypts.n; i++)
        for (size_t k = 0; k < i; k++) {
            const est_encrypt *x = &s->encrypts.v[k], *y = &s->encrypts.v[i];
            if (!x->name.s || !y->name.s || strcmp(x->name.s, y->name.s) || same_tags(x, y))
                continue;
            fl_diag *d = res_error(r, "duplicate-name", y->name.at, "two rules of this %s are called `%s`",
                                   est_side_name(s), y->name.s);
            fl_diag_relate(r->diags, d, x->name.at, "the other");
            fl_diag_help(r->diags, d, "write `name NAME` into one of the blocks");
            break;
        }
}

void res_encrypts(res *r, est_side *s, const lang_block *b)
{
    for (size_t i = 0; b && i < b->n; i++)
        if (lang_is(b->stmts[i], "side.encrypt"))
            FL_PUSH(r->a, &s->encrypts, one(r, b->stmts[i]));
    unique_names(r, s); /* in order of writing: the later one is at fault */
    if (s->encrypts.n)
        qsort(s->encrypts.v, s->encrypts.n, sizeof *s->encrypts.v, by_order);
}
