/* roles_test.c: what each role may do, call by call; what of a bindings file and of a users file is refused; how often
 * an address may guess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/rest/rest.h"
#include "runtime/rest/users.h"

static char path[] = "/tmp/flec-roles-XXXXXX";

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

/* ---- what may be done ---- */

#define ROW(who, role, type, name, pattern)                                                                            \
    "{\"principal\":\"" who "\",\"role\":\"" role "\",\"resourceType\":\"" type "\",\"resource\":\"" name              \
    "\",\"patternType\":\"" pattern "\"}"
static const char *const bindings[] = {
    ROW("User:source", "DeveloperWrite", "Kek", "k", "LITERAL"), /* as a build writes them */
    ROW("User:source", "DeveloperRead", "Subject", "s", "LITERAL"),
    ROW("User:source", "DeveloperWrite", "Topic", "t", "LITERAL"),
    ROW("Group:sinks", "DeveloperRead", "Kek", "k", "LITERAL"),
    ROW("Group:sinks", "DeveloperRead", "Subject", "s", "LITERAL"),
    ROW("Group:sinks", "DeveloperRead", "Group", "connect-x", "LITERAL"),
    ROW("User:writer", "DeveloperWrite", "Subject", "s", "PREFIXED"),
    ROW("User:writer", "DeveloperWrite", "Subject", ":.ctx:s", "PREFIXED"),
    ROW("User:both", "DeveloperWrite", "Subject", "s", "PREFIXED"),
    ROW("User:both", "DeveloperRead", "Subject", "s", "PREFIXED"),
    ROW("User:both", "DeveloperWrite", "Subject", ":.ctx:s", "PREFIXED"),
    ROW("User:manager", "DeveloperManage", "Subject", "s", "LITERAL"),
    ROW("User:manager", "DeveloperManage", "Kek", "k", "LITERAL"),
    ROW("User:owner", "ResourceOwner", "Subject", "*", "LITERAL"),
    ROW("User:owner", "ResourceOwner", "Kek", "*", "LITERAL"),
};

static void write_bindings(void)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        fl_buf_addf(&b, "%s%s", i ? "," : "[", bindings[i]);
    fl_buf_addc(&b, ']');
    write_file(b.p, 0644);
    fl_buf_free(&b);
}

enum { SOURCE, SINK, WRITER, MANAGER, OWNER, STRANGER, ADMIN, WHO };
static const char *const sinks[] = {"others", "sinks"};
static const rt_user users[WHO] = {
    [SOURCE] = {.name = "source"},
    [SINK] = {.name = "anyone", .groups = sinks, .ngroups = 2},
    [WRITER] = {.name = "writer"},
    [MANAGER] = {.name = "manager"},
    [OWNER] = {.name = "owner"},
    [STRANGER] = {.name = "sourc"}, /* nearly one of them */
    [ADMIN] = {.name = "root", .admin = true},
};

static const rt_user both = {.name = "both"}; /* DeveloperRead and DeveloperWrite */

static rt_registry *registry;
static rt_roles *roles;

/* The status; 0 for one below 300. The answer is kept. */
static char answer[65536];
static int ask(const rt_access *access, const char *method, const char *target, const char *body)
{
    fl_arena *a = fl_arena_new();
    rt_rest_reply reply;
    rt_rest_request q = {
        .method = method, .target = target, .body = body, .n = body ? strlen(body) : 0, .access = access};
    rt_rest_handle((rt_store *)registry, a, &q, &reply);
    snprintf(answer, sizeof answer, "%s", reply.body.p ? reply.body.p : "");
    fl_buf_wipe(&reply.body);
    fl_arena_free(a);
    return reply.status;
}

