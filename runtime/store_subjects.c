/* store_subjects.c: registering schema versions: what a registration makes of a schema, its identity, its number. */
#include <stdio.h>
#include <string.h>

#include "runtime/canon.h"
#include "runtime/store_same.h"

/* ---- registering ---- */

static rt_code wrong_schema(const rt_subject *s, rt_error *err)
{
    const char *wrong = rt_subject_wrong(s->subject);
    size_t bad, n = s->schema ? strlen(s->schema) : 0;
    if (wrong)
        return rt_fail_as(err, RT_BAD_INPUT, 42208, "subject \"%s\" %s", s->subject ? s->subject : "", wrong);
    if (!n)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: the schema is empty", s->subject);
    if (n > RT_SCHEMA_MAX)
        return rt_fail_as(err, RT_BAD_INPUT, 42209, "subject %s: the schema is longer than %zu bytes", s->subject,
                          RT_SCHEMA_MAX);
    if (!fl_utf8_ok(s->schema, n, &bad))
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: the schema is not UTF-8 at byte %zu", s->subject, bad);
    if (s->nrefs > 1000)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: more than 1000 references", s->subject);
    return RT_OK;
}

/* Real versions in place of -1; refuses what does not exist. */
rt_code rt_store_settle_refs(const rt_store *st, fl_arena *a, rt_subject *s, rt_error *err)
{
    rt_schema_ref *refs = s->nrefs ? FL_NEW_N(a, rt_schema_ref, s->nrefs) : NULL;
    for (size_t i = 0; i < s->nrefs; i++) {
        refs[i] = s->refs[i];
        if (!refs[i].name || !refs[i].subject || !*refs[i].name)
            return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: a reference without name or subject", s->subject);
        const rt_version *to = rt_store_find(st, rt_store_ref_subject(a, s->subject, refs[i].subject),
                                             refs[i].version ? refs[i].version : -1, false);
        if (!to)
            return rt_fail_as(err, RT_BAD_INPUT, 42201,
                              "subject %s: its reference %s is not registered: subject %s, version %d", s->subject,
                              refs[i].name, refs[i].subject, refs[i].version);
        refs[i].version = to->number;
    }
    s->refs = refs;
    return RT_OK;
}

const char *rt_store_ref_subject(fl_arena *a, const char *from, const char *to)
{
    const char *context = rt_subject_context(a, from);
    if (strcmp(context, ".") == 0 || rt_subject_bare(to) != to)
        return rt_subject_normal(a, to);
    return fl_printf(a, ":%s:%s", context, to);
}

static rt_code settle_metadata(fl_arena *a, rt_subject *s, const rt_settings *set, rt_error *err)
{
    const char *texts[] = {set->metadata_before, s->metadata, set->metadata_after};
    rt_metadata *m = NULL, *part;
    for (size_t i = 0; i < 3; i++) {
        rt_code code = texts[i] ? rt_canon_metadata(a, texts[i], &part, err) : RT_OK;
        if (code != RT_OK)
            return code;
        m = texts[i] ? rt_merge_metadata(a, m, part) : m;
    }
    s->metadata = m ? rt_canon_metadata_text(a, m) : NULL;
    return RT_OK;
}

static rt_code settle_rules(fl_arena *a, rt_subject *s, const rt_settings *set, rt_error *err)
{
    const char *texts[] = {set->rules_before, s->ruleset, set->rules_after};
    rt_ruleset *r = NULL, *part;
    for (size_t i = 0; i < 3; i++) {
        rt_code code = texts[i] ? rt_canon_ruleset(a, texts[i], &part, err) : RT_OK;
        if (code != RT_OK)
            return code;
        r = texts[i] ? rt_merge_rulesets(a, r, part) : r;
    }
    s->ruleset = r ? rt_canon_ruleset_text(a, r) : NULL;
    return r ? rt_canon_ruleset(a, s->ruleset, &part, err) : RT_OK; /* names are unique in what came of them, too */
}

/* Metadata and rules in the registry's form. A member that is not given is the latest version's, as in the vendor's
 * registry; then come the defaults and overrides of the subject's config. */
static rt_code settle(const rt_store *st, fl_arena *a, rt_subject *s, bool inherit, const rt_settings *set,
                      rt_error *err)
{
    static const rt_settings none;
    const rt_version *before = inherit ? rt_store_find(st, s->subject, -1, false) : NULL;
    if (!s->metadata && before)
        s->metadata = before->content->is.metadata;
    if (!s->ruleset && before)
        s->ruleset = before->content->is.ruleset;
    set = inherit ? set : &none;
    rt_code code = settle_metadata(a, s, set, err);
    return code == RT_OK ? settle_rules(a, s, set, err) : code;
}

