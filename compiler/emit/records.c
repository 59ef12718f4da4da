/* records.c: records of tests, as far as they can be judged without encoding them. The engine judges those of the
 * formats that it runs; these are the others. */
#include <ctype.h>
#include <string.h>

#include "compiler/emit/lower.h"

#define RECORDS_MAX (64u << 20) /* bytes of a fixture */

static bool judged_here(const est_side *s)
{
    return (s->format == EST_JSON || s->format == EST_PROTOBUF) && s->schema;
}

/* ---- one side of a record ---- */

/* Is `name` a field's name as Protobuf's JSON has it: as it is declared, or with each `_x` an `X`? */
static bool json_name(const char *name, const char *field)
{
    if (!strcmp(name, field))
        return true;
    for (; *field; field++) {
        char c = *field;
        if (c == '_') {
            c = *++field;
            if (!c)
                break;
            c = (char)toupper((unsigned char)c);
        }
        if (*name++ != c)
            return false;
    }
    return !*name;
}

static bool has_field(const sch_type *message, const char *name)
{
    for (size_t i = 0; i < message->nfields; i++)
        if (json_name(name, message->fields[i].name))
            return true;
    return false;
}

/* What is wrong with it, NULL for nothing. */
static const char *wrong(lowering *l, const est_side *s, const fl_json *j)
{
    const sch_type *root = s->schema->root;
    if (j->kind == FL_JNULL || root->kind != SCH_RECORD) /* a tombstone */
        return NULL;
    if (j->kind != FL_JOBJECT)
        return fl_printf(l->arena, "the %s of %s is an object", est_side_name(s), s->topic->name.s);
    for (const fl_json *m = j->child; s->format == EST_PROTOBUF && m; m = m->next)
        if (!has_field(root, m->key))
            return fl_printf(l->arena, "the message %s has no field %s", root->name, m->key);
    return NULL;
}

static void judge(lowering *l, fl_span at, const est_side *s, const fl_json *j, const char *where)
{
    const char *why = j && judged_here(s) ? wrong(l, s, j) : NULL;
    if (why)
        fl_diag_add(l->diags, "syntax", FL_ERROR, at, "%s%s", where, why);
}

void lower_check_record(lowering *l, fl_span at, const est_side *s, const char *json, size_t len)
{
    fl_json_error e;
    if (judged_here(s))
        judge(l, at, s, fl_json_parse(l->arena, json, len, FL_JSON_ALLOW_NUL, &e), "");
}

/* ---- fixtures ---- */

static bool is_envelope(const char *name)
{
    static const char ending[] = ".envelope.jsonl";
    size_t n = strlen(name), m = sizeof ending - 1;
    return n >= m && !strcmp(name + n - m, ending);
}

/* One report a fixture: what is wrong in one line is often wrong in all. */
static bool line(lowering *l, fl_span at, const char *name, size_t number, const char *text, size_t len)
{
    fl_json_error e;
    size_t errors = l->diags->errors;
    const char *where = fl_printf(l->arena, "%s:%zu: ", name, number);
    const fl_json *j = fl_json_parse(l->arena, text, len, FL_JSON_ALLOW_NUL, &e);
    if (!j)
        fl_diag_add(l->diags, "syntax", FL_ERROR, at, "%s%s", where, e.message);
    else if (!is_envelope(name))
        judge(l, at, &l->topic->value, j, where);
    else if (j->kind != FL_JOBJECT || !fl_json_get(j, "value"))
        fl_diag_add(l->diags, "syntax", FL_ERROR, at, "%san envelope is an object with a value", where);
    else {
        judge(l, at, &l->topic->key, fl_json_get(j, "key"), where);
        judge(l, at, &l->topic->value, fl_json_get(j, "value"), where);
    }
    return l->diags->errors == errors;
}

void lower_check_fixture(lowering *l, fl_span at, const char *name)
{
    const char *source = NULL;
    char *text;
    size_t len, number = 0;
    for (size_t i = 0; i < l->fixtures.n; i++)
        if (!strcmp(l->fixtures.v[i].name, name))
            source = l->fixtures.v[i].source;
    bool here = judged_here(&l->topic->key) || judged_here(&l->topic->value);
    if (!here || !source || fl_read_regular(l->arena, source, RECORDS_MAX, &text, &len))
        return; /* unreadable: reported where it is copied */
    for (char *p = text; p < text + len; p += strcspn(p, "\n") + 1) {
        size_t n = strcspn(p, "\n");
        number++;
        if (strspn(p, " \t\r") < n && !line(l, at, source, number, p, n))
            return;
    }
}
