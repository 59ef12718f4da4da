/* clients.c: asks the table of measured cases. */
#include "compiler/clients/clients.h"

#include <string.h>

const char *const cl_client_words[CL_NCLIENTS] = {"java", "python", "javascript", "go", "rust", "dotnet", "flec"};

/* The columns that one client has: a Go program may write structs or maps. A Map handed to Java's JSON serializer is
 * refused by default. */
static const struct {
    cl_column columns[2];
    size_t n;
} measured[CL_NCLIENTS] = {
    [CL_CLIENT_JAVA] = {{CL_JAVA}, 1},
    [CL_CLIENT_PYTHON] = {{CL_PYTHON}, 1},
    [CL_CLIENT_JAVASCRIPT] = {{CL_JAVASCRIPT}, 1},
    [CL_CLIENT_GO] = {{CL_GO, CL_GO_MAP}, 2},
};

int cl_client_of(const char *word)
{
    for (int i = 0; i < CL_NCLIENTS; i++)
        if (!strcmp(cl_client_words[i], word))
            return i;
    return -1;
}

bool cl_is_measured(cl_client c)
{
    return measured[c].n > 0;
}

const char *cl_client_version(cl_client c)
{
    return measured[c].n ? cl_versions[measured[c].columns[0]] : NULL;
}

/* ---- the constructs of a leaf ---- */

static cl_set tag_of(const sch_hit *h, cl_places places)
{
    cl_set tag = {{0, 0}};
    const sch_field *f = h->field;
    bool foreign = f && f->record && f->record->foreign;
    bool ref = f && f->node && fl_json_get(f->node, "$ref");
    if (places.metadata)
        cl_add(&tag, CL_TAG_META);
    if (foreign && places.own)
        cl_add(&tag, CL_TAG_INLINE_REFERRED);
    if (!foreign && (places.own || places.in_text))
        cl_add(&tag, ref ? CL_TAG_INLINE_REF : CL_TAG_INLINE);
    if (cl_empty(&tag))
        cl_add(&tag, CL_TAG_UNSEEN);
    return tag;
}

/* Most leaves are fields of the root record: no way is to be made for them. */
static bool is_plain_avro(const cl_shape *shape, const sch_hit *h)
{
    const sch_schema *s = shape->schema;
    return s->format == SCH_AVRO && h->field && h->field->record == s->root && !s->root->foreign && !h->mixed &&
           !h->recursive && (h->field->type == h->type || h->nullable) &&
           (h->type->kind == SCH_STRING || h->type->kind == SCH_BYTES) && cl_open(h->field->type) == h->type;
}

cl_constructs cl_leaf_constructs(const cl_shape *shape, fl_arena *a, const sch_hit *h, cl_places places)
{
    cl_constructs c = {.tag = tag_of(h, places)};
    const sch_step *steps;
    if (is_plain_avro(shape, h)) {
        cl_add(&c.way, h->type->logical ? CL_AVRO_LOGICAL : CL_AVRO_LEAF);
        if (h->nullable)
            cl_add(&c.way, CL_AVRO_NULLABLE);
        return c;
    }
    size_t n = sch_way(shape->schema, a, h, &steps);
    cl_way_constructs(shape, steps, n, h->type, &c.way);
    if (h->unwalked && shape->schema->format == SCH_JSON)
        cl_add(&c.way, CL_JSON_UNWALKED);
    return c;
}

/* ---- leaves ---- */

static cl_verdict verdict(cl_answer answer, unsigned construct, cl_column column, short kase)
{
    return (cl_verdict){answer, &cl_construct_rows[construct], kase < 0 ? NULL : cl_case_names[kase],
                        kase < 0 ? NULL : cl_case_texts[kase][column]};
}

/* A case in which Java left a leaf in clear by a choice that it makes at each start; -1. */
static short case_of_chance(cl_column column)
{
    for (unsigned c = 0; c < CL_NCONSTRUCTS; c++)
        if (cl_construct_rows[c].scope == CL_BY_START && cl_cells[c][column].leaving == CL_LEFT_CLEAR)
            return cl_cells[c][column].leaving_case;
    return -1;
}

