/* avro_encode.c: a JSON value as an Avro datum. */
#include "schema/avro_walk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/avro_parser.h"
#include "schema/names.h"

/* Values visited inside defaults and attempts at branches of unions: both can multiply (a default {} whose fields have
 * defaults {} …). */
#define MAX_EXPANSION 4000000

typedef struct encoder {
    fl_buf *out;
    sch_bytes_mode bytes;
    sch_value_error *err;
    trail way;
    const fl_json *default_for; /* the record whose field takes its default; NULL outside defaults */
    unsigned attempts;          /* branches being tried that may yet be taken back */
    size_t expansion;
} encoder;

static bool encode(encoder *e, const sch_type *t, const fl_json *v);

static const char *const json_kinds[] = {
    [FL_JNULL] = "null",       [FL_JFALSE] = "false",    [FL_JTRUE] = "true",        [FL_JNUMBER] = "a number",
    [FL_JSTRING] = "a string", [FL_JARRAY] = "an array", [FL_JOBJECT] = "an object",
};

/* Offsets are those of the record's text, so inside a default those of the record that takes it. */
static uint32_t place(const encoder *e, const fl_json *v)
{
    return e->default_for ? e->default_for->from : v->from;
}

static const char *whose(const encoder *e)
{
    return e->default_for ? "the schema's default: " : "";
}

static bool fail(encoder *e, const fl_json *v, const char *why)
{
    return sch_value_fail(e->err, &e->way, place(e, v), "%s%s", whose(e), why);
}

static bool too_large(encoder *e, const fl_json *v)
{
    return sch_value_fail(e->err, &e->way, place(e, v), "the record is larger than %zu bytes", e->out->max);
}

static bool mismatch(encoder *e, const sch_type *t, const fl_json *v)
{
    return sch_value_fail(e->err, &e->way, place(e, v), "%sexpected %s%s%.100s, found %s", whose(e),
                          sch_kind_name(t->kind), t->name ? " " : "", t->name ? t->name : "", json_kinds[v->kind]);
}

/* ---- bytes on the wire ---- */

static bool put(encoder *e, const fl_json *v, const void *p, size_t n)
{
    return fl_buf_add(e->out, p, n) || too_large(e, v);
}

static size_t zigzag(uint8_t out[10], int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
    size_t n = 0;
    for (; u >= 0x80; u >>= 7)
        out[n++] = (uint8_t)(u | 0x80);
    out[n++] = (uint8_t)u;
    return n;
}

static bool put_long(encoder *e, const fl_json *v, int64_t number)
{
    uint8_t b[10];
    return put(e, v, b, zigzag(b, number));
}

/* ---- leaves ---- */

static bool encode_integer(encoder *e, const sch_type *t, const fl_json *v)
{
    int64_t n;
    if (v->kind != FL_JNUMBER)
        return mismatch(e, t, v);
    if (!fl_json_to_int(v, &n))
        return fail(e, v,
                    t->kind == SCH_INT ? "an int is a whole number of 32 bits" : "a long is a whole number of 64 bits");
    if (t->kind == SCH_INT && (n < INT32_MIN || n > INT32_MAX))
        return fail(e, v, "the number does not fit an int (32 bits)");
    return put_long(e, v, n);
}

static bool special(const fl_json *v, double *out)
{
    if (strlen(v->str) != v->len)
        return false;
    if (!strcmp(v->str, "NaN"))
        *out = NAN;
    else if (!strcmp(v->str, "Infinity"))
        *out = INFINITY;
    else if (!strcmp(v->str, "-Infinity"))
        *out = -INFINITY;
    else
        return false;
    return true;
}

static bool encode_real(encoder *e, const sch_type *t, const fl_json *v)
{
    double d;
    bool is_float = t->kind == SCH_FLOAT;
    if (v->kind == FL_JNUMBER) {
        d = is_float ? (double)strtof(v->str, NULL) : strtod(v->str, NULL);
        if (!isfinite(d))
            return fail(e, v, is_float ? "the number does not fit a float" : "the number does not fit a double");
    } else if (v->kind != FL_JSTRING) {
        return mismatch(e, t, v);
    } else if (!special(v, &d)) {
        return fail(e, v, "a text for a float or double is \"NaN\", \"Infinity\" or \"-Infinity\"");
    }
    uint8_t b[8];
    uint64_t bits = 0;
    float f = (float)d;
    memcpy(&bits, is_float ? (void *)&f : (void *)&d, is_float ? sizeof f : sizeof d); /* little-endian hosts only */
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(bits >> (8 * i));
    return put(e, v, b, is_float ? 4 : 8);
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "memcpy of a float into the low bytes");

