/* suite.c: reads tests.json, strictly. */
#include "runtime/testing/suite.h"

#include <string.h>

#include "runtime/plan_read.h"

#define VERSION 1

typedef struct raw_step { /* a step as it stands; which members belong together is decided afterwards */
    int line, count;
    const char *act, *expect, *topic, *connector, *from, *registry, *side, *path, *kek, *is, *principal;
    rt_names paths, with, without;
    const fl_json *key, *value, *json;
    bool has_count, has_with, has_without, has_paths;
} raw_step;

typedef struct raw_test {
    const char *name, *file;
    int line;
    rt_names environments;
    raw_step *steps;
    size_t nsteps;
} raw_test;

/* ---- tables ---- */

#define TEXT(T, name_, field)                                                                                          \
    {                                                                                                                  \
        .name = name_, .kind = RT_M_TEXT, .optional = true, .at = offsetof(T, field)                                   \
    }
#define TEXTS(T, name_, field, present)                                                                                \
    {                                                                                                                  \
        .name = name_, .kind = RT_M_TEXTS, .optional = true, .at = offsetof(T, field.v),                               \
        .count_at = offsetof(T, field.n), .present_at = present                                                        \
    }
/* key, value and json may be null, which the tables take for absent: taken from the node itself afterwards. */
static bool later(rt_plan_reader *r, const fl_json *j, void *out)
{
    return true;
}

static const rt_member step_table[] = {
    {.name = "line", .kind = RT_M_INT, .at = offsetof(raw_step, line)},
    TEXT(raw_step, "do", act),
    TEXT(raw_step, "expect", expect),
    TEXT(raw_step, "topic", topic),
    TEXT(raw_step, "connector", connector),
    TEXT(raw_step, "from", from),
    TEXT(raw_step, "registry", registry),
    TEXT(raw_step, "side", side),
    TEXT(raw_step, "path", path),
    TEXT(raw_step, "kek", kek),
    TEXT(raw_step, "is", is),
    TEXT(raw_step, "principal", principal),
    TEXTS(raw_step, "paths", paths, offsetof(raw_step, has_paths)),
    TEXTS(raw_step, "with", with, offsetof(raw_step, has_with)),
    TEXTS(raw_step, "without", without, offsetof(raw_step, has_without)),
    {.name = "count",
     .kind = RT_M_INT,
     .optional = true,
     .at = offsetof(raw_step, count),
     .present_at = offsetof(raw_step, has_count)},
    {.name = "key", .kind = RT_M_CUSTOM, .optional = true, .custom = later},
    {.name = "value", .kind = RT_M_CUSTOM, .optional = true, .custom = later},
    {.name = "json", .kind = RT_M_CUSTOM, .optional = true, .custom = later},
    {0},
};

static const rt_member test_table[] = {
    {.name = "name", .kind = RT_M_TEXT, .at = offsetof(raw_test, name)},
    {.name = "file", .kind = RT_M_TEXT, .at = offsetof(raw_test, file)},
    {.name = "line", .kind = RT_M_INT, .at = offsetof(raw_test, line)},
    TEXTS(raw_test, "environments", environments, 0),
    {.name = "steps",
     .kind = RT_M_LIST,
     .at = offsetof(raw_test, steps),
     .count_at = offsetof(raw_test, nsteps),
     .table = step_table,
     .size = sizeof(raw_step)},
    {0},
};

/* Which members a step has, by its `do` or `expect` and `is`: one letter a member; capitals are required. */
typedef struct shape {
    const char *word, *is, *members;
    bool expect;
    int id;
} shape;
static const shape shapes[] = {
    {"produce", NULL, "Tkvf", false, RT_DO_PRODUCE},
    {"connector", NULL, "TCkvf", false, RT_DO_CONNECTOR},
    {"replay", NULL, "TFr", false, RT_DO_REPLAY},
    {"tamper", NULL, "TSH", false, RT_DO_TAMPER},
    {"wire", "encrypted", "Spe", true, RT_EXPECT_WIRE_ENCRYPTED},
    {"wire", "clear", "SP", true, RT_EXPECT_WIRE_CLEAR},
    {"wire", "deterministic", "SP", true, RT_EXPECT_WIRE_DETERMINISTIC},
    {"reader", "sees", "woqsHJ", true, RT_EXPECT_READER_SEES},
    {"reader", "sees-everything", "woq", true, RT_EXPECT_READER_SEES_EVERYTHING},
    {"reader", "fails", "woq", true, RT_EXPECT_READER_FAILS},
    {"reader", "sees-encrypted", "woqsP", true, RT_EXPECT_READER_SEES_ENCRYPTED},
    {"leaks-nothing", NULL, "T", true, RT_EXPECT_LEAKS_NOTHING},
    {"delivered", "equals-sent", "", true, RT_EXPECT_DELIVERED_EQUALS},
    {"delivered", "encrypted", "P", true, RT_EXPECT_DELIVERED_ENCRYPTED},
    {"delivered", "nothing", "", true, RT_EXPECT_DELIVERED_NOTHING},
    {"dead-letters", NULL, "N", true, RT_EXPECT_DEAD_LETTERS},
    {"refused", NULL, "", true, RT_EXPECT_REFUSED},
};

