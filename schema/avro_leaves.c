/* avro_leaves.c: what is known of a leaf's type: can it be encrypted, who cannot read it then, how it is called in a
 * message. */
#include "schema/avro_parser.h"

#include <string.h>

bool sch_is_encryptable(const sch_type *t)
{
    return t->kind == SCH_STRING || t->kind == SCH_BYTES;
}

/* docs/wire.md 6 (uuid, run); decimal as .NET users report it */
static const struct {
    sch_kind kind;
    const char *logical, *who;
} breaking[] = {
    {SCH_STRING, "uuid", "Python (fastavro) and Rust"},
    {SCH_BYTES, "decimal", ".NET"},
};

const char *sch_logical_breaks(const sch_type *t)
{
    for (size_t i = 0; t->logical && i < sizeof breaking / sizeof *breaking; i++) {
        if (t->kind == breaking[i].kind && !strcmp(t->logical, breaking[i].logical))
            return breaking[i].who;
    }
    return NULL;
}

#define MAX_BRANCHES_SHOWN 4
#define MAX_TYPE_TEXT      400

/* A type's kind in the words of its format: JSON Schema has objects, integers and numbers. Avro's records have names,
 * and its numbers say what they are. */
static const char *own_word(const sch_type *t)
{
    const char *kind = sch_kind_name(t->kind), *written = t->node ? fl_json_str(t->node, "type") : NULL;
    bool json = t->node && t->node->kind == FL_JOBJECT && (!written || strcmp(written, kind) != 0);
    if (t->kind == SCH_RECORD)
        return t->name ? kind : "object";
    return !json ? kind : t->kind == SCH_LONG ? "integer" : t->kind == SCH_DOUBLE ? "number" : kind;
}

static void add_text(const sch_type *t, fl_buf *out)
{
    while (t->kind == SCH_ARRAY || t->kind == SCH_MAP) {
        if (!fl_buf_addf(out, "%s of ", sch_kind_name(t->kind)))
            return;
        t = t->item;
    }
    if (t->kind == SCH_UNION) {
        fl_buf_adds(out, "union of ");
        for (size_t i = 0; i < t->nbranches && i < MAX_BRANCHES_SHOWN; i++) {
            fl_buf_adds(out, !i ? "" : i + 1 == t->nbranches ? " and " : ", ");
            add_text(t->branches[i], out);
        }
        if (t->nbranches > MAX_BRANCHES_SHOWN)
            fl_buf_addf(out, " and %zu more", t->nbranches - MAX_BRANCHES_SHOWN);
        return;
    }
    fl_buf_adds(out, own_word(t));
    if (t->name)
        fl_buf_addf(out, " %.200s", t->name);
    if (t->logical)
        fl_buf_addf(out, " (%.60s)", t->logical);
}

const char *sch_type_text(const sch_type *t, fl_arena *a)
{
    fl_buf b;
    fl_buf_init(&b, MAX_TYPE_TEXT);
    add_text(t, &b);
    const char *text = b.full ? fl_printf(a, "%s…", b.p) : fl_strdup(a, b.p);
    fl_buf_free(&b);
    return text;
}
