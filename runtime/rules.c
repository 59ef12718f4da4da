/* rules.c: metadata and rule set of a subject version, from JSON text to validated rules. */
#include "runtime/rules.h"

#include <string.h>

/* ---- what the reader carries along ---- */

typedef struct reader {
    fl_arena *a;
    const rt_subject *s;
    const rt_codec_options *opt;
    const fl_json *properties; /* of metadata, or NULL */
    const char *elsewhere;     /* why no rule of the set runs here, or NULL */
    rt_rules *rs;
    rt_error *err;
} reader;

static rt_code refuse_rule(reader *rd, const char *name, const char *why)
{
    return rt_fail(rd->err, RT_REFUSED, "subject %s, rule %s: %s", rd->s->subject, name, why);
}

static rt_code bad(reader *rd, const char *what)
{
    return rt_fail(rd->err, RT_BAD_INPUT, "subject %s: %s", rd->s->subject, what);
}

static rt_code parse(reader *rd, const char *what, const char *text, const fl_json **out)
{
    fl_json_error e;
    *out = NULL;
    if (!text)
        return RT_OK;
    const fl_json *j = fl_json_parse(rd->a, text, strlen(text), 0, &e);
    if (!j)
        return bad(rd, fl_printf(rd->a, "%s is no JSON: %s (byte %u)", what, e.message, e.offset));
    if (j->kind == FL_JNULL)
        return RT_OK;
    if (j->kind != FL_JOBJECT)
        return bad(rd, fl_printf(rd->a, "%s must be a JSON object", what));
    *out = j;
    return RT_OK;
}

/* A list of texts; absent and null are the empty list. */
static bool texts(fl_arena *a, const fl_json *list, const char ***out, size_t *n)
{
    *out = NULL;
    *n = 0;
    if (!list || list->kind == FL_JNULL)
        return true;
    if (list->kind != FL_JARRAY)
        return false;
    *out = FL_NEW_N(a, const char *, list->count);
    for (const fl_json *e = list->child; e; e = e->next) {
        if (e->kind != FL_JSTRING)
            return false;
        (*out)[(*n)++] = e->str;
    }
    return true;
}

/* ---- metadata ---- */

/* A key with indexes of elements, as some clients write them, each in place of any: `[0]` (schema/json_names.c). NULL:
 * it has none. */
static const char *any_index(fl_arena *a, const char *key)
{
    char *out = fl_alloc(a, 2 * strlen(key) + 1), *to = out;
    bool found = false;
    while (*key) {
        size_t n = *key == '[' ? strspn(key + 1, "0123456789?*") : 0;
        bool index = n && key[1] != '*' && key[1 + n] == ']';
        to = index ? stpcpy(to, "[0]") : (*to = *key, to + 1);
        key += index ? n + 2 : 1;
        found |= index;
    }
    *to = '\0';
    return found ? out : NULL;
}

static rt_code read_metadata(reader *rd)
{
    const fl_json *m;
    rt_code code = parse(rd, "metadata", rd->s->metadata, &m);
    if (code)
        return code;
    rd->properties = fl_json_get(m, "properties");
    const fl_json *tags = fl_json_get(m, "tags");
    if (!tags || tags->kind == FL_JNULL)
        return RT_OK;
    if (tags->kind != FL_JOBJECT)
        return bad(rd, "metadata.tags must be a JSON object");
    rd->rs->taggings = FL_NEW_N(rd->a, rt_tagging, 2 * tags->count);
    for (const fl_json *e = tags->child; e; e = e->next) {
        rt_tagging *t = &rd->rs->taggings[rd->rs->ntaggings++];
        t->pattern = e->key;
        if (!texts(rd->a, e, &t->tags, &t->ntags))
            return bad(rd, fl_printf(rd->a, "metadata.tags of %s must be a list of texts", e->key));
        const char *any = any_index(rd->a, e->key);
        if (any) /* beside the key, which a name with brackets may match */
            rd->rs->taggings[rd->rs->ntaggings++] = (rt_tagging){any, t->tags, t->ntags};
    }
    return RT_OK;
}

