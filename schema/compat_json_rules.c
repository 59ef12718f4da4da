/* compat_json_rules.c: changes inside one class of JSON Schema: limits, enums, arrays. After the vendor's
 * StringSchemaDiff, NumberSchemaDiff, EnumSchemaDiff and ArraySchemaDiff. */
#include "schema/compat_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- limits ---- */

/* A limit that is new, or that moved in the direction that takes less, is wrong. */
static const struct limit {
    jv_kind kind;
    const char *keyword, *added, *moved;
    bool upper, modern;
} limits[] = {
    {JV_STRING, "maxLength", "MAX_LENGTH_ADDED", "MAX_LENGTH_DECREASED", true, false},
    {JV_STRING, "minLength", "MIN_LENGTH_ADDED", "MIN_LENGTH_INCREASED", false, false},
    {JV_NUMBER, "maximum", "MAXIMUM_ADDED", "MAXIMUM_DECREASED", true, false},
    {JV_NUMBER, "minimum", "MINIMUM_ADDED", "MINIMUM_INCREASED", false, false},
    {JV_NUMBER, "exclusiveMaximum", "EXCLUSIVE_MAXIMUM_ADDED", "EXCLUSIVE_MAXIMUM_DECREASED", true, false},
    {JV_NUMBER, "exclusiveMinimum", "EXCLUSIVE_MINIMUM_ADDED", "EXCLUSIVE_MINIMUM_INCREASED", false, false},
    {JV_OBJECT, "maxProperties", "MAX_PROPERTIES_ADDED", "MAX_PROPERTIES_DECREASED", true, false},
    {JV_OBJECT, "minProperties", "MIN_PROPERTIES_ADDED", "MIN_PROPERTIES_INCREASED", false, false},
    {JV_ARRAY, "maxItems", "MAX_ITEMS_ADDED", "MAX_ITEMS_DECREASED", true, false},
    {JV_ARRAY, "minItems", "MIN_ITEMS_ADDED", "MIN_ITEMS_INCREASED", false, false},
    {JV_ARRAY, "maxContains", "MAX_CONTAINS_ADDED", "MAX_CONTAINS_DECREASED", true, true},
    {JV_ARRAY, "minContains", "MIN_CONTAINS_ADDED", "MIN_CONTAINS_INCREASED", false, true},
};

/* A number of the schema; NULL where it is none (draft 4 writes `"exclusiveMaximum": true`, which is not compared). */
static const fl_json *number(const jv *v, const char *keyword)
{
    const fl_json *n = fl_json_get(v->node, keyword);
    return n && n->kind == FL_JNUMBER ? n : NULL;
}

static double value(const fl_json *n)
{
    return strtod(n->str, NULL);
}

static bool limit_fits(jv_comparison *x, const struct limit *l, const jv *original, const jv *update,
                       const sch_trail *at, bool loud)
{
    const fl_json *old = number(original, l->keyword), *new = number(update, l->keyword);
    if (!new || (l->modern && !update->in->modern))
        return true;
    if (!old)
        return jv_wrong(x, l->added, original, update, at, l->keyword, loud, "`%s` is %s, and there was none",
                        l->keyword, new->str);
    if (l->upper ? value(new) >= value(old) : value(new) <= value(old))
        return true;
    return jv_wrong(x, l->moved, original, update, at, l->keyword, loud, "`%s` is %s and was %s", l->keyword, new->str,
                    old->str);
}

bool jv_limits_fit(jv_comparison *x, const jv *original, const jv *update, const sch_trail *at, bool loud)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].kind == original->kind && !limit_fits(x, &limits[i], original, update, at, loud))
            ok = false;
    return ok;
}

bool jv_strings_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool ok = jv_limits_fit(x, original, update, at, loud);
    const char *old = fl_json_str(original->node, "pattern"), *new = fl_json_str(update->node, "pattern");
    if (!new || (old && !strcmp(old, new)))
        return ok;
    return old ? jv_wrong(x, "PATTERN_CHANGED", original, update, at, "pattern", loud, "the `pattern` is another one")
               : jv_wrong(x, "PATTERN_ADDED", original, update, at, "pattern", loud,
                          "there is a `pattern` where there was none");
}

/* Is `n` a multiple of `of`, so that what is a multiple of n is one of `of`? */
static bool divides(const fl_json *of, const fl_json *n)
{
    int64_t a, b;
    if (fl_json_to_int(of, &a) && fl_json_to_int(n, &b))
        return a > 0 && b > 0 && b % a == 0;
    double ratio = value(n) / value(of);
    return isfinite(ratio) && ratio >= 1 && fabs(ratio - round(ratio)) < 1e-9 * ratio;
}

