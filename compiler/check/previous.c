/* previous.c: reading the build directory that `--previous` names. */
#include "compiler/check/previous.h"

#include <stdlib.h>
#include <string.h>

#define PLAN     "plan.json"
#define PLAN_MAX ((size_t)1 << 30)

typedef struct reader {
    fl_arena *a;       /* of the result */
    fl_arena *scratch; /* of the files */
    prev_build *b;
    const fl_json **digests; /* MANIFEST's `files`, in order of path */
    size_t ndigests, edited;
    const char *first_edited;
} reader;

/* Logs what is wrong with a file of the directory; returns false. */
static bool bad(const reader *r, const char *file, const char *what)
{
    fl_log(FL_LOG_ERROR, "%s/%s: %s", r->b->dir, file, what);
    return false;
}

static const char *keep(reader *r, const char *s)
{
    return s ? fl_strdup(r->a, s) : NULL;
}

/* ---- files ---- */

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const fl_json *const *)a)->key, (*(const fl_json *const *)b)->key);
}

static void note_edited(reader *r, const char *path, const char *text, size_t len)
{
    char hex[65];
    const fl_json key = {.key = path}, *p = &key;
    const fl_json **known = bsearch(&p, r->digests, r->ndigests, sizeof p, by_key);
    fl_sha256_hex(hex, text, len);
    if (known && (*known)->kind == FL_JSTRING && !strcmp((*known)->str, hex))
        return;
    if (!r->edited++)
        r->first_edited = fl_strdup(r->a, path);
}

/* The text of a file, in the scratch arena. NULL: said. */
static const char *read_text(reader *r, const char *path, size_t max, size_t *len)
{
    char *text;
    int error = fl_read_regular(r->scratch, fl_printf(r->scratch, "%s/%s", r->b->dir, path), max, &text, len);
    if (error) {
        bad(r, path, fl_read_error(r->scratch, error, max));
        return NULL;
    }
    if (r->digests)
        note_edited(r, path, text, *len);
    return text;
}

/* The JSON object of a file, or NULL. */
static const fl_json *read_json(reader *r, const char *path)
{
    size_t len;
    fl_json_error err;
    const char *text = read_text(r, path, FL_JSON_MAX_BYTES, &len);
    if (!text)
        return NULL;
    const fl_json *root = fl_json_parse(r->scratch, text, len, 0, &err);
    if (!root || root->kind != FL_JOBJECT) {
        bad(r, path,
            root ? "a JSON object is expected"
                 : fl_printf(r->scratch, "not JSON at byte %u: %s", err.offset, err.message));
        return NULL;
    }
    return root;
}

/* ---- MANIFEST ---- */

static bool omits(const fl_json *manifest, const char *part)
{
    const fl_json *list = fl_json_get(manifest, "omitted");
    for (const fl_json *i = list && list->kind == FL_JARRAY ? list->child : NULL; i; i = i->next)
        if (i->kind == FL_JSTRING && !strcmp(i->str, part))
            return true;
    return false;
}

static bool right_version(const reader *r, const fl_json *root, const char *file, const char *format, int64_t newest)
{
    int64_t version;
    const char *is = fl_json_str(root, "format");
    if (!is || strcmp(is, format) || !fl_json_int(root, "version", &version) || version < 1)
        return bad(r, file, fl_printf(r->scratch, "not a file of format %s", format));
    if (version <= newest)
        return true;
    return bad(r, file,
               fl_printf(r->scratch, "%s of version %lld, which a newer flec wrote: this one reads up to %lld", format,
                         (long long)version, (long long)newest));
}

static bool read_manifest(reader *r, const fl_json *m)
{
    const fl_json *files = fl_json_get(m, "files"), *environment = fl_json_get(m, "environment");
    if (!right_version(r, m, "MANIFEST", "flec-build", 1))
        return false;
    if (!files || files->kind != FL_JOBJECT || !environment ||
        (environment->kind != FL_JNULL && environment->kind != FL_JSTRING))
        return bad(r, "MANIFEST", "`files` or `environment` is missing");
    for (const char *const *part = (const char *const[]){"registry", "plan", NULL}; *part; part++)
        if (omits(m, *part))
            return bad(r, "MANIFEST",
                       fl_printf(r->scratch, "a partial build, without the part `%s`: --previous needs it", *part));
    r->b->environment = environment->kind == FL_JSTRING ? keep(r, environment->str) : NULL;
    r->digests = FL_NEW_N(r->scratch, const fl_json *, files->count + 1);
    for (const fl_json *i = files->child; i; i = i->next)
        r->digests[r->ndigests++] = i;
    qsort(r->digests, r->ndigests, sizeof *r->digests, by_key);
    return true;
}

