/* clients_tool.c: runs when the program is built: reads the measured cases (cases.json) and the constructs that were
 * found in them (constructs.json), finds for each construct and client what that client does with it, refuses a table
 * that does not give back every measurement, and writes it as C.
 *
 * usage: clients_tool OUT.c CASES.json CONSTRUCTS.json
 *
 * A leaf goes through several constructs and is left in clear if one of them makes the client leave it. So of a
 * construct is known: a case in which it stands and the leaf was encrypted shows that it does no harm; what stands in
 * bad cases only is to blame until a case shows otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/clients/outcome.h"

typedef struct leaf {
    const char *path;
    bool expected;
    cl_set tag, way;
} leaf;

typedef struct side { /* a case as one kind of client meets it */
    leaf *leaves;
    size_t n;
    cl_set record; /* of the whole record and of all tagged leaves */
} side;

typedef struct kase {
    const char *name;
    side all, java; /* java: where Java got another record handed; else as all */
    const char *texts[CL_NCOLUMNS];
    cl_outcome outcomes[CL_NCOLUMNS];
    bool present[CL_NCOLUMNS];
} kase;

static fl_arena *arena;
static fl_buf out;
static const char *current; /* the file, or the case, for messages */
static kase *cases;
static size_t ncases;
static cl_cell cells[CL_NCONSTRUCTS][CL_NCOLUMNS];

static void __attribute__((noreturn, format(printf, 1, 2))) refuse(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: %s\n", current, fl_vprintf(arena, fmt, ap));
    va_end(ap);
    exit(1);
}

/* ---- reading ---- */

static const fl_json *member(const fl_json *o, const char *name, fl_jkind kind)
{
    const fl_json *m = fl_json_get(o, name);
    if (!m || m->kind != kind)
        refuse("member \"%s\" is missing or of the wrong kind", name);
    return m;
}

static const fl_json *read_file(const char *path, size_t *count)
{
    char *text;
    size_t len;
    fl_json_error err;
    current = path;
    if (fl_read_file(arena, path, 16 << 20, &text, &len))
        refuse("cannot be read");
    const fl_json *root = fl_json_parse(arena, text, len, 0, &err);
    if (!root)
        refuse("byte %u: %s", err.offset, err.message);
    *count = member(root, "cases", FL_JARRAY)->count;
    return root;
}

static cl_set read_set(const fl_json *o, const char *name)
{
    cl_set s = {{0, 0}};
    for (const fl_json *c = member(o, name, FL_JARRAY)->child; c; c = c->next) {
        int i = c->kind == FL_JSTRING ? cl_find_construct(c->str) : -1;
        if (i < 0)
            refuse("unknown construct in \"%s\": run `make clients`", name);
        cl_add(&s, (cl_construct)i);
    }
    return s;
}

static int only_one(const cl_set *s)
{
    int found = -1;
    for (int c = 0; c < CL_NCONSTRUCTS; c++)
        if (cl_has(s, (cl_construct)c)) {
            if (found >= 0)
                return -1;
            found = c;
        }
    return found;
}

/* Constructs that a measurement of one leaf speaks of: those of its way, and how its tag is told if that is by one
 * way. */
static cl_set said_of(const leaf *l)
{
    cl_set s = l->way;
    int tag = only_one(&l->tag);
    if (tag >= 0)
        cl_add(&s, (cl_construct)tag);
    return s;
}

static side read_side(const fl_json *o)
{
    side s = {.record = read_set(o, "record")};
    const fl_json *list = member(o, "leaves", FL_JARRAY);
    s.leaves = FL_NEW_N(arena, leaf, list->count + 1);
    for (const fl_json *c = list->child; c; c = c->next) {
        leaf *l = &s.leaves[s.n++];
        l->path = member(c, "path", FL_JSTRING)->str;
        l->expected = fl_json_bool(c, "expected", false);
        l->tag = read_set(c, "tag");
        l->way = read_set(c, "way");
        cl_set said = said_of(l);
        if (cl_has(&l->tag, CL_TAG_UNSEEN))
            cl_remove(&said, CL_TAG_UNSEEN);
        cl_join(&s.record, &said);
    }
    return s;
}

