/* values.c: checks on the values in `config` and on what becomes values: types, ranges, enums, secrets, references. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

/* Calls fn for each property of a connector that the catalogue knows and that is not generated. */
typedef struct ctx {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
} ctx;

static void each_known(ctx *x, void (*fn)(ctx *x, const est_connector *c, const est_prop *p, const cat_property *known))
{
    for (size_t i = 0; i < x->e->connectors.n; i++) {
        const est_connector *c = x->e->connectors.v[i];
        for (size_t j = 0; c->catalog && j < c->config.n; j++) {
            const cat_property *known;
            if (cat_property_owner(c->catalog, c->config.v[j].name.s, NULL) == CAT_FREE &&
                chk_property(c, c->config.v[j].name.s, &known) == CHK_KNOWN)
                fn(x, c, &c->config.v[j], known);
        }
    }
}

/* ---- types ---- */

static const char *type_text(cat_type t)
{
    static const char *const text[] = {"text",           "true or false",  "a whole number",
                                       "a whole number", "a whole number", "a number",
                                       "a list",         "a class",        "a secret"};
    return text[t];
}

static bool is_whole(const char *s, cat_type t)
{
    char *end;
    if (!*s || !strchr("-0123456789", *s))
        return false;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (*end || errno || end == s)
        return false;
    return t == CAT_LONG || (t == CAT_INT && v >= INT32_MIN && v <= INT32_MAX) ||
           (t == CAT_SHORT && v >= INT16_MIN && v <= INT16_MAX);
}

static bool is_number(const char *s)
{
    char *end;
    double d = strtod(s, &end);
    return *s && strchr("-0123456789", *s) && !*end && isfinite(d);
}

static bool is_class(const char *s)
{
    return *s && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$.")] == 0;
}

static bool fits(const cat_property *known, const est_prop *p)
{
    switch (known->type) {
    case CAT_BOOLEAN:
        return !strcmp(p->value, "true") || !strcmp(p->value, "false");
    case CAT_SHORT:
    case CAT_INT:
    case CAT_LONG:
        return is_whole(p->value, known->type);
    case CAT_DOUBLE:
        return is_number(p->value);
    case CAT_CLASS:
        return is_class(p->value);
    default:
        return true;
    }
}

static bool is_plain(cat_type t)
{
    return t == CAT_BOOLEAN || (t >= CAT_SHORT && t <= CAT_DOUBLE);
}

/* Numbers and booleans are written without quotes, unless a variable stands in them. */
static bool quoted_for_nothing(const est_prop *p)
{
    fl_span at = p->value_at;
    if (p->is_word || p->is_number || p->is_list || !at.src || at.to <= at.from || at.to > at.src->len)
        return false;
    const char *s = at.src->text + at.from;
    return (*s == '"' || *s == '\'') && !memmem(s, at.to - at.from, "${", 2);
}

static void type_of(ctx *x, const est_connector *c, const est_prop *p, const cat_property *known)
{
    if (known->type == CAT_LIST) /* its items were looked at when the list was joined */
        return;
    if (p->is_list) {
        chk_report(x->row, x->diags, p->value_at, "%s is %s, not a list", p->name.s, type_text(known->type));
        return;
    }
    if (p->is_secret_ref || chk_has_reference(p->value))
        return;
    if (!fits(known, p)) {
        fl_diag *d = known->secret
                         ? chk_report(x->row, x->diags, p->value_at, "%s is %s", p->name.s, type_text(known->type))
                         : chk_report(x->row, x->diags, p->value_at, "%s is %s, not `%s`", p->name.s,
                                      type_text(known->type), p->value);
        fl_diag_help(x->diags, d, "%s", known->doc);
    } else if (is_plain(known->type) && quoted_for_nothing(p)) {
        fl_diag *d = chk_report(x->row, x->diags, p->value_at, "%s is %s, which is written without quotes", p->name.s,
                                type_text(known->type));
        fl_diag_help(x->diags, d, "write `%s`", p->value);
        if (!known->secret)
            chk_fix(x->diags, d, p->value_at, p->value, true);
    }
}

void chk_property_type(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    ctx x = {row, e, diags};
    each_known(&x, type_of);
}

/* ---- values ---- */

static bool is_one_of(const cat_property *known, const char *value)
{
    for (size_t i = 0; i < known->nvalues; i++)
        if (!strcmp(known->values[i], value))
            return true;
    return !known->nvalues;
}

/* "one of a, b, c": the short names of classes where there are any. */
static const char *joined(const est_estate *e, const char *const *v, size_t n)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(&b, "%s%s", i ? ", " : "", v[i]);
    const char *s = fl_strdup(e->arena, b.p);
    fl_buf_free(&b);
    return s;
}

