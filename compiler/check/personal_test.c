/* personal_test.c: which names look personal. */
#include "compiler/check/personal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name, *what; /* NULL: nothing personal */
} names[] = {
    {"email", "an e-mail address"},
    {"Email__c", "an e-mail address"},
    {"contactEmails", "an e-mail address"},
    {"e-mail", "an e-mail address"},
    {"firstName", "a person's name"},
    {"first_name", "a person's name"},
    {"firstname", "a person's name"},
    {"FIRST_NAME", "a person's name"},
    {"IBANNumber", "a bank account"},
    {"date_of_birth", "a date or place of birth"},
    {"dateOfBirth", "a date or place of birth"},
    {"dob", "a date or place of birth"},
    {"Geburtsdatum", "a date or place of birth"},
    {"numeroDeTelephone", "a telephone number"},
    {"pr\xc3\xa9nom", "a person's name"},
    {"Stra\xc3\x9f"
     "e",
     "a postal address"},
    {"home_phone2", "a telephone number"},
    {"name", NULL},
    {"product_name", NULL},
    {"emailed", NULL},
    {"streetcar", NULL},
    {"dobby", NULL},
    {"mail", NULL},
    {"last", NULL},
    {"ssnx", NULL},
    {"", NULL},
    {"__", NULL},
    {"\xc3\xa9\xc3\xa9", NULL},
};

static void the_names(void **state)
{
    size_t line;
    chk_personal *p = chk_personal_new(NULL, &line);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *what = chk_personal_name(p, names[i].name);
        if (!what != !names[i].what || (what && strcmp(what, names[i].what)))
            fail_msg("%s: %s", names[i].name, what ? what : "nothing");
    }
    chk_personal_free(p);
}

static void every_entry_finds_itself(void **state)
{
    size_t line;
    chk_personal *p = chk_personal_new(NULL, &line);
    for (size_t i = 0; i < chk_personal_nwords; i++)
        if (!chk_personal_name(p, chk_personal_words[i].words))
            fail_msg("%s is not found", chk_personal_words[i].words);
    chk_personal_free(p);
}

static void a_list_adds_and_takes(void **state)
{
    size_t line = 0;
    chk_personal *p = chk_personal_new("# ours\nCustomer Number\n!gender # asked of everyone\n\n  badge  \r\n", &line);
    assert_non_null(p);
    assert_non_null(chk_personal_name(p, "customerNumber"));
    assert_non_null(chk_personal_name(p, "badges"));
    assert_null(chk_personal_name(p, "gender"));
    chk_personal_free(p);
    assert_null(chk_personal_new("ok\nno, not this\n", &line));
    assert_int_equal(line, 2);
}

static void long_names_end(void **state)
{
    size_t line;
    chk_personal *p = chk_personal_new(NULL, &line);
    char name[5000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_null(chk_personal_name(p, name));
    for (size_t i = 0; i < sizeof name - 1; i += 2)
        name[i] = 'A';
    assert_null(chk_personal_name(p, name));
    chk_personal_free(p);
}

static void formats(void **state)
{
    assert_string_equal(chk_personal_format("email"), "an e-mail address");
    assert_null(chk_personal_format("uuid"));
    assert_null(chk_personal_format(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_names),      cmocka_unit_test(every_entry_finds_itself),
        cmocka_unit_test(long_names_end), cmocka_unit_test(a_list_adds_and_takes),
        cmocka_unit_test(formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