static void read_outcomes(kase *k, const fl_json *c)
{
    const fl_json *clients = member(c, "clients", FL_JOBJECT);
    for (size_t i = 0; i < CL_NCOLUMNS; i++) {
        k->texts[i] = fl_json_str(clients, cl_column_names[i]);
        k->present[i] = k->texts[i] != NULL;
        if (k->present[i] && !cl_read_outcome(arena, k->texts[i], fl_json_bool(c, "cross_read", true), &k->outcomes[i]))
            refuse("%s: what was measured is in no known form: %s", cl_column_names[i], k->texts[i]);
    }
    for (const fl_json *m = clients->child; m; m = m->next)
        if (!cl_names((const char **)cl_column_names, CL_NCOLUMNS, m->key))
            refuse("unknown client %s", m->key);
}

static void read_cases(const fl_json *measured, const fl_json *found)
{
    const fl_json *f = member(found, "cases", FL_JARRAY)->child;
    for (const fl_json *c = member(measured, "cases", FL_JARRAY)->child; c; c = c->next, f = f->next) {
        kase *k = &cases[ncases++];
        current = k->name = member(c, "name", FL_JSTRING)->str;
        member(c, "to_be_encrypted", FL_JARRAY);
        if (!f || strcmp(k->name, member(f, "name", FL_JSTRING)->str) != 0)
            refuse("constructs.json has other cases: run `make clients`");
        k->all = read_side(f);
        k->java = fl_json_get(f, "java") ? read_side(fl_json_get(f, "java")) : k->all;
        read_outcomes(k, c);
    }
}

static const side *side_of(const kase *k, size_t column)
{
    return column == CL_JAVA || column == CL_JAVA_MAP ? &k->java : &k->all;
}

/* What was measured of a leaf. */
static cl_leaving leaving_of(const cl_outcome *o, const leaf *l)
{
    if (l->expected)
        return cl_names(o->left, o->nleft, l->path) ? CL_LEFT_CLEAR : CL_ENCRYPTED;
    return cl_names(o->wider, o->nwider, l->path) ? CL_ENCRYPTED : CL_LEFT_CLEAR;
}

/* ---- finding the table ---- */

#define EACH(set, c)                                                                                                   \
    for (int c = 0; c < CL_NCONSTRUCTS; c++)                                                                           \
        if (cl_has(set, (cl_construct)c))

static void learn_leaf(const cl_outcome *o, const leaf *l, size_t column)
{
    cl_set said = said_of(l);
    cl_leaving is = leaving_of(o, l);
    EACH(&said, c)
    {
        cl_cell *cell = &cells[c][column];
        if (cell->leaving == CL_UNMEASURED || is == CL_ENCRYPTED)
            cell->leaving = is;
    }
}

static void learn_record(const cl_outcome *o, const cl_set *record, size_t column)
{
    EACH(record, c)
    {
        cl_cell *cell = &cells[c][column];
        cell->fail = !cell->ran || o->fail == CL_WORKS ? o->fail : cell->fail;
        cell->branch_names = (!cell->ran || cell->branch_names) && o->branch_names;
        cell->ran = true;
        if (!o->read_known)
            continue;
        cell->not_read = cell->read ? cell->not_read & o->not_read : o->not_read;
        cell->read = true;
    }
}

static void learn(const kase *k, size_t column)
{
    const cl_outcome *o = &k->outcomes[column];
    const side *s = side_of(k, column);
    if (!k->present[column] || !o->measured)
        return;
    learn_record(o, &s->record, column);
    for (size_t i = 0; i < s->n && !o->fail; i++)
        learn_leaf(o, &s->leaves[i], column);
}