static int set_up(void **state)
{
    rt_error err;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_bindings();
    if (rt_roles_load(path, &roles, &err) != RT_OK)
        fail_msg("%s", err.message);
    assert_int_equal(rt_registry_open("mem:", &(rt_registry_options){0}, &registry, &err), RT_OK);
    static const char *const calls[][2] = {
        {"/dek-registry/v1/keks", "{\"name\":\"k\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"x\"}"},
        {"/dek-registry/v1/keks", "{\"name\":\"other\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"x\"}"},
        {"/dek-registry/v1/keks/k/deks/s", "{\"encryptedKeyMaterial\":\"AAAA\"}"},
        {"/dek-registry/v1/keks/other/deks/s", "{\"encryptedKeyMaterial\":\"AAAA\"}"},
        {"/subjects/s/versions", "{\"schema\":\"\\\"string\\\"\"}"},      /* id 1 */
        {"/subjects/hidden/versions", "{\"schema\":\"\\\"long\\\"\"}"},   /* id 2 */
        {"/subjects/hidden2/versions", "{\"schema\":\"\\\"string\\\"\"}"} /* id 1, too */
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (ask(NULL, "POST", calls[i][0], calls[i][1]) != 200)
            fail_msg("%s: %s", calls[i][0], answer);
    return 0;
}

static int tear_down(void **state)
{
    rt_registry_close(registry);
    rt_roles_free(roles);
    return unlink(path);
}

/* Which of the seven may: a letter of "swkmoxa" each; who may not is told 403, whatever is there. */
static void calls(void **state)
{
    static const char letters[] = "srwmoxa"; /* source, reader, writer, manager, owner, stranger, admin */
    static const struct {
        const char *method, *target, *may;
    } all[] = {
        {"GET", "/", "srwmoxa"},
        {"GET", "/schemas/types", "srwmoxa"},
        {"GET", "/contexts", "srwmoa"},
        {"DELETE", "/contexts/.ctx", "a"},
        {"GET", "/subjects", "srwmoa"},
        {"GET", "/schemas", "srwmoa"},
        {"GET", "/subjects/s/versions", "sroa"},
        {"GET", "/subjects/s/versions/1", "sroa"},
        {"GET", "/subjects/s/versions/latest/schema", "sroa"},
        {"GET", "/subjects/s/versions/1/referencedby", "sroa"},
        {"GET", "/subjects/s/metadata", "sroa"},
        {"GET", "/subjects/hidden/versions", "oa"},
        {"GET", "/subjects/nowhere/versions", "oa"},
        {"GET", "/subjects/:.ctx:s/versions", "oa"},
        {"GET", "/contexts/.ctx/subjects/s/versions", "oa"},
        {"GET", "/contexts/.other/subjects/s/versions", "oa"},
        {"GET", "/subjects/:.:s/versions", "sroa"},
        {"POST", "/subjects/s", "sroa"},
        {"POST", "/subjects/s/versions", "woa"},
        {"POST", "/subjects/s/versions/1/tags", "oa"},
        {"POST", "/subjects/s2/versions", "woa"},
        {"POST", "/compatibility/subjects/s/versions", "woa"},
        {"POST", "/compatibility/subjects/s/versions/1", "woa"},
        {"DELETE", "/subjects/s3", "oa"},
        {"DELETE", "/subjects/s/versions/9", "moa"},
        {"GET", "/config", "srwmoa"},
        {"PUT", "/config", "a"},
        {"DELETE", "/config", "a"},
        {"GET", "/config/s", "srmoa"},
        {"PUT", "/config/s", "moa"},
        {"DELETE", "/config/s", "moa"},
        {"GET", "/config/:.ctx:", "srwmoa"},
        {"PUT", "/config/:.ctx:", "a"},
        {"GET", "/mode", "srwmoa"},
        {"PUT", "/mode", "a"},
        {"GET", "/mode/s", "srmoa"},
        {"PUT", "/mode/s", "moa"},
        {"DELETE", "/mode/s", "moa"},
        {"GET", "/schemas/ids/1", "sroa"},
        {"GET", "/schemas/ids/1/schema", "sroa"},
        {"GET", "/schemas/ids/2", "oa"},
        {"GET", "/schemas/ids/2/schema?subject=s", "oa"},
        {"GET", "/dek-registry/v1/keks", "srwmoa"},
        {"POST", "/dek-registry/v1/keks", "oa"}, /* of no name */
        {"GET", "/dek-registry/v1/keks/k", "sroa"},
        {"GET", "/dek-registry/v1/keks/other", "oa"},
        {"GET", "/dek-registry/v1/keks/nowhere", "oa"},
        {"PUT", "/dek-registry/v1/keks/k", "moa"},
        {"DELETE", "/dek-registry/v1/keks/k", "moa"},
        {"POST", "/dek-registry/v1/keks/k/test", "soa"},
        {"POST", "/dek-registry/v1/keks/k/undelete", "soa"},
        {"GET", "/dek-registry/v1/keks/k/deks", "sroa"},
        {"POST", "/dek-registry/v1/keks/k/deks", "soa"},
        {"POST", "/dek-registry/v1/keks/k/deks/s", "soa"},
        {"POST", "/dek-registry/v1/keks/other/deks/s", "oa"},
        {"GET", "/dek-registry/v1/keks/k/deks/s", "sroa"},
        {"GET", "/dek-registry/v1/keks/k/deks/s/versions", "sroa"},
        {"GET", "/dek-registry/v1/keks/k/deks/s/versions/1", "sroa"},
        {"GET", "/dek-registry/v1/keks/other/deks/s", "oa"},
        {"DELETE", "/dek-registry/v1/keks/k/deks/s2", "moa"},
        {"DELETE", "/dek-registry/v1/keks/k/deks/s/versions/9", "moa"},
        {"POST", "/dek-registry/v1/keks/k/deks/s/undelete", "soa"},
        {"POST", "/dek-registry/v1/keks/k/deks/s/versions/1/undelete", "soa"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t who = 0; who < WHO; who++) {
            rt_access access = {roles, &users[who]};
            bool may = ask(&access, all[i].method, all[i].target, NULL) != 403;
            if (may != (strchr(all[i].may, letters[who]) != NULL))
                fail_msg("%s %s as %s: %s", all[i].method, all[i].target, users[who].name, answer);
            assert_true(may || strstr(answer, "\"error_code\":40301,\"message\":\"User is denied operation "));
        }
}

static void lists(void **state)
{
    static const struct {
        int who;
        const char *target, *answer;
    } all[] = {
        {SOURCE, "/subjects", "[\"s\"]"},
        {SINK, "/subjects", "[\"s\"]"},
        {MANAGER, "/subjects", "[]"}, /* may delete it, and not read it */
        {OWNER, "/subjects", "[\"hidden\",\"hidden2\",\"s\"]"},
        {SOURCE, "/schemas/ids/1/subjects", "[\"s\"]"},
        {SOURCE, "/schemas/ids/1/versions", "[{\"subject\":\"s\",\"version\":1}]"},
        {OWNER, "/schemas/ids/1/subjects", "[\"hidden2\",\"s\"]"},
        {SOURCE, "/dek-registry/v1/keks", "[\"k\"]"},
        {WRITER, "/dek-registry/v1/keks", "[]"},
        {OWNER, "/dek-registry/v1/keks", "[\"k\",\"other\"]"},
        {OWNER, "/dek-registry/v1/keks?subjectPrefix=s", "[\"k\",\"other\"]"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        rt_access access = {roles, &users[all[i].who]};
        assert_int_equal(ask(&access, "GET", all[i].target, NULL), 200);
        assert_string_equal(answer, all[i].answer);
    }
    rt_access sink = {roles, &users[SINK]};
    assert_int_equal(ask(&sink, "GET", "/schemas", NULL), 200);
    assert_null(strstr(answer, "hidden"));
    assert_int_equal(ask(&sink, "GET", "/schemas/ids/1?subject=hidden2", NULL), 200);
    assert_null(strstr(answer, "hidden2"));
}

/* The name of an alias opens what it stands for to nobody who may not open that by itself. */
static void aliases(void **state)
{
    rt_access writer = {roles, &both}, owner = {roles, &users[OWNER]};
    assert_int_equal(ask(&owner, "PUT", "/config/s-alias", "{\"alias\":\"hidden\"}"), 200);
    assert_int_equal(ask(&writer, "GET", "/subjects/s-alias/versions/1", NULL), 403);
    assert_int_equal(ask(&owner, "GET", "/subjects/s-alias/versions/1", NULL), 200);
}

/* What a schema refers to is read with it, and its compatibility tells of it: who refers must be let read. */
static void references(void **state)
{
    rt_access writer = {roles, &both}, blind = {roles, &users[WRITER]}, owner = {roles, &users[OWNER]};
#define REFERS(to) "{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"n\",\"subject\":\"" to "\",\"version\":1}]}"
    static const char *const targets[] = {"/subjects/s-r", "/subjects/s-r/versions",
                                          "/compatibility/subjects/s-r/versions",
                                          "/contexts/.ctx/subjects/s-r/versions"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(ask(&writer, "POST", targets[i], REFERS("hidden")), 403);
        assert_int_equal(ask(&writer, "POST", targets[i], REFERS("not-there")), 403);
        assert_int_equal(ask(&writer, "POST", targets[i], REFERS(":.:hidden")), 403);
        assert_int_equal(ask(&writer, "POST", targets[i], REFERS(":.ctx:t")), 403);
    }
    assert_int_equal(ask(&writer, "POST", "/compatibility/subjects/s-r/versions", REFERS("s")), 200);
    assert_int_equal(ask(&blind, "POST", "/compatibility/subjects/s-r/versions", REFERS("s")), 403);
    assert_int_equal(ask(&owner, "POST", "/compatibility/subjects/s-r/versions", REFERS("hidden")), 200);
}

/* A schema written out with what it refers to shows that to nobody who may not read it, however far away it is. */
static void written_out(void **state)
{
    rt_access reader = {roles, &both}, owner = {roles, &users[OWNER]};
#define RECORD(name, type)                                                                                             \
    "\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"" name                                                 \
    "\\\",\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":\\\"" type "\\\"}]}\""
#define REFERENCE(name, subject) "\"references\":[{\"name\":\"" name "\",\"subject\":\"" subject "\",\"version\":1}]"
    static const char *const made[][2] = {
        {"/subjects/hidden-h/versions", "{" RECORD("H", "int") "}"},
        {"/subjects/s-near/versions", "{" RECORD("N", "H") "," REFERENCE("H", "hidden-h") "}"},
        {"/subjects/s-far/versions", "{" RECORD("F", "N") "," REFERENCE("N", "s-near") "}"},
        {"/subjects/s-own/versions", "{" RECORD("O", "int") "}"},
        {"/subjects/s-open/versions", "{" RECORD("P", "O") "," REFERENCE("O", "s-own") "}"},
    };
    static const char *const shut[] = {"s-near", "s-far"};
    char target[128];
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (ask(&owner, "POST", made[i][0], made[i][1]) != 200)
            fail_msg("%s: %s", made[i][0], answer);
    for (size_t i = 0; i < sizeof shut / sizeof *shut; i++) {
        snprintf(target, sizeof target, "/subjects/%s/versions/1", shut[i]);
        assert_int_equal(ask(&reader, "GET", target, NULL), 200);
        snprintf(target, sizeof target, "/subjects/%s/versions/1?format=resolved", shut[i]);
        assert_int_equal(ask(&reader, "GET", target, NULL), 403);
        assert_int_equal(ask(&owner, "GET", target, NULL), 200);
        snprintf(target, sizeof target, "/subjects/%s/versions/1/schema?format=resolved", shut[i]);
        assert_int_equal(ask(&reader, "GET", target, NULL), 403);
    }
    assert_int_equal(ask(&reader, "GET", "/subjects/s-open/versions/1?format=resolved", NULL), 200);
}

/* Who names no schema means the one that is there, and is answered with it: that is reading. */
static void no_schema(void **state)
{
    static const char *const bodies[] = {"{}", "{\"schema\":null}", "{\"schema\":\" \\n\"}"};
    rt_access reader = {roles, &both}, blind = {roles, &users[WRITER]};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_int_equal(ask(&blind, "POST", "/subjects/s/versions", bodies[i]), 403);
        assert_int_equal(ask(&reader, "POST", "/subjects/s/versions", bodies[i]), 200);
    }
    assert_int_equal(ask(&blind, "POST", "/subjects/s/versions", "{\"schema\":\"\\\"string\\\"\"}"), 200);
}

/* Without bindings those who are no admins may do nothing. */
static void no_bindings(void **state)
{
    rt_access owner = {NULL, &users[OWNER]}, admin = {NULL, &users[ADMIN]};
    assert_int_equal(ask(&owner, "GET", "/subjects", NULL), 403);
    assert_int_equal(ask(&owner, "GET", "/dek-registry/v1/keks/k", NULL), 403);
    assert_int_equal(ask(&admin, "GET", "/dek-registry/v1/keks/k", NULL), 200);
}

static void wrong_bindings(void **state)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "[1]",
        "[{}]",
        "[" ROW("source", "DeveloperRead", "Kek", "k", "LITERAL") "]",
        "[" ROW("User:", "DeveloperRead", "Kek", "k", "LITERAL") "]",
        "[" ROW("User:a", "Developer", "Kek", "k", "LITERAL") "]",
        "[" ROW("User:a", "DeveloperRead", "Dek", "k", "LITERAL") "]",
        "[" ROW("User:a", "DeveloperRead", "Kek", "k", "ANY") "]",
        "[" ROW("User:a", "DeveloperRead", "Kek", "", "PREFIXED") "]",
    };
    rt_roles *r;
    rt_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_file(wrong[i], 0644);
        if (rt_roles_load(path, &r, &err) != RT_BAD_INPUT)
            fail_msg("taken: %s", wrong[i]);
    }
}

