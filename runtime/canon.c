/* canon.c: metadata and rule sets read into the registry's form and printed in it. */
#include "runtime/canon.h"

#include <stdlib.h>
#include <string.h>

typedef struct reader {
    fl_arena *a;
    const char *what; /* "metadata", "ruleSet": for messages */
    int number;       /* the vendor's for what is wrong with it */
    rt_error *err;
} reader;

static rt_code bad(const reader *r, const char *member, const char *problem)
{
    return rt_fail_as(r->err, RT_BAD_INPUT, r->number, "%s: %s %s", r->what, member, problem);
}

/* ---- Java's order of strings: by UTF-16 code units, so that U+10000.. (surrogates) come before U+E000..U+FFFF ---- */

static int rank(unsigned char b)
{
    if (b >= 0xf0)
        return b - 2; /* lead bytes of 4 */
    return b >= 0xee ? b + 5 : b;
}

static int java_cmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return rank((unsigned char)*a) - rank((unsigned char)*b);
}

static int cmp_string(const void *a, const void *b)
{
    return java_cmp(*(const char *const *)a, *(const char *const *)b);
}
static int cmp_pair(const void *a, const void *b)
{
    return java_cmp(((const rt_pair *)a)->key, ((const rt_pair *)b)->key);
}
static int cmp_tagged(const void *a, const void *b)
{
    return java_cmp(((const rt_tagged *)a)->path, ((const rt_tagged *)b)->path);
}

void rt_canon_sort(rt_strings *s)
{
    if (s->n)
        qsort(s->v, s->n, sizeof *s->v, cmp_string);
}

void rt_canon_sort_pairs(rt_pairs *p)
{
    if (p->n)
        qsort(p->v, p->n, sizeof *p->v, cmp_pair);
}

void rt_canon_sort_tags(rt_metadata *m)
{
    if (m->tags.n)
        qsort(m->tags.v, m->tags.n, sizeof *m->tags.v, cmp_tagged);
}

/* ---- reading ---- */

static bool absent(const fl_json *v)
{
    return !v || v->kind == FL_JNULL;
}

/* Numbers and booleans count as their text, as in the registry's reader. NULL: nothing of the kind. */
static const char *scalar(const fl_json *v)
{
    switch (v->kind) {
    case FL_JSTRING:
    case FL_JNUMBER:
        return v->str;
    case FL_JTRUE:
        return "true";
    case FL_JFALSE:
        return "false";
    default:
        return NULL;
    }
}

static rt_code read_set(const reader *r, const char *member, const fl_json *v, rt_strings *out)
{
    if (absent(v))
        return RT_OK;
    if (v->kind != FL_JARRAY)
        return bad(r, member, "must be an array of texts");
    for (const fl_json *e = v->child; e; e = e->next) {
        if (!scalar(e))
            return bad(r, member, "must be an array of texts");
        FL_PUSH(r->a, out, scalar(e));
    }
    rt_canon_sort(out);
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++)
        if (!kept || strcmp(out->v[kept - 1], out->v[i]) != 0)
            out->v[kept++] = out->v[i];
    out->n = kept;
    return RT_OK;
}

static rt_code read_pairs(const reader *r, const char *member, const fl_json *v, rt_pairs *out)
{
    if (absent(v))
        return RT_OK;
    if (v->kind != FL_JOBJECT)
        return bad(r, member, "must be an object of texts");
    for (const fl_json *e = v->child; e; e = e->next) {
        if (!scalar(e))
            return bad(r, member, "must be an object of texts");
        FL_PUSH(r->a, out, (rt_pair){e->key, scalar(e)});
    }
    rt_canon_sort_pairs(out);
    return RT_OK;
}

static rt_code read_tags(const reader *r, const fl_json *v, rt_metadata *m)
{
    if (absent(v))
        return RT_OK;
    if (v->kind != FL_JOBJECT)
        return bad(r, "tags", "must be an object of arrays");
    for (const fl_json *e = v->child; e; e = e->next) {
        rt_tagged t = {.path = e->key};
        rt_code code = read_set(r, "tags", e, &t.tags);
        if (code != RT_OK)
            return code;
        FL_PUSH(r->a, &m->tags, t);
    }
    rt_canon_sort_tags(m);
    return RT_OK;
}

