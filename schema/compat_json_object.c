/* compat_json_object.c: changes of objects. What may be added or taken away depends on the content model: open
 * (anything beside the properties), closed (`additionalProperties: false`), partially open (patternProperties, or a
 * schema for the others). After the vendor's ObjectSchemaDiff. */
#include "schema/compat_json.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const fl_json *const *)a)->key, (*(const fl_json *const *)b)->key);
}

static int by_text(const void *a, const void *b)
{
    return strcmp((*(const fl_json *const *)a)->str, (*(const fl_json *const *)b)->str);
}

static const fl_json **sorted(jv_comparison *x, const fl_json *list, fl_jkind kind, size_t *n)
{
    *n = 0;
    const fl_json **v = FL_NEW_N(x->c->arena, const fl_json *, (list ? list->count : 0) + 1);
    for (const fl_json *i = list && list->kind == kind ? list->child : NULL; i; i = i->next)
        if (kind == FL_JOBJECT || i->kind == FL_JSTRING)
            v[(*n)++] = i;
    qsort(v, *n, sizeof *v, kind == FL_JOBJECT ? by_key : by_text);
    return v;
}

static const fl_json *property(jv_comparison *x, jv *v, const char *name)
{
    if (!v->props)
        v->props = sorted(x, fl_json_get(v->node, "properties"), FL_JOBJECT, &v->nprops);
    fl_json key = {.key = name};
    const fl_json *p = &key, **found = bsearch(&p, v->props, v->nprops, sizeof p, by_key);
    return found ? *found : NULL;
}

static bool is_required(jv_comparison *x, jv *v, const char *name)
{
    if (!v->required)
        v->required = sorted(x, fl_json_get(v->node, "required"), FL_JARRAY, &v->nrequired);
    fl_json key = {.str = name};
    const fl_json *p = &key;
    return bsearch(&p, v->required, v->nrequired, sizeof p, by_text);
}

/* ---- content models ---- */

static const fl_json *others(const jv *v)
{
    return fl_json_get(v->node, "additionalProperties");
}

static bool takes_others(const jv *v)
{
    const fl_json *o = others(v);
    return !o || o->kind != FL_JFALSE;
}

static jv *others_schema(jv_comparison *x, const jv *v)
{
    const fl_json *o = others(v);
    return o && o->kind == FL_JOBJECT ? jv_of(x, v, o) : NULL;
}

static const fl_json *patterns(const jv *v)
{
    const fl_json *p = fl_json_get(v->node, "patternProperties");
    return p && p->kind == FL_JOBJECT && p->count ? p : NULL;
}

static bool is_open(jv_comparison *x, const jv *v)
{
    jv *rest = jv_unevaluated(x, v);
    return !patterns(v) && takes_others(v) && !others_schema(x, v) && (!rest || rest->kind == JV_ANY);
}

/* Does the pattern occur in the name? One that cannot be read or takes too long leaves the question undecided. */
static bool pattern_found(jv_comparison *x, const char *pattern, const char *name)
{
    int error;
    PCRE2_SIZE offset;
    if (!sch_compare_spend(x->c, 16))
        return false;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                                     &error, &offset, NULL);
    if (!code) {
        sch_compare_undecided(x->c);
        return false;
    }
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(limits, 20000);
    pcre2_set_depth_limit(limits, 1000);
    int rc = pcre2_match(code, (PCRE2_SPTR)name, strlen(name), 0, 0, data, limits);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        sch_compare_undecided(x->c);
    return rc >= 0;
}

/* The schema of a property that `properties` does not name; NULL: it is not taken, as the vendor sees it. */
static jv *covering(jv_comparison *x, const jv *v, const char *name)
{
    const fl_json *list = patterns(v);
    for (const fl_json *i = list ? list->child : NULL; i; i = i->next)
        if (pattern_found(x, i->key, name))
            return jv_of(x, v, i);
    jv *rest = others_schema(x, v), *last = rest || !takes_others(v) ? NULL : jv_unevaluated(x, v);
    return last && last->kind != JV_ANY && last->kind != JV_FALSE ? last : rest;
}

/* ---- properties ---- */

/* Both objects, and one property of them. */
typedef struct place {
    jv *original, *update;
    const char *name;
    const sch_trail *at;
    bool loud;
} place;

static bool gone(jv_comparison *x, const place *p, jv *was)
{
    if (is_open(x, p->update))
        return true;
    jv *cover = covering(x, p->update, p->name);
    if (cover)
        return jv_fits(x, was, cover, p->at, p->loud) ||
               jv_wrong(x, "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", was, p->update, p->at, NULL,
                        p->loud,
                        "the property %s is gone, and the schema of other properties does not take what it took",
                        p->name);
    return was->kind == JV_FALSE ||
           jv_wrong(x, "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", was, p->update, p->at, NULL, p->loud,
                    "the property %s is gone, and the object takes no other properties", p->name);
}

static bool added_to_closed(jv_comparison *x, const place *p, jv *now, const fl_json *node)
{
    bool ok = true;
    jv *cover = covering(x, p->original, p->name);
    if (cover && !jv_fits(x, cover, now, p->at, p->loud))
        ok = jv_wrong(x, "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", p->original, now, p->at, NULL,
                      p->loud, "the property %s is new, and does not take what the schema of other properties took",
                      p->name);
    if (is_required(x, p->update, p->name) && !fl_json_get(node, "default"))
        ok = jv_wrong(x, "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", p->original, now, p->at, NULL, p->loud,
                      "the property %s is new and required, and has no default", p->name);
    return ok;
}