static bool multiples_fit(jv_comparison *x, const jv *original, const jv *update, const sch_trail *at, bool loud)
{
    const fl_json *old = number(original, "multipleOf"), *new = number(update, "multipleOf");
    if (!new)
        return true;
    if (!old)
        return jv_wrong(x, "MULTIPLE_OF_ADDED", original, update, at, "multipleOf", loud,
                        "`multipleOf` is %s, and there was none", new->str);
    if (value(old) == value(new) || divides(new, old))
        return true;
    return jv_wrong(x, divides(old, new) ? "MULTIPLE_OF_EXPANDED" : "MULTIPLE_OF_CHANGED", original, update, at,
                    "multipleOf", loud, "`multipleOf` is %s and was %s", new->str, old->str);
}

bool jv_numbers_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool ok = jv_limits_fit(x, original, update, at, loud);
    if (!multiples_fit(x, original, update, at, loud))
        ok = false;
    if (original->integer || !update->integer)
        return ok;
    return jv_wrong(x, "TYPE_NARROWED", original, update, at, NULL, loud, "the type was number and is integer");
}

/* ---- enums ---- */

typedef struct hashed {
    uint64_t hash;
    const fl_json *value;
} hashed;

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const hashed *)a)->hash, y = ((const hashed *)b)->hash;
    return x < y ? -1 : x > y;
}

static hashed *hashes(jv_comparison *x, const fl_json *list)
{
    hashed *v = FL_NEW_N(x->c->arena, hashed, list->count + 1);
    size_t n = 0;
    for (const fl_json *i = list->child; i; i = i->next)
        v[n++] = (hashed){jv_hash(x, i), i};
    qsort(v, n, sizeof *v, by_hash);
    return v;
}

/* The first value of `some` that `all` lacks; NULL: none. */
static const fl_json *missing_value(jv_comparison *x, const fl_json *some, const fl_json *all)
{
    hashed *known = hashes(x, all);
    for (const fl_json *i = some->child; i && sch_compare_step(x->c); i = i->next) {
        hashed key = {jv_hash(x, i), i}, *found = bsearch(&key, known, all->count, sizeof *known, by_hash);
        while (found && found > known && found[-1].hash == key.hash)
            found--;
        while (found && found < known + all->count && found->hash == key.hash && !jv_equal(x, found->value, i))
            found++;
        if (!found || found == known + all->count || found->hash != key.hash)
            return i;
    }
    return NULL;
}

static const char *shown(const jv_comparison *x, const fl_json *v)
{
    return v->kind == FL_JSTRING || v->kind == FL_JNUMBER ? fl_printf(x->c->arena, "%.60s", v->str) : "one";
}

static bool constants_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    return jv_equal(x, fl_json_get(original->node, "const"), fl_json_get(update->node, "const")) ||
           jv_wrong(x, "ENUM_ARRAY_CHANGED", original, update, at, "const", loud, "the `const` is another value");
}

bool jv_enums_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    if (original->kind == JV_CONST)
        return constants_fit(x, original, update, at, loud);
    const fl_json *old = fl_json_get(original->node, "enum"), *new = fl_json_get(update->node, "enum");
    const fl_json *gone = missing_value(x, old, new);
    if (!gone)
        return true;
    return jv_wrong(x, missing_value(x, new, old) ? "ENUM_ARRAY_CHANGED" : "ENUM_ARRAY_NARROWED", original, update, at,
                    "enum", loud, "the `enum` takes the value %s no more", shown(x, gone));
}

/* ---- arrays ---- */

/* What stands for the items: a schema for all, or a list by position and what may follow it. */
typedef struct items {
    jv *all;
    const fl_json *list; /* NULL: none */
    bool more;           /* others may follow */
    jv *following;       /* of those; NULL: anything */
} items;

static const fl_json *schema_node(const fl_json *n)
{
    return n && n->kind == FL_JOBJECT ? n : NULL;
}

static items modern_items(jv_comparison *x, const jv *v)
{
    const fl_json *prefix = fl_json_get(v->node, "prefixItems"), *rest = fl_json_get(v->node, "items");
    items i = {.list = prefix, .more = !rest || rest->kind != FL_JFALSE};
    if (prefix && prefix->count)
        i.following = jv_of(x, v, schema_node(rest));
    else
        i.all = jv_of(x, v, schema_node(rest));
    return i;
}

static items items_of(jv_comparison *x, const jv *v)
{
    const fl_json *all = fl_json_get(v->node, "items"), *more = fl_json_get(v->node, "additionalItems");
    if (v->in->modern && !(all && all->kind == FL_JARRAY))
        return modern_items(x, v);
    items i = {.more = !more || more->kind != FL_JFALSE, .following = jv_of(x, v, schema_node(more))};
    if (all && all->kind == FL_JARRAY)
        i.list = all;
    else
        i.all = jv_of(x, v, all);
    return i;
}

jv *jv_unevaluated(jv_comparison *x, const jv *v)
{
    const char *keyword = v->kind == JV_ARRAY ? "unevaluatedItems" : "unevaluatedProperties";
    return v->in->modern ? jv_of(x, v, fl_json_get(v->node, keyword)) : NULL;
}