/* ---- rules ---- */

/* A parameter of a rule, or of its subject's metadata, where clients look next. */
static const char *param(const fl_json *subject, const fl_json *rule, const char *name)
{
    const char *own = fl_json_str(fl_json_get(rule, "params"), name);
    return own ? own : fl_json_str(fl_json_get(fl_json_get(subject, "metadata"), "properties"), name);
}

static bool read_rule(reader *r, const fl_json *subject, const fl_json *rule, const char *phase, prev_subject *s)
{
    const char *name = fl_json_str(rule, "name"), *type = fl_json_str(rule, "type"), *mode = fl_json_str(rule, "mode");
    const char *days = param(subject, rule, "encrypt.dek.expiry.days"),
               *algorithm = param(subject, rule, "encrypt.dek.algorithm");
    if (!name || !type)
        return false;
    prev_rule p = {.name = keep(r, name),
                   .type = keep(r, type),
                   .mode = keep(r, mode ? mode : "WRITEREAD"),
                   .phase = phase,
                   .on_failure = keep(r, fl_json_str(rule, "onFailure")),
                   .kek = keep(r, param(subject, rule, "encrypt.kek.name")),
                   .algorithm = keep(r, algorithm ? algorithm : "AES256_GCM"),
                   .rotates = days && strtol(days, NULL, 10) > 0,
                   .disabled = fl_json_bool(rule, "disabled", false)};
    const fl_json *tags = fl_json_get(rule, "tags");
    for (const fl_json *i = tags && tags->kind == FL_JARRAY ? tags->child : NULL; i; i = i->next)
        if (i->kind == FL_JSTRING)
            FL_PUSH(r->a, &p.tags, keep(r, i->str));
    FL_PUSH(r->a, &s->rules, p);
    return true;
}

static int by_rule_name(const void *a, const void *b)
{
    return strcmp(((const prev_rule *)a)->name, ((const prev_rule *)b)->name);
}

static bool read_rules(reader *r, const fl_json *subject, prev_subject *s)
{
    static const struct {
        const char *member, *phase;
    } phases[] = {{"domainRules", "domain"}, {"encodingRules", "encoding"}, {"migrationRules", "migration"}};
    const fl_json *set = fl_json_get(subject, "ruleSet");
    for (size_t k = 0; k < 3; k++) {
        const fl_json *list = fl_json_get(set, phases[k].member);
        for (const fl_json *i = list && list->kind == FL_JARRAY ? list->child : NULL; i; i = i->next)
            if (!read_rule(r, subject, i, phases[k].phase, s))
                return false;
    }
    const char *where = fl_json_str(set, "enableAt");
    s->enable_at = where && strcmp(where, "ALL") ? keep(r, where) : NULL;
    if (s->rules.n)
        qsort(s->rules.v, s->rules.n, sizeof *s->rules.v, by_rule_name);
    return true;
}

/* ---- registry/ ---- */

static bool read_references(reader *r, const fl_json *subject, prev_subject *s)
{
    const fl_json *list = fl_json_get(subject, "references");
    for (const fl_json *i = list && list->kind == FL_JARRAY ? list->child : NULL; i; i = i->next) {
        const char *name = fl_json_str(i, "name"), *to = fl_json_str(i, "subject");
        if (!name || !to)
            return false;
        FL_PUSH(r->a, &s->refs, (prev_ref){keep(r, name), keep(r, to)});
    }
    return true;
}

static void read_keys(reader *r, const fl_json *subject, prev_subject *s)
{
    const fl_json *keys = fl_json_get(fl_json_get(subject, "metadata"), "tags");
    for (const fl_json *k = keys && keys->kind == FL_JOBJECT ? keys->child : NULL; k; k = k->next)
        for (const fl_json *i = k->kind == FL_JARRAY ? k->child : NULL; i; i = i->next)
            if (i->kind == FL_JSTRING)
                FL_PUSH(r->a, &s->keys, (prev_key){keep(r, k->key), keep(r, i->str)});
}