static rt_code parse(const reader *r, const char *text, const fl_json **out)
{
    fl_json_error jerr;
    size_t n = strlen(text);
    if (n > RT_META_MAX)
        return bad(r, "text", "is too long");
    *out = fl_json_parse(r->a, text, n, 0, &jerr);
    if (!*out)
        return rt_fail_as(r->err, RT_BAD_INPUT, r->number, "%s: at byte %u: %s", r->what, jerr.offset, jerr.message);
    return (*out)->kind == FL_JOBJECT ? RT_OK : bad(r, "text", "must be a JSON object");
}

rt_code rt_canon_metadata(fl_arena *a, const char *text, rt_metadata **out, rt_error *err)
{
    reader r = {a, "metadata", 42201, err};
    const fl_json *root = NULL;
    rt_metadata *m = FL_NEW(a, rt_metadata);
    rt_code code = parse(&r, text, &root);
    if (code == RT_OK)
        code = read_tags(&r, fl_json_get(root, "tags"), m);
    if (code == RT_OK)
        code = read_pairs(&r, "properties", fl_json_get(root, "properties"), &m->properties);
    if (code == RT_OK)
        code = read_set(&r, "sensitive", fl_json_get(root, "sensitive"), &m->sensitive);
    *out = m;
    return code;
}

rt_code rt_canon_pairs(fl_arena *a, const char *what, const char *text, rt_pairs *out, rt_error *err)
{
    reader r = {a, what, 42271, err};
    const fl_json *root = NULL;
    *out = (rt_pairs){0};
    if (!text)
        return RT_OK;
    rt_code code = parse(&r, text, &root);
    return code == RT_OK ? read_pairs(&r, "text", root, out) : code;
}

/* ---- rules ---- */

static const char *const text_names[RT_NTEXTS] = {"name", "doc",  "kind",      "mode",
                                                  "type", "expr", "onSuccess", "onFailure"};
static const char *const phase_names[RT_NPHASES] = {"migrationRules", "domainRules", "encodingRules"};

static bool among(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(s, *list))
            return true;
    return false;
}

/* Close to Java's Character.isLetter: ASCII letters, and the blocks beyond ASCII that hold letters; no character beyond
 * U+FFFF. */
static bool letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    return c == 0xaa || c == 0xb5 || c == 0xba ||
           (c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2c00) && !(c >= 0x3000 && c < 0x3005) &&
            !(c >= 0xd800 && c < 0xf900) && c < 0xfe00 && !fl_bidi_control(c));
}

const char *rt_name_wrong(const char *name)
{
    size_t length = 0, bad_at;
    if (!name || !*name)
        return "is missing or empty";
    if (!fl_utf8_ok(name, strlen(name), &bad_at))
        return "is not UTF-8";
    for (const char *s = name; *s; length++) {
        uint32_t c;
        s += fl_utf8_next(s, &c);
        if (!letter(c) && c != '_' && !(length && ((c >= '0' && c <= '9') || c == '-')))
            return length ? "may hold letters, digits, _ and - only" : "must begin with a letter or _";
    }
    return length > 256 ? "is longer than 256 characters" : NULL;
}