/* ---- users ---- */

#define SALT "$c2FsdHNhbHQ"
#define HASH "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void users_files(void **state)
{
    static const char *const wrong[] = {
        "",
        "a:-\n",
        "flec-users 2\n",
        "flec-users 1\na\n",
        "flec-users 1\n:-\n",
        "flec-users 1\na:\n",
        "flec-users 1\na:-\na:-\n",
        "flec-users 1\na:-:boss\n",
        "flec-users 1\na:-:group=\n",
        "flec-users 1\na:password\n",
        "flec-users 1\na:$scrypt$ln=13,r=8,p=1" SALT HASH "\n",
        "flec-users 1\na:$scrypt$ln=20,r=8,p=1" SALT HASH "\n",
        "flec-users 1\na:$scrypt$ln=14,r=1,p=1" SALT HASH "\n",
        "flec-users 1\na:$scrypt$ln=14,r=8,p=0" SALT HASH "\n",
        "flec-users 1\na:$scrypt$ln=14,r=8,p=1$c2Fs" HASH "\n",
        "flec-users 1\na:$scrypt$ln=14,r=8,p=1" SALT "$AAAA\n",
        "flec-users 1\na:$scrypt$ln=14,r=8,p=1" SALT "\n",
        "flec-users 1\n\xff:-\n",
    };
    rt_users *u;
    rt_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_file(wrong[i], 0600);
        if (rt_users_load(path, &u, &err) != RT_BAD_INPUT)
            fail_msg("taken: %s", wrong[i]);
    }
    write_file("flec-users 1\r\n\r\n# nobody\r\nb:-:group=x,admin,group=y\r\na:$scrypt$ln=14,r=8,p=1" SALT HASH, 0640);
    if (rt_users_load(path, &u, &err) != RT_OK)
        fail_msg("%s", err.message);
    const rt_user *b = rt_users_named(u, "b");
    assert_true(b && b->admin && b->ngroups == 2 && !strcmp(b->groups[1], "y") && rt_users_admin(u));
    assert_true(rt_users_named(u, "a") && !rt_users_named(u, "c"));
    rt_users_free(u);
    write_file("flec-users 1\n", 0644);
    assert_int_equal(rt_users_load(path, &u, &err), RT_IO); /* everybody could read it */
}

