/* catalog.c: looks things up in the tables that catalog_tool.c made. */
#include <string.h>

#include "compiler/catalog/catalog_data.h"

const cat_connector *cat_connectors(size_t *n)
{
    *n = cat_data_nconnectors;
    return cat_data_connectors;
}

const cat_connector *cat_find(const char *id)
{
    for (size_t i = 0; i < cat_data_nconnectors; i++)
        if (!strcmp(cat_data_connectors[i].id, id))
            return &cat_data_connectors[i];
    return NULL;
}

/* ---- patterns ---- */

bool cat_matches(const char *pattern, const char *name)
{
    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (*pattern != *name++)
                return false;
            continue;
        }
        if (!pattern[1])
            return *name != 0 && *name != '.';
        if (!*name || *name == '.')
            return false;
        while (*name && *name != '.')
            name++;
    }
    return !*name;
}

/* ---- properties ---- */

void cat_each_property(const cat_connector *c, bool (*fn)(const cat_property *p, void *ctx), void *ctx)
{
    for (size_t i = 0; i < c->nproperties; i++)
        if (!fn(&c->properties[i], ctx))
            return;
    for (size_t g = 0; g < c->ngroups; g++)
        for (size_t i = 0; i < c->groups[g]->nproperties; i++)
            if (!fn(&c->groups[g]->properties[i], ctx))
                return;
}

typedef struct lookup {
    const char *name;
    const cat_property *literal, *pattern;
} lookup;

/* Most names differ in their first character; asking that first saves a call for each property there is. */
static bool same(const char *a, const char *b)
{
    return *a == *b && !strcmp(a, b);
}

static bool may_match(const char *pattern, const char *name)
{
    return (*pattern == '*' || *pattern == *name) && cat_matches(pattern, name);
}

static bool look_at(const cat_property *p, void *ctx)
{
    lookup *l = ctx;
    if (!p->pattern && same(p->name, l->name))
        l->literal = p;
    /* the longer pattern says more: `…param.preserve.source.fields` before `…param.*` */
    if (p->pattern && may_match(p->name, l->name) && (!l->pattern || strlen(p->name) > strlen(l->pattern->name)))
        l->pattern = p;
    return !l->literal;
}

const cat_property *cat_find_property(const cat_connector *c, const char *name)
{
    lookup l = {.name = name};
    cat_each_property(c, look_at, &l);
    return l.literal ? l.literal : l.pattern;
}

typedef struct names {
    const char **out;
    size_t n, max;
} names;

static bool collect(const cat_property *p, void *ctx)
{
    names *l = ctx;
    if (!p->pattern && l->n < l->max)
        l->out[l->n++] = p->name;
    return l->n < l->max;
}

size_t cat_property_names(const cat_connector *c, const char **out, size_t max)
{
    names l = {out, 0, max};
    cat_each_property(c, collect, &l);
    return l.n;
}

static bool is_short_of(const cat_short *s, const cat_connector *c, const char *property)
{
    return same(s->property, property) && (same(s->connector, "*") || same(s->connector, c->id));
}

const char *cat_class(const cat_connector *c, const char *property, const char *short_name)
{
    for (size_t i = 0; i < cat_data_nshorts; i++)
        if (is_short_of(&cat_data_shorts[i], c, property) && !strcmp(cat_data_shorts[i].name, short_name))
            return cat_data_shorts[i].cls;
    return NULL;
}

size_t cat_short_names(const cat_connector *c, const char *property, const char **out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < cat_data_nshorts && n < max; i++)
        if (is_short_of(&cat_data_shorts[i], c, property))
            out[n++] = cat_data_shorts[i].name;
    return n;
}

cat_owner cat_property_owner(const cat_connector *c, const char *name, const char **why)
{
    for (size_t i = 0; i < cat_data_nowned; i++)
        if (may_match(cat_data_owned[i].pattern, name)) {
            if (why)
                *why = cat_data_owned[i].why;
            return cat_data_owned[i].owner;
        }
    return CAT_FREE;
}

/* ---- KMS parameters, transformations, converters ---- */

const cat_kms_param *cat_kms_params(const char *kms_type, size_t *n)
{
    size_t from = 0;
    while (from < cat_data_nkms && strcmp(cat_data_kms[from].kms, kms_type))
        from++;
    *n = 0;
    while (from + *n < cat_data_nkms && !strcmp(cat_data_kms[from + *n].kms, kms_type))
        ++*n;
    return *n ? &cat_data_kms[from] : NULL;
}

/* Connect knows a class by its full name and by the last part of it. */
const cat_transform *cat_find_transform(const char *cls)
{
    for (size_t i = 0; i < cat_data_ntransforms; i++) {
        const char *full = cat_data_transforms[i].cls, *last = strrchr(full, '.');
        if (!strcmp(full, cls) || (last && !strcmp(last + 1, cls)))
            return &cat_data_transforms[i];
    }
    return NULL;
}

const char *cat_converter_class(const char *format)
{
    for (size_t i = 0; i < cat_data_nconverters; i++)
        if (!strcmp(cat_data_converters[i].format, format))
            return cat_data_converters[i].cls;
    return NULL;
}

/* ---- constraints ---- */

cat_condition cat_read_condition(const char *text)
{
    cat_condition c = {.name = text, .nname = strcspn(text, "=!>~")};
    c.op = text[c.nname];
    c.value = c.op ? text + c.nname + (c.op == '!' ? 2 : 1) : "";
    return c;
}

void cat_each_constraint(const cat_connector *c, void (*fn)(const cat_constraint *k, void *ctx), void *ctx)
{
    for (size_t i = 0; i < c->nconstraints; i++)
        fn(&c->constraints[i], ctx);
    for (size_t g = 0; g < c->ngroups; g++)
        for (size_t i = 0; i < c->groups[g]->nconstraints; i++)
            fn(&c->groups[g]->constraints[i], ctx);
}