/* By identity: in mode IMPORT one content may have several ids. */
static const rt_version *version_with(const rt_store *st, const char *subject, const char *ident, bool deleted)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    for (size_t i = v ? v->list.n : 0; i-- > 0;)
        if (!strcmp(v->list.v[i].content->identity, ident) && (deleted || !v->list.v[i].deleted))
            return &v->list.v[i];
    return NULL;
}

static int next_number(const rt_store *st, const char *subject)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    int last = v && v->list.n ? v->list.v[v->list.n - 1].number : 0;
    return last < INT32_MAX ? last + 1 : 0; /* IMPORT may have taken the last one */
}

static const rt_context *context_of(const rt_store *st, fl_arena *a, const char *subject)
{
    return fl_map_get(st->contexts, rt_subject_context(a, subject));
}

static void print_content(fl_jw *w, const rt_subject *s, const char *ident)
{
    fl_jw_kstring(w, "identity", ident);
    fl_jw_kstring(w, "guid", s->guid);
    fl_jw_kstring(w, "type", s->type);
    fl_jw_kstring(w, "schema", s->schema);
    rt_store_print_refs(w, s);
    if (s->metadata)
        fl_jw_kstring(w, "metadata", s->metadata);
    if (s->ruleset)
        fl_jw_kstring(w, "ruleSet", s->ruleset);
}

void rt_store_print_version(fl_buf *b, const rt_subject *s, const char *ident, int64_t ts)
{
    fl_jw w;
    rt_store_begin_record(b, &w, "version");
    fl_jw_kstring(&w, "subject", s->subject);
    fl_jw_kint(&w, "version", s->version);
    fl_jw_kint(&w, "id", s->id);
    fl_jw_kint(&w, "ts", ts);
    if (ident)
        print_content(&w, s, ident);
    fl_jw_end_object(&w);
}

static rt_code commit_version(rt_store *st, const rt_subject *s, const char *ident, bool fresh, rt_error *err)
{
    fl_buf b;
    rt_store_print_version(&b, s, fresh ? ident : NULL, rt_store_now(st));
    return rt_store_commit(st, &b, err);
}

/* Ids are given in the modes IMPORT and FORWARD alone, and there nothing else goes. */
static rt_code check_mode(const rt_subject *s, const rt_register *how, const rt_settings *set, rt_error *err)
{
    bool import = strcmp(set->mode, "IMPORT") == 0 || strcmp(set->mode, "FORWARD") == 0;
    if (strncmp(set->mode, "READONLY", 8) == 0)
        return rt_fail_as(err, RT_REFUSED, 42205, "subject %s is in %s mode: nothing is registered", s->subject,
                          set->mode);
    if (how->id && !import)
        return rt_fail_as(err, RT_REFUSED, 42205, "subject %s is not in import mode: it takes no id", s->subject);
    if (!how->id && import)
        return rt_fail_as(err, RT_REFUSED, 42205, "subject %s is in %s mode: it takes versions with their ids",
                          s->subject, set->mode);
    return RT_OK;
}

static rt_code incompatible(fl_arena *a, const rt_subject *s, const sch_compatibility *why, sch_level level,
                            rt_error *err)
{
    const char *first = why->list.n ? why->list.v[0].message : "it is too large to be compared";
    return rt_fail_as(err, RT_CONFLICT, 40901, "subject %s: the schema is incompatible with an earlier one (%s): %s%s",
                      s->subject, sch_level_name(level), first,
                      why->list.n > 1 ? fl_printf(a, " (and %zu more)", why->list.n - 1) : "");
}

static rt_code check_reserved(const rt_store *st, fl_arena *a, const rt_subject *s, rt_error *err)
{
    const rt_version *before = rt_store_find(st, s->subject, -1, false);
    rt_strings problems = {0};
    rt_code code = rt_store_reserved(st, a, s, before ? &before->content->is : NULL, &problems, err);
    if (code == RT_OK && problems.n)
        code = rt_fail_as(err, RT_REFUSED, 40901, "subject %s: %s", s->subject, problems.v[0]);
    return code;
}

