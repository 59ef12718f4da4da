/* proto_text_parts.c: of the text of a .proto file the smaller parts: what is read of a descriptor, words, options. */
#include "schema/proto_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A descriptor of 1,000 messages with 50 fields each takes a tenth of it; a hostile one must not take minutes. */
#define MOST_WORK ((size_t)50 << 20)

void proto_text_refuse(proto_printer *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!p->failed)
        vsnprintf(p->message, 256, fmt, ap);
    va_end(ap);
    p->failed = true;
}

bool proto_text_work(proto_printer *p, size_t more)
{
    p->work += more;
    if (p->work > MOST_WORK || p->out->full)
        proto_text_refuse(p, "the descriptor is too large");
    return !p->failed;
}

/* ---- reading ---- */

/* The next item of that number; false at the end. What is no message is refused. */
bool proto_text_next(proto_printer *p, proto_wire *w, uint32_t number, proto_item *out)
{
    int more;
    while (!p->failed && (more = proto_next(w, out)) != 0) {
        if (more < 0)
            proto_text_refuse(p, "the descriptor is damaged");
        else if (proto_text_work(p, 1) && out->number == number)
            return true;
    }
    return false;
}

/* The last item of that number counts. */
bool proto_text_find(proto_printer *p, proto_wire w, uint32_t number, proto_item *out)
{
    proto_item item;
    bool found = false;
    while (proto_text_next(p, &w, number, &item)) {
        *out = item;
        found = true;
    }
    return found;
}

int64_t proto_text_number(proto_printer *p, proto_wire w, uint32_t number, int64_t otherwise)
{
    proto_item item;
    return proto_text_find(p, w, number, &item) && item.kind == PROTO_VARINT ? (int64_t)item.value : otherwise;
}

/* NULL: not there. Zero bytes and what is not UTF-8 are refused. */
const char *proto_text_string(proto_printer *p, const proto_item *item)
{
    size_t bad;
    p->work += item->n;
    if (item->kind == PROTO_BYTES && !memchr(item->p, 0, item->n) && fl_utf8_ok((const char *)item->p, item->n, &bad))
        return fl_strndup(p->a, (const char *)item->p, item->n);
    proto_text_refuse(p, "the descriptor holds a text that is none");
    return "";
}

const char *proto_text_of(proto_printer *p, proto_wire w, uint32_t number)
{
    proto_item item;
    return proto_text_find(p, w, number, &item) ? proto_text_string(p, &item) : NULL;
}

