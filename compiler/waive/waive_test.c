/* waive_test.c: units of waivers: what covers what, what counts, what is called unused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/waive/thing.h"

typedef struct world {
    fl_arena *a;
    est_estate e;
    fl_diags diags;
    const fl_source *source;
} world;

static void make(world *w, const char *environment)
{
    static const est_environment environments[] = {{.name = {.s = "dev"}}, {.name = {.s = "prod"}}};
    *w = (world){.a = fl_arena_new()};
    fl_diags_init(&w->diags, w->a);
    w->e.arena = w->a;
    w->e.environment = environment;
    w->e.today = 20000;
    w->source = fl_source_new(w->a, "estate.flec", "0123456789", 10);
    for (size_t i = 0; environment && i < 2; i++)
        FL_PUSH(w->a, &w->e.environments, environments[i]);
    est_topic *t = FL_NEW(w->a, est_topic);
    t->name.s = "t";
    t->key.topic = t->value.topic = t;
    FL_PUSH(w->a, &w->e.topics, t);
    est_connector *c = FL_NEW(w->a, est_connector);
    c->name.s = "c";
    FL_PUSH(w->a, &w->e.connectors, c);
}

static est_waiver *add_waiver(world *w, const char *check, const char *kind, const char *name, uint32_t from)
{
    est_waiver *x = FL_NEW(w->a, est_waiver);
    *x = (est_waiver){.check = {.s = check}, .kind = kind, .name = {.s = name}, .reason = {.s = "why"}};
    x->at = (fl_span){w->source, from, from + 1};
    FL_PUSH(w->a, &w->e.waivers, x);
    return x;
}

static fl_diag *find(world *w, const char *check, fl_severity severity, fl_thing about)
{
    fl_diag *d = fl_diag_add(&w->diags, check, severity, (fl_span){w->source, 0, 1}, "found");
    d->about = about;
    return d;
}

/* ---- what covers what ---- */