static rt_code check_compatible(const rt_store *st, fl_arena *a, const rt_subject *s, const rt_settings *set,
                                rt_error *err)
{
    const rt_subject *const *history;
    sch_compatibility why = {0};
    bool ok;
    size_t n = rt_store_history(st, a, s, &history);
    rt_code code = set->validate_fields ? check_reserved(st, a, s, err) : RT_OK;
    if (code == RT_OK)
        code = rt_store_compatible(st, a, set->level, s, history, n, &why, &ok, err);
    return code != RT_OK || ok ? code : incompatible(a, s, &why, set->level, err);
}

/* The id of a version that is new to the subject, and its number. */
static rt_code number_it(const rt_store *st, fl_arena *a, rt_subject *s, const rt_content *known,
                         const rt_register *how, rt_error *err)
{
    const rt_context *context = context_of(st, a, s->subject);
    int next = next_number(st, s->subject);
    if (how->version > 0 && how->version != next && !how->id)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: version %d is not one more than the version before",
                          s->subject, how->version);
    s->version = how->version > 0 ? how->version : next;
    if (how->id && rt_store_find(st, s->subject, s->version, true))
        return rt_fail_as(err, RT_REFUSED, 42205, "subject %s has a version %d already", s->subject, s->version);
    const rt_content *taken = how->id ? rt_store_content(st, rt_subject_context(a, s->subject), how->id) : NULL;
    if (taken && (!known || strcmp(taken->identity, known->identity) != 0))
        return rt_fail_as(err, RT_REFUSED, 42205, "subject %s: id %d belongs to another schema", s->subject, how->id);
    int last = context ? context->last_id : 0;
    s->id = how->id ? how->id : known ? known->id : last < INT32_MAX ? last + 1 : 0;
    if (!s->version || !s->id)
        return rt_fail_as(err, RT_REFUSED, 42205, "subject %s: no number is left for another version", s->subject);
    return RT_OK;
}

static rt_code prepare(const rt_store *st, fl_arena *a, rt_subject *s, const rt_register *how, const rt_settings *set,
                       rt_error *err)
{
    const rt_version *before = rt_store_find(st, s->subject, -1, false);
    bool import = how->id != 0;
    if (how->judge && !import && before && (!s->schema || !s->schema[strspn(s->schema, " \t\r\n")])) {
        s->schema = before->content->is.schema; /* a new version that differs in metadata or rules alone */
        s->type = before->content->is.type;
        s->refs = before->content->is.refs;
        s->nrefs = before->content->is.nrefs;
    }
    rt_code code = wrong_schema(s, err);
    if (code == RT_OK)
        code = rt_store_settle_refs(st, a, s, err);
    if (code == RT_OK)
        code = settle(st, a, s, !import, set, err);
    if (code == RT_OK && how->judge)
        code = rt_store_judge(st, a, s, how->normalize || set->normalize, NULL, err);
    return code == RT_OK ? rt_schema_guid(s, s->guid, err) : code;
}

static const rt_content *content_with(const rt_store *st, fl_arena *a, const rt_subject *s, const char *ident)
{
    const rt_context *context = context_of(st, a, s->subject);
    return context ? fl_map_get(context->by_identity, ident) : NULL;
}

/* What is known of the registered version, in the arena. */
static void tell(fl_arena *a, const rt_subject *want, rt_subject *s)
{
    const char *given = s->subject;
    *s = *want;
    s->subject = given;
    s->metadata = rt_store_copy(a, want->metadata);
    s->ruleset = rt_store_copy(a, want->ruleset);
    s->schema = fl_strdup(a, want->schema);
}

/* The version that the subject has already; NULL: a new one is made, whose metadata then says its number if the request
 * or the version before does. */
static const rt_version *settle_mark(const rt_store *st, fl_arena *a, rt_subject *want, const rt_register *how,
                                     const char *asked, rt_error *err, rt_code *code)
{
    const rt_version *there = NULL;
    if (!how->version)
        there = version_with(st, want->subject, rt_store_identity(a, want), false);
    if (!there && !how->version && !how->id)
        there = rt_store_same_marked(st, a, want, asked, false);
    if (there || how->id || !(how->version || rt_store_mark_of(a, want->metadata)))
        return there;
    int number = how->version > 0 ? how->version : next_number(st, want->subject);
    want->metadata = rt_store_mark(a, want->metadata, number);
    *code = rt_schema_guid(want, want->guid, err);
    return NULL;
}