/* A name, or with dots several: what else it held would be read as something else. */
const char *proto_text_name(proto_printer *p, proto_wire w, uint32_t number, bool dots)
{
    const char *name = proto_text_of(p, w, number);
    for (const char *c = name ? name : ""; *c; c++)
        if (!(*c == '_' || (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') ||
              (dots && *c == '.')))
            proto_text_refuse(p, "the descriptor holds a name that is none");
    if (!name || !*name)
        proto_text_refuse(p, "the descriptor lacks a name");
    return name ? name : "";
}

/* ---- writing ---- */

void proto_text_say(proto_printer *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fl_buf_vaddf(p->out, fmt, ap);
    va_end(ap);
}

void proto_text_indent(proto_printer *p, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        fl_buf_adds(p->out, "  ");
}

static void quoted(proto_printer *p, const uint8_t *s, size_t n)
{
    fl_buf_addc(p->out, '"');
    for (size_t i = 0; i < n; i++)
        if (s[i] == '"' || s[i] == '\\')
            fl_buf_addf(p->out, "\\%c", s[i]);
        else if (s[i] < 0x20 || s[i] == 0x7f)
            fl_buf_addf(p->out, "\\%03o", s[i]);
        else
            fl_buf_addc(p->out, (char)s[i]);
    fl_buf_addc(p->out, '"');
}

void proto_text_quoted(proto_printer *p, const char *s)
{
    quoted(p, (const uint8_t *)s, strlen(s));
}

/* ---- options ---- */

void proto_text_option(proto_printer *p, proto_option_list *l)
{
    if (!l->brackets) {
        proto_text_indent(p, l->depth);
        fl_buf_adds(p->out, "option ");
    } else {
        fl_buf_adds(p->out, l->n ? ", " : " [");
    }
    l->n++;
}

static void end_option(proto_printer *p, const proto_option_list *l)
{
    if (!l->brackets)
        fl_buf_adds(p->out, ";\n");
}

static void meta_params(proto_printer *p, proto_wire meta, unsigned depth, bool *any)
{
    proto_item entry, key, value;
    bool first = true;
    while (proto_text_next(p, &meta, 2, &entry)) {
        fl_buf_adds(p->out, first ? (*any ? ",\n" : "\n") : ",\n");
        proto_text_indent(p, depth + 1 + !first);
        if (first)
            fl_buf_adds(p->out, "params: [\n");
        if (first)
            proto_text_indent(p, depth + 2);
        first = false;
        *any = true;
        fl_buf_adds(p->out, "{ key: ");
        proto_text_quoted(p, proto_text_find(p, proto_inside(&entry), 1, &key) ? proto_text_string(p, &key) : "");
        fl_buf_adds(p->out, ", value: ");
        proto_text_quoted(p, proto_text_find(p, proto_inside(&entry), 2, &value) ? proto_text_string(p, &value) : "");
        fl_buf_adds(p->out, " }");
    }
    if (!first) {
        fl_buf_addc(p->out, '\n');
        proto_text_indent(p, depth + 1);
        fl_buf_addc(p->out, ']');
    }
}

static void meta_tags(proto_printer *p, proto_wire meta, unsigned depth, bool *any)
{
    proto_item tag;
    bool first = true;
    while (proto_text_next(p, &meta, 3, &tag)) {
        if (first) {
            fl_buf_adds(p->out, *any ? ",\n" : "\n");
            proto_text_indent(p, depth + 1);
            fl_buf_adds(p->out, "tags: [\n");
        } else {
            fl_buf_adds(p->out, ",\n");
        }
        first = false;
        *any = true;
        proto_text_indent(p, depth + 2);
        proto_text_quoted(p, proto_text_string(p, &tag));
    }
    if (!first) {
        fl_buf_addc(p->out, '\n');
        proto_text_indent(p, depth + 1);
        fl_buf_addc(p->out, ']');
    }
}

/* `(confluent.field_meta) = { … }`: doc, params, tags. */
static void print_meta(proto_printer *p, const proto_options *kind, proto_wire meta, proto_option_list *l)
{
    bool any = false;
    const char *doc = proto_text_of(p, meta, 1);
    proto_text_option(p, l);
    proto_text_say(p, "(confluent.%s_meta) = {", kind->meta);
    if (doc) {
        fl_buf_addc(p->out, '\n');
        proto_text_indent(p, l->depth + 1);
        fl_buf_adds(p->out, "doc: ");
        proto_text_quoted(p, doc);
        any = true;
    }
    meta_params(p, meta, l->depth, &any);
    meta_tags(p, meta, l->depth, &any);
    if (any) {
        fl_buf_addc(p->out, '\n');
        proto_text_indent(p, l->depth);
    }
    fl_buf_addc(p->out, '}');
    end_option(p, l);
}

static void print_option(proto_printer *p, const proto_options *kind, const proto_item *item, proto_option_list *l)
{
    const proto_option *o = sch_proto_option(kind, item->number);
    if (!o || item->kind != (o->type == PROTO_OPTION_TEXT ? PROTO_BYTES : PROTO_VARINT) ||
        (o->type == PROTO_OPTION_WORD && !sch_proto_option_word(o, item->value))) {
        proto_text_refuse(p, "the descriptor uses option %u of a %s, which is not known here", item->number,
                          kind->name);
        return;
    }
    proto_text_option(p, l);
    proto_text_say(p, "%s = ", o->name);
    if (o->type == PROTO_OPTION_TEXT)
        proto_text_quoted(p, proto_text_string(p, item));
    else if (o->type == PROTO_OPTION_FLAG)
        fl_buf_adds(p->out, item->value ? "true" : "false");
    else
        fl_buf_adds(p->out, sch_proto_option_word(o, item->value));
    end_option(p, l);
}

/* The options of a declaration, at its number `at`. */
void proto_text_options(proto_printer *p, const proto_options *kind, proto_wire of, uint32_t at, proto_option_list *l)
{
    proto_item options, item;
    fl_buf meta;
    bool has_meta = false;
    fl_buf_init(&meta, PROTO_MAX_SET);
    while (proto_text_next(p, &of, at, &options)) {
        proto_wire w = proto_inside(&options);
        int more = 0;
        while (!p->failed && (more = proto_next(&w, &item)) == 1)
            if (item.number == PROTO_META_NUMBER && kind->meta && item.kind == PROTO_BYTES) {
                fl_buf_add(&meta, item.p, item.n); /* several are one */
                has_meta = true;
            } else if (!(kind->skip && item.number == kind->skip)) {
                print_option(p, kind, &item, l);
            }
        if (more < 0 || options.kind != PROTO_BYTES)
            proto_text_refuse(p, "the descriptor is damaged");
    }
    if (has_meta && !p->failed)
        print_meta(p, kind, (proto_wire){(const uint8_t *)meta.p, (const uint8_t *)meta.p + meta.len}, l);
    fl_buf_free(&meta);
}