static bool read_format(const fl_json *subject, sch_format *format)
{
    const char *type = fl_json_str(subject, "schemaType");
    for (int f = SCH_AVRO; f <= SCH_PROTOBUF; f++)
        if (!strcmp(type ? type : "AVRO", sch_format_name((sch_format)f))) {
            *format = (sch_format)f;
            return true;
        }
    return false;
}

static bool read_subject(reader *r, const char *path, const char *name)
{
    size_t edited = r->edited;
    const fl_json *j = read_json(r, path), *schema = fl_json_get(j, "schema");
    prev_subject s = {.name = keep(r, name), .edited = r->edited > edited};
    if (!j)
        return false;
    if (!schema || schema->kind != FL_JSTRING || schema->len > SCH_MAX_TEXT || !read_format(j, &s.format) ||
        !read_references(r, j, &s) || !read_rules(r, j, &s))
        return bad(r, path, "no subject as the registry takes it: `schemaType`, `schema`, `references` or a rule");
    read_keys(r, j, &s);
    s.text = fl_strndup(r->a, schema->str, schema->len);
    s.len = schema->len;
    FL_PUSH(r->a, &r->b->subjects, s);
    return true;
}

static bool read_kek(reader *r, const char *path, const char *name)
{
    const fl_json *j = read_json(r, path);
    const char *type = fl_json_str(j, "kmsType"), *id = fl_json_str(j, "kmsKeyId");
    if (!j)
        return false;
    if (!type || !id)
        return bad(r, path, "`kmsType` or `kmsKeyId` is missing");
    FL_PUSH(r->a, &r->b->keks, (prev_kek){keep(r, name), keep(r, type), keep(r, id)});
    return true;
}

/* The names are MANIFEST's: file names may be cut. */
static bool read_registered(reader *r, const char *entry)
{
    bool kek = !strncmp(entry, "keks/", 5);
    if (!kek && strncmp(entry, "subjects/", 9))
        return bad(r, "MANIFEST", "`order` names what is no KEK and no subject");
    const char *name = entry + (kek ? 5 : 9);
    const char *path =
        fl_printf(r->scratch, "registry/%s/%s.json", kek ? "keks" : "subjects", fl_file_name(r->scratch, name));
    return kek ? read_kek(r, path, name) : read_subject(r, path, name);
}

static int by_subject_name(const void *a, const void *b)
{
    return strcmp(((const prev_subject *)a)->name, ((const prev_subject *)b)->name);
}

static int by_kek_name(const void *a, const void *b)
{
    return strcmp(((const prev_kek *)a)->name, ((const prev_kek *)b)->name);
}

/* Each file in an arena of its own, so that a large registry needs little. */
static bool read_registry(reader *r, const fl_json *manifest)
{
    const fl_json *order = fl_json_get(manifest, "order");
    fl_arena *outer = r->scratch;
    bool ok = order && order->kind == FL_JARRAY;
    if (!ok)
        return bad(r, "MANIFEST", "`order` is missing");
    for (const fl_json *i = order->child; i && ok; i = i->next) {
        r->scratch = fl_arena_new();
        ok = i->kind == FL_JSTRING && read_registered(r, i->str);
        fl_arena_free(r->scratch);
    }
    r->scratch = outer;
    if (r->b->subjects.n)
        qsort(r->b->subjects.v, r->b->subjects.n, sizeof *r->b->subjects.v, by_subject_name);
    if (r->b->keks.n)
        qsort(r->b->keks.v, r->b->keks.n, sizeof *r->b->keks.v, by_kek_name);
    return ok;
}