/* ---- parameters ---- */

/* The rule's own, else metadata.properties (as the vendor's RuleContext.getParameter). */
static const char *param(const reader *rd, const fl_json *rule, const char *name)
{
    const char *v = fl_json_str(fl_json_get(rule, "params"), name);
    return v ? v : fl_json_str(rd->properties, name);
}

/* Parameters of ENCRYPT that exist. A misspelt one would be ignored by every client (encrypt.algorithm: the default
 * cipher, silently). */
static const char *const known_params[] = {
    "encrypt.kek.name",      "encrypt.kms.type",        "encrypt.kms.key.id",
    "encrypt.dek.algorithm", "encrypt.dek.expiry.days", "encrypt.alternate.kms.key.ids",
};
enum { NPARAMS = sizeof known_params / sizeof *known_params };

static const char *unknown_param(const fl_json *object)
{
    for (const fl_json *e = object && object->kind == FL_JOBJECT ? object->child : NULL; e; e = e->next) {
        bool known = strncmp(e->key, "encrypt.", 8) != 0;
        for (size_t i = 0; i < NPARAMS && !known; i++)
            known = strcmp(e->key, known_params[i]) == 0;
        if (!known)
            return e->key;
    }
    return NULL;
}

static bool kek_name_ok(const char *s)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-";
    size_t n = strlen(s);
    return n >= 1 && n <= 256 && strchr(first, s[0]) && strspn(s, rest) == n;
}

static bool days(const char *s, int *out)
{
    long v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > 1000000)
            return false;
        v = v * 10 + (*s - '0');
    }
    *out = (int)v;
    return v <= 1000000;
}

static rt_code read_key(reader *rd, const fl_json *j, rt_rule *r)
{
    const char *alg = param(rd, j, "encrypt.dek.algorithm"), *expiry = param(rd, j, "encrypt.dek.expiry.days");
    r->key.subject = rd->s->subject;
    r->key.kek = param(rd, j, "encrypt.kek.name");
    r->key.kms_type = param(rd, j, "encrypt.kms.type");
    r->key.kms_key_id = param(rd, j, "encrypt.kms.key.id");
    r->key.alg = RT_AES256_GCM; /* the vendor's default */
    if (!r->key.kek)
        return refuse_rule(rd, r->name, "names no KEK (parameter encrypt.kek.name)");
    if (!kek_name_ok(r->key.kek))
        return refuse_rule(rd, r->name, "its KEK name is not a letter or _ followed by letters, digits, _ and -");
    if (alg && !rt_alg_parse(alg, &r->key.alg))
        return refuse_rule(rd, r->name, fl_printf(rd->a, "unknown encrypt.dek.algorithm %s", alg));
    if (expiry && !days(expiry, &r->key.expiry_days))
        return refuse_rule(rd, r->name, "encrypt.dek.expiry.days must be a whole number of days, 0 to 1000000");
    r->head = r->key.expiry_days > 0 ? 5 : 0;
    r->over = (uint8_t)(r->head + rt_alg_overhead(r->key.alg));
    const char *odd = unknown_param(fl_json_get(j, "params"));
    if (!odd)
        odd = unknown_param(rd->properties); /* where a rule's parameters may stand as well */
    if (odd && !rd->rs->no_write)
        rd->rs->no_write = fl_printf(rd->a, "rule %s has the parameter %s, which no client knows", r->name, odd);
    return RT_OK;
}

/* ---- one rule ---- */

/* "A,B": A for write, B for read, both for one. NULL if the text is absent or empty. */
static const char *action(reader *rd, const char *pair, bool read)
{
    if (!pair || !*pair)
        return NULL;
    const char *comma = strchr(pair, ',');
    if (!comma)
        return pair;
    return read ? comma + 1 : fl_strndup(rd->a, pair, (size_t)(comma - pair));
}

static bool is(const char *s, const char *word)
{
    return s && strcmp(s, word) == 0;
}

