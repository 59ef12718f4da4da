/* tags.c: tags inside schemas: written and taken out by registrations and by the call for tags of a version. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/canon.h"
#include "runtime/rest/call.h"
#include "runtime/store_same.h"
#include "schema/proto.h"

enum { MOST_ENTITIES = 1000 }; /* each is looked for among all fields; and tags of each, among those that are there */

static bool any(const fl_json *list)
{
    return list && list->kind != FL_JNULL && list->count;
}

/* ---- which field ---- */

/* "/fields/…" is not a path of ours: entities are named by record and field, `com.acme.Customer.ssn`. */
static bool names_field(const char *entity, const sch_field *f)
{
    size_t n = f->record->name ? strlen(f->record->name) : 0;
    entity += *entity == '.'; /* as Protobuf writes full names */
    return n && !strncmp(entity, f->record->name, n) && entity[n] == '.' && !strcmp(entity + n + 1, f->name);
}

static const sch_field *find_field(const sch_hits *hits, const char *entity)
{
    for (size_t i = 0; i < hits->n; i++)
        if (hits->v[i].field && (names_field(entity, hits->v[i].field) || !strcmp(entity, hits->v[i].path)))
            return hits->v[i].field;
    return NULL;
}

/* One of a list of {"schemaEntity":{"entityPath":…},"tags":[…]}. */
static rt_code read_entity(rest_call *c, const sch_hits *hits, const fl_json *e, const sch_field **field,
                           rest_strings *tags)
{
    const fl_json *list = fl_json_get(e, "tags");
    const fl_json *named = fl_json_get(e, "schemaEntity");
    const char *entity = fl_json_str(named, "entityPath"), *type = fl_json_str(named, "entityType");
    if (type && strcasecmp(type, "sr_field") != 0)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201,
                          "%s: tags are kept of fields (sr_field) and records (sr_record), not of a %s",
                          entity ? entity : "schemaEntity", type);
    *field = entity ? find_field(hits, entity) : NULL;
    if (!*field || sch_is_foreign(*field))
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "the schema has no field %s of its own", entity ? entity : "");
    for (const fl_json *t = list && list->kind == FL_JARRAY ? list->child : NULL; t; t = t->next)
        if (t->kind == FL_JSTRING && *t->str)
            FL_PUSH(c->a, tags, t->str);
    return RT_OK;
}

static bool holds(const rest_strings *s, const char *text)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->v[i], text))
            return true;
    return false;
}

static rt_code judge(rest_call *c, rt_subject *s, sch_schema **schema, sch_hits *hits)
{
    s->type = s->type && *s->type ? s->type : "AVRO";
    if (!s->schema)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "subject %s: the schema is empty", s->subject);
    rt_code code = rt_store_judge(c->st, c->a, s, false, schema, &c->err);
    if (code == RT_OK && !*schema)
        code = rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "subject %s: the schema has no fields", s->subject);
    if (code == RT_OK)
        sch_leaves(*schema, c->a, hits);
    return code;
}

static rt_code take_text(rest_call *c, rt_subject *s, fl_buf *b)
{
    bool fits = !b->full && b->len <= RT_SCHEMA_MAX;
    if (fits)
        s->schema = fl_strndup(c->a, b->p, b->len);
    fl_buf_free(b);
    return fits ? RT_OK : rt_fail_as(&c->err, RT_BAD_INPUT, 42209, "the schema gets too large");
}

/* ---- adding ---- */

static void make_edit(rest_call *c, const sch_field *f, const rest_strings *more, sch_edit *out)
{
    rest_strings all = {0};
    fl_map *seen = fl_map_new();
    for (size_t i = 0; i < f->ntags + more->n; i++) {
        const char *tag = i < f->ntags ? f->tags[i] : more->v[i - f->ntags];
        if (!fl_map_put(seen, tag, (void *)tag))
            FL_PUSH(c->a, &all, tag);
    }
    fl_map_free(seen);
    rest_sort(&all);
    *out = (sch_edit){f, all.v, all.n};
}

static rt_code write_edits(rest_call *c, rt_subject *s, const sch_schema *schema, const sch_edit *edits, size_t n)
{
    fl_buf b;
    fl_buf_init(&b, 2 * RT_SCHEMA_MAX);
    sch_write_tags(schema, edits, n, &b);
    return take_text(c, s, &b);
}