/* ---- what is not to blame ---- */

/* Does the record hold another construct that explains why the reader could not read it: one through which that reader
 * does not find leaves, or on which it fails? */
static bool is_explained(const side *s, int construct, size_t writer, size_t reader)
{
    EACH(&s->record, d)
    {
        const cl_cell *own = &cells[d][reader];
        if (d != construct && cells[d][writer].read && cells[d][writer].not_read >> reader & 1 &&
            (own->leaving == CL_LEFT_CLEAR || own->fail))
            return true;
    }
    return false;
}

/* A reader that itself works with a construct is not said to be unable to read it where each case that shows so
 * has another reason. */
static void acquit(int construct, size_t writer, size_t reader)
{
    cl_cell *cell = &cells[construct][writer];
    const cl_cell *own = &cells[construct][reader];
    if (!(cell->not_read >> reader & 1) || own->leaving == CL_LEFT_CLEAR || !own->ran || own->fail)
        return;
    for (size_t i = 0; i < ncases; i++) {
        const cl_outcome *o = &cases[i].outcomes[writer];
        const side *s = side_of(&cases[i], writer);
        if (cases[i].present[writer] && o->read_known && cl_has(&s->record, (cl_construct)construct) &&
            !is_explained(s, construct, writer, reader))
            return;
    }
    cell->not_read &= ~(1u << reader);
}

/* Is there a failure of this construct without that other one? */
static bool fails_without(int construct, int other, size_t column)
{
    for (size_t i = 0; i < ncases; i++) {
        const cl_set *record = &side_of(&cases[i], column)->record;
        if (cases[i].outcomes[column].fail && cl_has(record, (cl_construct)construct) &&
            !cl_has(record, (cl_construct)other))
            return true;
    }
    return false;
}

static bool fails_by_other(const cl_set *record, int construct, size_t column)
{
    EACH(record, d)
    if (d != construct && cl_construct_rows[d].scope >= CL_RECORD && cells[d][column].fail &&
        fails_without(d, construct, column))
        return true;
    return false;
}

static void share_blame(int construct, size_t column)
{
    cl_cell *cell = &cells[construct][column];
    cell->fail_by_other = cell->fail != CL_WORKS;
    for (size_t i = 0; i < ncases && cell->fail_by_other; i++) {
        const cl_set *record = &side_of(&cases[i], column)->record;
        if (cases[i].outcomes[column].fail && cl_has(record, (cl_construct)construct))
            cell->fail_by_other = fails_by_other(record, construct, column);
    }
}

/* ---- the table must give back what was measured ---- */

static cl_leaving predicted(const leaf *l, size_t column)
{
    bool told = false;
    EACH(&l->way, c)
    if (cells[c][column].leaving == CL_LEFT_CLEAR)
        return CL_LEFT_CLEAR;
    EACH(&l->tag, t)
    told |= cells[t][column].leaving == CL_ENCRYPTED;
    return told ? CL_ENCRYPTED : CL_LEFT_CLEAR;
}

static cl_fail predicted_fail(const cl_set *record, size_t column)
{
    cl_fail worst = CL_WORKS;
    EACH(record, c)
    if (cells[c][column].fail > worst)
        worst = cells[c][column].fail;
    return worst;
}

static unsigned predicted_not_read(const side *s, size_t column)
{
    unsigned mask = 0;
    EACH(&s->record, c)
    if (cl_construct_rows[c].scope != CL_TAG && cells[c][column].read)
        mask |= cells[c][column].not_read;
    for (size_t i = 0; i < s->n; i++) {
        unsigned tag = ~0u;
        EACH(&s->leaves[i].tag, t)
        if (cells[t][column].read)
            tag &= cells[t][column].not_read;
        mask |= tag == ~0u ? 0 : tag;
    }
    return mask;
}

