/* sarif.c: diagnostics as SARIF 2.1.0 (OASIS, with errata 01), for code scanning and editors.
 *
 * Rules are the rows of the table of checks with their pages. A region ends behind its last code point, as ours do. A
 * result is the same one as in another run if check, thing and message are (partialFingerprints). */
#include <stdlib.h>
#include <string.h>

#include "cli/pages.h"
#include "cli/report.h"
#include "compiler/check/check.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static void text(fl_jw *w, const char *key, const char *s)
{
    fl_jw_key(w, key);
    fl_jw_object(w);
    fl_jw_kstring(w, "text", s);
    fl_jw_end_object(w);
}

/* ---- rules ---- */

static const char *page_of(const char *check)
{
    for (size_t i = 0; i < cli_npages; i++)
        if (!strcmp(cli_pages[i].name, check))
            return cli_pages[i].text;
    return NULL;
}

/* What stands below `## Why`, up to the next heading, on one line. */
static void why(fl_jw *w, const char *page)
{
    const char *from = strstr(page, "\n## Why\n");
    if (!from)
        return;
    from += strlen("\n## Why\n");
    const char *to = strstr(from, "\n## ");
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    from += strspn(from, "\n");
    for (size_t n = to ? (size_t)(to - from) : strlen(from); n; n--, from++)
        fl_buf_addc(&b, *from == '\n' ? ' ' : *from);
    while (b.len && b.p[b.len - 1] == ' ')
        b.p[--b.len] = '\0';
    if (b.len)
        text(w, "fullDescription", b.p);
    fl_buf_free(&b);
}

static void rule(fl_jw *w, const chk_row *row)
{
    static const char *const waivers[] = {"reason", "reason and end", "never"};
    const char *page = page_of(row->name);
    fl_jw_object(w);
    fl_jw_kstring(w, "id", row->name);
    text(w, "shortDescription", row->doc);
    if (page) {
        why(w, page);
        fl_jw_key(w, "help");
        fl_jw_object(w);
        fl_jw_kstring(w, "text", page);
        fl_jw_kstring(w, "markdown", page);
        fl_jw_end_object(w);
    }
    fl_jw_key(w, "defaultConfiguration");
    fl_jw_object(w);
    fl_jw_kstring(w, "level", row->severity == FL_ERROR ? "error" : "warning");
    fl_jw_end_object(w);
    fl_jw_key(w, "properties");
    fl_jw_object(w);
    fl_jw_kstring(w, "waiver", waivers[row->waiver]);
    fl_jw_end_object(w);
    fl_jw_end_object(w);
}

static void tool(fl_jw *w)
{
    size_t n;
    const chk_row *rows = chk_rows(&n);
    fl_jw_key(w, "tool");
    fl_jw_object(w);
    fl_jw_key(w, "driver");
    fl_jw_object(w);
    fl_jw_kstring(w, "name", "flec");
    fl_jw_kstring(w, "version", FLEC_VERSION);
    fl_jw_kstring(w, "semanticVersion", FLEC_VERSION);
    fl_jw_key(w, "rules");
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++)
        rule(w, &rows[i]);
    fl_jw_end_array(w);
    fl_jw_end_object(w);
    fl_jw_end_object(w);
}

/* ---- places ---- */

/* A path as a reference: what a URI cannot hold is percent-encoded, an absolute path gets its scheme. */
static void artifact(fl_jw *w, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    fl_buf uri;
    fl_buf_init(&uri, 3 * strlen(name) + 16);
    if (*name == '/')
        fl_buf_adds(&uri, "file://");
    for (; *name; name++)
        if (strchr(plain, *name))
            fl_buf_addc(&uri, *name);
        else
            fl_buf_addf(&uri, "%%%02X", (unsigned char)*name);
    fl_jw_key(w, "artifactLocation");
    fl_jw_object(w);
    fl_jw_kstring(w, "uri", uri.p ? uri.p : "");
    fl_jw_end_object(w);
    fl_buf_free(&uri);
}

static void region(fl_jw *w, const char *key, fl_span span)
{
    static const char *const names[] = {"startLine", "startColumn", "endLine", "endColumn"};
    unsigned v[4];
    fl_source_place(span.src, span.from, &v[0], &v[1]);
    fl_source_place(span.src, span.to, &v[2], &v[3]);
    fl_jw_key(w, key);
    fl_jw_object(w);
    for (int i = 0; i < 4; i++)
        fl_jw_kint(w, names[i], v[i]);
    fl_jw_end_object(w);
}

static void physical(fl_jw *w, fl_span span)
{
    fl_jw_key(w, "physicalLocation");
    fl_jw_object(w);
    artifact(w, span.src->name);
    region(w, "region", span);
    fl_jw_end_object(w);
}

static void location(fl_jw *w, fl_span span, const char *message, size_t id)
{
    fl_jw_object(w);
    if (id)
        fl_jw_kint(w, "id", (int64_t)id);
    if (message)
        text(w, "message", message);
    if (span.src)
        physical(w, span);
    fl_jw_end_object(w);
}

