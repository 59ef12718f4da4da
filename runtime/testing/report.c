/* report.c: verdicts as text, JSON, TAP and JUnit. */
#include <string.h>

#include "runtime/testing/run.h"

static const char *paint(bool color, const char *code)
{
    return color ? code : "";
}

/* Names come from files that anyone may have written: one line each, with nothing that a terminal would obey. */
static const char *shown(const rt_test_run *run, const char *s)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 20);
    fl_buf_add_shown(&b, s, strlen(s));
    const char *out = fl_strndup(run->a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return out;
}

static size_t passed(const rt_test_run *run)
{
    return run->results.n - run->failed - run->skipped;
}

/* ---- text ---- */

static void text_result(const rt_test_run *run, const rt_test_result *r, bool color, FILE *out)
{
    static const char *const colors[] = {"\x1b[32m", "\x1b[1;31m", "\x1b[33m"}, *const verdicts[] = {"ok    ", "FAILED",
                                                                                                     "skip  "};
    int verdict = r->skipped ? 2 : r->message ? 1 : 0;
    fprintf(out, "  %s%s%s  %s\n", paint(color, colors[verdict]), verdicts[verdict], paint(color, "\x1b[0m"),
            shown(run, r->name));
    if (r->skipped)
        fprintf(out, "          %s\n", shown(run, r->skipped));
    if (!r->message && r->refused)
        fprintf(out, "          refused: %s\n", shown(run, r->refused));
    if (r->message)
        fprintf(out, "          %s:%d: %s\n          %s\n", shown(run, r->file), r->at, shown(run, r->step),
                shown(run, r->message));
}

static void text(const rt_test_run *run, bool color, FILE *out)
{
    const char *file = NULL;
    for (size_t i = 0; i < run->edited.n; i++)
        fprintf(out, "edited since it was built: %s\n", shown(run, run->edited.v[i]));
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        if (!file || strcmp(file, r->file))
            fprintf(out, "%s\n", shown(run, r->file));
        file = r->file;
        text_result(run, r, color, out);
    }
    fprintf(out, "%zu passed, %zu failed", passed(run), run->failed);
    if (run->skipped)
        fprintf(out, ", %zu skipped", run->skipped);
    fputc('\n', out);
}

/* ---- JSON ---- */

static void json(const rt_test_run *run, FILE *out)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 1u << 30);
    fl_jw_init(&w, &b, true);
    fl_jw_object(&w);
    fl_jw_key(&w, "edited");
    fl_jw_array(&w);
    for (size_t i = 0; i < run->edited.n; i++)
        fl_jw_string(&w, run->edited.v[i]);
    fl_jw_end_array(&w);
    fl_jw_key(&w, "tests");
    fl_jw_array(&w);
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        fl_jw_object(&w);
        fl_jw_kstring(&w, "name", r->name);
        fl_jw_kstring(&w, "file", r->file);
        fl_jw_kint(&w, "line", r->line);
        fl_jw_kstring(&w, "verdict", r->skipped ? "skipped" : r->message ? "failed" : "passed");
        if (r->skipped)
            fl_jw_kstring(&w, "skipped", r->skipped);
        if (r->refused)
            fl_jw_kstring(&w, "refused", r->refused);
        if (r->message) {
            fl_jw_kint(&w, "at", r->at);
            fl_jw_kstring(&w, "step", r->step);
            fl_jw_kstring(&w, "message", r->message);
        }
        fl_jw_end_object(&w);
    }
    fl_jw_end_array(&w);
    fl_jw_key(&w, "summary");
    fl_jw_object(&w);
    fl_jw_kint(&w, "passed", (int64_t)passed(run));
    fl_jw_kint(&w, "failed", (int64_t)run->failed);
    fl_jw_kint(&w, "skipped", (int64_t)run->skipped);
    fl_jw_end_object(&w);
    fl_jw_end_object(&w);
    fprintf(out, "%s\n", b.p);
    fl_buf_free(&b);
}