bool jv_unevaluated_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    bool array = original->kind == JV_ARRAY;
    const char *keyword = array ? "unevaluatedItems" : "unevaluatedProperties";
    jv *old = jv_unevaluated(x, original), *new = jv_unevaluated(x, update);
    if (!new || new->kind == JV_ANY || (old && old->kind == JV_FALSE))
        return true;
    sch_trail here = {at, keyword, 0};
    if (old && old->kind != JV_ANY && new->kind != JV_FALSE)
        return jv_fits(x, old, new, &here, loud);
    if (new->kind == JV_FALSE)
        return jv_wrong(x, array ? "UNEVALUATED_ITEMS_REMOVED" : "UNEVALUATED_PROPERTIES_REMOVED", original, update, at,
                        keyword, loud, "`%s` is false, so that others are not taken any more", keyword);
    return jv_wrong(x, array ? "UNEVALUATED_ITEMS_NARROWED" : "UNEVALUATED_PROPERTIES_NARROWED", original, update, at,
                    keyword, loud, "`%s` takes less than it did", keyword);
}

static bool is_open(jv_comparison *x, const jv *v, const items *i)
{
    jv *rest = jv_unevaluated(x, v);
    return i->more && !i->following && (!rest || rest->kind == JV_ANY);
}

/* The schema of items that the list does not name; NULL: they are not taken. */
static jv *covering(jv_comparison *x, const jv *v, const items *i)
{
    jv *rest = jv_unevaluated(x, v);
    if (i->following || !i->more)
        return i->following;
    return rest && rest->kind != JV_ANY && rest->kind != JV_FALSE ? rest : NULL;
}

static bool item_gone(jv_comparison *x, jv *original, jv *update, jv *item, const items *now, const sch_trail *at,
                      bool loud)
{
    if (is_open(x, update, now))
        return true;
    jv *cover = covering(x, update, now);
    if (cover)
        return jv_fits(x, item, cover, at, loud) ||
               jv_wrong(x, "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", original, update, at, NULL, loud,
                        "the item is gone, and the schema of further items does not take what it took");
    return item->kind == JV_FALSE || jv_wrong(x, "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", original, update, at, NULL,
                                              loud, "the item is gone, and further items are not taken");
}

static bool item_new(jv_comparison *x, jv *original, jv *update, jv *item, const items *before, const sch_trail *at,
                     bool loud)
{
    if (is_open(x, original, before))
        return item->kind == JV_ANY || jv_wrong(x, "ITEM_ADDED_TO_OPEN_CONTENT_MODEL", original, update, at, NULL, loud,
                                                "there is a schema for the item, where anything was taken");
    jv *cover = covering(x, original, before);
    return !cover || jv_fits(x, cover, item, at, loud) ||
           jv_wrong(x, "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", original, update, at, NULL, loud,
                    "the schema of the item does not take what the schema of further items took");
}

static bool lists_fit(jv_comparison *x, jv *original, jv *update, const items *o, const items *u, const sch_trail *at,
                      bool loud)
{
    bool ok = true;
    const fl_json *i = o->list ? o->list->child : NULL, *k = u->list ? u->list->child : NULL;
    sch_trail list = {at, "items", 0};
    for (size_t index = 0; (i || k) && sch_compare_step(x->c); index++) {
        sch_trail here = {&list, NULL, index};
        jv *old = jv_of(x, original, i), *new = jv_of(x, update, k);
        bool fits = !new   ? item_gone(x, original, update, old, u, &here, loud)
                    : !old ? item_new(x, original, update, new, o, &here, loud)
                           : jv_fits(x, old, new, &here, loud);
        ok = ok && fits;
        i = i ? i->next : NULL;
        k = k ? k->next : NULL;
    }
    return ok;
}

static bool following_fits(jv_comparison *x, jv *original, jv *update, const items *o, const items *u,
                           const sch_trail *at, bool loud)
{
    if (o->more && !u->more)
        return jv_wrong(x, "ADDITIONAL_ITEMS_REMOVED", original, update, at, "additionalItems", loud,
                        "further items are not taken any more");
    if (!o->more || !u->following)
        return true;
    if (!o->following)
        return jv_wrong(x, "ADDITIONAL_ITEMS_NARROWED", original, update, at, "additionalItems", loud,
                        "there is a schema for further items, which could be anything");
    sch_trail here = {at, "additionalItems", 0};
    return jv_fits(x, o->following, u->following, &here, loud);
}

static bool unique(const jv *v)
{
    return fl_json_bool(v->node, "uniqueItems", false);
}

bool jv_arrays_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    items o = items_of(x, original), u = items_of(x, update);
    sch_trail all = {at, "items", 0};
    bool ok = jv_fits(x, o.all, u.all, &all, loud);
    ok &= lists_fit(x, original, update, &o, &u, at, loud);
    ok &= following_fits(x, original, update, &o, &u, at, loud);
    ok &= jv_unevaluated_fit(x, original, update, at, loud);
    ok &= jv_limits_fit(x, original, update, at, loud);
    if (unique(update) && !unique(original))
        ok = jv_wrong(x, "UNIQUE_ITEMS_ADDED", original, update, at, "uniqueItems", loud,
                      "the items must differ from each other, which they need not");
    return ok;
}