/* ---- plan.json ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const prev_leaf *)a)->path, ((const prev_leaf *)b)->path);
}

static bool read_encrypted(reader *r, const fl_json *side, prev_side *s)
{
    const fl_json *list = fl_json_get(side, "encrypted");
    for (const fl_json *i = list && list->kind == FL_JARRAY ? list->child : NULL; i; i = i->next) {
        const char *path = fl_json_str(i, "path"), *rule = fl_json_str(i, "rule");
        if (!path || !rule)
            return false;
        FL_PUSH(r->a, &s->encrypted, (prev_leaf){keep(r, path), keep(r, rule)});
    }
    if (s->encrypted.n)
        qsort(s->encrypted.v, s->encrypted.n, sizeof *s->encrypted.v, by_path);
    return true;
}

static bool has_subject(const char *format)
{
    return !strcmp(format, "avro") || !strcmp(format, "json") || !strcmp(format, "protobuf");
}

/* A side with a schema and no subject would pass for one that never had rules. */
static bool read_side(reader *r, const fl_json *topic, const char *name, bool key)
{
    const fl_json *j = fl_json_get(topic, key ? "key" : "value");
    const char *subject = fl_json_str(j, "subject"), *rule = fl_json_str(fl_json_get(j, "payload"), "rule");
    prev_side s = {.topic = keep(r, name), .is_key = key, .subject_name = keep(r, subject), .payload = keep(r, rule)};
    if (!j || !fl_json_str(j, "format"))
        return bad(r, PLAN, fl_printf(r->scratch, "topic %.200s has no %s", name, key ? "key" : "value"));
    if (!subject && fl_json_get(j, "subject"))
        return bad(r, PLAN, fl_printf(r->scratch, "topic %.200s: `subject` is no text", name));
    if (!subject && has_subject(fl_json_str(j, "format")))
        return bad(r, PLAN, fl_printf(r->scratch, "topic %.200s has no `subject`", name));
    s.message = keep(r, fl_json_str(j, "message"));
    s.subject = subject ? prev_find_subject(r->b, subject) : NULL;
    if (subject && !s.subject)
        return bad(r, PLAN, fl_printf(r->scratch, "subject %.200s is not in registry/", subject));
    if (!read_encrypted(r, j, &s))
        return bad(r, PLAN, fl_printf(r->scratch, "topic %.200s: `encrypted` cannot be read", name));
    FL_PUSH(r->a, &r->b->sides, s);
    return true;
}

static int by_side(const void *a, const void *b)
{
    const prev_side *x = a, *y = b;
    int order = strcmp(x->topic, y->topic);
    return order ? order : (int)y->is_key - (int)x->is_key;
}

static bool read_topic(reader *r, const fl_json *topic)
{
    const char *name = fl_json_str(topic, "name");
    if (!name)
        return bad(r, PLAN, "a topic without a name");
    return read_side(r, topic, name, true) && read_side(r, topic, name, false);
}

/* A large plan is read topic by topic: what stands between its brackets is found first, then judged as JSON. */

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && !*++p)
            return NULL;
    return *p ? p + 1 : NULL;
}

/* Behind the value that begins at p; NULL if it does not end. */
static const char *skip_value(const char *p)
{
    size_t depth = 0;
    do {
        size_t plain = strcspn(p, depth ? "\"[]{}" : "\"[]{}, \t\r\n");
        p += plain;
        if (!depth && (plain || !strchr("\"[{", *p)))
            return plain ? p : NULL;
        if (*p == '"')
            p = skip_string(p);
        else if (*p)
            depth += *p == '[' || *p == '{' ? 1 : (size_t)-1, p++;
        else
            return NULL;
    } while (p && depth);
    return p;
}

/* One value, parsed in an arena of its own. */
static bool with_value(reader *r, const char *from, const char *to, bool (*fn)(reader *r, const fl_json *value))
{
    fl_arena *outer = r->scratch;
    fl_json_error err;
    r->scratch = fl_arena_new();
    const char *text = fl_strndup(r->scratch, from, (size_t)(to - from));
    const fl_json *value = fl_json_parse(r->scratch, text, (size_t)(to - from), 0, &err);
    bool ok = value ? fn(r, value) : bad(r, PLAN, fl_printf(r->scratch, "not JSON: %s", err.message));
    fl_arena_free(r->scratch);
    r->scratch = outer;
    return ok;
}

static bool read_topics(reader *r, const char *p)
{
    if (*p != '[')
        return bad(r, PLAN, "`topics` is no list");
    for (p = skip_space(p + 1); *p != ']';) {
        const char *end = *p == '{' ? skip_value(p) : NULL;
        if (!end)
            return bad(r, PLAN, "`topics` is no list of topics");
        if (!with_value(r, p, end, read_topic))
            return false;
        p = skip_space(end);
        if (*p == ',')
            p = skip_space(p + 1);
        else if (*p != ']')
            return bad(r, PLAN, "`topics` is no list of topics");
    }
    return true;
}

typedef struct members { /* of the plan, where their values begin; NULL: not there */
    const char *format, *version, *topics;
} members;