static void check_paths(const side *s, const char **paths, size_t n, size_t column)
{
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < s->n; k++)
            known |= !strcmp(s->leaves[k].path, paths[i]);
        if (!known)
            refuse("%s: %s was measured, and is no tagged leaf", cl_column_names[column], paths[i]);
    }
}

static void check(const kase *k, size_t column)
{
    const cl_outcome *o = &k->outcomes[column];
    const side *s = side_of(k, column);
    const char *name = cl_column_names[column];
    if (!k->present[column] || !o->measured)
        return;
    if (predicted_fail(&s->record, column) != o->fail)
        refuse("%s: the constructs do not explain: %s", name, k->texts[column]);
    if (o->fail)
        return;
    check_paths(s, o->left, o->nleft, column);
    check_paths(s, o->wider, o->nwider, column);
    for (size_t i = 0; i < s->n; i++)
        if (predicted(&s->leaves[i], column) != leaving_of(o, &s->leaves[i]))
            refuse("%s, %s: the constructs do not explain: %s", name, s->leaves[i].path, k->texts[column]);
    if (o->read_known && predicted_not_read(s, column) != o->not_read)
        refuse("%s: the constructs do not explain who reads it: %s", name, k->texts[column]);
}

/* ---- which case shows a cell: the one with the fewest other constructs ---- */

static int size_of(const cl_set *s)
{
    return __builtin_popcountll(s->w[0]) + __builtin_popcountll(s->w[1]);
}

static bool shows_leaving(const kase *k, const side *s, int c, size_t column)
{
    for (size_t i = 0; i < s->n && !k->outcomes[column].fail; i++) {
        cl_set said = said_of(&s->leaves[i]);
        if (cl_has(&said, (cl_construct)c) &&
            leaving_of(&k->outcomes[column], &s->leaves[i]) == cells[c][column].leaving)
            return true;
    }
    return false;
}

static void take(short *best, int *size, size_t i, int its)
{
    if (*best >= 0 && *size <= its)
        return;
    *best = (short)i;
    *size = its;
}

static void find_proofs(int c, size_t column)
{
    cl_cell *cell = &cells[c][column];
    int leaving = 0, fail = 0, read = 0;
    cell->leaving_case = cell->fail_case = cell->read_case = -1;
    for (size_t i = 0; i < ncases; i++) {
        const cl_outcome *o = &cases[i].outcomes[column];
        const side *s = side_of(&cases[i], column);
        if (!cases[i].present[column] || !o->measured)
            continue;
        if (shows_leaving(&cases[i], s, c, column))
            take(&cell->leaving_case, &leaving, i, size_of(&s->record));
        if (!cl_has(&s->record, (cl_construct)c))
            continue;
        if (o->fail == cell->fail)
            take(&cell->fail_case, &fail, i, size_of(&s->record));
        if (o->read_known && (o->not_read & cell->not_read) == cell->not_read)
            take(&cell->read_case, &read, i, size_of(&s->record));
    }
}

/* ---- writing C ---- */

static void c_string(const char *s)
{
    if (!s) {
        fl_buf_adds(&out, "0");
        return;
    }
    fl_buf_addc(&out, '"');
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if (*p < 0x20 || *p > 0x7e || *p == '?' || *p == '"' || *p == '\\')
            fl_buf_addf(&out, "\\%03o", *p);
        else
            fl_buf_addc(&out, (char)*p);
    }
    fl_buf_addc(&out, '"');
}

static void write_cells(void)
{
    fl_buf_adds(&out, "const cl_cell cl_cells[CL_NCONSTRUCTS][CL_NCOLUMNS] = {\n");
    for (int c = 0; c < CL_NCONSTRUCTS; c++) {
        fl_buf_addf(&out, "    { /* %s */\n", cl_construct_rows[c].key);
        for (size_t i = 0; i < CL_NCOLUMNS; i++) {
            const cl_cell *x = &cells[c][i];
            fl_buf_addf(&out, "        {%d, %d, %d, %d, %d, %d, %u, %d, %d, %d},\n", x->leaving, x->ran, x->fail,
                        x->fail_by_other, x->branch_names, x->read, x->not_read, x->leaving_case, x->fail_case,
                        x->read_case);
        }
        fl_buf_adds(&out, "    },\n");
    }
    fl_buf_adds(&out, "};\n");
}

