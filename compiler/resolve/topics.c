/* topics.c: topics and their sides, as they are written. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

/* ---- sides: the statements that need a schema ---- */

est_format res_format_of(const char *word)
{
    static const char *const words[] = {"avro",  "json",    "protobuf", "string", "bytes",
                                        "short", "integer", "long",     "float",  "double"};
    size_t i = 0;
    while (i < sizeof words / sizeof *words - 1 && strcmp(words[i], word))
        i++;
    return (est_format)i;
}

/* A primitive has no fields and no subject, so these would mean nothing. */
static void refuse_without_schema(res *r, const est_side *s, const lang_block *b, const char *format)
{
    static const char *const need[] = {"side.field",         "side.field-clear", "side.exhaustive",
                                       "side.reference",     "side.subject",     "side.tags-in",
                                       "side.compatibility", "side.properties",  "side.rule"};
    for (size_t i = 0; b && i < b->n; i++)
        for (size_t k = 0; k < sizeof need / sizeof *need; k++) {
            const lang_stmt *stmt = b->stmts[i];
            if (!lang_is(stmt, need[k]) || (k < 2 && s->encrypts.n)) /* then the `encrypt` is refused already */
                continue;
            if (k < 2)
                res_error(r, "no-such-field", lang_get1(stmt, "path")->span, "the %s of %s is %s and has no fields",
                          est_side_name(s), s->topic->name.s, format);
            else
                res_error(r, "syntax", res_at(stmt), "`%s` needs a schema, and the %s of %s is %s",
                          stmt->head.name.text, est_side_name(s), s->topic->name.s, format);
        }
}

/* ---- field lines ---- */

static est_field field(res *r, const lang_stmt *s)
{
    est_field f = {.at = res_at(s), .clear = lang_is(s, "side.field-clear")};
    f.path = res_slot(r, s, "path");
    RES_SET(f.tags, res_list(r, lang_get(s, "tags"), res_text_of));
    return f;
}

static bool is_field(const lang_stmt *s)
{
    return lang_is(s, "side.field") || lang_is(s, "side.field-clear");
}

/* The line of this path that was written before, or NULL. Few are looked through, more (seen) looked up. */
static const est_field *line_before(const est_side *s, fl_map *seen, const char *path)
{
    if (seen) {
        const est_field *first = fl_map_get(seen, path);
        if (!first)
            fl_map_put(seen, path, &s->fields.v[s->fields.n]);
        return first;
    }
    for (size_t i = 0; i < s->fields.n; i++)
        if (!strcmp(s->fields.v[i].path.s, path))
            return &s->fields.v[i];
    return NULL;
}

static void fields(res *r, est_side *s, const lang_block *b)
{
    enum { FEW = 16 };
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += is_field(b->stmts[i]);
    fl_map *seen = n > FEW ? fl_map_new() : NULL;
    s->fields.v = FL_NEW_N(r->a, est_field, n);
    s->fields.cap = n;
    for (size_t i = 0; i < b->n; i++) {
        if (!is_field(b->stmts[i]))
            continue;
        est_field f = field(r, b->stmts[i]);
        const est_field *first = line_before(s, seen, f.path.s);
        if (!first) {
            FL_PUSH(r->a, &s->fields, f);
            continue;
        }
        fl_diag *d = res_error(r, "duplicate-name", f.path.at, "field %s has two lines", f.path.s);
        fl_diag_again(r->diags, d, first->path.at);
        fl_diag_help(r->diags, d, "put the tags of both into one line");
    }
    fl_map_free(seen);
}

/* ---- subject ---- */

/* What a JSON Schema is called: its `title`, as the vendor's strategies read it (JsonSchema.name). */
static const char *title(res *r, const res_file *f, bool *json)
{
    fl_json_error error;
    const fl_json *root = fl_json_parse(r->a, f->text, f->len, FL_JSON_ALLOW_NUL, &error);
    const char *name = fl_json_str(root, "title");
    *json = root != NULL;
    size_t n = name ? strlen(name) : 0;
    if (!n || n != fl_json_get(root, "title")->len || n > SCH_MAX_NAME)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) /* the registry takes no such subject */
            return NULL;
    return name;
}

static const char *record_subject(res *r, const est_side *s, const res_file *f, fl_span at)
{
    bool json = false, text = f && f->text;
    const char *record = NULL;
    if (text && s->format == EST_PROTOBUF)
        record = sch_proto_message_name(r->a, f->text, f->len, s->message.s);
    else if (text)
        record = s->format == EST_JSON ? title(r, f, &json) : res_record_name(r, f, &json);
    if (record)
        return s->strategy == EST_RECORD_NAME ? record : fl_printf(r->a, "%s-%s", s->topic->name.s, record);
    if (json) {
        const char *lacks = s->format == EST_JSON ? "has no `title` of printable characters" : "is no record";
        fl_diag *d = res_error(r, "syntax", at, "the schema %s, so it gives the subject no name", lacks);
        fl_diag_help(r->diags, d, "write `subject topic-name`, or leave the line out");
    }
    return NULL;
}