static bool encode_string(encoder *e, const fl_json *v)
{
    return put_long(e, v, (int64_t)v->len) && put(e, v, v->str, v->len);
}

/* How many bytes a text stands for; SIZE_MAX: it is none. Base64 is decoded only to be sure of its form when it is
 * written. */
static size_t latin1_len(const fl_json *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->len; n++) {
        uint32_t cp;
        i += fl_utf8_next(v->str + i, &cp);
        if (cp > 0xff)
            return SIZE_MAX;
    }
    return n;
}

static void put_latin1(encoder *e, const fl_json *v)
{
    for (size_t i = 0; i < v->len;) {
        uint32_t cp;
        i += fl_utf8_next(v->str + i, &cp);
        e->out->p[e->out->len++] = (char)cp;
    }
}

static size_t base64_len(const fl_json *v)
{
    if (v->len % 4)
        return SIZE_MAX;
    size_t pad = 0;
    while (pad < 2 && pad < v->len && v->str[v->len - 1 - pad] == '=')
        pad++;
    return v->len / 4 * 3 - pad;
}

/* The content of bytes or fixed. t decides whether its length is written or must be met. */
static bool encode_binary(encoder *e, const sch_type *t, const fl_json *v)
{
    if (v->kind != FL_JSTRING)
        return mismatch(e, t, v);
    bool base64 = e->bytes == SCH_BYTES_BASE64 && !e->default_for;
    const char *form = base64 ? "bytes are written in base64 here (standard alphabet, with padding)"
                              : "bytes are written as text of U+0000 to U+00FF, one a byte";
    size_t n = base64 ? base64_len(v) : latin1_len(v);
    if (n == SIZE_MAX)
        return fail(e, v, form);
    if (t->kind == SCH_FIXED && n != t->size)
        return sch_value_fail(e->err, &e->way, place(e, v), "%s%.100s has %zu bytes, found %zu", whose(e), t->name,
                              t->size, n);
    if (t->kind == SCH_BYTES && !put_long(e, v, (int64_t)n))
        return false;
    if (!fl_buf_reserve(e->out, base64 ? FL_B64_ROOM(v->len) : n))
        return too_large(e, v);
    if (!base64)
        put_latin1(e, v);
    else if (fl_b64_decode((uint8_t *)e->out->p + e->out->len, v->str, v->len, FL_B64_STRICT) != (ptrdiff_t)n)
        return fail(e, v, form);
    else
        e->out->len += n;
    if (e->out->cap)
        e->out->p[e->out->len] = '\0';
    return true;
}

