/* json_names_test.c: keys followed step by step into a document match what sch_key_matches says of the whole name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "runtime/format/json.h"

static uint64_t seed = 0x2545f4914f6cdd1d;

static unsigned draw(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 16) % n);
}

static const char *word(fl_arena *a, const char *const *parts, size_t n, unsigned most)
{
    char *text = fl_alloc(a, 8 * (most + 1));
    for (unsigned i = draw(most + 1); i > 0; i--)
        strcat(text, parts[draw((unsigned)n)]);
    return text;
}

static const char *key_text(fl_arena *a)
{
    static const char *const parts[] = {"a", "b", ".", ".", "*", "**", "**.*", "?", "\\", "[0]", "[*]", "$"};
    return fl_printf(a, "%s%s", draw(4) ? "$" : "", word(a, parts, sizeof parts / sizeof *parts, 6));
}

typedef struct texts {
    const char *at[JSON_SPELLINGS], *next[JSON_SPELLINGS];
} texts;

static const char *const indexes[JSON_SPELLINGS] = {"", "[0]", "[17]"};

/* One random walk: the names as text beside the keys' places. */
static void one_walk(fl_arena *a, const rt_rules *rs, const rt_rule *rule)
{
    static const char *const parts[] = {"a", "b", "ab", "a.b", "*", "", "[0]"};
    json_keys *k = rt_json_keys_new(a, rs);
    json_names n = rt_json_names_root(k);
    texts t;
    for (int s = 0; s < JSON_SPELLINGS; s++)
        t.at[s] = t.next[s] = "$";
    for (int steps = 0; steps < 6; steps++) {
        bool want = false;
        for (int s = 0; s < JSON_SPELLINGS; s++)
            want |= sch_key_matches(rs->taggings[0].pattern, t.at[s]);
        if (rt_json_names_hit(k, &n, rule) != want)
            fail_msg("key %s and the name %s (%s): %d expected", rs->taggings[0].pattern, t.at[0], t.at[1], want);
        if (draw(3) == 0) {
            n = rt_json_names_element(k, &n);
            for (int s = 0; s < JSON_SPELLINGS; s++)
                t.next[s] = fl_printf(a, "%s%s", t.next[s], indexes[s]);
            continue;
        }
        const char *name = parts[draw(sizeof parts / sizeof *parts)];
        n = rt_json_names_member(k, &n, name);
        for (int s = 0; s < JSON_SPELLINGS; s++)
            t.at[s] = t.next[s] = fl_printf(a, "%s.%s", t.next[s], name);
    }
}

static void keys_match_as_over_the_whole_name(void **state)
{
    const char *tags[] = {"T"};
    rt_rule rule = {.tags = tags, .ntags = 1};
    for (int i = 0; i < 20000; i++) {
        fl_arena *a = fl_arena_new();
        rt_tagging t = {.pattern = key_text(a), .tags = tags, .ntags = 1};
        rt_rules rs = {.taggings = &t, .ntaggings = 1};
        one_walk(a, &rs, &rule);
        fl_arena_free(a);
    }
}

/* The places of a member that no schema describes, as the walk finds its state. */
static json_names undescribed(json_keys *k, const json_names *n, const char *name)
{
    const char *const *spelled;
    json_glob *globs, *match = NULL;
    size_t nspelled = rt_json_names_spelled(k, n, &spelled), nglobs = rt_json_names_globs(k, n, &globs);
    for (size_t i = 0; i < nspelled; i++)
        if (!strcmp(spelled[i], name))
            return rt_json_names_member(k, n, name);
    for (size_t i = 0; i < nglobs; i++)
        if (rt_json_glob_matches(&globs[i], name, strlen(name))) {
            if (match)
                return rt_json_names_other(k, n);
            match = &globs[i];
        }
    return rt_json_names_unknown(k, n, match);
}

/* Wherever a key matches the names of members that no schema describes, it is met; `**` goes across them. */
static void no_undescribed_member_is_missed(void **state)
{
    static const char *const parts[] = {"a", "b", "ab", "ba", "aba"};
    static const char *const in_key[] = {"a", "b", ".", "*", "**", "?"};
    const char *tags[] = {"T"};
    rt_rule rule = {.tags = tags, .ntags = 1};
    for (int i = 0; i < 20000; i++) {
        fl_arena *a = fl_arena_new();
        rt_tagging t[2];
        for (int y = 0; y < 2; y++)
            t[y] = (rt_tagging){.pattern = fl_printf(a, "$.%s", word(a, in_key, sizeof in_key / sizeof *in_key, 6)),
                                .tags = tags,
                                .ntags = 1};
        rt_rules rs = {.taggings = t, .ntaggings = 2};
        json_keys *k = rt_json_keys_new(a, &rs);
        json_names n = rt_json_names_root(k);
        const char *full = "$";
        for (int steps = 0; steps < 4; steps++) {
            const char *name = parts[draw(sizeof parts / sizeof *parts)];
            n = undescribed(k, &n, name);
            full = fl_printf(a, "%s.%s", full, name);
            bool want = sch_key_matches(t[0].pattern, full) || sch_key_matches(t[1].pattern, full);
            if (want && !rt_json_names_hit(k, &n, &rule))
                fail_msg("key %s or %s matches %s and is not met", t[0].pattern, t[1].pattern, full);
        }
        fl_arena_free(a);
    }
}

/* Names that no schema has: literal ones are spelled out, wildcards count as matched. */
static void other_names(void **state)
{
    static const struct {
        const char *key;
        bool other;
        const char *spelled;
    } rows[] = {{"$.x", false, "x"},   {"$.*", true, NULL},   {"$.x*", true, NULL}, {"$**.x", false, "x"},
                {"$.x.y", false, "x"}, {"$.\\*", false, "*"}, {"$**", true, NULL},  {"$.", false, NULL},
                {"$.?", true, NULL},   {"t.C.x", false, NULL}};
    const char *tags[] = {"T"};
    rt_rule rule = {.tags = tags, .ntags = 1};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fl_arena *a = fl_arena_new();
        rt_tagging t = {.pattern = rows[i].key, .tags = tags, .ntags = 1};
        rt_rules rs = {.taggings = &t, .ntaggings = 1};
        json_keys *k = rt_json_keys_new(a, &rs);
        json_names root = rt_json_names_root(k), other = rt_json_names_other(k, &root);
        const char *const *names;
        size_t n = rt_json_names_spelled(k, &root, &names);
        if (rt_json_names_hit(k, &other, &rule) != rows[i].other || n != (rows[i].spelled != NULL) ||
            (n && strcmp(names[0], rows[i].spelled) != 0))
            fail_msg("%s: other %d, spelled %zu %s", rows[i].key, rt_json_names_hit(k, &other, &rule), n,
                     n ? names[0] : "");
        fl_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_match_as_over_the_whole_name),
                                       cmocka_unit_test(no_undescribed_member_is_missed),
                                       cmocka_unit_test(other_names)};
    return cmocka_run_group_tests_name("json_names", tests, NULL, NULL);
}