static rt_code check_rule(const reader *r, rt_phase phase, const rt_canon_rule *rule)
{
    static const char *const both[] = {"WRITE", "READ", "WRITEREAD", NULL}, *const updown[] = {"UPGRADE", "DOWNGRADE",
                                                                                               "UPDOWN", NULL};
    static const char *const kinds[] = {"TRANSFORM", "CONDITION", NULL}, *const pairs[] = {"WRITEREAD", "UPDOWN", NULL};
    const char *name = rule->text[RT_NAME], *mode = rule->text[RT_MODE];
    const char *wrong = rt_name_wrong(name);
    if (wrong)
        return rt_fail_as(r->err, RT_BAD_INPUT, 42210, "ruleSet: the name of rule \"%s\" %s", name ? name : "", wrong);
    if (!rule->text[RT_TYPE] || !*rule->text[RT_TYPE])
        return rt_fail_as(r->err, RT_BAD_INPUT, 42210, "ruleSet: rule %s has no type", name);
    if (!among(rule->text[RT_KIND], kinds))
        return rt_fail_as(r->err, RT_BAD_INPUT, 42210, "ruleSet: rule %s: kind is TRANSFORM or CONDITION", name);
    if (!among(mode, phase == RT_MIGRATION ? updown : both))
        return rt_fail_as(r->err, RT_BAD_INPUT, 42210, "ruleSet: rule %s: a rule of %s has mode %s", name,
                          phase_names[phase],
                          phase == RT_MIGRATION ? "UPGRADE, DOWNGRADE or UPDOWN" : "WRITE, READ or WRITEREAD");
    for (int i = RT_SUCCESS; i <= RT_FAILURE; i++)
        if (rule->text[i] && strchr(rule->text[i], ',') && !among(mode, pairs))
            return rt_fail_as(r->err, RT_BAD_INPUT, 42210,
                              "ruleSet: rule %s: %s may name two actions only with mode WRITEREAD or UPDOWN", name,
                              text_names[i]);
    return RT_OK;
}

static rt_code read_texts(const reader *r, const fl_json *v, rt_canon_rule *rule)
{
    for (int i = 0; i < RT_NTEXTS; i++) {
        const fl_json *t = fl_json_get(v, text_names[i]);
        if (absent(t))
            continue;
        if (t->kind != FL_JSTRING)
            return bad(r, text_names[i], "of a rule must be a text");
        rule->text[i] = t->len ? t->str : NULL;
    }
    if (!rule->text[RT_KIND])
        rule->text[RT_KIND] = "TRANSFORM";
    if (!rule->text[RT_MODE])
        rule->text[RT_MODE] = "WRITEREAD";
    return RT_OK;
}

static rt_code read_rule(const reader *r, rt_phase phase, const fl_json *v, rt_canon_rule *rule)
{
    const fl_json *disabled = fl_json_get(v, "disabled");
    if (v->kind != FL_JOBJECT)
        return bad(r, phase_names[phase], "must be an array of objects");
    if (!absent(disabled) && disabled->kind != FL_JTRUE && disabled->kind != FL_JFALSE)
        return bad(r, "disabled", "of a rule must be true or false");
    rule->disabled = !absent(disabled) && disabled->kind == FL_JTRUE;
    rt_code code = read_texts(r, v, rule);
    if (code == RT_OK)
        code = read_set(r, "tags", fl_json_get(v, "tags"), &rule->tags);
    if (code == RT_OK)
        code = read_pairs(r, "params", fl_json_get(v, "params"), &rule->params);
    return code == RT_OK ? check_rule(r, phase, rule) : code;
}

static rt_code read_phase(const reader *r, rt_phase phase, const fl_json *v, rt_canon_rules *out, fl_map *names)
{
    if (absent(v))
        return RT_OK;
    if (v->kind != FL_JARRAY)
        return bad(r, phase_names[phase], "must be an array");
    for (const fl_json *e = v->child; e; e = e->next) {
        rt_canon_rule rule = {0};
        rt_code code = read_rule(r, phase, e, &rule);
        if (code != RT_OK)
            return code;
        if (fl_map_put(names, rule.text[RT_NAME], (void *)rule.text[RT_NAME]))
            return rt_fail_as(r->err, RT_BAD_INPUT, 42210, "ruleSet: two rules have the name %s", rule.text[RT_NAME]);
        FL_PUSH(r->a, out, rule);
    }
    return RT_OK;
}