static rt_code add_tags(rest_call *c, rt_subject *s, const fl_json *list)
{
    sch_schema *schema;
    sch_hits hits;
    size_t n = 0;
    rt_code code = judge(c, s, &schema, &hits);
    sch_edit *edits = FL_NEW_N(c->a, sch_edit, list->count + 1);
    for (const fl_json *e = list->child; e && code == RT_OK; e = e->next) {
        const sch_field *f;
        rest_strings tags = {0};
        if (rest_names_record(e))
            continue;
        code = read_entity(c, &hits, e, &f, &tags);
        for (size_t i = 0; i < n && code == RT_OK; i++)
            if (edits[i].field == f)
                code = rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "subject %s: a field is named twice", s->subject);
        if (code == RT_OK && tags.n)
            make_edit(c, f, &tags, &edits[n++]);
    }
    return code == RT_OK && n ? write_edits(c, s, schema, edits, n) : code;
}

/* ---- taking out ---- */

typedef struct cut {
    uint32_t from, to;
    const char *instead;
} cut;

static int by_place(const void *x, const void *y)
{
    const cut *a = x, *b = y;
    return a->from < b->from ? -1 : a->from > b->from;
}

static rt_code make_cuts(rest_call *c, rt_subject *s, const sch_schema *schema, cut *cuts, size_t n)
{
    fl_buf b;
    uint32_t at = 0;
    qsort(cuts, n, sizeof *cuts, by_place);
    fl_buf_init(&b, RT_SCHEMA_MAX);
    for (size_t i = 0; i < n; i++) {
        if (cuts[i].from < at) {
            fl_buf_free(&b);
            return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "subject %s: a field is named twice", s->subject);
        }
        fl_buf_add(&b, schema->text + at, cuts[i].from - at);
        fl_buf_adds(&b, cuts[i].instead);
        at = cuts[i].to;
    }
    fl_buf_add(&b, schema->text + at, schema->len - at);
    return take_text(c, s, &b);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The member with one of the commas beside it. */
static cut whole_member(const sch_schema *schema, const fl_json *m)
{
    cut out = {m->key_from, m->to, ""};
    uint32_t to = m->to, from = m->key_from;
    while (to < schema->len && is_space(schema->text[to]))
        to++;
    if (to < schema->len && schema->text[to] == ',') {
        out.to = to + 1;
        return out;
    }
    while (from && is_space(schema->text[from - 1]))
        from--;
    if (from && schema->text[from - 1] == ',')
        out.from = from - 1;
    return out;
}

/* The list as it will be, or without any tag nothing. False: it has none of them. */
static bool plan_cut(rest_call *c, const sch_schema *schema, const sch_field *f, const rest_strings *tags, cut *out)
{
    const fl_json *list = f->node ? fl_json_get(f->node, "confluent:tags") : NULL;
    size_t kept = 0, gone = 0;
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_SCHEMA_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_array(&w);
    for (const fl_json *t = list && list->kind == FL_JARRAY ? list->child : NULL; t; t = t->next)
        if (t->kind == FL_JSTRING && holds(tags, t->str)) {
            gone++;
        } else {
            fl_jw_node(&w, t);
            kept++;
        }
    fl_jw_end_array(&w);
    if (gone)
        *out = kept ? (cut){list->from, list->to, fl_strndup(c->a, b.p, b.len)} : whole_member(schema, list);
    fl_buf_free(&b);
    return gone != 0;
}

static rt_code untag_text(rest_call *c, rt_subject *s, const sch_schema *schema, const sch_hits *hits,
                          const fl_json *list)
{
    size_t n = 0;
    rt_code code = RT_OK;
    cut *cuts = FL_NEW_N(c->a, cut, list->count + 1);
    for (const fl_json *e = list->child; e && code == RT_OK; e = e->next) {
        const sch_field *f;
        rest_strings tags = {0};
        if (rest_names_record(e))
            continue;
        code = read_entity(c, hits, e, &f, &tags);
        if (code == RT_OK && plan_cut(c, schema, f, &tags, &cuts[n]))
            n++;
    }
    return code == RT_OK && n ? make_cuts(c, s, schema, cuts, n) : code;
}

/* One field's tags out of the descriptor. */
static rt_code untag_field(rest_call *c, const sch_hits *hits, const fl_json *e, fl_buf *bytes)
{
    const sch_field *f;
    rest_strings tags = {0};
    fl_buf b;
    rt_code code = read_entity(c, hits, e, &f, &tags);
    if (code != RT_OK)
        return code;
    fl_buf_init(&b, RT_SCHEMA_MAX);
    const char *name = fl_printf(c->a, "%s.%s", f->record->name, f->name);
    if (!sch_proto_untag(c->a, bytes->p, bytes->len, name, tags.v, tags.n, &b)) {
        fl_buf_free(&b);
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42201, "the tags of field %s cannot be taken out", name);
    }
    fl_buf_free(bytes);
    *bytes = b;
    return RT_OK;
}

