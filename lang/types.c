/* types.c: the types of slots: does a value fit, and if not, why. */
#include <stdlib.h>
#include <string.h>

#include "lang/pattern.h"

typedef struct check {
    fl_arena *a;
    const lang_value *v;
    const char *argument; /* of DURATION(s) */
    size_t nargument;
    lang_misfit *why;
} check;

static bool refuse(check *c, const char *want, const char *message, const char *help)
{
    *c->why = (lang_misfit){.want = want, .message = message, .help = help};
    return false;
}

static bool is_name(const lang_value *v)
{
    return v->kind == LANG_V_NAME;
}

static bool is_word(const lang_value *v)
{
    return is_name(v) && v->name.quote == LANG_WORD;
}

static bool is_text(const lang_value *v)
{
    return is_name(v) && v->name.quote != LANG_WORD;
}

/* ---- names and texts ---- */

static bool fits_name(check *c)
{
    if (!is_name(c->v))
        return refuse(c, "a name", NULL, NULL);
    if (c->v->name.len == 0)
        return refuse(c, "a name", "the name is empty", NULL);
    return true;
}

static bool fits_literal(check *c)
{
    if (!fits_name(c))
        return false;
    if (c->v->name.has_vars)
        return refuse(c, "a name", "a name of this kind is written out: no variable can stand in it", NULL);
    return true;
}

static bool fits_tag(check *c)
{
    if (!fits_literal(c))
        return false;
    if (strcmp(c->v->name.text, "clear") == 0 || strcmp(c->v->name.text, "payload") == 0)
        return refuse(c, "a tag",
                      c->v->name.text[0] == 'c' ? "`clear` is not the name of a tag"
                                                : "`payload` is not the name of a tag",
                      "`is clear` stands alone or first, `encrypt payload` alone");
    return true;
}

static bool fits_word(check *c)
{
    return is_word(c->v) || refuse(c, "a word", NULL, NULL);
}

static bool fits_text(check *c)
{
    if (!is_text(c->v))
        return refuse(c, "a text in quotes", NULL,
                      is_word(c->v) ? fl_printf(c->a, "write \"%s\"", c->v->name.text) : NULL);
    if (c->v->name.text[strspn(c->v->name.text, " \t\r\n")] == 0)
        return refuse(c, "a text in quotes", "the text is empty", NULL);
    return true;
}

static bool fits_plain(check *c)
{
    if (!fits_text(c))
        return false;
    if (c->v->name.has_vars)
        return refuse(c, "a text in quotes", "no variable can stand in this path", NULL);
    if (c->v->name.text[0] == '/')
        return refuse(c, "a text in quotes", "the path is absolute: paths are relative to the file they stand in",
                      NULL);
    return true;
}

static bool fits_string(check *c)
{
    return (is_name(c->v) && c->v->name.quote == LANG_STRING) || refuse(c, "a text in double quotes", NULL, NULL);
}

