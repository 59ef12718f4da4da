/* uses.c: who uses what; what the checks and emission ask of an estate. */
#include <string.h>
#include <strings.h>

#include "compiler/check/uses.h"

/* ---- KEKs ---- */

static void add_kek(const est_estate *e, const est_kek *k, chk_keks *out)
{
    size_t i = 0;
    while (i < out->list.n && strcmp(out->list.v[i]->name.s, k->name.s) < 0)
        i++;
    if (i < out->list.n && out->list.v[i] == k)
        return;
    FL_PUSH(e->arena, &out->list, k);
    memmove(&out->list.v[i + 1], &out->list.v[i], (out->list.n - 1 - i) * sizeof *out->list.v);
    out->list.v[i] = k;
}

void chk_side_keks(const est_estate *e, const est_side *s, bool private_only, chk_keks *out)
{
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_kek *k = s->encrypts.v[i].kek;
        if (k && !(private_only && k->shared))
            add_kek(e, k, out);
    }
}

void chk_connector_keks(const est_estate *e, const est_connector *c, bool private_only, chk_keks *out)
{
    for (size_t i = 0; i < c->topics.n; i++) {
        chk_side_keks(e, &c->topics.v[i]->key, private_only, out);
        chk_side_keks(e, &c->topics.v[i]->value, private_only, out);
    }
}

/* ---- properties ---- */

const est_prop *chk_config(const est_connector *c, const char *name)
{
    for (size_t i = 0; i < c->config.n; i++)
        if (!strcmp(c->config.v[i].name.s, name))
            return &c->config.v[i];
    return NULL;
}

static const char *written(const est_connector *c, const est_prop *p)
{
    const char *cls = p->is_list || !c->catalog ? NULL : cat_class(c->catalog, p->name.s, p->value);
    return p->is_secret_ref || chk_has_reference(p->value) ? NULL : cls ? cls : p->value;
}

const char *chk_value(const est_connector *c, const char *name)
{
    const cat_property *known;
    const est_prop *p = chk_config(c, name);
    if (p)
        return written(c, p);
    return c->catalog && chk_property(c, name, &known) == CHK_KNOWN && known->fallback ? known->fallback : "";
}

bool chk_is_on(const est_connector *c, const char *name)
{
    const char *value = chk_value(c, name);
    return value && !strcasecmp(value, "true");
}

fl_span chk_value_at(const est_connector *c, const char *name)
{
    const est_prop *p = chk_config(c, name);
    return p ? p->value_at : c->at;
}

void chk_each_item(const char *list, void (*fn)(const char *item, size_t n, void *ctx), void *ctx)
{
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ","), from = strspn(at, " \t"), to = n;
        while (to > from && strchr(" \t", at[to - 1]))
            to--;
        if (to > from)
            fn(at + from, to - from, ctx);
        at += n + (at[n] == ',');
    }
}

static bool lists_alias(const est_prop *list, const char *alias, size_t n)
{
    if (!list)
        return false;
    for (const char *p = list->value; *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && !strncmp(p, alias, n))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

static const cat_property *find_in(const cat_transform *t, const char *name)
{
    for (size_t i = 0; i < t->nproperties; i++)
        if (!strcmp(t->properties[i].name, name))
            return &t->properties[i];
    return NULL;
}

/* transforms.ALIAS.REST and predicates.ALIAS.REST, held against the class that ALIAS has. */
static chk_known aliased(const est_connector *c, const char *name, size_t prefix, const cat_property **p)
{
    const char *alias = name + prefix, *dot = strchr(alias, '.');
    char key[512];
    if (!dot || dot == alias || !dot[1] || (size_t)(dot - name) + 6 > sizeof key)
        return CHK_UNKNOWN;
    memcpy(key, name, prefix - 1);
    key[prefix - 1] = 0;
    if (!lists_alias(chk_config(c, key), alias, (size_t)(dot - alias)))
        return CHK_ALIAS;
    *p = cat_find_property(c->catalog, name);
    if (*p)
        return CHK_KNOWN;
    memcpy(key, name, (size_t)(dot - name));
    memcpy(key + (dot - name), ".type", 6);
    const est_prop *type = chk_config(c, key);
    const cat_transform *t = type ? cat_find_transform(type->value) : NULL;
    if (!t)
        return CHK_OPEN;
    *p = find_in(t, dot + 1);
    return *p ? CHK_KNOWN : CHK_UNKNOWN;
}

chk_known chk_property(const est_connector *c, const char *name, const cat_property **p)
{
    *p = NULL;
    if (!strncmp(name, "transforms.", 11))
        return aliased(c, name, 11, p);
    if (!strncmp(name, "predicates.", 11))
        return aliased(c, name, 11, p);
    *p = cat_find_property(c->catalog, name);
    return *p ? CHK_KNOWN : CHK_UNKNOWN;
}

/* ---- references ---- */

void chk_each_reference(const char *value, void (*fn)(const char *provider, size_t n, void *ctx), void *ctx)
{
    for (const char *p = strstr(value, "${"); p; p = strstr(p + 2, "${")) {
        const char *close = strchr(p, '}'), *colon = strchr(p, ':');
        if (close && colon && colon < close)
            fn(p + 2, (size_t)(colon - p - 2), ctx);
    }
}

bool chk_is_reference(const char *value)
{
    size_t n = strlen(value);
    const char *close = strchr(value, '}');
    return n > 4 && !strncmp(value, "${", 2) && close == value + n - 1 && memchr(value, ':', n) != NULL;
}

static void seen(const char *provider, size_t n, void *ctx)
{
    *(bool *)ctx = true;
}

bool chk_has_reference(const char *value)
{
    bool found = false;
    chk_each_reference(value, seen, &found);
    return found;
}

bool chk_looks_secret(const char *name)
{
    static const char *const ends[] = {"password",  "secret",   "token",       "jaas.config",  "user.info",
                                       "userinfo",  "key.pem",  "private.key", "keystore.key", "secret.access.key",
                                       "secret.id", "token.id", "passphrase"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t m = strlen(ends[i]);
        if (n >= m && !strcasecmp(name + n - m, ends[i]))
            return true;
    }
    return false;
}
