/* io.c: paths of policies, the day, reports. */
#include "cli/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/opt.h"
#include "compiler/check/personal.h"
#include "compiler/waive/waive.h"
#include "cli/report.h"

bool cli_policy_paths(fl_arena *a, const char *const *operands, size_t n, const char ***paths, size_t *npaths,
                      fl_status *status)
{
    FL_VEC(const char *) all = {0};
    for (size_t i = 0; i < n; i++) {
        char **found = NULL;
        size_t nfound = 0;
        if (!strcmp(operands[i], "-") || !fl_is_dir(operands[i])) {
            FL_PUSH(a, &all, operands[i]);
            continue;
        }
        int e = fl_find_files(a, operands[i], ".flec", &found, &nfound);
        if (e || !nfound) {
            *status = e ? FL_COULD_NOT_RUN : FL_USAGE;
            fl_log(FL_LOG_ERROR, "%s: %s", operands[i], e ? strerror(e) : "there is no .flec file in it");
            return false;
        }
        for (size_t k = 0; k < nfound; k++)
            FL_PUSH(a, &all, found[k]);
    }
    *paths = all.v;
    *npaths = all.n;
    return true;
}

bool cli_today(const char *text, int64_t *days)
{
    if (!text) {
        *days = fl_date_today();
        return true;
    }
    if (fl_date_parse(text, days))
        return true;
    fl_log(FL_LOG_ERROR, "--today takes a day such as 2027-06-30, not `%s`", text);
    return false;
}

bool cli_personal_words(fl_arena *a, const char *file, const char **text, fl_status *status)
{
    char *read = NULL;
    size_t n, line = 0;
    *text = NULL;
    if (!file)
        return true;
    int e = fl_read_file(a, file, CHK_PERSONAL_MAX_FILE, &read, &n);
    if (e) {
        fl_log(FL_LOG_ERROR, "%s: %s", file, strerror(e));
        *status = FL_COULD_NOT_RUN;
        return false;
    }
    chk_personal *list = chk_personal_new(read, &line);
    if (list && strlen(read) < n) { /* the line that a zero byte ends */
        line = 1;
        for (const char *p = read; (p = strchr(p, '\n')); p++)
            line++;
        chk_personal_free(list);
        list = NULL;
    }
    if (!list) {
        fl_log(FL_LOG_ERROR, "%s:%zu: an entry is made of letters, digits, blanks, `_` and `-`", file, line);
        *status = FL_USAGE;
        return false;
    }
    chk_personal_free(list);
    *text = read;
    return true;
}

static void summary(const fl_diags *d)
{
    size_t waivers = waive_in_force(d);
    if (d->errors || d->warnings)
        printf("%zu error%s, %zu warning%s%s", d->errors, d->errors == 1 ? "" : "s", d->warnings,
               d->warnings == 1 ? "" : "s", waivers ? ", " : "\n");
    if (waivers)
        printf("%zu waiver%s in force\n", waivers, waivers == 1 ? "" : "s");
}

fl_status cli_report(fl_diags *diags, int format)
{
    static void (*const forms[])(const fl_diags *ds, fl_buf *out) = {NULL, fl_diags_json, cli_sarif, cli_github};
    fl_diags_sort(diags);
    if (format != CLI_TEXT_FORMAT) {
        fl_buf b;
        fl_buf_init(&b, (size_t)1 << 30);
        forms[format](diags, &b);
        fwrite(b.p ? b.p : "", 1, b.len, stdout);
        fl_buf_free(&b);
    } else {
        fl_diags_text(diags, stdout, CLI_MOST_SHOWN, cli_color(false));
        summary(diags);
    }
    return diags->errors ? FL_FINDINGS : FL_OK;
}

fl_status cli_rewrite(const char *path, const char *text, size_t n)
{
    struct stat st;
    char *real = realpath(path, NULL);
    int err = real && stat(real, &st) == 0 ? fl_write_file(real, text, n, st.st_mode & 07777, false) : errno;
    free(real);
    if (!err)
        return FL_OK;
    fl_log(FL_LOG_ERROR, "%s: %s", path, strerror(err));
    return FL_COULD_NOT_RUN;
}

fl_status cli_finish(fl_status status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fl_log(FL_LOG_ERROR, "standard output: %s", strerror(errno));
    return fl_status_worse(status, FL_COULD_NOT_RUN);
}
