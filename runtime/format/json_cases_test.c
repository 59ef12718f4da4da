/* json_cases_test.c: the JSON cases of compiler/clients/cases.json: what is written is a ciphertext just where the case
 * says, everything else stands as it was, and what is read is what was given, to the byte. */
#include "runtime/format/cases_lab.h"

/* Where something else is right, and why. */
static const case_other others[] = {
    /* an index in a key is no element's own: all are sealed */
    {"json-arr-literal0", "a[0].b a[1].b ", NULL},
    /* keys that match other names, too, mean these as well, as in all clients */
    {"json-sibling-a2", "a2.b a[0].b ab[0].b ", NULL},
    {"json-name-star", "a* ab ", NULL},
    /* no ciphertext is one of the texts that an enum lists: three clients refuse, one leaves it in clear */
    {"json-enum-string", NULL, "a value of type enum"},
    {"x-json-leaf-const", NULL, "a value of type enum"},
    /* metadata is that of the subject alone, in all clients */
    {"json-ref-external-metadata-of-referred", "", NULL},
};

/* ---- what differs ---- */

static void compare(case_paths *p, const fl_json *x, const fl_json *y, const char *path)
{
    assert_int_equal(x->kind, y->kind);
    assert_int_equal(x->count, y->count);
    if (x->kind == FL_JSTRING && (x->len != y->len || memcmp(x->str, y->str, x->len) != 0)) {
        uint8_t raw[1024];
        assert_int_equal(fl_b64_decode(raw, y->str, y->len, FL_B64_STRICT), x->len + 28);
        FL_PUSH(p->a, &p->v, path);
    } else if (x->kind == FL_JNUMBER) {
        assert_string_equal(x->str, y->str);
    }
    size_t i = 0;
    const fl_json *d = y->child;
    for (const fl_json *c = x->child; c; c = c->next, d = d->next, i++) {
        if (x->kind == FL_JOBJECT)
            assert_string_equal(c->key, d->key);
        compare(p, c, d,
                x->kind == FL_JARRAY ? fl_printf(p->a, "%s[%zu]", path, i)
                                     : fl_printf(p->a, "%s%s%s", path, *path ? "." : "", c->key));
    }
}

static void one_case(lab *l, const fl_json *kase)
{
    rt_codec *c = NULL;
    const char *name = fl_json_str(kase, "name"), *refused,
               *want = case_expected(l, kase, others, sizeof others / sizeof *others, &refused);
    const char *text = case_text(l, fl_json_get(kase, "value"));
    fl_buf body = {.p = (char *)(uintptr_t)text, .len = strlen(text)};
    rt_code code = case_open(l, kase, &c);
    if (refused) {
        assert_int_equal(code, RT_REFUSED);
        assert_says(l, refused);
        return;
    }
    if (code || lab_encrypt(l, c, &body))
        fail_msg("%s: %s", name, l->err.message);
    case_paths p = {.a = l->a};
    compare(&p, case_parse(l, text, body.len), case_parse(l, l->wire.p + 5, l->wire.len - 5), "");
    if (strcmp(case_joined(&p), want) != 0)
        fail_msg("%s: encrypted %s, not %s", name, case_joined(&p), want);
    if (lab_decrypt(l, c))
        fail_msg("%s: %s", name, l->err.message);
    assert_int_equal(l->out.len, body.len);
    assert_memory_equal(l->out.p, text, body.len);
    rt_codec_close(c);
}

static void each_case(void **state)
{
    assert_int_equal(case_each("JSON", one_case), 97);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};
    return cmocka_run_group_tests_name("json_cases", tests, NULL, NULL);
}