static cl_verdict judge_one(unsigned construct, cl_column column)
{
    const cl_cell *cell = &cl_cells[construct][column];
    bool chance = column == CL_JAVA && cl_construct_rows[construct].scope == CL_BY_START;
    if (cell->leaving == CL_LEFT_CLEAR)
        return verdict(CL_CLEAR, construct, column, cell->leaving_case);
    if (cell->leaving == CL_UNMEASURED && cell->ran && cell->fail)
        return (cl_verdict){.answer = CL_SAFE}; /* it never gets so far: cl_troubles tells of it */
    if (cell->leaving == CL_UNMEASURED)
        return verdict(CL_NOT_MEASURED, construct, column, -1);
    if (chance && case_of_chance(column) >= 0)
        return verdict(CL_CHANCE, construct, column, case_of_chance(column));
    return (cl_verdict){.answer = CL_SAFE};
}

static cl_verdict worst_of(cl_verdict a, cl_verdict b)
{
    return b.answer > a.answer ? b : a;
}

/* The first bit of a set at or behind `c`; CL_NCONSTRUCTS if there is none. */
static unsigned next_in(const cl_set *s, unsigned c)
{
    for (; c < CL_NCONSTRUCTS; c = (c / 64 + 1) * 64) {
        uint64_t rest = s->w[c / 64] >> (c % 64);
        if (rest)
            return c + (unsigned)__builtin_ctzll(rest);
    }
    return CL_NCONSTRUCTS;
}

static cl_verdict judge_column(const cl_constructs *leaf, cl_column column)
{
    cl_verdict worst = {.answer = CL_SAFE}, best = {.answer = CL_CLEAR};
    for (unsigned c = next_in(&leaf->way, 0); c < CL_NCONSTRUCTS; c = next_in(&leaf->way, c + 1))
        worst = worst_of(worst, judge_one(c, column));
    /* a tag that is told in two ways is told if one of them works */
    for (unsigned c = next_in(&leaf->tag, 0); c < CL_NCONSTRUCTS; c = next_in(&leaf->tag, c + 1)) {
        cl_verdict v = judge_one(c, column);
        if (v.answer < best.answer || !best.construct)
            best = v;
        if (best.answer == CL_SAFE)
            break;
    }
    return worst_of(worst, best);
}

cl_verdict cl_judge(const cl_constructs *leaf, cl_client client)
{
    cl_verdict worst = {.answer = CL_SAFE};
    if (!measured[client].n && client != CL_CLIENT_FLEC)
        worst.answer = CL_NOT_MEASURED;
    for (size_t i = 0; i < measured[client].n; i++)
        worst = worst_of(worst, judge_column(leaf, measured[client].columns[i]));
    return worst;
}

/* ---- records ---- */

/* What the client fails to write with this construct. */
static bool cannot_write(unsigned construct, cl_client client, cl_trouble *out)
{
    for (size_t i = 0; i < measured[client].n; i++) {
        cl_column column = measured[client].columns[i];
        const cl_cell *cell = &cl_cells[construct][column];
        if (!cell->ran || !cell->fail || cell->fail_by_other || cell->fail_case < 0)
            continue;
        *out = (cl_trouble){&cl_construct_rows[construct], cell->fail, cl_case_names[cell->fail_case],
                            cl_case_texts[cell->fail_case][column]};
        return true;
    }
    return false;
}

/* Has this column's client written any of it? */
static bool among(cl_column column, unsigned writers)
{
    for (unsigned c = 0; c < CL_NCLIENTS; c++)
        for (size_t i = 0; i < measured[c].n; i++)
            if (measured[c].columns[i] == column && writers >> c & 1)
                return true;
    return false;
}

/* What the client cannot read with this construct, if one of `writers` has written it. */
static bool cannot_read(unsigned construct, cl_client client, unsigned writers, cl_trouble *out)
{
    for (size_t i = 0; i < measured[client].n; i++) {
        cl_column reader = measured[client].columns[i];
        for (unsigned writer = 0; writer < CL_NCOLUMNS; writer++) {
            const cl_cell *cell = &cl_cells[construct][writer];
            if (!cell->read || !(cell->not_read >> reader & 1) || cell->read_case < 0 ||
                !among((cl_column)writer, writers))
                continue;
            *out = (cl_trouble){&cl_construct_rows[construct], CL_WORKS, cl_case_names[cell->read_case],
                                cl_case_texts[cell->read_case][writer]};
            return true;
        }
    }
    return false;
}

size_t cl_troubles(const cl_set *record, cl_client client, unsigned writers, cl_trouble out[CL_MOST_TROUBLES])
{
    size_t n = 0;
    for (unsigned c = next_in(record, 0); c < CL_NCONSTRUCTS; c = next_in(record, c + 1))
        n += writers ? cannot_read(c, client, writers, &out[n]) : cannot_write(c, client, &out[n]);
    return n;
}