/* Where a failed record goes: rule, metadata, then the client's settings. */
static rt_code read_dlq(reader *rd, const fl_json *j, rt_rule *r, bool read)
{
    const char *topic = param(rd, j, "dlq.topic");
    if (!read && rd->opt->read_only)
        return RT_OK;
    if (!topic || !*topic)
        topic = rd->opt->dlq_topic;
    if (!topic || !*topic)
        return refuse_rule(rd, r->name, "has onFailure DLQ, and no topic for it is configured (dlq.topic)");
    if (!rd->opt->dead_letters)
        return refuse_rule(rd, r->name,
                           fl_printf(rd->a, "has onFailure DLQ, and nothing here can write to topic %s", topic));
    *(read ? &r->dlq_read : &r->dlq_write) = topic;
    return RT_OK;
}

static rt_code read_failure(reader *rd, const fl_json *j, rt_rule *r, const char *action, bool read)
{
    if (is(action, "DLQ"))
        return read_dlq(rd, j, r, read);
    if (action && !is(action, "ERROR") && !is(action, "NONE"))
        return refuse_rule(rd, r->name, fl_printf(rd->a, "this version of flec cannot execute onFailure %s", action));
    if (is(action, "NONE") && read)
        r->pass_read = true;
    if (is(action, "NONE") && !read && !rd->opt->on_failure_none_write && !rd->rs->no_write)
        rd->rs->no_write =
            fl_printf(rd->a, "rule %s has onFailure NONE on write, which lets plaintext through", r->name);
    return RT_OK;
}

static rt_code read_actions(reader *rd, const fl_json *j, rt_rule *r)
{
    for (int read = 0; read < 2; read++) {
        if (read ? !r->read : !r->write)
            continue;
        const char *ok = action(rd, fl_json_str(j, "onSuccess"), read);
        if (ok && !is(ok, "NONE")) /* ERROR and DLQ would fail each record that succeeded */
            return refuse_rule(rd, r->name, fl_printf(rd->a, "this version of flec cannot execute onSuccess %s", ok));
        rt_code code = read_failure(rd, j, r, action(rd, fl_json_str(j, "onFailure"), read), read);
        if (code)
            return code;
    }
    r->pass_write = rd->opt->on_failure_none_write;
    r->pass_read |= rd->opt->on_failure_none_read;
    return RT_OK;
}

static rt_code read_mode(reader *rd, const fl_json *j, rt_rule *r)
{
    const char *mode = fl_json_str(j, "mode");
    r->write = !mode || is(mode, "WRITEREAD") || is(mode, "WRITE");
    r->read = !mode || is(mode, "WRITEREAD") || is(mode, "READ");
    if (!r->write && !r->read)
        return refuse_rule(rd, r->name,
                           fl_printf(rd->a, "mode %s does not belong among domain and encoding rules", mode));
    return RT_OK;
}

static bool same_tags(const rt_rule *x, const rt_rule *y)
{
    for (size_t i = 0; i < x->ntags; i++) {
        bool found = false;
        for (size_t k = 0; k < y->ntags && !found; k++)
            found = strcmp(x->tags[i], y->tags[k]) == 0;
        if (!found)
            return false;
    }
    return true;
}

/* Clients run only the first of several rules with equal type, mode and (non-empty) tag set; a disabled one counts as
 * first, too. */
static bool is_duplicate(const rt_rules *rs, const rt_rule *r)
{
    for (size_t i = 0; i < rs->n && r->ntags; i++) {
        const rt_rule *o = &rs->v[i];
        if (o->ntags && o->write == r->write && o->read == r->read && same_tags(o, r) && same_tags(r, o))
            return true;
    }
    return false;
}

/* What both types of rules that encrypt have. */
static rt_code read_common(reader *rd, const fl_json *j, rt_rule *r)
{
    const char *kind = fl_json_str(j, "kind");
    if (kind && strcmp(kind, "TRANSFORM") != 0)
        return refuse_rule(rd, r->name,
                           fl_printf(rd->a, "%s of kind %s (only TRANSFORM encrypts)", fl_json_str(j, "type"), kind));
    if (fl_json_bool(j, "disabled", false))
        r->idle = "is disabled";
    rt_code code = read_mode(rd, j, r);
    if (!code)
        code = read_actions(rd, j, r);
    return code ? code : read_key(rd, j, r);
}

