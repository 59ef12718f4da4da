/* fmt.c: `flec fmt`: policies into the canonical form, in place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/diff.h"
#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "lang/lang.h"

enum { MAX_FILE = 16 << 20, MAX_OUT = 64 << 20 };

typedef struct fmt_options {
    bool check, diff;
} fmt_options;

static fl_status rewrite(const char *path, const fl_buf *text)
{
    fl_status status = cli_rewrite(path, text->p ? text->p : "", text->len);
    if (status == FL_OK)
        printf("%s\n", path);
    return status;
}

static void print_diff(fl_arena *a, const char *name, const char *from, size_t n, const fl_buf *to)
{
    fl_buf b;
    fl_buf_init(&b, (size_t)4 * MAX_OUT);
    cli_diff(a, name, from, n, to->p ? to->p : "", to->len, &b);
    fwrite(b.p ? b.p : "", 1, b.len, stdout);
    fl_buf_free(&b);
}

/* What comes of a file whose canonical form is known. */
static fl_status conclude(fl_arena *a, const fmt_options *o, const char *path, const char *name, const char *text,
                          size_t len, const fl_buf *out)
{
    bool differs = out->len != len || memcmp(out->p ? out->p : "", text, len) != 0;
    if (o->diff && differs)
        print_diff(a, name, text, len, out);
    if (o->check) {
        if (differs && !o->diff)
            printf("%s\n", name);
        return differs ? FL_FINDINGS : FL_OK;
    }
    if (o->diff)
        return FL_OK;
    if (strcmp(path, "-") == 0) {
        fwrite(out->p ? out->p : "", 1, out->len, stdout);
        return FL_OK;
    }
    return differs ? rewrite(path, out) : FL_OK;
}

static fl_status format(fl_arena *a, const fmt_options *o, const char *path, const char *name, const char *text,
                        size_t len)
{
    fl_diags diags;
    fl_diags_init(&diags, a);
    lang_file *file = lang_parse(a, name, text, len, &diags);
    if (file->damaged) {
        fl_diags_sort(&diags);
        fl_diags_text(&diags, stderr, 10, cli_color(true));
        return FL_FINDINGS;
    }
    fl_buf out;
    fl_buf_init(&out, MAX_OUT);
    lang_format(file, &out);
    lang_file *again = lang_parse(a, name, out.p ? out.p : "", out.len, &diags);
    fl_status status = FL_COULD_NOT_RUN;
    if (out.full || !lang_same(file, again)) /* rather an unformatted policy than another one */
        fl_log(FL_LOG_ERROR, "%s: its canonical form would not say the same; it is left as it is", name);
    else
        status = conclude(a, o, path, name, text, len, &out);
    fl_buf_free(&out);
    return status;
}

static fl_status format_path(const fmt_options *o, const char *path)
{
    fl_arena *a = fl_arena_new();
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    char *text;
    size_t len;
    fl_status status = FL_COULD_NOT_RUN;
    int err = fl_read_file(a, path, MAX_FILE, &text, &len);
    if (err)
        fl_log(FL_LOG_ERROR, "%s: %s", name, strerror(err));
    else
        status = format(a, o, path, name, text, len);
    fl_arena_free(a);
    return status;
}

int cli_fmt(int argc, char **argv)
{
    fmt_options o = {false, false};
    const cli_opt opts[] = {
        {"check", 0, CLI_FLAG, NULL, NULL,
         "write nothing, name the files that are not in the canonical form; status 1 if there are any", &o.check},
        {"diff", 0, CLI_FLAG, NULL, NULL, "write nothing, show what would change", &o.diff},
        {0},
    };
    const cli_command cmd = {
        "fmt",
        "PATH...",
        "brings policies into the canonical form, in place; `-` reads standard input and writes standard output",
        opts,
        1,
        SIZE_MAX};
    cli_args args;
    int early = cli_parse(&cmd, argc, argv, &args);
    if (early >= 0)
        return early;
    fl_arena *a = fl_arena_new();
    const char **paths;
    size_t n;
    fl_status status = FL_OK;
    if (cli_policy_paths(a, args.v, args.n, &paths, &n, &status))
        for (size_t i = 0; i < n; i++)
            status = fl_status_worse(status, format_path(&o, paths[i]));
    fl_arena_free(a);
    return cli_finish(status);
}