rt_code rt_canon_ruleset(fl_arena *a, const char *text, rt_ruleset **out, rt_error *err)
{
    static const char *const at[] = {"ALL", "CLIENT", "GATEWAY", "SERVER", "NONE", NULL};
    reader r = {a, "ruleSet", 42210, err};
    const fl_json *root = NULL;
    rt_ruleset *set = FL_NEW(a, rt_ruleset);
    *out = set;
    rt_code code = parse(&r, text, &root);
    if (code != RT_OK)
        return code;
    fl_map *names = fl_map_new();
    for (int p = 0; p < RT_NPHASES && code == RT_OK; p++)
        code = read_phase(&r, (rt_phase)p, fl_json_get(root, phase_names[p]), &set->phase[p], names);
    fl_map_free(names);
    const fl_json *enable = fl_json_get(root, "enableAt");
    if (code != RT_OK || absent(enable))
        return code;
    if (enable->kind != FL_JSTRING || !among(enable->str, at))
        return bad(&r, "enableAt", "is ALL, CLIENT, GATEWAY, SERVER or NONE");
    set->enable_at = enable->str;
    return RT_OK;
}

/* ---- printing ---- */

static void print_set(fl_jw *w, const char *key, const rt_strings *s)
{
    if (!s->n)
        return;
    fl_jw_key(w, key);
    fl_jw_array(w);
    for (size_t i = 0; i < s->n; i++)
        fl_jw_string(w, s->v[i]);
    fl_jw_end_array(w);
}

static void print_map(fl_jw *w, const rt_pairs *p)
{
    fl_jw_object(w);
    for (size_t i = 0; i < p->n; i++)
        fl_jw_kstring(w, p->v[i].key, p->v[i].value);
    fl_jw_end_object(w);
}

static void print_pairs(fl_jw *w, const char *key, const rt_pairs *p)
{
    if (!p->n)
        return;
    fl_jw_key(w, key);
    print_map(w, p);
}

static void print_rule(fl_jw *w, const rt_canon_rule *r)
{
    fl_jw_object(w);
    for (int i = 0; i < RT_NTEXTS; i++) {
        if (r->text[i])
            fl_jw_kstring(w, text_names[i], r->text[i]);
        if (i == RT_TYPE) {
            print_set(w, "tags", &r->tags);
            print_pairs(w, "params", &r->params);
        }
    }
    fl_jw_kbool(w, "disabled", r->disabled);
    fl_jw_end_object(w);
}

static void print_ruleset(fl_jw *w, const void *v)
{
    const rt_ruleset *r = v;
    fl_jw_object(w);
    for (int p = 0; p < RT_NPHASES; p++) {
        if (!r->phase[p].n)
            continue;
        fl_jw_key(w, phase_names[p]);
        fl_jw_array(w);
        for (size_t i = 0; i < r->phase[p].n; i++)
            print_rule(w, &r->phase[p].v[i]);
        fl_jw_end_array(w);
    }
    if (r->enable_at)
        fl_jw_kstring(w, "enableAt", r->enable_at);
    fl_jw_end_object(w);
}

static void print_metadata(fl_jw *w, const void *v)
{
    const rt_metadata *m = v;
    fl_jw_object(w);
    if (m->tags.n) {
        fl_jw_key(w, "tags");
        fl_jw_object(w);
        for (size_t i = 0; i < m->tags.n; i++) {
            fl_jw_key(w, m->tags.v[i].path);
            fl_jw_array(w);
            for (size_t j = 0; j < m->tags.v[i].tags.n; j++)
                fl_jw_string(w, m->tags.v[i].tags.v[j]);
            fl_jw_end_array(w);
        }
        fl_jw_end_object(w);
    }
    print_pairs(w, "properties", &m->properties);
    print_set(w, "sensitive", &m->sensitive);
    fl_jw_end_object(w);
}

static void print_props(fl_jw *w, const void *v)
{
    print_map(w, v);
}

static char *printed(fl_arena *a, void (*print)(fl_jw *, const void *), const void *v)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 8 * (size_t)RT_META_MAX); /* an escape makes at most 6 characters of one */
    fl_jw_init(&w, &b, false);
    print(&w, v);
    char *text = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

char *rt_canon_metadata_text(fl_arena *a, const rt_metadata *m)
{
    return printed(a, print_metadata, m);
}
char *rt_canon_ruleset_text(fl_arena *a, const rt_ruleset *r)
{
    return printed(a, print_ruleset, r);
}
char *rt_canon_pairs_text(fl_arena *a, const rt_pairs *p)
{
    return printed(a, print_props, p);
}