static rt_code read_encrypt(reader *rd, const fl_json *j, const char *name)
{
    rt_rule r = {.name = name, .idle = rd->elsewhere};
    if (!texts(rd->a, fl_json_get(j, "tags"), &r.tags, &r.ntags))
        return refuse_rule(rd, name, "its tags must be a list of texts");
    rt_code code = read_common(rd, j, &r);
    if (code)
        return code;
    r.duplicate = is_duplicate(rd->rs, &r);
    rd->rs->v[rd->rs->n++] = r;
    return RT_OK;
}

/* ENCRYPT_PAYLOAD: the body as a whole. One that does not run on write would leave all of it in clear. */
static rt_code read_payload(reader *rd, const fl_json *j, const char *name)
{
    rt_rule r = {.name = name, .idle = rd->elsewhere};
    rt_code code = read_common(rd, j, &r);
    if (code)
        return code;
    if (!rd->rs->no_write && (r.idle || !r.write))
        rd->rs->no_write =
            fl_printf(rd->a, "rule %s of type ENCRYPT_PAYLOAD %s: the whole record would go out in clear", name,
                      r.idle ? r.idle : "runs on read alone");
    rd->rs->payload[rd->rs->npayload++] = r;
    return RT_OK;
}

/* ---- the rule set ---- */

static rt_code read_rule(reader *rd, const fl_json *j, const char *phase)
{
    if (j->kind != FL_JOBJECT)
        return bad(rd, fl_printf(rd->a, "ruleSet.%s must hold objects", phase));
    const char *name = fl_json_str(j, "name"), *type = fl_json_str(j, "type");
    if (!name || !*name || !type || !*type)
        return bad(rd, fl_printf(rd->a, "a rule of ruleSet.%s lacks its name or type", phase));
    if (strcmp(phase, "domainRules") == 0 && strcmp(type, "ENCRYPT") == 0)
        return read_encrypt(rd, j, name);
    if (strcmp(phase, "encodingRules") == 0 && strcmp(type, "ENCRYPT_PAYLOAD") == 0)
        return read_payload(rd, j, name);
    bool idle = rd->elsewhere || fl_json_bool(j, "disabled", false);
    if (!idle)
        return refuse_rule(rd, name,
                           fl_printf(rd->a, "this version of flec cannot execute type %s among the %s", type, phase));
    if (strncmp(type, "ENCRYPT", 7) == 0 && !rd->rs->no_write)
        rd->rs->no_write = fl_printf(rd->a, "rule %s of type %s does not run among the %s", name, type, phase);
    return RT_OK;
}

static rt_code read_phase(reader *rd, const fl_json *set, const char *phase)
{
    const fl_json *list = fl_json_get(set, phase);
    if (!list || list->kind == FL_JNULL)
        return RT_OK;
    if (list->kind != FL_JARRAY)
        return bad(rd, fl_printf(rd->a, "ruleSet.%s must be a list", phase));
    if (list->count > RT_MAX_RULES)
        return rt_fail(rd->err, RT_REFUSED, "subject %s: more than %d rules in ruleSet.%s", rd->s->subject,
                       RT_MAX_RULES, phase);
    rt_code code = RT_OK;
    for (const fl_json *e = list->child; e && !code; e = e->next)
        code = read_rule(rd, e, phase);
    return code;
}