/* A .proto text is written anew out of its descriptor. */
static rt_code untag_proto(rest_call *c, rt_subject *s, const sch_hits *hits, const fl_json *list)
{
    const char *serialized;
    fl_buf bytes;
    rt_code code = rt_store_serialized(c->st, c->a, s, &serialized, &c->err);
    if (code != RT_OK)
        return code;
    size_t n = strlen(serialized);
    uint8_t *room = fl_alloc(c->a, FL_B64_ROOM(n));
    long len = fl_b64_decode(room, serialized, n, FL_B64_STRICT);
    fl_buf_init(&bytes, 2 * RT_SCHEMA_MAX);
    fl_buf_add(&bytes, room, len > 0 ? (size_t)len : 0);
    for (const fl_json *e = list->child; e && code == RT_OK; e = e->next)
        code = untag_field(c, hits, e, &bytes);
    if (code == RT_OK) {
        char *text = fl_alloc(c->a, FL_B64_LEN(bytes.len) + 1);
        fl_b64_encode(text, (const uint8_t *)bytes.p, bytes.len);
        s->schema = text;
        code = rt_store_judge(c->st, c->a, s, false, NULL, &c->err);
    }
    fl_buf_free(&bytes);
    return code;
}

static rt_code remove_tags(rest_call *c, rt_subject *s, const fl_json *list)
{
    sch_schema *schema;
    sch_hits hits;
    rt_code code = judge(c, s, &schema, &hits);
    if (code != RT_OK)
        return code;
    return strcmp(s->type, "PROTOBUF") ? untag_text(c, s, schema, &hits, list) : untag_proto(c, s, &hits, list);
}

static bool too_many(const fl_json *list)
{
    bool many = list->kind != FL_JARRAY || list->count > MOST_ENTITIES;
    for (const fl_json *e = list->child; e && !many; e = e->next) {
        const fl_json *tags = fl_json_get(e, "tags");
        many = tags && tags->count > MOST_ENTITIES;
    }
    return many;
}

/* First what is added, then what is taken out, as in the vendor's registry. */
static rt_code edit_tags(rest_call *c, rt_subject *s, const fl_json *add, const fl_json *gone)
{
    const fl_json *lists[] = {add, gone};
    rt_code code = RT_OK;
    for (size_t i = 0; i < 2 && code == RT_OK; i++) {
        if (!any(lists[i]))
            continue;
        if (too_many(lists[i]))
            return rt_fail_as(&c->err, RT_BAD_INPUT, 42201,
                              "tags are a list of at most %d entities, each with at most %d", MOST_ENTITIES,
                              MOST_ENTITIES);
        code = i ? remove_tags(c, s, gone) : add_tags(c, s, add);
        if (code == RT_OK)
            code = rest_tag_records(c, s, lists[i], !i);
    }
    return code;
}

/* ---- registrations ---- */

static const char *full_name(rest_call *c, const sch_field *f)
{
    return f && f->record->name ? fl_printf(c->a, "%s.%s", f->record->name, f->name) : NULL;
}

static fl_map *tagged_by_name(rest_call *c, const sch_hits *hits)
{
    fl_map *names = fl_map_new();
    for (size_t i = 0; i < hits->n; i++) {
        const char *name = full_name(c, hits->v[i].field);
        if (name && hits->v[i].field->ntags && !fl_map_get(names, name))
            fl_map_put(names, name, (void *)hits->v[i].field);
    }
    return names;
}

static size_t inherit_tags(rest_call *c, const sch_hits *hits, const fl_map *names, sch_edit *edits)
{
    size_t n = 0;
    fl_map *seen = fl_map_new();
    for (size_t i = 0; i < hits->n; i++) {
        const sch_field *f = hits->v[i].field;
        const char *name = full_name(c, f);
        const sch_field *was = name && !sch_is_foreign(f) ? fl_map_get(names, name) : NULL;
        const char *itself = fl_printf(c->a, "%p", (const void *)f); /* a record may stand in several places */
        if (was && !fl_map_put(seen, itself, (void *)f))
            make_edit(c, f, &(rest_strings){.v = was->tags, .n = was->ntags}, &edits[n++]);
    }
    fl_map_free(seen);
    return n;
}

