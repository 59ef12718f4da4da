/* report.c: verdicts as text, JSON, TAP and JUnit. */
#include <string.h>

#include "runtime/testing/run.h"

static const char *paint(bool color, const char *code)
{
    return color ? code : "";
}

/* ---- text ---- */

static void text(const rt_test_run *run, bool color, FILE *out)
{
    const char *file = NULL;
    for (size_t i = 0; i < run->edited.n; i++)
        fprintf(out, "edited since it was built: %s\n", run->edited.v[i]);
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        if (!file || strcmp(file, r->file))
            fprintf(out, "%s\n", r->file);
        file = r->file;
        fprintf(out, "  %s%s%s  %s\n", paint(color, r->message ? "\x1b[1;31m" : "\x1b[32m"),
                r->message ? "FAILED" : "ok    ", paint(color, "\x1b[0m"), r->name);
        if (r->message)
            fprintf(out, "          %s:%d: %s\n          %s\n", r->file, r->at, r->step, r->message);
    }
    fprintf(out, "%zu passed, %zu failed\n", run->results.n - run->failed, run->failed);
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
        fl_jw_kstring(&w, "verdict", r->message ? "failed" : "passed");
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
    fl_jw_kint(&w, "passed", (int64_t)(run->results.n - run->failed));
    fl_jw_kint(&w, "failed", (int64_t)run->failed);
    fl_jw_end_object(&w);
    fl_jw_end_object(&w);
    fprintf(out, "%s\n", b.p);
    fl_buf_free(&b);
}

/* ---- TAP 13 ---- */

/* A `#` would begin a directive, a line end a new line. */
static void tap_text(FILE *out, const char *s)
{
    for (; *s; s++)
        fputs(*s == '#' ? "\\#" : *s == '\n' ? " " : (char[]){*s, 0}, out);
}

static void tap(const rt_test_run *run, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%zu\n", run->results.n);
    for (size_t i = 0; i < run->edited.n; i++)
        fprintf(out, "# edited since it was built: %s\n", run->edited.v[i]);
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        fprintf(out, "%sok %zu - ", r->message ? "not " : "", i + 1);
        tap_text(out, r->name);
        fputc('\n', out);
        if (r->message) {
            fl_buf b;
            fl_jw w;
            fl_buf_init(&b, 1 << 20);
            fl_jw_init(&w, &b, false);
            fl_jw_string(&w, fl_printf(run->a, "%s: %s", r->step, r->message));
            fprintf(out, "  ---\n  message: %s\n  at: %s:%d\n  ...\n", b.p, r->file, r->at);
            fl_buf_free(&b);
        }
    }
}

/* ---- JUnit ---- */

/* XML takes no control characters at all. */
static void xml_text(FILE *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            fputs("&lt;", out);
        else if (*s == '>')
            fputs("&gt;", out);
        else if (*s == '&')
            fputs("&amp;", out);
        else if (*s == '"')
            fputs("&quot;", out);
        else
            fputc((unsigned char)*s < ' ' ? ' ' : *s, out);
    }
}

static void junit(const rt_test_run *run, FILE *out)
{
    double total = 0;
    for (size_t i = 0; i < run->results.n; i++)
        total += run->results.v[i].seconds;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"flec\" tests=\"%zu\" "
            "failures=\"%zu\" errors=\"0\" "
            "skipped=\"0\" time=\"%.3f\">\n",
            run->results.n, run->failed, total);
    for (size_t i = 0; i < run->results.n; i++) {
        const rt_test_result *r = &run->results.v[i];
        fputs("<testcase classname=\"", out);
        xml_text(out, r->file);
        fputs("\" name=\"", out);
        xml_text(out, r->name);
        fprintf(out, "\" line=\"%d\" time=\"%.3f\"%s", r->line, r->seconds, r->message ? ">" : "/>\n");
        if (r->message) {
            fputs("<failure message=\"", out);
            xml_text(out, r->message);
            fputs("\">", out);
            xml_text(out, r->file);
            fprintf(out, ":%d: ", r->at);
            xml_text(out, r->step);
            fputs("</failure></testcase>\n", out);
        }
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