/* ---- from raw to checked ---- */

typedef struct letter {
    char c;
    bool there;
} letter;

static bool members_fit(const raw_step *s, const char *members)
{
    const letter all[] = {
        {'t', s->topic},    {'c', s->connector},   {'k', s->key},       {'v', s->value},     {'f', s->from},
        {'r', s->registry}, {'s', s->side},        {'h', s->path},      {'p', s->has_paths}, {'e', s->kek},
        {'w', s->has_with}, {'o', s->has_without}, {'n', s->has_count}, {'q', s->principal}, {'j', s->json},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool must = strchr(members, all[i].c - 'a' + 'A'), may = must || strchr(members, all[i].c);
        if ((all[i].there && !may) || (!all[i].there && must))
            return false;
    }
    return true;
}

static const shape *shape_of(const raw_step *s)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *h = &shapes[i];
        const char *word = h->expect ? s->expect : s->act;
        if (word && !(h->expect ? s->act : s->expect) && !strcmp(word, h->word) && !h->is == !s->is &&
            (!h->is || !strcmp(s->is, h->is)))
            return h;
    }
    return NULL;
}

static bool one_of_each(const raw_step *s, const shape *h)
{
    if (!h->expect && (h->id == RT_DO_PRODUCE || h->id == RT_DO_CONNECTOR))
        return !s->value != !s->from && !(s->from && s->key);
    if (h->expect && !strcmp(h->word, "reader"))
        return s->has_with + s->has_without + (s->principal != NULL) == 1;
    return true;
}

static const char *join(fl_arena *a, const rt_names *names)
{
    const char *s = "";
    for (size_t i = 0; i < names->n; i++)
        s = fl_printf(a, "%s%s%s", s, i ? ", " : "", names->v[i]);
    return s;
}

static const char *describe_reader(fl_arena *a, const raw_step *s, const char *rest)
{
    if (s->principal)
        return fl_printf(a, "reader %s %s", s->principal, rest);
    return fl_printf(a, "reader %s %s %s", s->has_with ? "with" : "without",
                     join(a, s->has_with ? &s->with : &s->without), rest);
}

/* The step in the words of the language, for reports. Values are left out: they may be what the test guards. */
static const char *describe(fl_arena *a, const raw_step *s, const shape *h)
{
    const char *side = s->side && !strcmp(s->side, "key") ? "key " : "";
    if (!h->expect)
        return fl_printf(a, "%s %s%s%s%s%s", h->word, s->connector ? s->connector : s->topic,
                         s->connector ? " receives " : "", s->connector ? s->topic : "", s->path ? " " : "",
                         s->path ? s->path : "");
    switch ((rt_expectation)h->id) {
    case RT_EXPECT_WIRE_ENCRYPTED:
    case RT_EXPECT_WIRE_CLEAR:
    case RT_EXPECT_WIRE_DETERMINISTIC:
        return fl_printf(a, "on wire %s %s %s%s%s", s->side, join(a, &s->paths), s->is, s->kek ? " with " : "",
                         s->kek ? s->kek : "");
    case RT_EXPECT_READER_SEES:
        return describe_reader(a, s, fl_printf(a, "sees %s%s = …", side, s->path));
    case RT_EXPECT_READER_SEES_EVERYTHING:
        return describe_reader(a, s, "sees everything");
    case RT_EXPECT_READER_FAILS:
        return describe_reader(a, s, "fails");
    case RT_EXPECT_READER_SEES_ENCRYPTED:
        return describe_reader(a, s, fl_printf(a, "sees %s%s encrypted", side, join(a, &s->paths)));
    case RT_EXPECT_LEAKS_NOTHING:
        return fl_printf(a, "topic %s leaks nothing", s->topic);
    case RT_EXPECT_DELIVERED_EQUALS:
        return "delivered equals sent";
    case RT_EXPECT_DELIVERED_ENCRYPTED:
        return fl_printf(a, "delivered %s encrypted", join(a, &s->paths));
    case RT_EXPECT_DELIVERED_NOTHING:
        return "delivered nothing";
    case RT_EXPECT_DEAD_LETTERS:
        return fl_printf(a, "dead-letters %d", s->count);
    case RT_EXPECT_REFUSED:
        return "refused";
    }
    return "";
}