static rt_code add_version(rt_store *st, fl_arena *a, rt_subject *want, const rt_register *how, const rt_settings *set,
                           rt_error *err)
{
    const char *ident = rt_store_identity(a, want), *context = rt_subject_context(a, want->subject);
    rt_code code = how->judge && !how->id ? check_compatible(st, a, want, set, err) : RT_OK;
    if (code == RT_OK)
        code = number_it(st, a, want, content_with(st, a, want, ident), how, err);
    return code == RT_OK ? commit_version(st, want, ident, !rt_store_content(st, context, want->id), err) : code;
}

rt_code rt_store_register_as(rt_store *st, fl_arena *a, rt_subject *s, const rt_register *how, rt_error *err)
{
    rt_subject want = *s;
    rt_settings set;
    const char *wrong = rt_subject_wrong(s->subject), *asked = rt_store_mark_of(a, s->metadata);
    if (wrong)
        return rt_fail_as(err, RT_BAD_INPUT, 42208, "subject \"%s\" %s", s->subject ? s->subject : "", wrong);
    want.subject = rt_subject_normal(a, s->subject);
    want.type = s->type && *s->type ? s->type : "AVRO";
    rt_store_settings(st, a, want.subject, &set);
    rt_code code = check_mode(&want, how, &set, err);
    if (code == RT_OK)
        code = prepare(st, a, &want, how, &set, err);
    if (code != RT_OK)
        return code;
    const rt_version *there = settle_mark(st, a, &want, how, asked, err, &code);
    if (there && (!how->id || how->id == there->content->id)) {
        want.version = there->number;
        want.id = there->content->id;
        want.metadata = there->content->is.metadata;
        memcpy(want.guid, there->content->is.guid, sizeof want.guid);
    } else if (code == RT_OK) {
        code = add_version(st, a, &want, how, &set, err);
    }
    if (code == RT_OK)
        tell(a, &want, s);
    return code;
}

rt_code rt_store_register(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    return rt_store_register_as((rt_store *)r, a, s, &(rt_register){0}, err);
}

/* ---- lookup ---- */

static const rt_version *look(const rt_store *st, fl_arena *a, const rt_subject *s, const char *asked, bool deleted)
{
    const rt_version *v = version_with(st, s->subject, rt_store_identity(a, s), deleted);
    return v ? v : rt_store_same_marked(st, a, s, asked, deleted);
}

/* First as it is given, then with the metadata and rules that a registration would take over. */
rt_code rt_store_lookup(rt_store *st, fl_arena *a, rt_subject *s, bool normalize, bool deleted, rt_version *out,
                        rt_error *err)
{
    rt_settings set;
    const char *asked = rt_store_mark_of(a, s->metadata);
    if (!rt_store_subject(st, s->subject, deleted))
        return rt_fail_as(err, RT_NOT_FOUND, 40401, "subject %s is not in the registry %s", s->subject, st->url);
    rt_store_settings(st, a, s->subject, &set);
    s->type = s->type && *s->type ? s->type : "AVRO";
    rt_code code = wrong_schema(s, err);
    if (code == RT_OK)
        code = rt_store_settle_refs(st, a, s, err);
    if (code == RT_OK)
        code = settle(st, a, s, false, &set, err);
    if (code == RT_OK)
        code = rt_store_judge(st, a, s, normalize || set.normalize, NULL, err);
    const rt_version *found = code == RT_OK ? look(st, a, s, asked, deleted) : NULL;
    if (code == RT_OK && !found) {
        code = settle(st, a, s, true, &set, err);
        found = code == RT_OK ? look(st, a, s, asked, deleted) : NULL;
    }
    if (code == RT_OK && !found)
        code = rt_fail_as(err, RT_NOT_FOUND, 40403, "subject %s has no such schema", s->subject);
    if (found)
        *out = *found;
    return code;
}

/* ---- applying ---- */

static rt_code no_record(const char *what, rt_error *err)
{
    return rt_fail(err, RT_IO, "a record of a schema version %s", what);
}

static bool read_refs(fl_arena *a, const fl_json *list, rt_subject *s)
{
    if (!list || list->kind != FL_JARRAY)
        return false;
    s->refs = list->count ? FL_NEW_N(a, rt_schema_ref, list->count) : NULL;
    for (const fl_json *e = list->child; e && s->refs; e = e->next) {
        rt_schema_ref *ref = &s->refs[s->nrefs++];
        int64_t version;
        const char *name = fl_json_str(e, "name"), *subject = fl_json_str(e, "subject");
        if (!name || !subject || !fl_json_int(e, "version", &version) || version < 1 || version > INT32_MAX)
            return false;
        *ref = (rt_schema_ref){fl_strdup(a, name), fl_strdup(a, subject), (int)version};
    }
    return true;
}

