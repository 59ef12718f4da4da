/* tag_records.c: tags of records (`sr_record`) of Avro schemas, written into their objects and taken out. No client
 * looks at them for encryption (docs/wire.md); catalogues do. */
#include <string.h>
#include <strings.h>

#include "runtime/rest/call.h"

typedef struct change {
    const fl_json *node; /* the record's object */
    rest_strings tags;   /* as they will be */
} change;

typedef FL_VEC(change) changes;

bool rest_names_record(const fl_json *entity)
{
    const char *type = fl_json_str(fl_json_get(entity, "schemaEntity"), "entityType");
    return type && !strcasecmp(type, "sr_record");
}

static const sch_type *find_record(const sch_type *t, const char *name, bool *seen)
{
    const sch_type *found = NULL;
    if (!t || seen[t->id])
        return NULL;
    seen[t->id] = true;
    if (t->kind == SCH_RECORD && t->name && !strcmp(t->name, name))
        return t->foreign ? NULL : t;
    found = find_record(t->item, name, seen);
    for (size_t i = 0; i < t->nbranches && !found; i++)
        found = find_record(t->branches[i], name, seen);
    for (size_t i = 0; i < t->nfields && !found; i++)
        found = find_record(t->fields[i].type, name, seen);
    return found;
}

static const fl_json *record_node(rest_call *c, const sch_schema *schema, const char *name)
{
    const sch_type *t = find_record(schema->root, name + (*name == '.'), FL_NEW_N(c->a, bool, schema->ntypes + 1));
    return t ? t->node : NULL;
}

/* Those that were not seen before: a schema may have as many as fit into it. */
static void push_texts(rest_call *c, rest_strings *out, const fl_json *list, fl_map *seen)
{
    for (const fl_json *t = list && list->kind == FL_JARRAY ? list->child : NULL; t; t = t->next)
        if (t->kind == FL_JSTRING && *t->str && !fl_map_put(seen, t->str, (void *)t->str))
            FL_PUSH(c->a, out, t->str);
}

/* The record's own tags with those that are asked for, or without them. */
static rest_strings new_tags(rest_call *c, const fl_json *own, const fl_json *asked, bool add)
{
    rest_strings tags = {0}, gone = {0};
    fl_map *seen = fl_map_new();
    if (!add)
        push_texts(c, &gone, asked, seen);
    push_texts(c, &tags, own, seen);
    if (add)
        push_texts(c, &tags, asked, seen);
    fl_map_free(seen);
    return tags;
}

static rt_code plan(rest_call *c, const sch_schema *schema, const fl_json *entity, bool add, changes *all)
{
    const char *name = fl_json_str(fl_json_get(entity, "schemaEntity"), "entityPath");
    const fl_json *node = name ? record_node(c, schema, name) : NULL;
    if (!node)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "the schema has no record %s of its own", name ? name : "");
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].node == node)
            return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "the record %s is named twice", name);
    rest_strings tags = new_tags(c, fl_json_get(node, "confluent:tags"), fl_json_get(entity, "tags"), add);
    FL_PUSH(c->a, all, ((change){node, tags}));
    return RT_OK;
}

/* ---- the text anew ---- */

static void print_tags(fl_jw *w, const rest_strings *tags)
{
    fl_jw_array(w);
    for (size_t i = 0; i < tags->n; i++)
        fl_jw_string(w, tags->v[i]);
    fl_jw_end_array(w);
}

static const change *change_of(const changes *all, const fl_json *node)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].node == node)
            return &all->v[i];
    return NULL;
}

static void print(fl_jw *w, const changes *all, const fl_json *node)
{
    const change *own = node->kind == FL_JOBJECT ? change_of(all, node) : NULL;
    bool written = false;
    if (node->kind == FL_JARRAY) {
        fl_jw_array(w);
        for (const fl_json *e = node->child; e; e = e->next)
            print(w, all, e);
        fl_jw_end_array(w);
        return;
    }
    if (node->kind != FL_JOBJECT) {
        fl_jw_node(w, node);
        return;
    }
    fl_jw_object(w);
    for (const fl_json *m = node->child; m; m = m->next) {
        bool tags = own && !strcmp(m->key, "confluent:tags");
        written |= tags;
        if (tags && !own->tags.n)
            continue;
        fl_jw_key(w, m->key);
        if (tags)
            print_tags(w, &own->tags);
        else
            print(w, all, m);
    }
    if (own && own->tags.n && !written) {
        fl_jw_key(w, "confluent:tags");
        print_tags(w, &own->tags);
    }
    fl_jw_end_object(w);
}

static rt_code write_anew(rest_call *c, rt_subject *s, const sch_schema *schema, const changes *all)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_SCHEMA_MAX);
    fl_jw_init(&w, &b, false);
    print(&w, all, schema->json);
    bool fits = !b.full;
    if (fits)
        s->schema = fl_strndup(c->a, b.p, b.len);
    fl_buf_free(&b);
    return fits ? RT_OK : rt_fail_as(&c->err, RT_BAD_INPUT, 42209, "the schema gets too large");
}

rt_code rest_tag_records(rest_call *c, rt_subject *s, const fl_json *list, bool add)
{
    sch_schema *schema = NULL;
    changes all = {0};
    rt_code code = RT_OK;
    for (const fl_json *e = list->child; e && code == RT_OK; e = e->next) {
        if (!rest_names_record(e))
            continue;
        if (s->type && *s->type && strcmp(s->type, "AVRO") != 0)
            return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "tags of records are kept in Avro schemas alone");
        if (!schema)
            code = rt_store_judge(c->st, c->a, s, false, &schema, &c->err);
        if (code == RT_OK)
            code = plan(c, schema, e, add, &all);
    }
    return code == RT_OK && all.n ? write_anew(c, s, schema, &all) : code;
}
