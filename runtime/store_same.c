/* store_same.c: versions that are the same, and the number of a version in its own metadata. */
#include "runtime/store_same.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/canon.h"

#define MARK "confluent:version"

/* ---- identity ---- */

static void add_part(fl_buf *b, const char *s)
{
    fl_buf_addf(b, s ? "%zu:" : "-:", s ? strlen(s) : 0);
    fl_buf_adds(b, s ? s : "");
}

/* Each part with its length. */
char *rt_store_identity(fl_arena *a, const rt_subject *s)
{
    fl_buf b;
    char *hex = fl_alloc(a, 65);
    fl_buf_init(&b, (size_t)1 << 30);
    add_part(&b, s->type);
    add_part(&b, s->schema);
    for (size_t i = 0; i < s->nrefs; i++) {
        add_part(&b, s->refs[i].name);
        add_part(&b, s->refs[i].subject);
        fl_buf_addf(&b, "%d,", s->refs[i].version);
    }
    add_part(&b, s->metadata);
    add_part(&b, s->ruleset);
    fl_sha256_hex(hex, b.p, b.len);
    fl_buf_free(&b);
    return hex;
}

/* ---- the number ---- */

const char *rt_store_mark_of(fl_arena *a, const char *metadata)
{
    if (!metadata || !strstr(metadata, MARK))
        return NULL;
    const fl_json *m = fl_json_parse(a, metadata, strlen(metadata), 0, &(fl_json_error){0});
    return m ? fl_json_str(fl_json_get(m, "properties"), MARK) : NULL;
}

/* value NULL: without it, and NULL where nothing is left. */
static const char *marked(fl_arena *a, const char *metadata, const char *value)
{
    rt_error ignored;
    rt_metadata *m = NULL;
    rt_pairs kept = {0};
    if (!metadata || rt_canon_metadata(a, metadata, &m, &ignored) != RT_OK)
        m = FL_NEW(a, rt_metadata);
    for (size_t i = 0; i < m->properties.n; i++)
        if (strcmp(m->properties.v[i].key, MARK) != 0)
            FL_PUSH(a, &kept, m->properties.v[i]);
    if (value)
        FL_PUSH(a, &kept, ((rt_pair){MARK, value}));
    rt_canon_sort_pairs(&kept);
    m->properties = kept;
    return kept.n || m->tags.n || m->sensitive.n ? rt_canon_metadata_text(a, m) : NULL;
}

const char *rt_store_mark(fl_arena *a, const char *metadata, int version)
{
    return marked(a, metadata, fl_printf(a, "%d", version));
}

static const char *identity_without(fl_arena *a, const rt_subject *s)
{
    rt_subject bare = *s;
    bare.metadata = marked(a, s->metadata, NULL);
    return rt_store_identity(a, &bare);
}

static bool any_mark(const rt_versions *v)
{
    for (size_t i = 0; i < v->list.n; i++)
        if (v->list.v[i].content->is.metadata && strstr(v->list.v[i].content->is.metadata, MARK))
            return true;
    return false;
}

const rt_version *rt_store_same_marked(const rt_store *st, fl_arena *a, const rt_subject *s, const char *asked,
                                       bool deleted)
{
    const rt_versions *v = rt_store_subject(st, s->subject, deleted);
    if (!v || !(asked || rt_store_mark_of(a, s->metadata) || any_mark(v)))
        return NULL;
    const char *want = identity_without(a, s);
    for (size_t i = v->list.n; i-- > 0;) {
        const rt_version *one = &v->list.v[i];
        const rt_subject *is = &one->content->is;
        if ((one->deleted && !deleted) || strcmp(is->schema, s->schema) != 0)
            continue;
        if (asked && (rt_store_mark_of(a, is->metadata) || atoi(asked) != one->number))
            continue;
        if (!strcmp(identity_without(a, is), want))
            return one;
    }
    return NULL;
}
