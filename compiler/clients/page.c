/* page.c: docs/clients.md out of the table, for people who choose a client or a shape for a schema. */
#include "compiler/clients/page.h"

#include <string.h>

#include "compiler/clients/clients.h"

static const struct {
    cl_client client;
    const char *title;
} shown[] = {{CL_CLIENT_JAVA, "Java, connectors"},
             {CL_CLIENT_PYTHON, "Python"},
             {CL_CLIENT_JAVASCRIPT, "JavaScript"},
             {CL_CLIENT_GO, "Go"}};
#define NSHOWN (sizeof shown / sizeof *shown)

static const struct {
    const char *prefix, *title;
} parts[] = {{"tag-", "Where the tag is written"}, {"avro-", "Avro"}, {"json-", "JSON Schema"}, {"proto-", "Protobuf"}};

/* ---- one cell ---- */

static const char *cell_text(unsigned construct, cl_column column)
{
    const cl_cell *x = &cl_cells[construct][column];
    bool chance = cl_construct_rows[construct].scope == CL_BY_START && column == CL_JAVA;
    if (x->leaving == CL_LEFT_CLEAR && x->fail == CL_WORKS)
        return chance ? "**clear**, by chance at each start" : "**clear**";
    if (x->ran && x->fail == CL_ERROR)
        return "fails";
    if (x->ran && x->fail == CL_DESTROYS)
        return "writes something else";
    if (!x->ran)
        return "not measured";
    if (chance)
        return "**clear**, by chance at each start";
    return x->branch_names ? "encrypted, branch names needed" : "encrypted";
}

/* A reader that cannot read what at least one of the others writes. */
static bool cannot_read(unsigned construct, cl_column reader)
{
    for (unsigned writer = 0; writer < CL_NCOLUMNS; writer++)
        if (cl_cells[construct][writer].read && cl_cells[construct][writer].not_read >> reader & 1)
            return true;
    return false;
}

static const char *client_text(fl_arena *a, unsigned construct, cl_client client)
{
    static const cl_column columns[CL_NCLIENTS] = {CL_JAVA, CL_PYTHON, CL_JAVASCRIPT, CL_GO};
    cl_column column = columns[client];
    const char *text = cell_text(construct, column);
    if (client == CL_CLIENT_GO && strcmp(text, cell_text(construct, CL_GO_MAP)) != 0)
        text = fl_printf(a, "structs: %s; maps: %s", text, cell_text(construct, CL_GO_MAP));
    if (strstr(text, "encrypted") && cannot_read(construct, column))
        text = fl_printf(a, "%s; cannot read others", text);
    return text;
}

static bool is_good(fl_arena *a, unsigned construct)
{
    for (size_t i = 0; i < NSHOWN; i++)
        if (strcmp(client_text(a, construct, shown[i].client), "encrypted") != 0)
            return false;
    return true;
}

static bool is_measured(unsigned construct)
{
    for (unsigned i = 0; i < CL_NCOLUMNS; i++)
        if (cl_cells[construct][i].ran || cl_cells[construct][i].leaving)
            return true;
    return false;
}

/* The case that shows the worst cell of a row. */
static const char *case_of(unsigned construct)
{
    short best = -1, any = -1;
    for (unsigned i = 0; i < CL_JAVA_MAP; i++) {
        const cl_cell *x = &cl_cells[construct][i];
        if (best < 0 && x->leaving == CL_LEFT_CLEAR)
            best = x->leaving_case;
        if (any < 0 && x->ran && x->fail)
            any = x->fail_case;
    }
    for (unsigned i = 0; i < CL_JAVA_MAP && best < 0 && any < 0; i++)
        any = cl_cells[construct][i].fail_case;
    best = best < 0 ? any : best;
    return best < 0 ? "" : cl_case_names[best];
}

/* ---- parts ---- */

static bool belongs(unsigned construct, size_t part)
{
    return !strncmp(cl_construct_rows[construct].key, parts[part].prefix, strlen(parts[part].prefix));
}