static rt_content *read_content(rt_store *st, const fl_json *record)
{
    const char *guid = fl_json_str(record, "guid"), *ident = fl_json_str(record, "identity");
    const char *type = fl_json_str(record, "type"), *schema = fl_json_str(record, "schema");
    rt_content *c = FL_NEW(st->arena, rt_content);
    if (!guid || strlen(guid) != 36 || !ident || !type || !schema ||
        !read_refs(st->arena, fl_json_get(record, "references"), &c->is))
        return NULL;
    memcpy(c->is.guid, guid, 37);
    c->identity = fl_strdup(st->arena, ident);
    c->is.type = fl_strdup(st->arena, type);
    c->is.schema = fl_strdup(st->arena, schema);
    c->is.metadata = rt_store_copy(st->arena, fl_json_str(record, "metadata"));
    c->is.ruleset = rt_store_copy(st->arena, fl_json_str(record, "ruleSet"));
    return c;
}

rt_context *rt_store_make_context(rt_store *st, const char *name)
{
    rt_context *c = fl_map_get(st->contexts, name);
    if (c)
        return c;
    c = FL_NEW(st->arena, rt_context);
    *c = (rt_context){fl_strdup(st->arena, name), fl_map_new(), fl_map_new(), fl_map_new(), 0, false};
    fl_map_put(st->contexts, name, c);
    return c;
}

static rt_versions *versions_of(rt_store *st, const char *subject)
{
    rt_versions *v = fl_map_get(st->subjects, subject);
    if (v)
        return v;
    v = FL_NEW(st->arena, rt_versions);
    v->subject = fl_strdup(st->arena, subject);
    v->context = rt_store_make_context(st, rt_subject_context(st->arena, subject));
    fl_map_put(st->subjects, subject, v);
    return v;
}

static void enter(rt_context *context, rt_content *c, int id)
{
    char key[16];
    snprintf(key, sizeof key, "%d", id);
    c->id = c->is.id = id;
    context->gone = false;
    if (!fl_map_get(context->by_identity, c->identity))
        fl_map_put(context->by_identity, c->identity, c);
    fl_map_put(context->by_id, key, c);
    if (!fl_map_get(context->by_guid, c->is.guid))
        fl_map_put(context->by_guid, c->is.guid, c);
    if (id > context->last_id)
        context->last_id = id;
}

static void add_user(rt_store *st, rt_content *c, rt_versions *v)
{
    bool by_users = c->users.n < v->list.n; /* any number of subjects may share one schema */
    for (size_t i = 0; i < (by_users ? c->users.n : v->list.n); i++)
        if (by_users ? c->users.v[i] == v : v->list.v[i].content == c)
            return;
    FL_PUSH(st->arena, &c->users, v);
}

/* A version that was deleted, and is there again under a new number, is gone under the old one. */
static void forget_deleted(rt_versions *v, const rt_content *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->list.n; i++)
        if (!(v->list.v[i].deleted && v->list.v[i].content == c))
            v->list.v[kept++] = v->list.v[i];
    v->list.n = kept;
}

static void place(rt_store *st, rt_versions *v, rt_version new)
{
    FL_PUSH(st->arena, &v->list, new);
    for (size_t i = v->list.n - 1; i > 0 && v->list.v[i - 1].number > new.number; i--) {
        v->list.v[i] = v->list.v[i - 1];
        v->list.v[i - 1] = new;
    }
}

rt_code rt_store_apply_version(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *subject = fl_json_str(record, "subject");
    int64_t version, id, ts = 0;
    if (!subject || !fl_json_int(record, "version", &version) || !fl_json_int(record, "id", &id))
        return no_record("lacks a member", err);
    if (id < 1 || id > INT32_MAX || version < 1 || version > INT32_MAX || rt_subject_wrong(subject))
        return no_record("is out of bounds", err);
    fl_json_int(record, "ts", &ts);
    if (rt_store_find(st, subject, (int)version, true))
        return no_record("is out of order", err);
    rt_versions *v = versions_of(st, subject);
    rt_content *c = (rt_content *)rt_store_content(st, v->context->name, (int)id);
    if (!c) {
        c = read_content(st, record);
        if (!c)
            return no_record("lacks a member", err);
        enter(v->context, c, (int)id);
    }
    add_user(st, c, v);
    forget_deleted(v, c);
    place(st, v, (rt_version){c, (int)version, false, ts, st->applying});
    v->made++;
    return RT_OK;
}