static bool added(jv_comparison *x, const place *p, jv *now, const fl_json *node)
{
    if (!is_open(x, p->original))
        return added_to_closed(x, p, now, node);
    return now->kind == JV_ANY ||
           jv_wrong(x, "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", p->original, now, p->at, NULL, p->loud,
                    "the property %s is new, and records could hold anything under this name: the object took other "
                    "properties (no `additionalProperties: false`)",
                    p->name);
}

static const fl_json *first_property(const jv *v)
{
    const fl_json *list = fl_json_get(v->node, "properties");
    return list && list->kind == FL_JOBJECT ? list->child : NULL;
}

static bool properties_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool ok = true;
    sch_trail list = {at, "properties", 0};
    for (const fl_json *i = first_property(original); i && sch_compare_step(x->c); i = i->next) {
        sch_trail here = {&list, i->key, 0};
        place p = {original, update, i->key, &here, loud};
        const fl_json *now = property(x, update, i->key);
        jv *was = jv_of(x, original, i);
        if (!(now ? jv_fits(x, was, jv_of(x, update, now), &here, loud) : gone(x, &p, was)))
            ok = false;
    }
    for (const fl_json *i = first_property(update); i && sch_compare_step(x->c); i = i->next) {
        sch_trail here = {&list, i->key, 0};
        place p = {original, update, i->key, &here, loud};
        if (!property(x, original, i->key) && !added(x, &p, jv_of(x, update, i), i))
            ok = false;
    }
    return ok;
}

/* Properties that both have, required in the update only. */
static bool required_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool ok = true;
    sch_trail list = {at, "required", 0};
    for (const fl_json *i = first_property(original); i && sch_compare_step(x->c); i = i->next) {
        const fl_json *now = property(x, update, i->key);
        if (!now || is_required(x, original, i->key) || !is_required(x, update, i->key) || fl_json_get(now, "default"))
            continue;
        sch_trail here = {&list, i->key, 0};
        jv *v = jv_of(x, update, now), *was = jv_of(x, original, i);
        ok = jv_wrong(x, "REQUIRED_ATTRIBUTE_ADDED", was, v, &here, NULL, loud,
                      "the property %s is required now, was not, and has no default", i->key);
    }
    return ok;
}

/* ---- dependencies ---- */

static const char *const keywords[] = {"dependencies", "dependentRequired", "dependentSchemas"};

/* What depends on a property: names (array) or a schema. Drafts to 7 have both kinds in `dependencies`. */
static const fl_json *dependency(const jv *v, const char *name, bool names)
{
    for (size_t i = 0; i < 3; i++) {
        const fl_json *d = fl_json_get(fl_json_get(v->node, keywords[i]), name);
        if (d && (d->kind == FL_JARRAY) == names)
            return d;
    }
    return NULL;
}

static size_t dependency_count(const jv *v)
{
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        const fl_json *list = fl_json_get(v->node, keywords[i]);
        n += list ? list->count : 0;
    }
    return n;
}

static bool contains(jv_comparison *x, const fl_json *all, const fl_json *some)
{
    size_t n;
    const fl_json **known = sorted(x, all, FL_JARRAY, &n);
    for (const fl_json *i = some->child; i && sch_compare_step(x->c); i = i->next)
        if (i->kind == FL_JSTRING && !bsearch(&i, known, n, sizeof i, by_text))
            return false;
    return true;
}

static bool dependency_fits(jv_comparison *x, jv *original, jv *update, const fl_json *now, const sch_trail *at,
                            bool loud)
{
    bool names = now->kind == FL_JARRAY;
    const fl_json *was = dependency(original, now->key, names);
    if (!was)
        return jv_wrong(x, names ? "DEPENDENCY_ARRAY_ADDED" : "DEPENDENCY_SCHEMA_ADDED", original, update, at, NULL,
                        loud, "the property %s demands more now: there was no such dependency", now->key);
    if (!names)
        return jv_fits(x, jv_of(x, original, was), jv_of(x, update, now), at, loud);
    if (contains(x, was, now))
        return true;
    return jv_wrong(x, contains(x, now, was) ? "DEPENDENCY_ARRAY_EXTENDED" : "DEPENDENCY_ARRAY_CHANGED", original,
                    update, at, NULL, loud, "the property %s demands other properties than it did", now->key);
}

static bool dependencies_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool ok = true;
    sch_trail list = {at, "dependencies", 0};
    for (size_t k = 0; k < 3; k++) {
        const fl_json *all = fl_json_get(update->node, keywords[k]);
        for (const fl_json *i = all && all->kind == FL_JOBJECT ? all->child : NULL; i; i = i->next) {
            sch_trail here = {&list, i->key, 0};
            if (!sch_compare_spend(x->c, 1 + dependency_count(original)) ||
                !dependency_fits(x, original, update, i, &here, loud))
                ok = false;
        }
    }
    return ok;
}

/* ---- all ---- */

static bool others_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    if (takes_others(original) && !takes_others(update))
        return jv_wrong(x, "ADDITIONAL_PROPERTIES_REMOVED", original, update, at, "additionalProperties", loud,
                        "other properties are not taken any more");
    jv *was = others_schema(x, original), *now = others_schema(x, update);
    if (!takes_others(original) || !now)
        return true;
    if (!was)
        return jv_wrong(x, "ADDITIONAL_PROPERTIES_NARROWED", original, update, at, "additionalProperties", loud,
                        "there is a schema for other properties, which could be anything");
    sch_trail here = {at, "additionalProperties", 0};
    return jv_fits(x, was, now, &here, loud);
}

bool jv_objects_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool ok = required_fit(x, original, update, at, loud);
    ok &= properties_fit(x, original, update, at, loud);
    ok &= dependencies_fit(x, original, update, at, loud);
    ok &= others_fit(x, original, update, at, loud);
    ok &= jv_unevaluated_fit(x, original, update, at, loud);
    ok &= jv_limits_fit(x, original, update, at, loud);
    return ok;
}