static void hashed(void **state)
{
    rt_users *u;
    rt_error err;
    fl_buf b;
    fl_secret right = fl_secret_copy("correct horse", 13), wrong = fl_secret_copy("correct horsf", 13),
              brief = fl_secret_copy("short", 5);
    fl_buf_init(&b, 4096);
    fl_buf_adds(&b, "flec-users 1\n");
    assert_int_equal(rt_users_line("sa:crm", &right, &b, &err), RT_BAD_INPUT);
    assert_int_equal(rt_users_line("sa-crm", &brief, &b, &err), RT_BAD_INPUT);
    assert_int_equal(rt_users_line("sa-crm", &right, &b, &err), RT_OK);
    assert_int_equal(rt_users_line("again", &right, &b, &err), RT_OK); /* another salt */
    write_file(b.p, 0600);
    const char *first = strstr(b.p, "$scrypt"), *second = strstr(first + 1, "$scrypt");
    assert_true(strncmp(first, second, 60) != 0);
    assert_int_equal(rt_users_load(path, &u, &err), RT_OK);
    assert_null(rt_users_remembered(u, "sa-crm", &right));
    assert_true(rt_users_check(u, "sa-crm", &right));
    assert_false(rt_users_check(u, "sa-crm", &wrong));
    assert_false(rt_users_check(u, "nobody", &right));
    rt_users_remember(u, "sa-crm", &right);
    assert_ptr_equal(rt_users_remembered(u, "sa-crm", &right), rt_users_named(u, "sa-crm"));
    assert_null(rt_users_remembered(u, "sa-crm", &wrong));
    assert_null(rt_users_remembered(u, "again", &right));
    rt_users_free(u);
    fl_buf_free(&b);
    fl_secret_free(&right);
    fl_secret_free(&wrong);
    fl_secret_free(&brief);
}