static bool checked_step(rt_plan_reader *r, const fl_json *at, raw_step *s, rt_step *out)
{
    s->key = fl_json_get(at, "key");
    s->value = fl_json_get(at, "value");
    s->json = fl_json_get(at, "json");
    const shape *h = shape_of(s);
    if (!h)
        return rt_plan_bad(r, at, "this step is none that this flec knows");
    if (!members_fit(s, h->members) || !one_of_each(s, h))
        return rt_plan_bad(r, at, "a step %s %s has members that do not belong together", h->word, h->is ? h->is : "");
    if (s->side && strcmp(s->side, "key") && strcmp(s->side, "value"))
        return rt_plan_bad(r, at, "side must be key or value");
    *out = (rt_step){.line = s->line,
                     .is_expect = h->expect,
                     .topic = s->topic,
                     .connector = s->connector,
                     .from = s->from,
                     .registry = s->registry,
                     .path = s->path,
                     .kek = s->kek,
                     .principal = s->principal,
                     .on_key = s->side && !strcmp(s->side, "key"),
                     .key = s->key,
                     .value = s->value,
                     .json = s->json,
                     .paths = s->paths,
                     .has_with = s->has_with,
                     .has_without = s->has_without,
                     .keks = s->has_with ? s->with : s->without,
                     .count = s->count};
    if (h->expect)
        out->expect = (rt_expectation)h->id;
    else
        out->act = (rt_act)h->id;
    out->what = describe(r->a, s, h);
    return true;
}

static bool checked_test(rt_plan_reader *r, const fl_json *at, const raw_test *t, rt_test *out)
{
    *out = (rt_test){t->name, t->file, t->line, t->environments, FL_NEW_N(r->a, rt_step, t->nsteps), t->nsteps};
    const fl_json *step = fl_json_get(at, "steps")->child;
    bool produced = false, expected = false;
    for (size_t i = 0; i < t->nsteps; i++, step = step->next) {
        if (!checked_step(r, step, &t->steps[i], &out->steps[i]))
            return false;
        const rt_step *s = &out->steps[i];
        produced |= !s->is_expect && s->act != RT_DO_TAMPER;
        expected |= s->is_expect;
        if (!produced)
            return rt_plan_bad(r, step, "this step stands before any record was made");
    }
    return expected || rt_plan_bad(r, at, "a test that expects nothing proves nothing");
}

typedef struct raw_suite {
    const char *format;
    int version;
    raw_test *tests;
    size_t n;
} raw_suite;

static const rt_member suite_table[] = {
    {.name = "format", .kind = RT_M_TEXT, .at = offsetof(raw_suite, format)},
    {.name = "version", .kind = RT_M_INT, .at = offsetof(raw_suite, version)},
    {.name = "tests",
     .kind = RT_M_LIST,
     .at = offsetof(raw_suite, tests),
     .count_at = offsetof(raw_suite, n),
     .table = test_table,
     .size = sizeof(raw_test)},
    {0},
};

rt_code rt_suite_parse(fl_arena *a, const char *name, const char *text, size_t len, rt_suite **out, rt_error *err)
{
    rt_error own = {0};
    raw_suite raw = {0};
    *out = NULL;
    rt_plan_reader r = {.a = a, .name = name, .text = text, .err = err ? err : &own};
    const fl_json *j = rt_plan_document(&r, len, FL_JSON_ALLOW_NUL, "flec-tests", VERSION, "tests.json");
    if (!j || !rt_plan_object(&r, j, "the file", suite_table, &raw))
        return RT_BAD_INPUT;
    rt_suite *s = FL_NEW(a, rt_suite);
    s->tests = FL_NEW_N(a, rt_test, raw.n);
    const fl_json *test = fl_json_get(j, "tests")->child;
    for (; s->n < raw.n; test = test->next, s->n++)
        if (!checked_test(&r, test, &raw.tests[s->n], &s->tests[s->n]))
            return RT_BAD_INPUT;
    *out = s;
    return RT_OK;
}
