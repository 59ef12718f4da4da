/* verbs_test.c: what manual and completion are made of: the tables of every command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "cli/opt.h"
#include "cli/verbs.h"

typedef struct seen {
    const char *verb;
    size_t commands, common;
    fl_map *names;
} seen;

static void note(seen *s, const cli_opt *o)
{
    char letter[2] = {o->letter, 0};
    assert_true(strlen(o->help) > 3);
    assert_null(fl_map_put(s->names, o->name, s));
    if (o->letter)
        assert_null(fl_map_put(s->names, letter, s));
    assert_int_equal(o->kind == CLI_ENUM, o->values != NULL);
    assert_non_null(o->to);
}

static void look(const cli_command *cmd, const cli_opt *common, void *ctx)
{
    seen *s = ctx;
    s->names = fl_map_new();
    s->commands++;
    assert_string_equal(cmd->name, s->verb);
    assert_true(strlen(cmd->help) > 10 && strchr("abcdefghijklmnopqrstuvwxyz", cmd->help[0]));
    for (const cli_opt *o = cmd->opts; o->name; o++)
        note(s, o);
    for (const cli_opt *o = common; o->name; o++, s->common++)
        note(s, o);
    fl_map_free(s->names);
}

/* Each command shows its own table and runs nothing. */
static void every_command_has_a_table(void **state)
{
    seen s = {0};
    cli_visit(look, &s);
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        char *argv[] = {(char *)v->name, NULL};
        s.verb = v->name;
        assert_int_equal(v->run(1, argv), 0);
    }
    cli_visit(NULL, NULL);
    assert_int_equal(s.commands, cli_nverbs());
    assert_int_equal(s.common, 4 * cli_nverbs());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_command_has_a_table)};
    return cmocka_run_group_tests_name("verbs", tests, NULL, NULL);
}