static void suggest(ctx *x, fl_diag *d, const est_connector *c, const est_prop *p, const cat_property *known,
                    const char *value)
{
    enum { MAX = 64 };
    const char *names[MAX];
    size_t shorts = known->type == CAT_CLASS ? cat_short_names(c->catalog, p->name.s, names, MAX) : 0, n = shorts;
    for (size_t i = 0; i < known->nvalues && n < MAX; i++)
        names[n++] = known->values[i];
    const char *near = fl_nearest(value, names, n);
    if (near) {
        fl_diag_help(x->diags, d, "did you mean `%s`?", near);
        chk_fix_near(x->diags, d, p->value_at, value, names, n, known->type != CAT_CLASS);
    } else if (n)
        fl_diag_help(x->diags, d, "one of %s", joined(x->e, names, shorts ? shorts : n));
    else
        fl_diag_help(x->diags, d, "write the whole name of the class");
}

static void enum_of(ctx *x, const est_connector *c, const est_prop *p, const cat_property *known, const char *value)
{
    const char *full = known->type == CAT_CLASS ? cat_class(c->catalog, p->name.s, value) : NULL;
    if (!is_one_of(known, full ? full : value))
        suggest(x, chk_report(x->row, x->diags, p->value_at, "%s cannot be `%s`", p->name.s, value), c, p, known,
                value);
}

/* A class without a package: a short name, or a transformation, which Connect knows by its last part. */
static void class_of(ctx *x, const est_connector *c, const est_prop *p, const cat_property *known)
{
    if (!is_class(p->value) || strchr(p->value, '.') || cat_class(c->catalog, p->name.s, p->value) ||
        cat_find_transform(p->value))
        return;
    suggest(x, chk_report(x->row, x->diags, p->value_at, "%s: `%s` is no short name of a class", p->name.s, p->value),
            c, p, known, p->value);
}

static void range_of(ctx *x, const est_prop *p, const cat_property *known)
{
    double v = strtod(p->value, NULL);
    bool low = known->has_min && v < known->min, high = known->has_max && v > known->max;
    if (low || high)
        chk_report(x->row, x->diags, p->value_at, "%s is %s, %s %.15g is allowed", p->name.s, p->value,
                   low ? "at least" : "at most", low ? known->min : known->max);
}

static void value_of(ctx *x, const est_connector *c, const est_prop *p, const cat_property *known)
{
    if (known->secret || p->is_secret_ref || chk_has_reference(p->value))
        return;
    if (known->nvalues && p->is_list)
        for (size_t i = 0; known->type == CAT_LIST && i < p->nitems; i++)
            enum_of(x, c, p, known, p->items[i]);
    else if (known->nvalues)
        enum_of(x, c, p, known, p->value);
    else if ((known->has_min || known->has_max) && is_number(p->value) && fits(known, p))
        range_of(x, p, known);
    else if (known->type == CAT_CLASS)
        class_of(x, c, p, known);
}

void chk_property_value(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    ctx x = {row, e, diags};
    each_known(&x, value_of);
    for (size_t i = 0; i < e->connectors.n; i++)
        if (e->connectors.v[i]->catalog)
            chk_connector_values(row, e, diags, e->connectors.v[i]);
}

/* ---- secrets: the value never enters a message ---- */

static void literal_secret(ctx *x, const est_prop *p)
{
    fl_diag *d = chk_report(
        x->row, x->diags, p->name.at,
        "%s is a secret: a literal would lie in the policy, in git and in the worker's config topic", p->name.s);
    fl_diags_hide(x->diags, p->value_at);
    fl_diag_help(x->diags, d, "write `%s = secret(\"file:PATH:KEY\")` or `secret(\"env:NAME\")`", p->name.s);
}

static void password_in_url(ctx *x, const est_prop *p)
{
    fl_diag *d = chk_report(x->row, x->diags, p->name.at, "%s has a password in its URL", p->name.s);
    fl_diags_hide(x->diags, p->value_at);
    fl_diag_help(
        x->diags, d,
        "take user and password out of the URL, or make the whole value a reference: `secret(\"file:PATH:KEY\")`");
}

/* scheme://user:password@host */
static bool has_password(const char *url)
{
    const char *p = url ? strstr(url, "://") : NULL;
    if (!p || chk_has_reference(url))
        return false;
    p += 3;
    size_t n = strcspn(p, "/?#");
    const char *at = memchr(p, '@', n), *colon = memchr(p, ':', n);
    return at && colon && colon < at;
}

/* A key id goes into rules, KEKs and messages as it stands. */
static void password_in_key_id(ctx *x, const est_text *id)
{
    if (!has_password(id->s))
        return;
    fl_diag *d = chk_report(x->row, x->diags, id->at, "the key id has a password in its URL");
    fl_diags_hide(x->diags, id->at);
    fl_diag_help(x->diags, d,
                 "write the URL without it, and the credentials as parameters in the `private` block of the KEK");
}

static bool is_secret_kms(const est_kek *k, const char *name)
{
    size_t n;
    const cat_kms_param *known = cat_kms_params(k->kms_type, &n);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(known[i].name, name))
            return known[i].secret;
    return chk_looks_secret(name);
}