static void locations(fl_jw *w, const fl_diags *ds, const fl_diag *d)
{
    size_t n;
    const fl_related *places = fl_diag_places(ds, d, &n);
    fl_jw_key(w, "locations");
    fl_jw_array(w);
    if (d->span.src)
        location(w, d->span, d->label, 0);
    fl_jw_end_array(w);
    if (!n)
        return;
    fl_jw_key(w, "relatedLocations");
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++)
        location(w, places[i].span, places[i].label, i + 1);
    fl_jw_end_array(w);
}

/* ---- fixes ---- */

static void change(fl_jw *w, const fl_edit *v, size_t n)
{
    fl_jw_object(w);
    artifact(w, v->span.src->name);
    fl_jw_key(w, "replacements");
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++) {
        fl_jw_object(w);
        region(w, "deletedRegion", v[i].span);
        text(w, "insertedContent", v[i].text);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    fl_jw_end_object(w);
}

static void fixes(fl_jw *w, const fl_diags *ds, const fl_diag *d)
{
    if (!d->edits.n)
        return;
    const fl_edit *v = fl_diag_edits(ds, d);
    fl_jw_key(w, "fixes");
    fl_jw_array(w);
    fl_jw_object(w);
    if (d->help)
        text(w, "description", d->help);
    fl_jw_key(w, "artifactChanges");
    fl_jw_array(w);
    for (size_t i = 0; i < d->edits.n;) {
        size_t k = i + 1;
        while (k < d->edits.n && fl_same_source(v[k].span.src, v[i].span.src))
            k++;
        change(w, v + i, k - i);
        i = k;
    }
    fl_jw_end_array(w);
    fl_jw_end_object(w);
    fl_jw_end_array(w);
}

/* ---- results ---- */

static void properties(fl_jw *w, const fl_diag *d)
{
    fl_jw_key(w, "properties");
    fl_jw_object(w);
    fl_jw_kbool(w, "safeFix", fl_diag_is_safe(d));
    if (d->environments) {
        fl_jw_key(w, "environments");
        fl_jw_array(w);
        for (size_t i = 0; d->environments[i]; i++)
            fl_jw_string(w, d->environments[i]);
        fl_jw_end_array(w);
    }
    fl_jw_end_object(w);
}

static void fingerprint(fl_jw *w, const fl_diags *ds, const fl_diag *d)
{
    char digest[65];
    const char *about[] = {d->about.kind, d->about.name, d->about.side, d->about.part};
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    fl_buf_addf(&b, "%s\n%s\n%s", d->check, d->span.src ? d->span.src->name : "", d->message);
    for (size_t i = 0; i < sizeof about / sizeof *about; i++)
        fl_buf_addf(&b, "\n%s", about[i] ? about[i] : "");
    fl_sha256_hex(digest, b.p, b.len);
    fl_buf_free(&b);
    fl_jw_key(w, "partialFingerprints");
    fl_jw_object(w);
    fl_jw_kstring(w, "flec/v1", digest);
    fl_jw_end_object(w);
}

static void suppression(fl_jw *w, const fl_waived *by)
{
    fl_jw_key(w, "suppressions");
    fl_jw_array(w);
    fl_jw_object(w);
    fl_jw_kstring(w, "kind", "inSource");
    fl_jw_kstring(w, "status", "accepted");
    if (by->reason)
        fl_jw_kstring(w, "justification", by->reason);
    if (by->at.src) {
        fl_jw_key(w, "location");
        location(w, by->at, NULL, 0);
    }
    fl_jw_end_object(w);
    fl_jw_end_array(w);
}

static void result(fl_jw *w, const fl_diags *ds, const fl_diag *d, const fl_waived *by)
{
    size_t n;
    const chk_row *rows = chk_rows(&n), *row = chk_find(d->check);
    fl_jw_object(w);
    fl_jw_kstring(w, "ruleId", d->check);
    if (row)
        fl_jw_kint(w, "ruleIndex", row - rows);
    fl_jw_kstring(w, "level", d->severity == FL_ERROR ? "error" : "warning");
    text(w, "message", d->help ? fl_printf(ds->arena, "%s\nhelp: %s", d->message, d->help) : d->message);
    locations(w, ds, d);
    fixes(w, ds, d);
    fingerprint(w, ds, d);
    properties(w, d);
    if (by)
        suppression(w, by);
    fl_jw_end_object(w);
}

void cli_sarif(const fl_diags *ds, fl_buf *out)
{
    fl_jw w;
    fl_jw_init(&w, out, true);
    w.guarded = true;
    fl_jw_object(&w);
    fl_jw_kstring(&w, "$schema", SCHEMA);
    fl_jw_kstring(&w, "version", "2.1.0");
    fl_jw_key(&w, "runs");
    fl_jw_array(&w);
    fl_jw_object(&w);
    tool(&w);
    fl_jw_kstring(&w, "columnKind", "unicodeCodePoints");
    fl_jw_key(&w, "results");
    fl_jw_array(&w);
    for (size_t i = 0; i < ds->list.n; i++)
        result(&w, ds, ds->list.v[i], NULL);
    for (size_t i = 0; i < ds->waived.n; i++)
        result(&w, ds, ds->waived.v[i].diag, &ds->waived.v[i]);
    fl_jw_end_array(&w);
    fl_jw_end_object(&w);
    fl_jw_end_array(&w);
    fl_jw_end_object(&w);
    fl_buf_addc(out, '\n');
}
