/* diag_json.c: diagnostics as the JSON of the CLI contract. */
#include "base/diag.h"
#include "base/json.h"

/* file, line, column, endLine, endColumn; null without a place */
static void place(fl_jw *w, fl_span span)
{
    static const char *const names[] = {"line", "column", "endLine", "endColumn"};
    unsigned v[4] = {0};
    fl_jw_key(w, "file");
    if (span.src) {
        fl_jw_string(w, span.src->name);
        fl_source_place(span.src, span.from, &v[0], &v[1]);
        fl_source_place(span.src, span.to, &v[2], &v[3]);
    } else {
        fl_jw_null(w);
    }
    for (int i = 0; i < 4; i++) {
        fl_jw_key(w, names[i]);
        if (span.src)
            fl_jw_int(w, v[i]);
        else
            fl_jw_null(w);
    }
}

static void text(fl_jw *w, const char *key, const char *value)
{
    fl_jw_key(w, key);
    if (value)
        fl_jw_string(w, value);
    else
        fl_jw_null(w);
}

static void related(fl_jw *w, const fl_diags *ds, const fl_diag *d)
{
    size_t n;
    const fl_related *places = fl_diag_places(ds, d, &n);
    fl_jw_key(w, "related");
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "message", places[i].label);
        place(w, places[i].span);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

static void fix(fl_jw *w, const fl_diags *ds, const fl_diag *d)
{
    fl_jw_key(w, "fix");
    if (!d->edits.n) {
        fl_jw_null(w);
        return;
    }
    const fl_edit *v = fl_diag_edits(ds, d);
    fl_jw_object(w);
    fl_jw_kbool(w, "safe", fl_diag_is_safe(d));
    fl_jw_key(w, "edits");
    fl_jw_array(w);
    for (size_t i = 0; i < d->edits.n; i++) {
        fl_jw_object(w);
        place(w, v[i].span);
        fl_jw_kstring(w, "text", v[i].text);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    fl_jw_end_object(w);
}

static void environments(fl_jw *w, const fl_diag *d)
{
    fl_jw_key(w, "environments");
    if (!d->environments) {
        fl_jw_null(w);
        return;
    }
    fl_jw_array(w);
    for (size_t i = 0; d->environments[i]; i++)
        fl_jw_string(w, d->environments[i]);
    fl_jw_end_array(w);
}

static void one(fl_jw *w, const fl_diags *ds, const fl_diag *d)
{
    fl_jw_object(w);
    fl_jw_kstring(w, "check", d->check);
    fl_jw_kstring(w, "severity", d->severity == FL_ERROR ? "error" : "warning");
    fl_jw_kstring(w, "message", d->message);
    place(w, d->span);
    text(w, "label", d->label);
    text(w, "help", d->help);
    related(w, ds, d);
    fix(w, ds, d);
    environments(w, d);
    fl_jw_end_object(w);
}

void fl_diags_json(const fl_diags *ds, fl_buf *out)
{
    fl_jw w;
    fl_jw_init(&w, out, true);
    w.guarded = true;
    fl_jw_object(&w);
    fl_jw_key(&w, "diagnostics");
    fl_jw_array(&w);
    for (size_t i = 0; i < ds->list.n; i++)
        one(&w, ds, ds->list.v[i]);
    fl_jw_end_array(&w);
    fl_jw_key(&w, "summary");
    fl_jw_object(&w);
    fl_jw_kint(&w, "errors", (int64_t)ds->errors);
    fl_jw_kint(&w, "warnings", (int64_t)ds->warnings);
    fl_jw_end_object(&w);
    fl_jw_end_object(&w);
    fl_buf_addc(out, '\n');
}