static void secrets_of_connector(ctx *x, const est_connector *c)
{
    for (size_t j = 0; j < c->config.n; j++) {
        const est_prop *p = &c->config.v[j];
        const cat_property *known = NULL;
        chk_known how = c->catalog ? chk_property(c, p->name.s, &known) : CHK_UNKNOWN;
        bool secret = how == CHK_KNOWN && !known->pattern ? known->secret
                                                          : (known && known->secret) || chk_looks_secret(p->name.s);
        if (secret && !p->is_secret_ref && *p->value)
            literal_secret(x, p);
        else if (has_password(p->value))
            password_in_url(x, p);
    }
}

#define SECRETS_OF(x, list, test)                                                                                      \
    for (size_t j = 0; j < (list).n; j++)                                                                              \
        if ((test) && !(list).v[j].is_secret_ref)                                                                      \
            literal_secret(x, &(list).v[j]);                                                                           \
        else if (has_password((list).v[j].value))                                                                      \
            password_in_url(x, &(list).v[j]);

void chk_secret_literal(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    ctx x = {row, e, diags};
    for (size_t i = 0; i < e->connectors.n; i++)
        secrets_of_connector(&x, e->connectors.v[i]);
    for (size_t i = 0; i < e->keks.n; i++) {
        const est_kek *k = e->keks.v[i];
        password_in_key_id(&x, &k->key_id);
        for (size_t a = 0; a < k->alternates.n; a++)
            password_in_key_id(&x, &k->alternates.v[a]);
        SECRETS_OF(&x, k->params, is_secret_kms(k, k->params.v[j].name.s))
        SECRETS_OF(&x, k->properties, is_secret_kms(k, k->properties.v[j].name.s))
    }
    SECRETS_OF(&x, e->platform.registry_config, chk_looks_secret(e->platform.registry_config.v[j].name.s))
    SECRETS_OF(&x, e->platform.kafka_config, chk_looks_secret(e->platform.kafka_config.v[j].name.s))
    if (has_password(e->platform.registry_url.s)) {
        fl_diag *d =
            chk_report(row, diags, e->platform.registry_url.at, "the URL of the registry has a password in it");
        fl_diags_hide(diags, e->platform.registry_url.at);
        fl_diag_help(diags, d,
                     "write the URL without it, and `auth basic secret(\"file:PATH:KEY\")` in the block of `registry`");
    }
}

/* ---- references ---- */

typedef struct ref_ctx {
    ctx *x;
    fl_span at;
    fl_thing about;
} ref_ctx;

static void one_reference(const char *provider, size_t n, void *arg)
{
    ref_ctx *r = arg;
    const est_platform *p = &r->x->e->platform;
    const char *names[64];
    size_t m = 0;
    for (size_t i = 0; i < p->providers.n && m < 64; i++) {
        names[m++] = p->providers.v[i].s;
        if (strlen(p->providers.v[i].s) == n && !strncmp(p->providers.v[i].s, provider, n))
            return;
    }
    const char *name = fl_strndup(r->x->e->arena, provider, n), *near = fl_nearest(name, names, m);
    fl_diag *d = chk_report(r->x->row, r->x->diags, r->at, "the workers have no config provider `%s`", name);
    d->about = r->about;
    if (near)
        fl_diag_help(r->x->diags, d, "did you mean `%s`?", near);
    else
        fl_diag_help(r->x->diags, d, "`providers` in the platform lists those they have");
}

static void references_in(ctx *x, const char *value, fl_span at, fl_thing about)
{
    ref_ctx r = {x, at, about};
    if (value)
        chk_each_reference(value, one_reference, &r);
}

#define REFERENCES_IN(x, list, ...)                                                                                    \
    for (size_t j = 0; j < (list).n; j++)                                                                              \
        references_in(x, (list).v[j].value, (list).v[j].value_at, __VA_ARGS__);

void chk_unknown_provider(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    ctx x = {row, e, diags};
    const est_platform *p = &e->platform;
    if (!p->providers_stated)
        return;
    const fl_thing platform = {.kind = "platform"};
    references_in(&x, p->registry_url.s, p->registry_url.at, platform);
    references_in(&x, p->registry_auth.value, p->registry_auth.value_at, platform);
    references_in(&x, p->kafka.s, p->kafka.at, platform);
    REFERENCES_IN(&x, p->registry_config, platform)
    REFERENCES_IN(&x, p->kafka_config, platform)
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        REFERENCES_IN(&x, c->config, (fl_thing){"connector", c->name.s, NULL, c->config.v[j].name.s})
    }
    for (size_t i = 0; i < e->keks.n; i++)
        REFERENCES_IN(&x, e->keks.v[i]->params, (fl_thing){"kek", e->keks.v[i]->name.s, NULL, NULL})
}