/* A table cell: `|` would end it. */
static void add_text(fl_buf *out, const char *text)
{
    for (; *text; text++)
        fl_buf_addf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void add_row(fl_arena *a, unsigned construct, fl_buf *out)
{
    const cl_construct_row *row = &cl_construct_rows[construct];
    fl_buf_adds(out, "| ");
    add_text(out, row->words);
    for (size_t i = 0; i < NSHOWN; i++)
        fl_buf_addf(out, " | %s", client_text(a, construct, shown[i].client));
    fl_buf_adds(out, " | ");
    add_text(out, row->instead ? row->instead : "");
    fl_buf_addf(out, " | %s |\n", case_of(construct));
}

/* The words of the constructs that `fits` says, joined by "; ". */
static void add_list(fl_arena *a, size_t part, bool measured, const char *intro, fl_buf *out)
{
    bool first = true;
    for (unsigned c = 0; c < CL_NCONSTRUCTS; c++) {
        if (!belongs(c, part) || is_measured(c) != measured || (measured && !is_good(a, c)))
            continue;
        fl_buf_adds(out, first ? intro : "; ");
        fl_buf_adds(out, cl_construct_rows[c].words);
        first = false;
    }
    fl_buf_adds(out, first ? "" : ".\n\n");
}

static void add_part(fl_arena *a, size_t part, fl_buf *out)
{
    fl_buf_addf(out, "## %s\n\n", parts[part].title);
    add_list(a, part, true, "Encrypted by all four: ", out);
    fl_buf_adds(out, "|");
    for (size_t i = 0; i < NSHOWN; i++)
        fl_buf_addf(out, " | %s", shown[i].title);
    fl_buf_adds(out, " | instead | case |\n|---|---|---|---|---|---|---|\n");
    for (unsigned c = 0; c < CL_NCONSTRUCTS; c++)
        if (belongs(c, part) && is_measured(c) && !is_good(a, c))
            add_row(a, c, out);
    fl_buf_adds(out, "\n");
    add_list(a, part, false, "Never measured, so never taken for safe: ", out);
}

void cl_page(fl_arena *a, fl_buf *out)
{
    fl_buf_addf(out,
                "# What each vendor client does with a tagged field\n\n"
                "A client finds a tagged field by walking the schema, and each walks in its own way. Where it does not "
                "find the field it writes it in clear, without an error. This page is made of %zu measured cases by "
                "`make clients`; `flec check` uses the same table (`client-leaves-clear`, `client-may-leave-clear`, "
                "`client-fails`).\n\n"
                "Measured, on the bytes that were written:\n\n",
                cl_ncases);
    for (size_t i = 0; i < NSHOWN; i++)
        fl_buf_addf(out, "- %s: %s\n", shown[i].title, cl_client_version(shown[i].client));
    fl_buf_adds(
        out,
        "\nThe clients `rust` and `dotnet` were not measured. flec itself refuses what it cannot encrypt.\n\n"
        "How to read it. A field goes through several constructs on its way from the root; the worst of them decides. "
        "Names, siblings and depth do not matter unless a row says so. *encrypted*: in every case without another "
        "harmful construct. **clear**: the field is on the wire as it is. *by chance at each start*: Java orders the "
        "members of combined schemas anew at each start of the JVM, so one good run proves nothing. *fails*: the "
        "record is refused, by an "
        "error or a panic. *writes something else*: without an error, and not what it was given. *cannot read others*: "
        "it "
        "gets ciphertext, or fails, where others have encrypted. Constructs with \"may be\" or \"in it\" count for "
        "records whose values have that.\n\n"
        "The cases are in `compiler/clients/cases.json`, with schema, tags, value and what each client wrote; "
        "`tests/interop` measures them anew for the clients that it installs.\n\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        add_part(a, i, out);
    out->len -= out->len > 1 && out->p[out->len - 2] == '\n'; /* one line end at the end */
}