/* ---- guessing ---- */

static struct sockaddr_in at(uint32_t address)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
}

static void guesses(void **state)
{
    rt_guesses *g = rt_guesses_new();
    struct sockaddr_in a = at(0x0a000001), b = at(0x0a000002);
    const struct sockaddr *from = (struct sockaddr *)&a, *other = (struct sockaddr *)&b;
    for (int i = 0; i < RT_GUESSES; i++)
        assert_int_equal(rt_guesses_take(g, from, 1000), 0);
    assert_int_equal(rt_guesses_take(g, from, 1000), RT_GUESS_S);
    assert_int_equal(rt_guesses_take(g, other, 1000), 0);
    assert_int_equal(rt_guesses_take(g, from, 1000 + RT_GUESS_S * 1000), 0); /* one is there again, and gone */
    assert_int_equal(rt_guesses_take(g, from, 1001 + RT_GUESS_S * 1000), RT_GUESS_S);
    rt_guesses_give_back(g, from, 1001 + RT_GUESS_S * 1000);
    assert_int_equal(rt_guesses_take(g, from, 1001 + RT_GUESS_S * 1000), 0);
    for (uint32_t i = 0; i < 100000; i++) { /* ever more addresses take no more room */
        struct sockaddr_in x = at(0x0b000000 + i);
        assert_int_equal(rt_guesses_take(g, (struct sockaddr *)&x, 2000), 0);
    }
    rt_guesses_free(g);
}