static void one_thing_and_no_more(void **state)
{
    static const struct {
        fl_thing about;
        bool key;
        const char *part;
        bool covered;
    } all[] = {
        {{"topic", "t", "value", NULL}, false, NULL, true},   {{"topic", "t", NULL, NULL}, false, NULL, true},
        {{"topic", "t", "key", NULL}, false, NULL, false},    {{"topic", "t", "key", NULL}, true, NULL, true},
        {{"topic", "t", "value", NULL}, true, NULL, false},   {{"topic", "t", NULL, NULL}, true, NULL, false},
        {{"topic", "t", "value", "a"}, false, NULL, false},   {{"topic", "t", "value", "a"}, false, "a", true},
        {{"topic", "t", "value", "a.b"}, false, "a", false},  {{"topic", "t", "key", "a"}, false, "a", false},
        {{"topic", "t", "key", "a"}, true, "a", true},        {{"topic", "t", "value", NULL}, false, "a", false},
        {{"topic", "t2", "value", NULL}, false, NULL, false}, {{"connector", "t", NULL, NULL}, false, NULL, false},
        {{NULL, NULL, NULL, NULL}, false, NULL, false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        world w;
        make(&w, NULL);
        est_waiver *x = add_waiver(&w, "gcm-without-rotation", "topic", "t", 1);
        x->key = all[i].key;
        x->part.s = all[i].part;
        find(&w, "gcm-without-rotation", FL_WARNING, all[i].about);
        waive_apply(&w.e, &w.diags);
        if (x->used != all[i].covered || w.diags.list.n != !all[i].covered || w.diags.warnings != !all[i].covered ||
            w.diags.waived.n != all[i].covered)
            fail_msg("row %zu", i);
        fl_arena_free(w.a);
    }
}

static void properties_are_parts(void **state)
{
    world w;
    make(&w, NULL);
    add_waiver(&w, "unknown-property", "connector", "c", 1)->part.s = "x.y";
    find(&w, "unknown-property", FL_ERROR, (fl_thing){"connector", "c", NULL, "x.y"});
    find(&w, "unknown-property", FL_ERROR, (fl_thing){"connector", "c", NULL, "x.z"});
    find(&w, "unknown-provider", FL_ERROR, (fl_thing){"connector", "c", NULL, "x.y"});
    waive_apply(&w.e, &w.diags);
    assert_int_equal(w.diags.errors, 2);
    assert_string_equal(w.diags.list.v[0]->about.part, "x.z");
    assert_string_equal(w.diags.list.v[1]->check, "unknown-provider");
    assert_int_equal(waive_in_force(&w.diags), 1);
    fl_arena_free(w.a);
}

/* What may never be waived stays, whatever says otherwise. */
static void never_is_never(void **state)
{
    world w;
    make(&w, NULL);
    est_waiver *x = add_waiver(&w, "tag-not-encrypted", "topic", "t", 1);
    find(&w, "tag-not-encrypted", FL_ERROR, (fl_thing){"topic", "t", "value", NULL});
    waive_apply(&w.e, &w.diags);
    assert_int_equal(w.diags.errors, 1);
    assert_false(x->used);
    waive_judge(&w.e, &w.diags);
    assert_true(x->refused);
    fl_arena_free(w.a);
}

static void names_do_not_run_together(void **state)
{
    fl_arena *a = fl_arena_new();
    const fl_thing pairs[][2] = {
        {{"topic", "a value x", "value", NULL}, {"topic", "a", "value", "x"}},
        {{"topic", "a", "value", ""}, {"topic", "a", "value", NULL}},
        {{"topic", "a ", "value", "b"}, {"topic", "a", "value", " b"}},
        {{"topic", "a", "key", "b"}, {"topic", "a", "value", "b"}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_not_equal(waive_key(a, "c", &pairs[i][0]), waive_key(a, "c", &pairs[i][1]));
    fl_arena_free(a);
}

/* ---- what counts ---- */

static void days_and_ends(void **state)
{
    static const struct {
        const char *check, *until;
        const char *says; /* NULL: it counts */
    } all[] = {
        {"gcm-without-rotation", NULL, NULL},
        {"gcm-without-rotation", "2024-10-04", NULL}, /* day 20000 */
        {"gcm-without-rotation", "2024-10-03", "expired-waiver"},
        {"transform-may-copy", NULL, "expired-waiver"},
        {"transform-may-copy", "2024-10-04", NULL},
        {"transform-may-copy", "2024-10-03", "expired-waiver"},
        {"tag-not-encrypted", "2036-01-01", "syntax"},
        {"guardrail", "2036-01-01", "syntax"},
        {"unused-waiver", NULL, "syntax"},
        {"gcm", NULL, "unknown-name"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        world w;
        make(&w, NULL);
        est_waiver *x = add_waiver(&w, all[i].check, "topic", "t", 1);
        x->until = (est_text){all[i].until, x->at};
        waive_judge(&w.e, &w.diags);
        assert_int_equal(w.diags.list.n, all[i].says ? 1 : 0);
        assert_int_equal(x->refused, all[i].says != NULL);
        if (all[i].says)
            assert_string_equal(w.diags.list.v[0]->check, all[i].says);
        fl_arena_free(w.a);
    }
}

/* A topic that is gone can still be spoken of while a finding does. */
static void what_is_found_exists(void **state)
{
    world w;
    make(&w, NULL);
    w.e.previous = (struct prev_build *)&w; /* there is one; nothing here looks into it */
    est_waiver *x = add_waiver(&w, "evolution-removed", "topic", "gone", 1);
    est_waiver *y = add_waiver(&w, "evolution-removed", "topic", "never", 2);
    x->until = y->until = (est_text){"2036-01-01", x->at};
    find(&w, "evolution-removed", FL_ERROR, (fl_thing){"topic", "gone", NULL, NULL});
    waive_judge(&w.e, &w.diags);
    assert_false(x->refused);
    assert_true(y->refused);
    waive_apply(&w.e, &w.diags);
    assert_true(x->used);
    assert_int_equal(w.diags.errors, 1); /* there is no topic `never` */
    fl_arena_free(w.a);
}

static void refused_ones_silence_nothing(void **state)
{
    world w;
    make(&w, NULL);
    add_waiver(&w, "gcm-without-rotation", "topic", "t", 1)->refused = true;
    find(&w, "gcm-without-rotation", FL_WARNING, (fl_thing){"topic", "t", "value", NULL});
    waive_apply(&w.e, &w.diags);
    assert_int_equal(w.diags.warnings, 1);
    fl_arena_free(w.a);
}

/* ---- what is unused ---- */

static size_t unused(world *dev, world *prod, size_t n, bool inside, bool dev_uses, bool prod_uses)
{
    const est_estate *all[] = {&dev->e, &prod->e};
    make(dev, "dev");
    make(prod, "prod");
    prod->source = dev->source;
    est_waiver *x = add_waiver(dev, "gcm-without-rotation", "topic", "t", 1);
    x->used = dev_uses;
    x->in_environment = inside;
    if (!inside)
        add_waiver(prod, "gcm-without-rotation", "topic", "t", 1)->used = prod_uses;
    waive_unused(all, n, &dev->diags);
    size_t found = dev->diags.list.n;
    fl_arena_free(dev->a);
    fl_arena_free(prod->a);
    return found;
}

static void unused_over_all_environments(void **state)
{
    world dev, prod;
    assert_int_equal(unused(&dev, &prod, 2, false, false, false), 1); /* once, not once an environment */
    assert_int_equal(unused(&dev, &prod, 2, false, true, false), 0);
    assert_int_equal(unused(&dev, &prod, 2, false, false, true), 0);
    assert_int_equal(unused(&dev, &prod, 1, false, false, false), 0); /* the other was not looked at */
    assert_int_equal(unused(&dev, &prod, 1, true, false, false), 1);
    assert_int_equal(unused(&dev, &prod, 2, true, true, false), 0);
}

static void nothing_is_unused_in_what_is_incomplete(void **state)
{
    world w;
    make(&w, NULL);
    const est_estate *all[] = {&w.e};
    add_waiver(&w, "gcm-without-rotation", "topic", "t", 1);
    w.e.incomplete = true;
    waive_unused(all, 1, &w.diags);
    assert_int_equal(w.diags.list.n, 0);
    fl_arena_free(w.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thing_and_no_more),
        cmocka_unit_test(properties_are_parts),
        cmocka_unit_test(never_is_never),
        cmocka_unit_test(names_do_not_run_together),
        cmocka_unit_test(days_and_ends),
        cmocka_unit_test(refused_ones_silence_nothing),
        cmocka_unit_test(what_is_found_exists),
        cmocka_unit_test(unused_over_all_environments),
        cmocka_unit_test(nothing_is_unused_in_what_is_incomplete),
    };
    return cmocka_run_group_tests_name("waive", tests, NULL, NULL);
}
