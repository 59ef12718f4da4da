/* tests.c: tests.json: the `test` blocks with names resolved and variables expanded, one object a step
 * (docs/build-directory.md). The same walk is what `flec check` says about tests. */
#include <stdlib.h>
#include <string.h>

#include "compiler/emit/lower.h"

/* ---- texts and JSON ---- */

const char *lower_text(lowering *l, const lang_name *n)
{
    return est_expand(l->e, n);
}

static void syntax(lowering *l, fl_span at, const char *message, const char *help)
{
    fl_diag *d = fl_diag_add(l->diags, "syntax", FL_ERROR, at, "%s", message);
    if (help)
        fl_diag_help(l->diags, d, "%s", help);
}

static void json_word(lowering *l, const lang_name *n)
{
    fl_json_error err;
    fl_json *v = fl_json_parse(l->arena, n->text, n->len, 0, &err);
    if (v && v->kind != FL_JSTRING)
        fl_jw_raw(&l->w, n->text, n->len);
    else
        syntax(l, n->span, fl_printf(l->arena, "`%s` is no JSON value", n->text), "write a text in double quotes");
}

static void json_object(lowering *l, const lang_value *v)
{
    fl_map *seen = fl_map_new();
    fl_jw_object(&l->w);
    for (size_t i = 0; i < v->n; i++) {
        const char *key = lower_text(l, &v->keys[i]);
        if (key && fl_map_put(seen, key, l))
            syntax(l, v->keys[i].span, fl_printf(l->arena, "`%s` stands twice in this object", key), NULL);
        fl_jw_key(&l->w, key ? key : "");
        lower_json(l, &v->items[i]);
    }
    fl_jw_end_object(&l->w);
    fl_map_free(seen);
}

void lower_json(lowering *l, const lang_value *v)
{
    const char *text;
    switch (v->kind) {
    case LANG_V_NAME:
        if (v->name.quote == LANG_WORD) {
            json_word(l, &v->name);
            return;
        }
        text = lower_text(l, &v->name);
        fl_jw_string(&l->w, text ? text : "");
        return;
    case LANG_V_LIST:
        fl_jw_array(&l->w);
        for (size_t i = 0; i < v->n; i++)
            lower_json(l, &v->items[i]);
        fl_jw_end_array(&l->w);
        return;
    case LANG_V_OBJECT:
        json_object(l, v);
        return;
    case LANG_V_PAIR:
    case LANG_V_CALL:
        syntax(l, v->span, "a JSON value is expected here", NULL);
        fl_jw_null(&l->w);
    }
}

/* ---- paths and sides ---- */

static void paths(lowering *l, const lang_stmt *s)
{
    const lang_list *list = lang_get(s, "paths");
    fl_jw_key(&l->w, "paths");
    fl_jw_array(&l->w);
    for (size_t i = 0; list && i < list->n; i++) {
        lower_path(l, s, &list->items[i]);
        fl_jw_string(&l->w, list->items[i].name.text);
    }
    fl_jw_end_array(&l->w);
}

static void side(lowering *l, const lang_stmt *s)
{
    fl_jw_kstring(&l->w, "side", lower_is_key(s) ? "key" : "value");
}

/* ---- steps ---- */

static const char *const record_files[] = {".jsonl", NULL};
static const char *const wire_files[] = {".hex", NULL};

static void record_side(lowering *l, const char *member, const lang_value *v, const est_side *side)
{
    fl_jw_key(&l->w, member);
    size_t from = l->w.out->len, errors = l->diags->errors;
    lower_json(l, v);
    if (side && !l->to_be_refused && l->diags->errors == errors && !l->w.out->full)
        lower_check_record(l, v->span, side, l->w.out->p + from, l->w.out->len - from);
}

/* A file that stands where the record does would be a record that is a text. */
static bool is_file_name(lowering *l, const lang_value *v)
{
    if (!v || v->kind != LANG_V_NAME || v->name.quote == LANG_WORD || v->name.len < 7 ||
        strcmp(v->name.text + v->name.len - 6, ".jsonl"))
        return false;
    fl_diag *d = fl_diag_add(l->diags, "syntax", FL_ERROR, v->span, "this is taken as a record, and names a file");
    fl_diag_help(l->diags, d, "write `from` before it");
    fl_diag_edit(l->diags, d, (fl_span){v->span.src, v->span.from, v->span.from}, "from ");
    return true;
}