/* ---- TAP 13 ---- */

/* A `#` would begin a directive. */
static void tap_text(FILE *out, const char *s)
{
    for (; *s; s++)
        fputs(*s == '#' ? "\\#" : (char[]){*s, 0}, out);
}

static void tap_member(FILE *out, const char *key, const char *value)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 1 << 20);
    fl_jw_init(&w, &b, false);
    fl_jw_string(&w, value); /* a text of JSON is one of YAML */
    fprintf(out, "  %s: %s\n", key, b.p);
    fl_buf_free(&b);
}

static void tap(const rt_test_run *run, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%zu\n", run->results.n);
    for (size_t i = 0; i < run->edited.n; i++)
        fprintf(out, "# edited since it was built: %s\n", shown(run, run->edited.v[i]));
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        fprintf(out, "%sok %zu - ", r->message ? "not " : "", i + 1);
        tap_text(out, shown(run, r->name));
        if (r->skipped) {
            fputs(" # SKIP ", out);
            tap_text(out, shown(run, r->skipped));
        }
        fputc('\n', out);
        if (r->refused && !r->message)
            fprintf(out, "# refused: %s\n", shown(run, r->refused));
        if (r->message) {
            fputs("  ---\n", out);
            tap_member(out, "message", shown(run, fl_printf(run->a, "%s: %s", r->step, r->message)));
            tap_member(out, "at", shown(run, fl_printf(run->a, "%s:%d", r->file, r->at)));
            fputs("  ...\n", out);
        }
    }
}

/* ---- JUnit ---- */

/* XML takes no control characters at all, and neither U+FFFE nor U+FFFF. */
static void xml_text(FILE *out, const rt_test_run *run, const char *text)
{
    for (const char *s = shown(run, text); *s; s++) {
        if (*s == '<')
            fputs("&lt;", out);
        else if (*s == '>')
            fputs("&gt;", out);
        else if (*s == '&')
            fputs("&amp;", out);
        else if (*s == '"')
            fputs("&quot;", out);
        else if (!strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3)) {
            fputs("\xef\xbf\xbd", out);
            s += 2;
        } else
            fputc(*s, out);
    }
}

static void junit_outcome(const rt_test_run *run, const rt_test_result *r, FILE *out)
{
    if (r->skipped) {
        fputs("<skipped message=\"", out);
        xml_text(out, run, r->skipped);
        fputs("\"/></testcase>\n", out);
    }
    if (!r->message)
        return;
    fputs("<failure message=\"", out);
    xml_text(out, run, r->message);
    fputs("\">", out);
    xml_text(out, run, r->file);
    fprintf(out, ":%d: ", r->at);
    xml_text(out, run, r->step);
    fputs("</failure></testcase>\n", out);
}

static void junit(const rt_test_run *run, FILE *out)
{
    double total = 0;
    for (size_t i = 0; i < run->results.n; i++)
        total += run->results.v[i].seconds;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"flec\" tests=\"%zu\" "
            "failures=\"%zu\" errors=\"0\" "
            "skipped=\"%zu\" time=\"%.3f\">\n",
            run->results.n, run->failed, run->skipped, total);
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        fputs("<testcase classname=\"", out);
        xml_text(out, run, r->file);
        fputs("\" name=\"", out);
        xml_text(out, run, r->name);
        fprintf(out, "\" line=\"%d\" time=\"%.3f\"%s", r->line, r->seconds, r->message || r->skipped ? ">" : "/>\n");
        junit_outcome(run, r, out);
    }
    fputs("</testsuite>\n</testsuites>\n", out);
}

void rt_test_report(const rt_test_run *run, rt_report_form form, bool color, FILE *out)
{
    switch (form) {
    case RT_REPORT_TEXT:
        text(run, color, out);
        break;
    case RT_REPORT_JSON:
        json(run, out);
        break;
    case RT_REPORT_TAP:
        tap(run, out);
        break;
    case RT_REPORT_JUNIT:
        junit(run, out);
        break;
    }
}