static bool find_symbol(const sch_type *t, const fl_json *v, size_t *out)
{
    for (size_t i = 0; i < t->nsymbols; i++) {
        if (strlen(v->str) == v->len && !strcmp(t->symbols[i], v->str)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool encode_enum(encoder *e, const sch_type *t, const fl_json *v)
{
    size_t i;
    if (v->kind != FL_JSTRING)
        return mismatch(e, t, v);
    if (!find_symbol(t, v, &i))
        return fail(e, v, "the text is no symbol of the enum");
    return put_long(e, v, (int64_t)i);
}

/* ---- containers ---- */

static bool enter(encoder *e, const fl_json *v, trail_step **step)
{
    if (e->way.n == SCH_VALUE_MAX_DEPTH)
        return fail(e, v, "records, arrays and maps are nested too deeply");
    *step = &e->way.v[e->way.n++];
    **step = (trail_step){.index = -1};
    return true;
}

/* A member by name, looked for first where the last one ended: records are mostly written in schema order. */
static const fl_json *member(const fl_json *object, const char *name, const fl_json **hint)
{
    const fl_json *m = *hint && !strcmp((*hint)->key, name) ? *hint : fl_json_get(object, name);
    if (m)
        *hint = m->next;
    return m;
}

static bool encode_default(encoder *e, const sch_field *f, const fl_json *record)
{
    if (!f->fallback)
        return fail(e, record, "the field is missing and has no default");
    const fl_json *outer = e->default_for;
    if (!outer)
        e->default_for = record;
    bool ok = encode(e, f->type, f->fallback);
    e->default_for = outer;
    return ok;
}

static bool is_field(const sch_type *t, const char *name)
{
    for (size_t i = 0; i < t->nfields; i++) {
        if (!strcmp(t->fields[i].name, name))
            return true;
    }
    return false;
}

/* Of the first member that is no field. */
static bool unknown_member(encoder *e, const sch_type *t, const fl_json *v)
{
    const fl_json *m = v->child;
    if (!e->err) /* an attempt at a branch */
        return false;
    while (m->next && is_field(t, m->key))
        m = m->next;
    char why[sizeof e->err->message];
    const char **names = fl_xcalloc(t->nfields + 1, sizeof *names);
    for (size_t i = 0; i < t->nfields; i++)
        names[i] = t->fields[i].name;
    sch_unknown_name(why, sizeof why, t->name, m->key, m->key_from, names, t->nfields);
    free(names);
    return sch_value_fail(e->err, &e->way, e->default_for ? place(e, v) : m->key_from, "%s%s", whose(e), why);
}

static bool encode_record(encoder *e, const sch_type *t, const fl_json *v)
{
    trail_step *step = NULL;
    if (v->kind != FL_JOBJECT)
        return mismatch(e, t, v);
    if (!enter(e, v, &step))
        return false;
    const fl_json *hint = v->child;
    size_t used = 0;
    for (size_t i = 0; i < t->nfields; i++) {
        const sch_field *f = step->field = &t->fields[i];
        const fl_json *m = member(v, f->name, &hint);
        used += m != NULL;
        if (!(m ? encode(e, f->type, m) : encode_default(e, f, v)))
            return false;
    }
    e->way.n--;
    return used == v->count || unknown_member(e, t, v);
}

static bool encode_items(encoder *e, const sch_type *t, const fl_json *v)
{
    trail_step *step = NULL;
    bool map = t->kind == SCH_MAP;
    if (v->kind != (map ? FL_JOBJECT : FL_JARRAY))
        return mismatch(e, t, v);
    if (!enter(e, v, &step))
        return false;
    if (v->count && !put_long(e, v, (int64_t)v->count))
        return false;
    int64_t index = 0;
    for (const fl_json *item = v->child; item; item = item->next) {
        step->index = map ? -1 : index++;
        if (map && !(put_long(e, item, (int64_t)strlen(item->key)) && put(e, item, item->key, strlen(item->key))))
            return false;
        if (!encode(e, t->item, item))
            return false;
    }
    e->way.n--;
    return put_long(e, v, 0);
}

/* ---- unions ---- */

static bool encode_branch(encoder *e, const sch_type *t, size_t i, const fl_json *v)
{
    return put_long(e, v, (int64_t)i) && encode(e, t->branches[i], v);
}

/* As encode_branch, but a failure leaves no trace. */
static bool try_branch(encoder *e, const sch_type *t, size_t i, const fl_json *v)
{
    size_t len = e->out->len, depth = e->way.n;
    sch_value_error *err = e->err;
    e->err = NULL;
    e->attempts++;
    bool ok = encode_branch(e, t, i, v);
    e->attempts--;
    e->err = err;
    if (!ok) {
        e->out->len = len;
        e->way.n = (unsigned)depth;
    }
    return ok;
}

/* Kinds that can take a JSON string, in order of preference. */
static const sch_kind text_kinds[] = {SCH_STRING, SCH_ENUM, SCH_BYTES, SCH_FIXED, SCH_FLOAT, SCH_DOUBLE};

static bool is_one_of(sch_kind k, const sch_kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (k == kinds[i])
            return true;
    }
    return false;
}

static bool try_kinds(encoder *e, const sch_type *t, const fl_json *v, const sch_kind *kinds, size_t n)
{
    for (size_t i = 0; i < t->nbranches; i++) {
        if (is_one_of(t->branches[i]->kind, kinds, n) && try_branch(e, t, i, v))
            return true;
    }
    return false;
}

static bool try_text(encoder *e, const sch_type *t, const fl_json *v)
{
    for (size_t k = 0; k < sizeof text_kinds / sizeof *text_kinds; k++) {
        if (try_kinds(e, t, v, &text_kinds[k], 1))
            return true;
    }
    return false;
}

static bool try_plain(encoder *e, const sch_type *t, const fl_json *v)
{
    static const sch_kind of_null[] = {SCH_NULL}, of_bool[] = {SCH_BOOLEAN}, of_array[] = {SCH_ARRAY},
                          of_number[] = {SCH_INT, SCH_LONG, SCH_FLOAT, SCH_DOUBLE}, of_object[] = {SCH_RECORD, SCH_MAP};
    switch (v->kind) {
    case FL_JNULL:
        return try_kinds(e, t, v, of_null, 1);
    case FL_JFALSE:
    case FL_JTRUE:
        return try_kinds(e, t, v, of_bool, 1);
    case FL_JNUMBER:
        return try_kinds(e, t, v, of_number, 4);
    case FL_JSTRING:
        return try_text(e, t, v);
    case FL_JARRAY:
        return try_kinds(e, t, v, of_array, 1);
    default:
        return try_kinds(e, t, v, of_object, 2);
    }
}

/* {"branch name": value}; false if it is not that form at all. */
static bool tagged_branch(const sch_type *t, const fl_json *v, size_t *out)
{
    if (v->kind != FL_JOBJECT || v->count != 1)
        return false;
    for (size_t i = 0; i < t->nbranches; i++) {
        const sch_type *b = t->branches[i];
        if (!strcmp(b->name ? b->name : sch_kind_name(b->kind), v->child->key)) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* The branches that a value of this JSON kind could mean: if it is only one, its own error says most. */
static size_t plain_branches(const sch_type *t, const fl_json *v, size_t *only)
{
    size_t n = 0;
    for (size_t i = 0; i < t->nbranches; i++) {
        sch_kind k = t->branches[i]->kind;
        bool could = v->kind == FL_JOBJECT   ? k == SCH_RECORD || k == SCH_MAP
                     : v->kind == FL_JARRAY  ? k == SCH_ARRAY
                     : v->kind == FL_JNUMBER ? k >= SCH_INT && k <= SCH_DOUBLE
                     : v->kind == FL_JSTRING ? is_one_of(k, text_kinds, sizeof text_kinds / sizeof *text_kinds)
                     : v->kind == FL_JNULL   ? k == SCH_NULL
                                             : k == SCH_BOOLEAN;
        if (!could)
            continue;
        n++;
        *only = i;
    }
    return n;
}

static bool encode_union(encoder *e, const sch_type *t, const fl_json *v)
{
    size_t only = 0, tagged = 0;
    size_t n = plain_branches(t, v, &only);
    bool is_tagged = tagged_branch(t, v, &tagged);
    if (n == 1 && !is_tagged)
        return encode_branch(e, t, only, v);
    if (n && try_plain(e, t, v))
        return true;
    if (is_tagged)
        return encode_branch(e, t, tagged, v->child);
    if (e->out->full)
        return too_large(e, v);
    if (e->expansion > MAX_EXPANSION)
        return fail(e, v, "the unions in it can be read in too many ways");
    if (n)
        return fail(e, v, "no branch of the union takes this value whole; {\"branch name\": value} names one");
    return sch_value_fail(e->err, &e->way, place(e, v), "%sno branch of the union takes %s", whose(e),
                          json_kinds[v->kind]);
}

/* ---- any value ---- */

static bool encode_boolean(encoder *e, const sch_type *t, const fl_json *v)
{
    if (v->kind != FL_JTRUE && v->kind != FL_JFALSE)
        return mismatch(e, t, v);
    return put(e, v, v->kind == FL_JTRUE ? "\1" : "\0", 1);
}

static bool encode_leaf(encoder *e, const sch_type *t, const fl_json *v)
{
    switch (t->kind) {
    case SCH_NULL:
        return v->kind == FL_JNULL || mismatch(e, t, v);
    case SCH_BOOLEAN:
        return encode_boolean(e, t, v);
    case SCH_INT:
    case SCH_LONG:
        return encode_integer(e, t, v);
    case SCH_FLOAT:
    case SCH_DOUBLE:
        return encode_real(e, t, v);
    case SCH_STRING:
        return v->kind == FL_JSTRING ? encode_string(e, v) : mismatch(e, t, v);
    case SCH_ENUM:
        return encode_enum(e, t, v);
    default: /* bytes, fixed */
        return encode_binary(e, t, v);
    }
}

static bool encode(encoder *e, const sch_type *t, const fl_json *v)
{
    if ((e->default_for || e->attempts) && ++e->expansion > MAX_EXPANSION)
        return fail(e, v,
                    e->default_for ? "defaults of defaults expand without end"
                                   : "the unions can be read in too many ways");
    switch (t->kind) {
    case SCH_RECORD:
        return encode_record(e, t, v);
    case SCH_ARRAY:
    case SCH_MAP:
        return encode_items(e, t, v);
    case SCH_UNION:
        return encode_union(e, t, v);
    default:
        return encode_leaf(e, t, v);
    }
}

bool sch_json_to_avro_type(const sch_type *t, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                           sch_value_error *err)
{
    size_t start = out->len;
    bool full = out->full;
    encoder e = {.out = out, .bytes = mode, .err = err};
    if (encode(&e, t, value))
        return true;
    if (out->cap)
        out->p[start] = '\0';
    out->len = start;
    out->full = full;
    return false;
}

bool sch_json_to_avro(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out, sch_value_error *err)
{
    return sch_json_to_avro_type(s->root, value, mode, out, err);
}