static void records(lowering *l, const lang_stmt *s)
{
    const lang_value *file = lang_get1(s, "file"), *key = lang_get1(s, "key"), *value = lang_get1(s, "value");
    if (is_file_name(l, value))
        return;
    if (file) {
        const char *from = lower_fixture(l, file, record_files);
        if (from && l->topic && !l->to_be_refused)
            lower_check_fixture(l, file->span, from);
        fl_jw_kstring(&l->w, "from", from ? from : "");
        return;
    }
    if (key)
        record_side(l, "key", key, l->topic ? &l->topic->key : NULL);
    record_side(l, "value", value, l->topic ? &l->topic->value : NULL);
}

static void topic_member(lowering *l, const lang_stmt *s)
{
    const char *name = lower_slot(l, s, "topic");
    fl_jw_kstring(&l->w, "topic", name ? name : "");
}

static void begins(lowering *l, const lang_stmt *s, bool by_connector)
{
    l->produced = true;
    l->topic = lower_topic(l, s);
    l->by_connector = by_connector;
}

static void do_produce(lowering *l, const lang_stmt *s)
{
    begins(l, s, false);
    fl_jw_kstring(&l->w, "do", "produce");
    topic_member(l, s);
    records(l, s);
}

static void do_connector(lowering *l, const lang_stmt *s)
{
    const est_connector *c = lower_connector(l, s);
    begins(l, s, true);
    size_t i = 0;
    while (c && l->topic && i < c->topic_names.n && strcmp(c->topic_names.v[i].s, l->topic->name.s))
        i++;
    if (c && l->topic && i == c->topic_names.n) {
        fl_diag *d = fl_diag_add(l->diags, "unknown-name", FL_ERROR, lang_get1(s, "topic")->span,
                                 "connector %s does not %s topic %s", c->name.s, est_is_source(c) ? "write" : "read",
                                 l->topic->name.s);
        fl_diag_relate(l->diags, d, c->at, "its `topics` are stated here");
    }
    const char *name = lower_slot(l, s, "connector");
    fl_jw_kstring(&l->w, "do", "connector");
    fl_jw_kstring(&l->w, "connector", name ? name : "");
    topic_member(l, s);
    records(l, s);
}

static void do_replay(lowering *l, const lang_stmt *s)
{
    begins(l, s, false);
    fl_jw_kstring(&l->w, "do", "replay");
    topic_member(l, s);
    const char *from = lower_fixture(l, lang_get1(s, "file"), wire_files);
    fl_jw_kstring(&l->w, "from", from ? from : "");
    const lang_value *registry = lang_get1(s, "registry");
    if (registry) {
        const char *dir = lower_fixture(l, registry, NULL);
        fl_jw_kstring(&l->w, "registry", dir ? dir : "");
    }
}

static void do_tamper(lowering *l, const lang_stmt *s)
{
    if (!l->produced)
        syntax(l, s->span, "nothing was put on a topic before this step", "write a `produce` before it");
    const est_topic *t = lower_topic(l, s), *last = l->topic;
    l->topic = t;
    fl_jw_kstring(&l->w, "do", "tamper");
    topic_member(l, s);
    side(l, s);
    lower_whole(l, s);
    lower_path(l, s, lang_get1(s, "path"));
    fl_jw_kstring(&l->w, "path", lang_get1(s, "path")->name.text);
    l->topic = last;
}

/* ---- expectations ---- */

static void expects(lowering *l, const lang_stmt *s, const char *what)
{
    if (!l->produced)
        syntax(l, s->span, "nothing was put on a topic before this expectation",
               "write a `produce`, `connector … receives` or `replay` before it");
    fl_jw_kstring(&l->w, "expect", what);
}

static void wire(lowering *l, const lang_stmt *s, const char *is)
{
    const lang_value *kek = lang_get1(s, "kek");
    expects(l, s, "wire");
    side(l, s);
    lower_whole(l, s);
    if (lang_get(s, "paths"))
        paths(l, s);
    fl_jw_kstring(&l->w, "is", is);
    if (kek) {
        const char *name = lower_slot(l, s, "kek");
        lower_kek(l, kek);
        fl_jw_kstring(&l->w, "kek", name ? name : "");
    }
}

static void wire_encrypted(lowering *l, const lang_stmt *s)
{
    wire(l, s, "encrypted");
}

