/* canon_merge.c: defaults, what a schema says, overrides: two sets of metadata or rules as one. */
#include <string.h>

#include "runtime/canon.h"

/* Both lists are in order of their texts; the result is, too. */
static rt_strings join_sets(fl_arena *a, const rt_strings *x, const rt_strings *y)
{
    rt_strings out = {0};
    for (size_t i = 0; i < x->n; i++)
        FL_PUSH(a, &out, x->v[i]);
    for (size_t j = 0; j < y->n; j++) {
        bool known = false;
        for (size_t i = 0; i < x->n && !known; i++)
            known = !strcmp(x->v[i], y->v[j]);
        if (!known)
            FL_PUSH(a, &out, y->v[j]);
    }
    rt_canon_sort(&out);
    return out;
}

static rt_pairs join_pairs(fl_arena *a, const rt_pairs *x, const rt_pairs *y)
{
    rt_pairs out = {0};
    fl_map *later = fl_map_new();
    for (size_t j = 0; j < y->n; j++) {
        fl_map_put(later, y->v[j].key, (void *)y->v[j].key);
        FL_PUSH(a, &out, y->v[j]);
    }
    for (size_t i = 0; i < x->n; i++)
        if (!fl_map_get(later, x->v[i].key))
            FL_PUSH(a, &out, x->v[i]);
    fl_map_free(later);
    rt_canon_sort_pairs(&out);
    return out;
}

rt_metadata *rt_merge_metadata(fl_arena *a, const rt_metadata *x, const rt_metadata *y)
{
    if (!x && !y)
        return NULL;
    static const rt_metadata none;
    rt_metadata *out = FL_NEW(a, rt_metadata);
    x = x ? x : &none;
    y = y ? y : &none;
    fl_map *later = fl_map_new();
    for (size_t j = 0; j < y->tags.n; j++) {
        fl_map_put(later, y->tags.v[j].path, (void *)y->tags.v[j].path);
        FL_PUSH(a, &out->tags, y->tags.v[j]);
    }
    for (size_t i = 0; i < x->tags.n; i++)
        if (!fl_map_get(later, x->tags.v[i].path))
            FL_PUSH(a, &out->tags, x->tags.v[i]);
    fl_map_free(later);
    rt_canon_sort_tags(out);
    out->properties = join_pairs(a, &x->properties, &y->properties);
    out->sensitive = join_sets(a, &x->sensitive, &y->sensitive);
    return out;
}

static void join_rules(fl_arena *a, const rt_canon_rules *x, const rt_canon_rules *y, rt_canon_rules *out)
{
    fl_map *later = fl_map_new();
    for (size_t j = 0; j < y->n; j++)
        fl_map_put(later, y->v[j].text[RT_NAME], (void *)y->v[j].text[RT_NAME]);
    for (size_t i = 0; i < x->n; i++)
        if (!fl_map_get(later, x->v[i].text[RT_NAME]))
            FL_PUSH(a, out, x->v[i]);
    for (size_t j = 0; j < y->n; j++)
        FL_PUSH(a, out, y->v[j]);
    fl_map_free(later);
}

rt_ruleset *rt_merge_rulesets(fl_arena *a, const rt_ruleset *x, const rt_ruleset *y)
{
    if (!x && !y)
        return NULL;
    static const rt_ruleset none;
    rt_ruleset *out = FL_NEW(a, rt_ruleset);
    x = x ? x : &none;
    y = y ? y : &none;
    for (int p = 0; p < RT_NPHASES; p++)
        join_rules(a, &x->phase[p], &y->phase[p], &out->phase[p]);
    out->enable_at = y->enable_at ? y->enable_at : x->enable_at;
    return out;
}
