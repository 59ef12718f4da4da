/* previous_schema.c: schemas of the build that `--previous` names, parsed when they are needed, and tags in them. */
#include <stdio.h>
#include <string.h>

#include "compiler/check/previous.h"

/* ---- schemas ---- */

#define MAX_REFS  1000
#define MAX_CHAIN 200

typedef FL_VEC(sch_ref) ref_list;

static bool has_ref(const ref_list *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (!strcmp(all->v[i].name, name))
            return true;
    return false;
}

/* What a schema refers to, each behind what it needs itself. NULL, or why not. */
static const char *collect(prev_build *b, fl_arena *a, prev_subject *s, ref_list *all, size_t depth)
{
    const char *wrong = NULL;
    if (depth == MAX_CHAIN || s->active)
        return "its references lead back to it, or too far";
    s->active = true;
    for (size_t i = 0; i < s->refs.n && !wrong; i++) {
        prev_subject *to = prev_find_subject(b, s->refs.v[i].subject);
        if (has_ref(all, s->refs.v[i].name))
            continue;
        if (!to)
            wrong = fl_printf(a, "the subject %s that it refers to is not in that build", s->refs.v[i].subject);
        else if (all->n == MAX_REFS)
            wrong = "it refers to too many schemas";
        else
            wrong = collect(b, a, to, all, depth + 1);
        if (!wrong)
            FL_PUSH(a, all, (sch_ref){s->refs.v[i].name, to->text, to->len});
    }
    s->active = false;
    return wrong;
}

/* One call of protoc for all of them. */
static void prepare_protobuf(prev_build *b, fl_arena *a)
{
    char message[256] = "";
    size_t n = 0;
    sch_proto_file *files = FL_NEW_N(a, sch_proto_file, b->subjects.n + 1);
    for (size_t i = 0; i < b->subjects.n; i++) {
        prev_subject *s = &b->subjects.v[i];
        ref_list refs = {0};
        if (s->format == SCH_PROTOBUF && !collect(b, a, s, &refs, 0))
            files[n++] = (sch_proto_file){s->name, s->text, s->len, refs.v, refs.n};
    }
    b->protobuf = sch_proto_prepare(a, files, n, message);
    b->no_protobuf = b->protobuf ? NULL : fl_strdup(a, message);
}

static sch_schema *parse_protobuf(prev_build *b, fl_arena *a, const prev_subject *s, const char *message,
                                  const ref_list *refs, sch_error *err)
{
    if (!b->protobuf && !b->no_protobuf)
        prepare_protobuf(b, a);
    if (b->protobuf)
        return sch_proto_from_set(a, b->protobuf, s->name, s->text, s->len, message, refs->v, refs->n, err);
    snprintf(err->message, sizeof err->message, "%s", b->no_protobuf);
    return NULL;
}

sch_schema *prev_schema(prev_build *b, fl_arena *a, prev_subject *s, const char *message)
{
    ref_list refs = {0};
    sch_error err = {0};
    if (s->parsed)
        return s->schema;
    s->parsed = true;
    s->refused = collect(b, a, s, &refs, 0);
    if (s->refused)
        return NULL;
    s->schema = s->format == SCH_PROTOBUF
                    ? parse_protobuf(b, a, s, message, &refs, &err)
                    : sch_parse(s->format, a, s->name, s->text, s->len, message, refs.v, refs.n, &err);
    if (!s->schema)
        s->refused = fl_strdup(a, err.message);
    return s->schema;
}

/* ---- tags ---- */

static bool of_rule(const prev_rule *rule, const char *tag)
{
    for (size_t i = 0; i < rule->tags.n; i++)
        if (!strcmp(rule->tags.v[i], tag))
            return true;
    return false;
}

static bool hit_carries(const sch_schema *schema, fl_arena *a, const prev_subject *s, const sch_hit *h,
                        const prev_rule *rule)
{
    const char *names[SCH_MAX_KEYS];
    for (size_t i = 0; h->field && i < h->field->ntags; i++)
        if (of_rule(rule, h->field->tags[i]))
            return true;
    size_t n = sch_client_names(schema, h, a, names);
    for (size_t i = 0; i < s->keys.n; i++)
        for (size_t k = 0; k < n && of_rule(rule, s->keys.v[i].tag); k++)
            if (sch_key_matches(s->keys.v[i].key, names[k]))
                return true;
    return false;
}

bool prev_carries(prev_build *b, fl_arena *a, const prev_side *s, const char *path, const prev_rule *rule)
{
    sch_hits hits = {0};
    char message[160];
    const sch_schema *schema = prev_schema(b, a, s->subject, s->message);
    if (!schema || !rule->tags.n || sch_select(schema, a, path, &hits, message) == SCH_PATH_BAD)
        return true;
    for (size_t i = 0; i < hits.n; i++)
        if (!hit_carries(schema, a, s->subject, &hits.v[i], rule))
            return false;
    return true;
}