static void wire_clear(lowering *l, const lang_stmt *s)
{
    wire(l, s, "clear");
}

static void wire_deterministic(lowering *l, const lang_stmt *s)
{
    wire(l, s, "deterministic");
}

static void kek_list(lowering *l, const lang_stmt *s, const char *slot)
{
    const lang_list *list = lang_get(s, slot);
    if (!list)
        return;
    fl_jw_key(&l->w, slot);
    fl_jw_array(&l->w);
    for (size_t i = 0; i < list->n; i++) {
        lower_kek(l, &list->items[i]);
        const char *name = lower_text(l, &list->items[i].name);
        fl_jw_string(&l->w, name ? name : "");
    }
    fl_jw_end_array(&l->w);
}

static void principal(lowering *l, const lang_stmt *s)
{
    const lang_value *v = lang_get1(s, "principal");
    if (!v)
        return;
    const char *type = lower_text(l, &v->name), *name = lower_text(l, v->second);
    const char *full = fl_printf(l->arena, "%s:%s", type ? type : "", name ? name : "");
    lower_principal(l, v->span, full);
    fl_jw_kstring(&l->w, "principal", full);
}

static void reader(lowering *l, const lang_stmt *s, const char *is)
{
    expects(l, s, "reader");
    kek_list(l, s, "with");
    kek_list(l, s, "without");
    principal(l, s);
    fl_jw_kstring(&l->w, "is", is);
}

static void reader_sees(lowering *l, const lang_stmt *s)
{
    reader(l, s, "sees");
    side(l, s);
    lower_path(l, s, lang_get1(s, "path"));
    fl_jw_kstring(&l->w, "path", lang_get1(s, "path")->name.text);
    fl_jw_key(&l->w, "json");
    lower_json(l, lang_get1(s, "value"));
}

static void reader_everything(lowering *l, const lang_stmt *s)
{
    reader(l, s, "sees-everything");
}

static void reader_fails(lowering *l, const lang_stmt *s)
{
    reader(l, s, "fails");
}

static void reader_encrypted(lowering *l, const lang_stmt *s)
{
    reader(l, s, "sees-encrypted");
    side(l, s);
    paths(l, s);
}

/* A topic of the policy, or one that belongs to a connector: its dead letters. */
static void leaks(lowering *l, const lang_stmt *s)
{
    const char *name = lower_slot(l, s, "topic");
    bool own = false, declared = name && est_find_topic(l->e, name);
    expects(l, s, "leaks-nothing");
    for (size_t i = 0; name && !declared && !own && i < l->e->connectors.n; i++) {
        const est_connector *c = l->e->connectors.v[i];
        own = c->dead_letters.s && !strcmp(c->dead_letters.s, name);
    }
    if (!own)
        lower_topic(l, s);
    topic_member(l, s);
}

static void need_connector(lowering *l, const lang_stmt *s)
{
    if (l->produced && !l->by_connector)
        syntax(l, s->span, "this expectation is about a connector, and none had a record before it",
               "write `connector NAME receives …` before it");
}

static void delivered(lowering *l, const lang_stmt *s, const char *is)
{
    expects(l, s, "delivered");
    need_connector(l, s);
    fl_jw_kstring(&l->w, "is", is);
}

static void delivered_equals(lowering *l, const lang_stmt *s)
{
    delivered(l, s, "equals-sent");
}

static void delivered_encrypted(lowering *l, const lang_stmt *s)
{
    delivered(l, s, "encrypted");
    paths(l, s);
}

static void delivered_nothing(lowering *l, const lang_stmt *s)
{
    delivered(l, s, "nothing");
}

static void dead_letters(lowering *l, const lang_stmt *s)
{
    const lang_value *count = lang_get1(s, "count");
    expects(l, s, "dead-letters");
    need_connector(l, s);
    long long n = strtoll(count->name.text, NULL, 10);
    if (n < 0)
        syntax(l, count->span, "a number of records is not negative", NULL);
    fl_jw_kint(&l->w, "count", n);
}

static void refused(lowering *l, const lang_stmt *s)
{
    expects(l, s, "refused");
}

/* ---- walking ---- */

