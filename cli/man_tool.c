/* man_tool.c: build tool: the manual, flec.1 and a page for each command, out of the tables of commands and options.
 * usage: man_tool FOLDER DATE */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "cli/opt.h"
#include "cli/verbs.h"

typedef struct manual {
    fl_arena *a;
    const char *folder, *date;
} manual;

/* ---- roff ---- */

/* Text as it stands: what roff would act on is escaped, a line that would be a request is not one. */
static void put(fl_buf *out, const char *s)
{
    for (bool start = true; *s; start = *s++ == '\n') {
        uint32_t cp;
        unsigned n = fl_utf8_step(s, strlen(s), &cp);
        if (start && (*s == '.' || *s == '\''))
            fl_buf_adds(out, "\\&");
        if (*s == '\\')
            fl_buf_adds(out, "\\e");
        else if (*s == '-')
            fl_buf_adds(out, "\\-");
        else if (*s == '`')
            fl_buf_adds(out, "\\(ga");
        else if (n > 1)
            fl_buf_addf(out, "\\[u%04X]", cp);
        else
            fl_buf_addc(out, *s);
        s += n > 1 ? n - 1 : 0;
    }
}

static void title(const manual *m, fl_buf *out, const char *name)
{
    fl_buf_adds(out, ".\\\" made of the tables of flec's options\n.TH ");
    for (; *name; name++)
        fl_buf_addc(out, (char)toupper((unsigned char)*name));
    fl_buf_addf(out, " 1 %s \"flec %s\" \"flec\"\n", m->date, FLEC_VERSION);
}

static void heading(fl_buf *out, const char *text)
{
    fl_buf_addf(out, ".SH %s\n", text);
}

static void paragraph(fl_buf *out, const char *text)
{
    put(out, text);
    fl_buf_addc(out, '\n');
}

static void item(fl_buf *out, const char *bold, const char *text)
{
    fl_buf_adds(out, ".TP\n.B ");
    put(out, bold);
    fl_buf_addc(out, '\n');
    put(out, text);
    fl_buf_addc(out, '\n');
}

/* ---- options ---- */

static void option(fl_buf *out, const cli_opt *o)
{
    fl_buf_adds(out, ".TP\n");
    if (o->letter)
        fl_buf_addf(out, "\\fB\\-%c\\fR, ", o->letter);
    fl_buf_adds(out, "\\fB\\-\\-");
    put(out, o->name);
    fl_buf_adds(out, "\\fR");
    if (o->kind == CLI_ENUM) {
        for (size_t i = 0; o->values[i]; i++) {
            fl_buf_adds(out, i ? "|\\fB" : " \\fB");
            put(out, o->values[i]);
            fl_buf_adds(out, "\\fR");
        }
    } else if (o->kind != CLI_FLAG) {
        fl_buf_adds(out, " \\fI");
        put(out, cli_value_name(o));
        fl_buf_adds(out, "\\fR");
    }
    fl_buf_addc(out, '\n');
    put(out, o->help);
    fl_buf_addc(out, '\n');
}

static void options(fl_buf *out, const cli_opt *o)
{
    for (; o->name; o++)
        option(out, o);
}

static void ends(fl_buf *out)
{
    heading(out, "EXIT STATUS");
    item(out, "0", "all well; warnings alone count as that");
    item(out, "1", "findings: a policy error, a failed test, a record in clear, a tampered record");
    item(out, "2", "wrong usage");
    item(out, "3", "drift or pending changes");
    item(out, "4", "could not run: a file, the network, a KMS, a key, a permission");
    heading(out, "ENVIRONMENT");
    item(out, "NO_COLOR", "if it is set, nothing is coloured unless --color says so");
}

/* ---- pages ---- */

static void store(const manual *m, const char *name, const fl_buf *out)
{
    const char *path = fl_printf(m->a, "%s/%s.1", m->folder, name);
    int e = out->full ? EFBIG : fl_write_file(path, out->p, out->len, 0644, false);
    if (e)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", path, strerror(e));
}

static void command_page(const cli_command *cmd, const cli_opt *common, void *ctx)
{
    const manual *m = ctx;
    const char *name = fl_printf(m->a, "flec-%s", cmd->name);
    fl_buf out;
    fl_buf_init(&out, 1u << 20);
    title(m, &out, name);
    heading(&out, "NAME");
    put(&out, fl_printf(m->a, "%s - %s\n", name, cmd->help));
    heading(&out, "SYNOPSIS");
    fl_buf_addf(&out, "\\fBflec %s\\fR [\\fIOPTION\\fR...] ", cmd->name);
    put(&out, cmd->operands);
    fl_buf_addc(&out, '\n');
    heading(&out, "DESCRIPTION");
    paragraph(&out, fl_printf(m->a, "flec %s %s.", cmd->name, cmd->help));
    heading(&out, "OPTIONS");
    options(&out, cmd->opts);
    options(&out, common);
    ends(&out);
    heading(&out, "SEE ALSO");
    fl_buf_adds(&out, ".BR flec (1)\n");
    store(m, name, &out);
    fl_buf_free(&out);
}

static void program_page(const manual *m)
{
    fl_buf out;
    fl_buf_init(&out, 1u << 20);
    title(m, &out, "flec");
    heading(&out, "NAME");
    put(&out, "flec - policies for client-side field level encryption on Kafka, compiled, tested, executed\n");
    heading(&out, "SYNOPSIS");
    fl_buf_adds(&out, "\\fBflec\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] ...\n.br\n\\fBflec help\\fR "
                      "[\\fICOMMAND\\fR]\n.br\n\\fBflec \\-\\-version\\fR\n");
    heading(&out, "DESCRIPTION");
    paragraph(&out,
              "flec compiles policies that say which fields of which topics are encrypted, with which keys, and "
              "who reads them, into what the registry, the connectors and the clients need; it refuses what would "
              "let plaintext through, and runs the tests that stand in the policy on records that it encrypts.");
    heading(&out, "COMMANDS");
    for (const cli_verb *v = cli_verbs; v->name; v++)
        item(&out, v->name, v->help);
    ends(&out);
    heading(&out, "SEE ALSO");
    for (const cli_verb *v = cli_verbs; v->name; v++)
        fl_buf_addf(&out, ".BR flec\\-%s (1)%s\n", v->name, v[1].name ? "," : "");
    store(m, "flec", &out);
    fl_buf_free(&out);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fl_die(FL_USAGE, "usage: man_tool FOLDER DATE");
    manual m = {fl_arena_new(), argv[1], argv[2]};
    int e = fl_mkdirs(m.folder, 0755);
    if (e)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", m.folder, strerror(e));
    program_page(&m);
    cli_visit(command_page, &m);
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        char *args[] = {(char *)v->name, NULL};
        v->run(1, args);
    }
    cli_visit(NULL, NULL);
    fl_arena_free(m.a);
    return 0;
}