static void networks(void **state)
{
    rt_guesses *g = rt_guesses_new();
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {0x20, 1, 0xd, 0xb8}};
    for (int i = 0; i < RT_GUESSES; i++) {
        a.sin6_addr.s6_addr[15] = (uint8_t)i; /* one network has as many addresses as it likes */
        assert_int_equal(rt_guesses_take(g, (struct sockaddr *)&a, 1000), 0);
    }
    a.sin6_addr.s6_addr[15] = 99;
    assert_int_equal(rt_guesses_take(g, (struct sockaddr *)&a, 1000), RT_GUESS_S);
    a.sin6_addr.s6_addr[7] = 1;
    assert_int_equal(rt_guesses_take(g, (struct sockaddr *)&a, 1000), 0);
    rt_guesses_free(g);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),       cmocka_unit_test(lists),       cmocka_unit_test(aliases),
        cmocka_unit_test(references),  cmocka_unit_test(no_bindings), cmocka_unit_test(wrong_bindings),
        cmocka_unit_test(users_files), cmocka_unit_test(hashed),      cmocka_unit_test(guesses),
        cmocka_unit_test(networks),    cmocka_unit_test(written_out), cmocka_unit_test(no_schema),
    };
    return cmocka_run_group_tests_name("roles", tests, set_up, tear_down);
}
