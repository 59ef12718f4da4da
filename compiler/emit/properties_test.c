/* properties_test.c: the escapes of a properties file. That Java reads them back is shown by tests/interop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "compiler/emit/emit.h"

static void one(const char *name, const char *value, const char *want)
{
    emit_line line = {name, value};
    fl_buf out;
    fl_buf_init(&out, 4096);
    emit_java_properties(&line, 1, &out);
    assert_string_equal(out.p, want);
    fl_buf_free(&out);
}

static void plain(void **state)
{
    one("flush.size", "1000", "flush.size=1000\n");
    one("a", "", "a=\n");
    one("a", "b c d", "a=b c d\n");
}

static void special(void **state)
{
    one("a b", "x", "a\\ b=x\n");
    one("a=b:c", "x", "a\\=b\\:c=x\n");
    one("#a", "!x", "\\#a=\\!x\n");
    one("url", "https://h:1/?a=b#c", "url=https\\://h\\:1/?a\\=b\\#c\n");
    one("re", "public\\.orders", "re=public\\\\.orders\n");
    one("a", "${file:/run/s:k}", "a=${file\\:/run/s\\:k}\n");
}

static void spaces(void **state)
{
    one("a", "  b c ", "a=\\ \\ b c \n");
    one("a", "\t\n\r", "a=\\u0009\\u000A\\u000D\n");
    one("a", "b\n c", "a=b\\u000A c\n");
}

static void unicode(void **state)
{
    one("a", "Zo\xc3\xab", "a=Zo\\u00EB\n");
    one("a", "\xf0\x9f\x94\x91", "a=\\uD83D\\uDD11\n");
    one("a", "\x7f", "a=\\u007F\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(special), cmocka_unit_test(spaces),
                                       cmocka_unit_test(unicode)};
    return cmocka_run_group_tests_name("properties", tests, NULL, NULL);
}