static const struct {
    const char *id;
    void (*fn)(lowering *l, const lang_stmt *s);
} steps[] = {
    {"test.produce", do_produce},
    {"test.produce-from", do_produce},
    {"test.connector", do_connector},
    {"test.connector-from", do_connector},
    {"test.replay", do_replay},
    {"test.tamper", do_tamper},
    {"test.expect-wire-encrypted", wire_encrypted},
    {"test.expect-wire-body-encrypted", wire_encrypted},
    {"test.expect-wire-clear", wire_clear},
    {"test.expect-wire-deterministic", wire_deterministic},
    {"test.expect-reader-sees", reader_sees},
    {"test.expect-reader-sees-everything", reader_everything},
    {"test.expect-reader-fails", reader_fails},
    {"test.expect-reader-sees-encrypted", reader_encrypted},
    {"test.expect-leaks-nothing", leaks},
    {"test.expect-delivered-equals", delivered_equals},
    {"test.expect-delivered-encrypted", delivered_encrypted},
    {"test.expect-delivered-nothing", delivered_nothing},
    {"test.expect-dead-letters", dead_letters},
    {"test.expect-refused", refused},
};

static void line_member(fl_jw *w, fl_span at)
{
    unsigned line = 0, column = 0;
    if (at.src)
        fl_source_place(at.src, at.from, &line, &column);
    fl_jw_kint(w, "line", line);
}

static void one_step(lowering *l, const lang_stmt *s)
{
    size_t i = 0;
    while (i < sizeof steps / sizeof *steps && !lang_is(s, steps[i].id))
        i++;
    if (i == sizeof steps / sizeof *steps) { /* a form that this file does not know yet must not vanish */
        syntax(l, s->span, "this step is not supported", NULL);
        return;
    }
    fl_jw_object(&l->w);
    line_member(&l->w, s->span);
    steps[i].fn(l, s);
    fl_jw_end_object(&l->w);
}

/* Only what has a topic and no path puts records there. */
static bool makes_records(const lang_stmt *s)
{
    return lang_get(s, "topic") && !lang_get(s, "path") && !lang_is(s, "test.expect-leaks-nothing");
}

/* Is refusal expected of the records that step i makes? */
static bool expects_refusal(const lang_block *b, size_t i)
{
    if (!makes_records(b->stmts[i]))
        return false;
    while (++i < b->n && !makes_records(b->stmts[i]))
        if (lang_is(b->stmts[i], "test.expect-refused"))
            return true;
    return false;
}

static void one_test(lowering *l, const lang_stmt *test)
{
    const char *name = lower_slot(l, test, "text");
    l->produced = false;
    l->topic = NULL;
    l->by_connector = false;
    fl_jw_object(&l->w);
    fl_jw_kstring(&l->w, "name", name ? name : "");
    fl_jw_kstring(&l->w, "file", emit_policy_name(l->e, test->span.src->name));
    line_member(&l->w, test->span);
    fl_jw_key(&l->w, "environments");
    fl_jw_null(&l->w);
    fl_jw_key(&l->w, "steps");
    fl_jw_array(&l->w);
    for (size_t i = 0; test->block && i < test->block->n; i++) {
        l->to_be_refused = expects_refusal(test->block, i);
        one_step(l, test->block->stmts[i]);
    }
    fl_jw_end_array(&l->w);
    fl_jw_end_object(&l->w);
}

static void lower_all(lowering *l, fl_buf *out)
{
    fl_jw_init(&l->w, out, true);
    fl_jw_object(&l->w);
    fl_jw_kstring(&l->w, "format", "flec-tests");
    fl_jw_kint(&l->w, "version", 1);
    fl_jw_key(&l->w, "tests");
    fl_jw_array(&l->w);
    for (size_t i = 0; i < l->e->tests.n; i++)
        one_test(l, l->e->tests.v[i]);
    fl_jw_end_array(&l->w);
    fl_jw_end_object(&l->w);
}

void emit_check_tests(const est_estate *e, fl_diags *diags)
{
    lowering l = {.e = e, .arena = e->arena, .diags = diags};
    fl_buf scratch;
    fl_buf_init(&scratch, EMIT_MAX);
    lower_all(&l, &scratch);
    fl_buf_free(&scratch);
}

void emit_tests(emit *m)
{
    lowering l = {.e = m->e, .arena = m->arena, .diags = m->diags, .m = m};
    emit_json j;
    fl_buf_init(&j.buf, EMIT_MAX);
    lower_all(&l, &j.buf);
    emit_end(m, &j, "tests.json");
}
