/* explain_json.c: why a field is or is not encrypted, as JSON. */
#include <stdio.h>

#include "cli/explain.h"

static void string(fl_jw *w, const char *key, const char *s)
{
    fl_jw_key(w, key);
    if (s)
        fl_jw_string(w, s);
    else
        fl_jw_null(w);
}

/* "file", "line", "column"; null without a place */
static void place(fl_jw *w, fl_span at)
{
    unsigned line, column;
    fl_jw_key(w, "at");
    if (!at.src) {
        fl_jw_null(w);
        return;
    }
    fl_source_place(at.src, at.from, &line, &column);
    fl_jw_object(w);
    fl_jw_kstring(w, "file", at.src->name);
    fl_jw_kint(w, "line", line);
    fl_jw_kint(w, "column", column);
    fl_jw_end_object(w);
}

static void rule(fl_jw *w, const est_encrypt *x)
{
    static const char *const algorithms[] = {"AES128_GCM", "AES256_GCM", "AES256_SIV"};
    fl_jw_key(w, "rule");
    if (!x) {
        fl_jw_null(w);
        return;
    }
    fl_jw_object(w);
    string(w, "name", x->name.s);
    fl_jw_kbool(w, "payload", x->payload);
    fl_jw_kstring(w, "algorithm", algorithms[x->algorithm]);
    fl_jw_kint(w, "rotateDays", x->rotate_days);
    fl_jw_kstring(w, "mode", x->write_only ? "WRITE" : "WRITEREAD");
    place(w, x->at);
    fl_jw_key(w, "kek");
    fl_jw_object(w);
    string(w, "name", x->kek_name.s);
    string(w, "kms", x->kek ? x->kek->kms_type : NULL);
    string(w, "keyId", x->kek ? x->kek->key_id.s : NULL);
    fl_jw_kbool(w, "shared", x->kek && x->kek->shared);
    fl_jw_end_object(w);
    fl_jw_end_object(w);
}

static void tags(const est_estate *e, fl_jw *w, const cli_why *y)
{
    cli_tags all = {0};
    cli_tags_of(e, y, &all);
    fl_jw_key(w, "tags");
    fl_jw_array(w);
    for (size_t i = 0; i < all.n; i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "name", all.v[i].name);
        fl_jw_kbool(w, "inSchema", !all.v[i].line);
        place(w, all.v[i].line ? all.v[i].line->at : y->side->schema_path.at);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

static void field(const est_estate *e, fl_jw *w, const cli_why *y)
{
    fl_jw_object(w);
    fl_jw_kstring(w, "side", est_side_name(y->side));
    string(w, "path", y->leaf ? y->leaf->hit.path : NULL);
    string(w, "type", y->leaf ? sch_type_text(y->leaf->hit.type, e->arena) : NULL);
    fl_jw_kstring(w, "state", cli_state_word(y->state));
    string(w, "because", y->because);
    place(w, y->at);
    tags(e, w, y);
    rule(w, y->rule);
    fl_jw_end_object(w);
}

static void users(const est_estate *e, fl_jw *w, const est_topic *t, bool writers)
{
    cli_users all = {0};
    cli_users_of(e, t, writers, &all);
    fl_jw_key(w, writers ? "writers" : "readers");
    fl_jw_array(w);
    for (size_t i = 0; i < all.n; i++) {
        fl_jw_object(w);
        string(w, "principal", all.v[i].principal);
        string(w, "connector", all.v[i].connector ? all.v[i].connector->name.s : NULL);
        fl_jw_kstring(w, "kekRole", all.v[i].role);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

void cli_explain_json(const est_estate *e, const est_topic *t, const cli_whys *all)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, (size_t)1 << 30);
    fl_jw_init(&w, &b, true);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "topic", t->name.s);
    string(&w, "environment", e->environment);
    fl_jw_key(&w, "fields");
    fl_jw_array(&w);
    for (size_t i = 0; i < all->list.n; i++)
        field(e, &w, &all->list.v[i]);
    fl_jw_end_array(&w);
    users(e, &w, t, true);
    users(e, &w, t, false);
    fl_jw_end_object(&w);
    fl_buf_addc(&b, '\n');
    fwrite(b.p, 1, b.len, stdout);
    fl_buf_free(&b);
}