static void subject(res *r, est_side *s, const lang_block *b, const res_file *f)
{
    est_text strategy = res_stated(r, b, "side.subject", "strategy");
    if (strategy.s && !strcmp(strategy.s, "record-name"))
        s->strategy = EST_RECORD_NAME;
    else if (strategy.s && !strcmp(strategy.s, "topic-record-name"))
        s->strategy = EST_TOPIC_RECORD_NAME;
    r->undecided |= r->early && s->strategy != EST_TOPIC_NAME; /* the schema says the name */
    s->subject = s->strategy == EST_TOPIC_NAME || r->early
                     ? fl_printf(r->a, "%s-%s", s->topic->name.s, est_side_name(s))
                     : record_subject(r, s, f, strategy.at);
}

/* ---- sides ---- */

static res_file *schema_file(res *r, est_side *s)
{
    res_file *f = s->schema_path.s ? res_file_at(r, s->schema_path.s, s->schema_path.at) : NULL;
    s->schema_path.s = f ? f->path : NULL;
    s->schema_text = f ? f->text : NULL;
    s->schema_len = f ? f->len : 0;
    return f;
}

void res_side_schema(res *r, est_side *s)
{
    res_add_node(r, NULL, s, schema_file(r, s));
}

static void with_schema(res *r, est_side *s, const lang_stmt *stmt)
{
    const lang_value *path = lang_get1(stmt, "schema");
    const lang_block *b = stmt->block;
    s->schema_path = (est_text){res_schema_path(r, path), path->span};
    res_file *f = r->early ? NULL : schema_file(r, s);
    s->message = res_slot(r, stmt, "message");
    subject(r, s, b, f);
    RES_SET(s->refs, res_references_of(r, b, "side.reference"));
    RES_SET(s->properties, res_metadata(r, res_block(b, "side.properties")));
    s->exhaustive = lang_find(b, "side.exhaustive") != NULL;
    s->compatibility = res_stated(r, b, "side.compatibility", "level");
    est_text in = res_stated(r, b, "side.tags-in", "tags-in");
    s->tags_metadata = !in.s || strcmp(in.s, "inline");
    s->tags_inline = !in.s || strcmp(in.s, "metadata");
    s->tags_in_at = in.s ? in.at : s->at;
    if (b)
        fields(r, s, b);
    if (!r->early)
        res_add_node(r, NULL, s, f);
}

void res_side(res *r, est_side *s, const lang_stmt *stmt)
{
    s->format = EST_STRING;
    s->at = s->tags_in_at = s->topic->at;
    s->tags_metadata = s->tags_inline = true;
    if (!stmt)
        return;
    est_text format = res_slot(r, stmt, "format");
    const lang_stmt *clear = lang_find(stmt->block, "side.clear");
    s->stated = true;
    s->at = res_at(stmt);
    s->format = res_format_of(format.s);
    s->clear = res_reason(r, clear);
    s->clear_until = clear ? res_slot(r, clear, "until") : (est_text){0};
    s->doc = res_stated(r, stmt->block, "side.doc", "doc");
    res_encrypts(r, s, stmt->block);
    res_rules(r, s, stmt->block);
    if (est_has_schema(s))
        with_schema(r, s, stmt);
    else
        refuse_without_schema(r, s, stmt->block, format.s);
}

/* ---- topics ---- */

static res_texts principals(res *r, const lang_block *b, const char *form)
{
    const lang_stmt *s = lang_find(b, form);
    res_texts all = res_list(r, s ? lang_get(s, "principals") : NULL, res_principal);
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, res_by_text);
    return all;
}

est_topic *res_topic(res *r, const lang_stmt *s, est_text name)
{
    est_topic *t = FL_NEW(r->a, est_topic);
    const lang_block *b = s->block;
    const lang_stmt *clear = lang_find(b, "topic.clear");
    t->name = name;
    t->at = res_at(s);
    t->key.topic = t->value.topic = t;
    t->key.is_key = true;
    t->clear = res_reason(r, clear);
    t->clear_until = clear ? res_slot(r, clear, "until") : (est_text){0};
    res_side(r, &t->key, lang_find(b, "topic.key"));
    res_side(r, &t->value, lang_find(b, "topic.value"));
    RES_SET(t->writers, principals(r, b, "topic.writers"));
    RES_SET(t->readers, principals(r, b, "topic.readers"));
    t->owner = res_stated(r, b, "topic.owner", "owner");
    t->doc = res_stated(r, b, "topic.doc", "doc");
    return t;
}

void res_topics(res *r)
{
    res_prepare_schemas(r);
    r->e->topics.cap = r->kinds[RES_TOPIC].n;
    r->e->topics.v = FL_NEW_N(r->a, est_topic *, r->e->topics.cap);
    for (size_t i = 0; i < r->kinds[RES_TOPIC].n; i++) {
        const res_decl *d = &r->kinds[RES_TOPIC].v[i];
        if (d->early)
            res_link_topic(r, d->early);
        FL_PUSH(r->a, &r->e->topics, d->early ? d->early : res_topic(r, d->stmt, d->name));
    }
}
