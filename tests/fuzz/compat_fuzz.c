/* compat_fuzz.c: two schemas, `a` for Avro or `j` for JSON Schema before them and a zero byte between them, are
 * compared at all levels. A schema follows itself; what the newer cannot read of the older is what FORWARD says from
 * the other end; places lie inside the texts; the bounds hold. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/compat.h"
#include "tests/fuzz/must.h"

static sch_schema *read_schema(fl_arena *a, bool json, const char *text, size_t len)
{
    sch_error err;
    fl_json_error bad;
    if (!json)
        return sch_avro_parse(a, "fuzz", text, len, NULL, 0, &err);
    const fl_json *root = fl_json_parse(a, text, len, FL_JSON_ALLOW_NUL, &bad);
    sch_schema *s = FL_NEW(a, sch_schema); /* also what the parser would refuse */
    *s = (sch_schema){.format = SCH_JSON, .name = "fuzz", .text = text, .len = len, .json = root};
    return root ? s : NULL;
}

static void check_findings(const sch_compatibility *c, bool ok, const sch_schema *newer, const sch_schema *older)
{
    MUST(ok == (!c->list.n && !c->undecided));
    for (size_t i = 0; i < c->list.n; i++) {
        const sch_incompatibility *f = &c->list.v[i];
        MUST(*f->type && *f->path && *f->message);
        MUST(f->newer.from <= f->newer.to && f->newer.to <= newer->len);
        MUST(f->older.from <= f->older.to && f->older.to <= older->len);
    }
}

/* A field of Avro that has two names of another is ambiguous even for itself. */
static void check_itself(fl_arena *a, const sch_schema *s)
{
    sch_compatibility c;
    sch_compatible(a, SCH_FULL, s, &s, 1, &c);
    for (size_t i = 0; i < c.list.n; i++)
        MUST(s->format == SCH_AVRO);
}

static void check_pair(fl_arena *a, const sch_schema *older, const sch_schema *newer)
{
    sch_compatibility back, forth;
    for (int level = SCH_NONE; level <= SCH_FULL_TRANSITIVE; level++) {
        const sch_schema *history[] = {older, newer};
        bool ok = sch_compatible(a, (sch_level)level, newer, history, 2, &back);
        check_findings(&back, ok, newer, newer->len < older->len ? older : newer);
    }
    bool ok = sch_compatible(a, SCH_BACKWARD, newer, &older, 1, &back);
    check_findings(&back, ok, newer, older);
    MUST(sch_compatible(a, SCH_FORWARD, older, &newer, 1, &forth) == ok && forth.list.n == back.list.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    if (!zero || (data[0] != 'a' && data[0] != 'j'))
        return 0;
    fl_arena *a = fl_arena_new();
    size_t len = (size_t)(zero - data) - 1, rest = size - len - 2;
    const char *first = fl_strndup(a, (const char *)data + 1, len),
               *second = fl_strndup(a, (const char *)zero + 1, rest);
    sch_schema *older = read_schema(a, data[0] == 'j', first, len),
               *newer = read_schema(a, data[0] == 'j', second, rest);
    if (older)
        check_itself(a, older);
    if (older && newer)
        check_pair(a, older, newer);
    fl_arena_free(a);
    return 0;
}