static rt_code read_set(reader *rd)
{
    const fl_json *set;
    rt_code code = parse(rd, "ruleSet", rd->s->ruleset, &set);
    if (code || !set)
        return code;
    static const char *const phases[] = {"migrationRules", "domainRules", "encodingRules"};
    for (const fl_json *e = set->child; e; e = e->next)
        if (!is(e->key, phases[0]) && !is(e->key, phases[1]) && !is(e->key, phases[2]) && !is(e->key, "enableAt"))
            return rt_fail(rd->err, RT_REFUSED, "subject %s: this version of flec does not know ruleSet.%s",
                           rd->s->subject, e->key);
    const char *at = fl_json_str(set, "enableAt");
    if (at && strcmp(at, "ALL") != 0 && strcmp(at, "CLIENT") != 0)
        rd->elsewhere = fl_printf(rd->a, "is enabled at %s, not at clients", at);
    rd->rs->v = FL_NEW_N(rd->a, rt_rule, RT_MAX_RULES);
    rd->rs->payload = FL_NEW_N(rd->a, rt_rule, RT_MAX_RULES);
    for (int i = 0; i < 3 && !code; i++)
        code = read_phase(rd, set, phases[i]);
    return code;
}

rt_code rt_rules_read(fl_arena *a, const rt_subject *s, const rt_codec_options *opt, rt_rules **out, rt_error *err)
{
    static const rt_codec_options none;
    reader rd = {.a = a, .s = s, .opt = opt ? opt : &none, .rs = FL_NEW(a, rt_rules), .err = err};
    rd.rs->subject = s->subject;
    *out = rd.rs;
    rt_code code = read_metadata(&rd);
    return code || rd.opt->disabled ? code : read_set(&rd);
}

/* ---- matching ---- */

bool rt_rule_meets(const rt_rule *r, const char *const *tags, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < r->ntags; k++)
            if (strcmp(tags[i], r->tags[k]) == 0)
                return true;
    return false;
}

bool rt_rule_hits(const rt_rules *rs, const rt_rule *r, const sch_field *tagged)
{
    if (r->ntags == 0 || rt_rule_meets(r, tagged->tags, tagged->ntags))
        return true;
    char name[2048];
    const char *record = tagged->record->name;
    int len = snprintf(name, sizeof name, "%s.%s", record ? record : "", tagged->name);
    bool whole = len >= 0 && (size_t)len < sizeof name;
    for (size_t i = 0; i < rs->ntaggings; i++)
        if (rt_rule_meets(r, rs->taggings[i].tags, rs->taggings[i].ntags) &&
            (!whole || sch_key_matches(rs->taggings[i].pattern, name)))
            return true;
    return false;
}

static bool is_or_holds(const sch_type *t, const sch_type *type)
{
    bool yes = t == type;
    for (size_t i = 0; t->kind == SCH_UNION && i < t->nbranches; i++)
        yes |= t->branches[i] == type;
    return yes;
}

/* Tags inside the type of a text, where hardly a client looks: its program seals them. */
static bool meets_misplaced(const rt_rule *r, const sch_schema *s, const sch_hit *leaf)
{
    for (size_t i = 0; i < s->nmisplaced; i++) {
        const sch_misplaced *m = &s->misplaced[i];
        bool text = m->type && (m->type->kind == SCH_STRING || m->type->kind == SCH_ANY);
        if (text && (is_or_holds(leaf->type, m->type) || m->field == leaf->field) &&
            rt_rule_meets(r, m->tags, m->ntags))
            return true;
    }
    return false;
}

bool rt_rule_hits_leaf(const rt_rules *rs, const rt_rule *r, const sch_schema *s, const sch_hit *leaf, fl_arena *a)
{
    const char *names[SCH_MAX_KEYS];
    sch_hit walked = *leaf;
    if (s->format != SCH_JSON)
        return rt_rule_hits(rs, r, leaf->field);
    if (r->ntags == 0 || rt_rule_meets(r, leaf->field->tags, leaf->field->ntags) || meets_misplaced(r, s, leaf))
        return true;
    walked.unwalked = NULL; /* what clients do not reach has a name all the same */
    size_t n = sch_client_names(s, &walked, a, names);
    for (size_t i = 0; i < rs->ntaggings; i++)
        for (size_t k = 0; k < n && rt_rule_meets(r, rs->taggings[i].tags, rs->taggings[i].ntags); k++)
            if (sch_key_matches(rs->taggings[i].pattern, names[k]))
                return true;
    return false;
}