static void write_cases(void)
{
    fl_buf_adds(&out, "const char *const cl_case_names[] = {\n");
    for (size_t i = 0; i < ncases; i++) {
        fl_buf_adds(&out, "    ");
        c_string(cases[i].name);
        fl_buf_adds(&out, ",\n");
    }
    fl_buf_addf(&out, "};\nconst size_t cl_ncases = %zu;\n", ncases);
    fl_buf_adds(&out, "const char *const cl_case_texts[][CL_NCOLUMNS] = {\n");
    for (size_t i = 0; i < ncases; i++) {
        fl_buf_adds(&out, "    {");
        for (size_t c = 0; c < CL_NCOLUMNS; c++) {
            c_string(cases[i].texts[c]);
            fl_buf_adds(&out, ", ");
        }
        fl_buf_adds(&out, "},\n");
    }
    fl_buf_adds(&out, "};\n");
}

/* go-map and java-map are the clients of go and java. */
static void write_versions(const fl_json *root)
{
    const fl_json *versions = member(root, "versions", FL_JOBJECT);
    fl_buf_adds(&out, "const char *const cl_versions[CL_NCOLUMNS] = {\n");
    for (size_t i = 0; i < CL_NCOLUMNS; i++) {
        const char *name = fl_strndup(arena, cl_column_names[i], strcspn(cl_column_names[i], "-"));
        fl_buf_adds(&out, "    ");
        c_string(member(versions, name, FL_JSTRING)->str);
        fl_buf_adds(&out, ",\n");
    }
    fl_buf_adds(&out, "};\n");
}

int main(int argc, char **argv)
{
    size_t n, m;
    if (argc != 4)
        return fprintf(stderr, "usage: clients_tool OUT.c CASES.json CONSTRUCTS.json\n"), 2;
    arena = fl_arena_new();
    const fl_json *found = read_file(argv[3], &m), *measured = read_file(argv[2], &n);
    if (n != m)
        refuse("constructs.json has other cases: run `make clients`");
    cases = FL_NEW_N(arena, kase, n + 1);
    read_cases(measured, found);
    for (size_t i = 0; i < ncases; i++)
        for (size_t c = 0; c < CL_NCOLUMNS; c++)
            learn(&cases[i], c);
    for (int c = 0; c < CL_NCONSTRUCTS; c++)
        for (size_t i = 0; i < CL_NCOLUMNS * CL_NCOLUMNS; i++)
            acquit(c, i / CL_NCOLUMNS, i % CL_NCOLUMNS);
    for (int c = 0; c < CL_NCONSTRUCTS; c++)
        for (size_t i = 0; i < CL_NCOLUMNS; i++)
            share_blame(c, i);
    for (size_t i = 0; i < ncases; i++)
        for (size_t c = 0; c < CL_NCOLUMNS; c++) {
            current = cases[i].name;
            check(&cases[i], c);
        }
    for (int c = 0; c < CL_NCONSTRUCTS; c++)
        for (size_t i = 0; i < CL_NCOLUMNS; i++)
            find_proofs(c, i);
    fl_buf_init(&out, 8 << 20);
    fl_buf_adds(&out, "/* made by clients_tool.c out of cases.json and constructs.json */\n#include "
                      "\"compiler/clients/clients_data.h\"\n\n");
    write_cells();
    write_cases();
    current = argv[2];
    write_versions(measured);
    if (out.full || fl_write_file(argv[1], out.p, out.len, 0644, false))
        return fprintf(stderr, "%s: cannot be written\n", argv[1]), 1;
    fl_buf_free(&out);
    fl_arena_free(arena);
    return 0;
}
