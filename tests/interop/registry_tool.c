/* registry_tool.c: the keys and schemas of an embedded registry as JSON, and back, through the seam of the registry
 * alone. For the interop tests: the vendor's client fills its own mock registry from it, and what that client made
 * comes back in.
 *
 *     registry_tool export file://DIR PLAN    {"subjects":[…],"keks":[…],"deks":[…]} on standard output: those of the
 * plan registry_tool import file://DIR         the same JSON on standard input; subjects in order of id, so that ids
 * agree */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/plan.h"

#define MOST_VERSIONS 20

typedef struct tool {
    fl_arena *a;
    rt_registry *r;
    rt_error err;
    int64_t ts; /* when the DEK that comes in was made; 0: now */
} tool;

/* The registry's clock: a DEK that comes in keeps its age, which is what rotation goes by. */
static int64_t clock_ms(void *ctx)
{
    const tool *t = ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return t->ts ? t->ts : now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void must(tool *t, rt_code code)
{
    if (code)
        fl_die(FL_COULD_NOT_RUN, "%s", t->err.message);
}

/* ---- export ---- */

static void put_subject(tool *t, fl_jw *w, const rt_subject *planned)
{
    rt_subject s;
    if (!planned->subject || t->r->ops->subject_version(t->r, t->a, planned->subject, -1, &s, &t->err))
        return;
    fl_jw_object(w);
    fl_jw_kstring(w, "subject", s.subject);
    fl_jw_kint(w, "id", s.id);
    fl_jw_kstring(w, "guid", s.guid);
    fl_jw_kstring(w, "schema", s.schema);
    fl_jw_key(w, "references");
    fl_jw_array(w);
    for (size_t i = 0; i < s.nrefs; i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "name", s.refs[i].name);
        fl_jw_kstring(w, "subject", s.refs[i].subject);
        fl_jw_kint(w, "version", s.refs[i].version);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    fl_jw_key(w, "metadata");
    fl_jw_raw(w, s.metadata ? s.metadata : "null", strlen(s.metadata ? s.metadata : "null"));
    fl_jw_key(w, "ruleSet");
    fl_jw_raw(w, s.ruleset ? s.ruleset : "null", strlen(s.ruleset ? s.ruleset : "null"));
    fl_jw_end_object(w);
}

static void put_deks(tool *t, fl_jw *w, const char *kek, const char *subject)
{
    static const rt_alg algs[] = {RT_AES128_GCM, RT_AES256_GCM, RT_AES256_SIV};
    for (size_t i = 0; subject && i < 3; i++)
        for (int version = 1; version <= MOST_VERSIONS; version++) {
            rt_dek d;
            if (t->r->ops->get_dek(t->r, t->a, kek, subject, algs[i], version, true, &d, &t->err))
                break;
            fl_jw_object(w);
            fl_jw_kstring(w, "kekName", kek);
            fl_jw_kstring(w, "subject", subject);
            fl_jw_kint(w, "version", version);
            fl_jw_kstring(w, "algorithm", rt_alg_name(algs[i]));
            fl_jw_kstring(w, "encryptedKeyMaterial", d.encrypted ? d.encrypted : "");
            fl_jw_kint(w, "ts", d.ts);
            fl_jw_key(w, "keyMaterial");
            if (d.material.len) { /* of a shared KEK: what the registry hands to its clients */
                char *text = fl_alloc(t->a, FL_B64_LEN(d.material.len) + 1);
                fl_b64_encode(text, d.material.bytes, d.material.len);
                fl_jw_string(w, text);
            } else {
                fl_jw_null(w);
            }
            fl_secret_free(&d.material);
            fl_jw_end_object(w);
        }
}

static void each_subject(tool *t, fl_jw *w, const rt_plan *p, const char *kek)
{
    for (size_t i = 0; !kek && i < p->nsubjects; i++)
        put_subject(t, w, &p->subjects[i]);
    for (size_t i = 0; i < p->ntopics; i++) {
        const rt_subject *sides[] = {&p->topics[i].key.subject, &p->topics[i].value.subject};
        for (int k = 0; k < 2; k++) {
            if (kek)
                put_deks(t, w, kek, sides[k]->subject);
            else
                put_subject(t, w, sides[k]);
        }
    }
}

static void put_keks(tool *t, fl_jw *w, const rt_plan *p)
{
    for (size_t i = 0; i < p->nkeks; i++) {
        rt_kek k;
        if (t->r->ops->get_kek(t->r, t->a, p->keks[i].kek.name, true, &k, &t->err))
            continue;
        fl_jw_object(w);
        fl_jw_kstring(w, "name", k.name);
        fl_jw_kstring(w, "kmsType", k.kms_type);
        fl_jw_kstring(w, "kmsKeyId", k.kms_key_id);
        fl_jw_kbool(w, "shared", k.shared);
        fl_jw_end_object(w);
    }
}

static void export_all(tool *t, const char *plan_path)
{
    rt_plan *p;
    fl_buf out;
    fl_jw w;
    must(t, rt_plan_load(t->a, plan_path, &p, &t->err));
    fl_buf_init(&out, 256u << 20);
    fl_jw_init(&w, &out, true);
    fl_jw_object(&w);
    fl_jw_key(&w, "subjects");
    fl_jw_array(&w);
    each_subject(t, &w, p, NULL);
    fl_jw_end_array(&w);
    fl_jw_key(&w, "keks");
    fl_jw_array(&w);
    put_keks(t, &w, p);
    fl_jw_end_array(&w);
    fl_jw_key(&w, "deks");
    fl_jw_array(&w);
    for (size_t i = 0; i < p->nkeks; i++)
        each_subject(t, &w, p, p->keks[i].kek.name);
    fl_jw_end_array(&w);
    fl_jw_end_object(&w);
    puts(out.p);
    fl_buf_free(&out);
}

/* ---- import ---- */

static const char *json_text(tool *t, const char *text, const fl_json *j)
{
    return j && j->kind == FL_JOBJECT ? fl_strndup(t->a, text + j->from, j->to - j->from) : NULL;
}

static void import_subject(tool *t, const char *text, const fl_json *j)
{
    int64_t want, version;
    const fl_json *refs = fl_json_get(j, "references");
    rt_subject s = {.subject = fl_json_str(j, "subject"),
                    .type = "AVRO",
                    .schema = fl_json_str(j, "schema"),
                    .metadata = json_text(t, text, fl_json_get(j, "metadata")),
                    .ruleset = json_text(t, text, fl_json_get(j, "ruleSet"))};
    s.refs = FL_NEW_N(t->a, rt_schema_ref, refs ? refs->count : 0);
    for (const fl_json *r = refs ? refs->child : NULL; r; r = r->next)
        s.refs[s.nrefs++] = (rt_schema_ref){fl_json_str(r, "name"), fl_json_str(r, "subject"),
                                            fl_json_int(r, "version", &version) ? (int)version : -1};
    must(t, t->r->ops->register_subject(t->r, t->a, &s, &t->err));
    if (!fl_json_int(j, "id", &want) || s.id != want)
        fl_die(FL_FINDINGS, "subject %s has id %d here and %lld there", s.subject, s.id, (long long)want);
}

static void import_dek(tool *t, const fl_json *j)
{
    int64_t version = 1;
    rt_dek d = {.kek = fl_json_str(j, "kekName"),
                .subject = fl_json_str(j, "subject"),
                .encrypted = fl_json_str(j, "encryptedKeyMaterial")},
           made;
    fl_json_int(j, "version", &version);
    d.version = (int)version;
    t->ts = 0;
    fl_json_int(j, "ts", &t->ts);
    if (!rt_alg_parse(fl_json_str(j, "algorithm"), &d.alg))
        fl_die(FL_FINDINGS, "a DEK of an unknown algorithm");
    must(t, t->r->ops->create_dek(t->r, t->a, &d, &made, &t->err));
    fl_secret_free(&made.material);
}

static void import_all(tool *t)
{
    char *text;
    size_t n;
    fl_json_error e;
    if (fl_read_file(t->a, "-", 256u << 20, &text, &n))
        fl_die(FL_COULD_NOT_RUN, "standard input cannot be read");
    const fl_json *j = fl_json_parse(t->a, text, n, 0, &e);
    if (!j)
        fl_die(FL_FINDINGS, "standard input: %s", e.message);
    const fl_json *subjects = fl_json_get(j, "subjects"), *keks = fl_json_get(j, "keks"),
                  *deks = fl_json_get(j, "deks");
    for (const fl_json *s = subjects ? subjects->child : NULL; s; s = s->next)
        import_subject(t, text, s);
    for (const fl_json *k = keks ? keks->child : NULL; k; k = k->next) {
        const rt_kek kek = {.name = fl_json_str(k, "name"),
                            .kms_type = fl_json_str(k, "kmsType"),
                            .kms_key_id = fl_json_str(k, "kmsKeyId"),
                            .props = "{}",
                            .doc = "",
                            .shared = fl_json_bool(k, "shared", false)};
        must(t, t->r->ops->create_kek(t->r, &kek, &t->err));
    }
    for (const fl_json *d = deks ? deks->child : NULL; d; d = d->next)
        import_dek(t, d);
}

int main(int argc, char **argv)
{
    tool t = {.a = fl_arena_new()};
    const rt_registry_options options = {.now_ms = clock_ms, .now_ctx = &t};
    fl_secret_setup();
    if (argc < 3 || (strcmp(argv[1], "import") && (strcmp(argv[1], "export") || argc != 4)))
        fl_die(FL_USAGE, "usage: registry_tool export file://DIR PLAN | import file://DIR");
    must(&t, rt_registry_open(argv[2], &options, &t.r, &t.err));
    if (!strcmp(argv[1], "export"))
        export_all(&t, argv[3]);
    else
        import_all(&t);
    rt_registry_close(t.r);
    fl_arena_free(t.a);
    return 0;
}
