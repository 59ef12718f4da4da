/* proto_tags.c: `(confluent.field_meta).tags` written into the original bytes of a .proto text. Each tag is an option
 * of its own, behind those that are there: every client merges them (Java: ProtobufSchema.mergeOptions). */
#include "schema/proto.h"

#include <stdlib.h>
#include <string.h>

typedef struct change { /* one field with what it lacks */
    const sch_field *field;
    const char **tags; /* sorted, unique */
    size_t n;
} change;

/* ---- what is to be written ---- */

static bool has(const sch_field *f, const char *tag)
{
    for (size_t i = 0; i < f->ntags; i++)
        if (!strcmp(f->tags[i], tag))
            return true;
    return false;
}

static int by_field(const void *x, const void *y)
{
    const sch_edit *a = x, *b = y;
    return a->field->at < b->field->at ? -1 : a->field->at > b->field->at;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void collect(change *c, const sch_edit *e)
{
    c->tags = fl_xrealloc(c->tags, (c->n + e->ntags + 1) * sizeof *c->tags);
    for (size_t i = 0; i < e->ntags; i++)
        if (!has(e->field, e->tags[i]))
            c->tags[c->n++] = e->tags[i];
    if (!c->n)
        return;
    qsort(c->tags, c->n, sizeof *c->tags, by_text);
    size_t kept = 1;
    for (size_t i = 1; i < c->n; i++)
        if (strcmp(c->tags[i], c->tags[kept - 1]))
            c->tags[kept++] = c->tags[i];
    c->n = kept;
}

/* Edits as changes, one a field, by place; edits of referred files are none. */
static size_t plan(const sch_edit *edits, size_t n, change *out)
{
    sch_edit *own = fl_xcalloc(n + 1, sizeof *own);
    size_t nown = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        if (!sch_is_foreign(edits[i].field))
            own[nown++] = edits[i];
    if (nown > 1)
        qsort(own, nown, sizeof *own, by_field);
    for (size_t i = 0; i < nown; i++) {
        if (!count || out[count - 1].field != own[i].field)
            out[count++] = (change){.field = own[i].field};
        collect(&out[count - 1], &own[i]);
    }
    free(own);
    return count;
}

/* ---- the text ---- */

typedef struct writer {
    const sch_schema *s;
    fl_buf *out;
    uint32_t at;      /* up to here the text is copied */
    const char *open; /* "(confluent", or "(.confluent" where something else may go by that name */
} writer;

static void copy_to(writer *w, uint32_t to)
{
    fl_buf_add(w->out, w->s->text + w->at, to - w->at);
    w->at = to;
}

static void add_text(fl_buf *out, const char *s)
{
    fl_buf_addc(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fl_buf_addf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            fl_buf_addf(out, "\\%03o", c);
        else
            fl_buf_addc(out, *s);
    }
    fl_buf_addc(out, '"');
}

static void add_options(writer *w, const change *c, bool more)
{
    for (size_t i = 0; i < c->n; i++) {
        fl_buf_adds(w->out, more || i ? ", " : "");
        fl_buf_addf(w->out, "%s.field_meta).tags = ", w->open);
        add_text(w->out, c->tags[i]);
    }
}

/* Behind the number of a field's declaration: its options, or what ends it. */
static bool find_number(proto_scan *scan, proto_token *number)
{
    proto_token t;
    do
        t = sch_proto_token(scan);
    while (t.kind != PROTO_END && !sch_proto_is(scan, t, "="));
    *number = sch_proto_token(scan);
    return number->kind == PROTO_NUMBER;
}

/* The last token before the bracket that closes the options; the opening one is read. */
static bool last_option(proto_scan *scan, proto_token *last)
{
    size_t depth = 1;
    proto_token t = {.kind = PROTO_SIGN};
    for (;;) {
        *last = t;
        t = sch_proto_token(scan);
        if (t.kind == PROTO_END)
            return false;
        depth += sch_proto_is(scan, t, "[");
        depth -= sch_proto_is(scan, t, "]");
        if (!depth)
            return last->to != 0;
    }
}

static bool write_change(writer *w, const change *c)
{
    proto_scan scan = {w->s->text, c->field->at, c->field->to};
    proto_token number, last;
    if (c->field->to <= c->field->at || !find_number(&scan, &number))
        return false;
    if (!sch_proto_is(&scan, sch_proto_token(&scan), "[")) {
        copy_to(w, number.to);
        fl_buf_adds(w->out, " [");
        add_options(w, c, false);
        fl_buf_addc(w->out, ']');
        return true;
    }
    if (!last_option(&scan, &last))
        return false;
    copy_to(w, last.to);
    add_options(w, c, true);
    return true;
}

/* ---- the import ---- */

static bool imported(const sch_schema *s)
{
    const proto_file *f = s->proto->file;
    for (size_t i = 0; i < f->nimports; i++)
        if (!strcmp(f->imports[i], PROTO_META_IMPORT))
            return true;
    return false;
}

static bool is_any(const proto_scan *scan, proto_token t, const char *const *words)
{
    while (*words && !sch_proto_is(scan, t, *words))
        words++;
    return *words != NULL;
}

/* Where the head of the file ends: behind its last import, else behind its syntax and package; 0: it has none of them.
 * Before the first definition, so before every field. */
static uint32_t head_end(const sch_schema *s)
{
    static const char *const head[] = {"syntax", "package", "import", NULL};
    static const char *const definition[] = {"message", "enum", "service", "extend", NULL};
    proto_scan scan = {s->text, 0, (uint32_t)s->len};
    uint32_t end = 0;
    size_t depth = 0;
    bool import = false; /* one was met */
    for (proto_token t = sch_proto_token(&scan); t.kind != PROTO_END && !is_any(&scan, t, definition);) {
        bool now = is_any(&scan, t, head), is_import = sch_proto_is(&scan, t, "import");
        while (t.kind != PROTO_END && (depth || !sch_proto_is(&scan, t, ";"))) { /* an option may hold braces */
            depth += sch_proto_is(&scan, t, "{");
            depth -= depth && sch_proto_is(&scan, t, "}");
            t = sch_proto_token(&scan);
        }
        if (now && (is_import || !import))
            end = t.to;
        import |= is_import;
        t = sch_proto_token(&scan);
    }
    return end;
}

/* To the end of the line, if nothing but spaces and a comment stands there. */
static uint32_t line_end(const sch_schema *s, uint32_t at)
{
    uint32_t end = at;
    while (end < s->len && (s->text[end] == ' ' || s->text[end] == '\t'))
        end++;
    if (end + 1 < s->len && s->text[end] == '/' && s->text[end + 1] == '/')
        while (end < s->len && s->text[end] != '\n' && s->text[end] != '\r')
            end++;
    return end == s->len || s->text[end] == '\n' || s->text[end] == '\r' ? end : at;
}

static void write_import(writer *w)
{
    const char *line = memmem(w->s->text, w->s->len, "\r\n", 2) ? "\r\n" : "\n";
    uint32_t end = head_end(w->s);
    if (!end) {
        fl_buf_addf(w->out, "import \"%s\";%s", PROTO_META_IMPORT, line);
        return;
    }
    copy_to(w, line_end(w->s, end));
    fl_buf_addf(w->out, "%simport \"%s\";", line, PROTO_META_IMPORT);
}

/* Does the text use the name for something of its own, so that it means that one inside? */
static bool names_confluent(const sch_schema *s)
{
    proto_scan scan = {s->text, 0, (uint32_t)s->len};
    proto_token before = {.kind = PROTO_END};
    if (strstr(s->proto->file->package, "confluent"))
        return true;
    for (proto_token t = sch_proto_token(&scan); t.kind != PROTO_END; t = sch_proto_token(&scan)) {
        if (sch_proto_is(&scan, t, "confluent") && !sch_proto_is(&scan, before, "(") &&
            !sch_proto_is(&scan, before, "."))
            return true;
        before = t;
    }
    return false;
}

void sch_proto_write_tags(const sch_schema *s, const sch_edit *edits, size_t n, fl_buf *out)
{
    change *changes = fl_xcalloc(n + 1, sizeof *changes);
    size_t count = plan(edits, n, changes), missing = 0;
    writer w = {.s = s, .out = out, .open = names_confluent(s) ? "(.confluent" : "(confluent"};
    for (size_t i = 0; i < count; i++)
        missing += changes[i].n;
    if (missing && !imported(s))
        write_import(&w);
    for (size_t i = 0; i < count; i++)
        if (changes[i].n && !write_change(&w, &changes[i]))
            out->full = true; /* a tag that cannot be written must not get lost */
    copy_to(&w, (uint32_t)s->len);
    for (size_t i = 0; i < count; i++)
        free(changes[i].tags);
    free(changes);
}