static bool find_members(const char *p, members *m)
{
    if (*p != '{')
        return false;
    for (p = skip_space(p + 1); *p == '"';) {
        const char *name = p + 1, *end = skip_string(p);
        p = end ? skip_space(end) : "";
        if (*p != ':')
            return false;
        const char *value = skip_space(p + 1);
        size_t len = (size_t)(end - 1 - name);
        const char **found = len == 6 && !strncmp(name, "format", 6)    ? &m->format
                             : len == 7 && !strncmp(name, "version", 7) ? &m->version
                             : len == 6 && !strncmp(name, "topics", 6)  ? &m->topics
                                                                        : NULL;
        p = skip_value(value);
        if (!p || (found && *found))
            return false;
        if (found)
            *found = value;
        p = skip_space(p);
        p = *p == ',' ? skip_space(p + 1) : p;
    }
    return *p == '}' && !*skip_space(p + 1) && m->format && m->version && m->topics;
}

static bool right_plan(reader *r, const members *m)
{
    fl_json_error err;
    const char *text =
        fl_printf(r->scratch, "{\"format\":%.*s,\"version\":%.*s}", (int)(skip_value(m->format) - m->format), m->format,
                  (int)(skip_value(m->version) - m->version), m->version);
    const fl_json *head = fl_json_parse(r->scratch, text, strlen(text), 0, &err);
    return head ? right_version(r, head, PLAN, "flec-plan", 2) : bad(r, PLAN, "not a file of format flec-plan");
}

static bool read_plan(reader *r)
{
    size_t len;
    members m = {0};
    const char *text = read_text(r, PLAN, PLAN_MAX, &len);
    if (!text)
        return false;
    if (strlen(text) != len || !find_members(skip_space(text), &m))
        return bad(r, PLAN, "not a whole plan: `format`, `version` or `topics` is missing");
    if (!right_plan(r, &m) || !read_topics(r, m.topics))
        return false;
    if (r->b->sides.n)
        qsort(r->b->sides.v, r->b->sides.n, sizeof *r->b->sides.v, by_side);
    return true;
}

/* ---- all ---- */

static bool read_all(reader *r)
{
    if (!fl_is_dir(r->b->dir)) {
        fl_log(FL_LOG_ERROR, "%s: not a folder: --previous names a build directory", r->b->dir);
        return false;
    }
    if (!fl_exists(fl_printf(r->scratch, "%s/MANIFEST", r->b->dir))) {
        fl_log(FL_LOG_ERROR, "%s: not a build directory: there is no MANIFEST in it", r->b->dir);
        return false;
    }
    const fl_json *manifest = read_json(r, "MANIFEST");
    return manifest && read_manifest(r, manifest) && read_registry(r, manifest) && read_plan(r);
}

prev_build *prev_read(fl_arena *a, const char *dir, fl_status *status)
{
    reader r = {.a = a, .scratch = fl_arena_new(), .b = FL_NEW(a, prev_build)};
    fl_arena *scratch = r.scratch;
    r.b->dir = fl_strdup(a, dir);
    bool ok = read_all(&r);
    fl_arena_free(scratch);
    if (ok && r.edited == 1)
        fl_log(FL_LOG_WARN, "%s/%s is not as it was built: it is used as it is", dir, r.first_edited);
    else if (ok && r.edited)
        fl_log(FL_LOG_WARN, "%s: %zu files are not as they were built, %s for one: they are used as they are", dir,
               r.edited, r.first_edited);
    if (!ok)
        *status = fl_status_worse(*status, FL_COULD_NOT_RUN);
    return ok ? r.b : NULL;
}

const prev_kek *prev_find_kek(const prev_build *b, const char *name)
{
    prev_kek key = {.name = name};
    return b->keks.n ? bsearch(&key, b->keks.v, b->keks.n, sizeof key, by_kek_name) : NULL;
}

prev_subject *prev_find_subject(const prev_build *b, const char *name)
{
    prev_subject key = {.name = name};
    return b->subjects.n ? bsearch(&key, b->subjects.v, b->subjects.n, sizeof key, by_subject_name) : NULL;
}

const prev_side *prev_find_side(const prev_build *b, const char *topic, bool key)
{
    prev_side wanted = {.topic = topic, .is_key = key};
    return b->sides.n ? bsearch(&wanted, b->sides.v, b->sides.n, sizeof wanted, by_side) : NULL;
}

const prev_rule *prev_find_rule(const prev_subject *s, const char *name)
{
    prev_rule key = {.name = name};
    return s && s->rules.n ? bsearch(&key, s->rules.v, s->rules.n, sizeof key, by_rule_name) : NULL;
}