static bool fits_path(check *c)
{
    if (!is_name(c->v))
        return refuse(c, "a field path", NULL, NULL);
    const lang_name *n = &c->v->name;
    if (n->quote == LANG_STRING) {
        bool plain = n->len &&
                     strspn(n->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.*[]") == n->len &&
                     n->text[0] != '[';
        const char *help = strchr(n->text, '\'') ? NULL : fl_printf(c->a, plain ? "write %s" : "write '%s'", n->text);
        return refuse(c, "a field path", "a field path stands in no double quotes: it is a word or a raw string", help);
    }
    if (n->len == 0)
        return refuse(c, "a field path", "the field path is empty", NULL);
    return true;
}

static bool fits_principal(check *c)
{
    const char *want = "a principal such as User:sa-crm";
    if (c->v->kind != LANG_V_PAIR)
        return refuse(c, want, NULL, NULL);
    if (c->v->name.len == 0 || c->v->second->len == 0)
        return refuse(c, want, "a principal has a type and a name, as User:sa-crm", NULL);
    return true;
}

/* ---- numbers and times ---- */

static bool fits_version(check *c)
{
    fl_version version;
    return (is_word(c->v) && fl_version_parse(c->v->name.text, &version)) ||
           refuse(c, "a version such as 7.6.1", NULL, NULL);
}

static bool fits_date(check *c)
{
    int64_t days;
    if (is_word(c->v) && fl_date_parse(c->v->name.text, &days))
        return true;
    bool shape = is_word(c->v) && strspn(c->v->name.text, "0123456789-") == c->v->name.len && c->v->name.len == 10;
    return refuse(c, "a date such as 2027-06-30",
                  shape ? fl_printf(c->a, "%s is not a day of the calendar", c->v->name.text) : NULL, NULL);
}

static bool fits_int(check *c)
{
    if (!is_word(c->v))
        return refuse(c, "a whole number", NULL, NULL);
    const char *p = c->v->name.text + (c->v->name.text[0] == '-');
    size_t digits = strspn(p, "0123456789");
    if (!digits || p[digits])
        return refuse(c, "a whole number", NULL, NULL);
    if (digits > 9)
        return refuse(c, "a whole number", "the number is too large: at most nine digits", NULL);
    return true;
}

static bool fits_duration(check *c)
{
    const char *unit = c->nargument ? c->argument : "dhms",
               *want = unit[0] == 's' ? "a duration such as 300s" : "a duration such as 90d";
    size_t units = c->nargument ? c->nargument : strlen(unit);
    if (!is_word(c->v))
        return refuse(c, want, NULL, NULL);
    const char *p = c->v->name.text;
    size_t digits = strspn(p, "0123456789");
    if (!digits || (p[digits] && p[digits + 1]))
        return refuse(c, want, NULL, NULL);
    if (!p[digits] || !memchr(unit, p[digits], units))
        return refuse(
            c, want, fl_printf(c->a, "`%s` is not in the unit of this duration", p),
            fl_printf(c->a, "write whole %s: %.*s%c", *unit == 's' ? "seconds" : "days", (int)digits, p, *unit));
    if (digits > 9 || strspn(p, "0") == digits)
        return refuse(c, want, digits > 9 ? "the duration is too long: at most nine digits" : "the duration is zero",
                      NULL);
    return true;
}

/* ---- values ---- */

/* The only call of the language is secret("…"); its text has no `}`. */
static bool fits_call(check *c, const lang_value *v)
{
    if (strcmp(v->name.text, "secret") != 0) {
        refuse(c, "a value", fl_printf(c->a, "`%.60s(…)`: the only call is `secret(…)`", v->name.text), NULL);
    } else if (v->second->len == 0 || strchr(v->second->text, ':') == NULL) {
        refuse(c, "a secret", "`secret(…)` holds no reference",
               "write secret(\"file:PATH:KEY\") or secret(\"env:NAME\")");
    } else {
        bool brace = false;
        for (size_t i = 0; i < v->second->nparts; i++)
            brace |= !v->second->parts[i].is_var && strchr(v->second->parts[i].text, '}');
        if (!brace)
            return true;
        refuse(c, "a secret", "`}` cannot stand in `secret(…)`: it would end the reference", NULL);
    }
    c->why->span = v->span;
    return false;
}

static bool fits_plain_value(check *c, const lang_value *v)
{
    if (v->kind == LANG_V_CALL)
        return fits_call(c, v);
    if (v->kind == LANG_V_LIST) {
        for (size_t i = 0; i < v->n; i++)
            if (!fits_plain_value(c, &v->items[i]))
                return false;
        return true;
    }
    if (v->kind == LANG_V_NAME)
        return true;
    refuse(c, "a value", v->kind == LANG_V_PAIR ? "a pair is no value here" : "a JSON object is no value here", NULL);
    c->why->span = v->span;
    return false;
}

static bool fits_value(check *c)
{
    return fits_plain_value(c, c->v);
}

static bool whole_reference(const lang_name *n)
{
    const char *colon = strchr(n->text, ':'), *end = strchr(n->text, '}');
    return n->quote == LANG_STRING && !n->has_vars && strncmp(n->text, "${", 2) == 0 && colon &&
           end == n->text + n->len - 1;
}

static bool fits_secret(check *c)
{
    if (c->v->kind == LANG_V_CALL)
        return fits_call(c, c->v);
    if (c->v->kind == LANG_V_NAME && whole_reference(&c->v->name))
        return true;
    refuse(c, "a secret such as secret(\"env:NAME\")", "a secret is never written into a policy: it is a reference",
           "write secret(\"file:PATH:KEY\") or secret(\"env:NAME\")");
    c->why->secret = true;
    return false;
}

static bool json_number(const char *s)
{
    s += *s == '-';
    size_t n = strspn(s, "0123456789");
    if (n == 0 || (*s == '0' && n > 1))
        return false;
    s += n;
    if (*s == '.') {
        n = strspn(++s, "0123456789");
        if (!n)
            return false;
        s += n;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        n = strspn(s, "0123456789");
        if (!n)
            return false;
        s += n;
    }
    return *s == '\0';
}

static bool json_word(const char *s)
{
    return strcmp(s, "null") == 0 || strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || json_number(s);
}

/* A name that stands twice in an object would leave open which of the two values counts. */
static bool unique_names(check *c, const lang_value *v)
{
    fl_map *seen = fl_map_new();
    const lang_name *twice = NULL;
    for (size_t i = 0; v->kind == LANG_V_OBJECT && i < v->n && !twice; i++)
        if (fl_map_put(seen, v->keys[i].text, c))
            twice = &v->keys[i];
    fl_map_free(seen);
    if (!twice)
        return true;
    refuse(c, "a JSON value", fl_printf(c->a, "\"%.60s\" stands twice in this object", twice->text), NULL);
    c->why->span = twice->span;
    return false;
}

static bool fits_json_value(check *c, const lang_value *v)
{
    if (v->kind == LANG_V_LIST || v->kind == LANG_V_OBJECT) {
        if (!unique_names(c, v))
            return false;
        for (size_t i = 0; i < v->n; i++)
            if (!fits_json_value(c, &v->items[i]))
                return false;
        return true;
    }
    if (v->kind == LANG_V_NAME &&
        (v->name.quote == LANG_STRING || (v->name.quote == LANG_WORD && json_word(v->name.text))))
        return true;
    bool word = v->kind == LANG_V_NAME && v->name.quote == LANG_WORD;
    refuse(c, "a JSON value",
           word ? fl_printf(c->a, "`%.60s` is no JSON value", v->name.text)
                : "this is no JSON value: texts stand in double quotes, and nothing is called",
           word ? fl_printf(c->a, "write \"%.60s\"", v->name.text) : NULL);
    c->why->span = v->span;
    return false;
}

static bool fits_json(check *c)
{
    return fits_json_value(c, c->v);
}

/* ---- alternatives ---- */

static const struct type {
    const char *name;
    bool (*fits)(check *c);
} types[] = {
    {"NAME", fits_name},           {"LITERAL", fits_literal}, {"TAG", fits_tag},           {"WORD", fits_word},
    {"TEXT", fits_text},           {"PLAIN", fits_plain},     {"STRING", fits_string},     {"PATH", fits_path},
    {"VERSION", fits_version},     {"DATE", fits_date},       {"DURATION", fits_duration}, {"INT", fits_int},
    {"PRINCIPAL", fits_principal}, {"VALUE", fits_value},     {"SECRET", fits_secret},     {"JSON", fits_json},
};

static const struct type *type_of(const char *s, size_t n)
{
    if (!n || s[0] < 'A' || s[0] > 'Z') /* a word of an enum, as most are */
        return NULL;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].name[0] == s[0] && strlen(types[i].name) == n && memcmp(types[i].name, s, n) == 0)
            return &types[i];
    return NULL;
}