/* The tags that fields of the same name have in the version before. */
static rt_code propagate(rest_call *c, rt_subject *s)
{
    const rt_version *before = rt_store_find(c->st, s->subject, -1, false);
    sch_schema *schema, *old;
    sch_hits hits, had;
    if (!before)
        return RT_OK;
    rt_subject prev = before->content->is;
    prev.subject = s->subject;
    rt_code code = judge(c, &prev, &old, &had);
    if (code == RT_OK)
        code = judge(c, s, &schema, &hits);
    if (code != RT_OK)
        return code;
    fl_map *names = tagged_by_name(c, &had);
    sch_edit *edits = FL_NEW_N(c->a, sch_edit, hits.n + 1);
    size_t n = inherit_tags(c, &hits, names, edits);
    fl_map_free(names);
    return n ? write_edits(c, s, schema, edits, n) : RT_OK;
}

rt_code rest_tag_request(rest_call *c, rt_subject *s, rt_register *how)
{
    const fl_json *add = fl_json_get(c->json, "schemaTagsToAdd"), *gone = fl_json_get(c->json, "schemaTagsToRemove");
    bool spread = fl_json_bool(c->json, "propagateSchemaTags", false);
    if (!any(add) && !any(gone) && !spread)
        return RT_OK;
    rt_code code = rt_store_settle_refs(c->st, c->a, s, &c->err);
    if (code == RT_OK)
        code = edit_tags(c, s, add, gone);
    if (code == RT_OK && spread && s->schema)
        code = propagate(c, s);
    if (any(add) || any(gone))
        how->version = how->version ? how->version : -1; /* a version of its own, which says its number */
    return code;
}

/* ---- the call ---- */

static void drop_rules(rt_ruleset *r, const fl_json *names)
{
    for (int p = 0; p < RT_NPHASES; p++) {
        size_t kept = 0;
        rt_canon_rules *list = &r->phase[p];
        for (size_t i = 0; i < list->n; i++) {
            bool gone = false;
            for (const fl_json *n = names->kind == FL_JARRAY ? names->child : NULL; n; n = n->next)
                gone |= n->kind == FL_JSTRING && !strcmp(n->str, list->v[i].text[RT_NAME]);
            if (!gone)
                list->v[kept++] = list->v[i];
        }
        list->n = kept;
    }
}

/* rulesToMerge and rulesToRemove change the rules of the version before the new one. */
static rt_code edit_rules(rest_call *c, rt_subject *s, int version)
{
    const fl_json *gone = fl_json_get(c->json, "rulesToRemove");
    const char *more = rest_raw(c, "rulesToMerge");
    const rt_version *v = rt_store_find(c->st, s->subject, version > 1 ? version - 1 : -1, false);
    rt_ruleset *r = NULL, *merged = NULL;
    s->ruleset = rest_raw(c, "ruleSet");
    if (!more && !any(gone))
        return RT_OK;
    const char *had = v ? v->content->is.ruleset : NULL;
    rt_code code = had ? rt_canon_ruleset(c->a, had, &r, &c->err) : RT_OK;
    if (code == RT_OK && more)
        code = rt_canon_ruleset(c->a, more, &merged, &c->err);
    if (code != RT_OK)
        return code;
    r = rt_merge_rulesets(c->a, r, merged);
    if (r && any(gone))
        drop_rules(r, gone);
    s->ruleset = r ? rt_canon_ruleset_text(c->a, r) : NULL;
    return RT_OK;
}

rt_code rest_tag_version(rest_call *c)
{
    rt_subject s;
    rt_register how = {.judge = true};
    const rt_version *v;
    if (!c->json)
        return rest_no_body(c);
    rt_code code = rest_find_version(c, false, &s, &v);
    if (code == RT_OK)
        code = rest_number(c, "newVersion", &how.version);
    if (code == RT_OK)
        code = edit_tags(c, &s, fl_json_get(c->json, "tagsToAdd"), fl_json_get(c->json, "tagsToRemove"));
    if (code == RT_OK)
        code = edit_rules(c, &s, how.version);
    if (code != RT_OK)
        return code;
    s.metadata = rest_raw(c, "metadata") ? rest_raw(c, "metadata") : s.metadata;
    how.version = how.version ? how.version : -1;
    return rest_register_it(c, &s, &how);
}