/* Is the value this word of an enum? */
static bool is_enum_word(const lang_value *v, const char *word, size_t n)
{
    return is_name(v) && !v->name.has_vars && v->name.len == n && memcmp(v->name.text, word, n) == 0;
}

bool lang_type_fits(fl_arena *a, const char *type, size_t ntype, const lang_value *v, lang_misfit *why)
{
    const char *end = type + ntype;
    *why = (lang_misfit){0};
    for (const char *p = type; p < end;) {
        size_t n = strcspn(p, "|>…"), name = strcspn(p, "(|>…");
        n = n > (size_t)(end - p) ? (size_t)(end - p) : n;
        name = name > n ? n : name;
        const struct type *t = type_of(p, name);
        check c = {.a = a, .v = v, .argument = p + name + 1, .nargument = name < n ? n - name - 2 : 0, .why = why};
        if (t ? t->fits(&c) : is_enum_word(v, p, n))
            return true;
        p += n + 1;
    }
    return false;
}

void lang_type_words(const char *type, size_t ntype, void (*fn)(void *ctx, const char *word, size_t n), void *ctx)
{
    const char *end = type + ntype;
    for (const char *p = type; p < end;) {
        size_t n = strcspn(p, "|>…"), name = strcspn(p, "(|>…");
        n = n > (size_t)(end - p) ? (size_t)(end - p) : n;
        if (!type_of(p, name > n ? n : name))
            fn(ctx, p, n);
        p += n + 1;
    }
}
