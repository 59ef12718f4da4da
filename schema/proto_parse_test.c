/* proto_parse_test.c: .proto texts through protoc into the tree: what stands where, tags, imports, messages, refusals,
 * many files at once. */
#include "schema/testing.h"

#include "schema/proto.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD "syntax = \"proto3\";\npackage com.acme;\n"
#define META "import \"confluent/meta.proto\";\n"

static sch_error err;

static sch_schema *try_proto(const char *text, const char *message, const sch_ref *refs, size_t nrefs)
{
    err = (sch_error){0};
    return sch_parse(SCH_PROTOBUF, arena, "test.proto", text, strlen(text), message, refs, nrefs, &err);
}

static sch_schema *proto(const char *text, const char *message)
{
    sch_schema *s = try_proto(text, message, NULL, 0);
    if (!s)
        fail_msg("at %u: %s\n%s", err.offset, err.message, text);
    return s;
}

static const char *leaves(const sch_schema *s)
{
    sch_hits h;
    sch_leaves(s, arena, &h);
    return hits_text(&h);
}

static sch_hit one(const sch_schema *s, const char *path)
{
    sch_hits h;
    char message[160];
    assert_int_equal(sch_select(s, arena, path, &h, message), SCH_PATH_OK);
    assert_int_equal(h.n, 1);
    return h.v[0];
}

static void assert_refused(const char *text, const char *message, const char *at, const char *why)
{
    sch_schema *s = try_proto(text, message, NULL, 0);
    assert_null(s);
    assert_string_equal(err.message, why);
    assert_null(err.ref);
    if (at)
        assert_int_equal(err.offset, strstr(text, at) - text);
}

static sch_ref ref(const char *name, const char *text)
{
    return (sch_ref){name, text, strlen(text)};
}

/* ---- the tree ---- */

static const char customer[] =
    HEAD META "import \"google/protobuf/wrappers.proto\";\nimport \"google/type/date.proto\";\n"
              "message Customer {\n"
              "  string id = 1;\n"
              "\tstring name = 2 [(.confluent.field_meta) = { tags: \"PII\" }];\n"
              "  bytes hash = 3 [(confluent.field_meta).tags = \"PII\", deprecated = true, (confluent.field_meta).tags "
              "= \"A\"];\n"
              "  optional string note = 5;\n"
              "  repeated string phones = 6;\n"
              "  map<string, string> notes = 7;\n"
              "  map<int32, Address> homes = 8;\n"
              "  repeated Address others = 9;\n"
              "  oneof contact { string email = 10; int64 ref = 11; }\n"
              "  google.protobuf.StringValue nick = 12;\n"
              "  google.type.Date born = 13;\n"
              "  Kind kind = 15;\n"
              "  enum Kind { A = 0; B = 1; }\n"
              "  message Address { string street = 1; }\n"
              "}\n";

static void all_constructs(void **state)
{
    const sch_schema *s = proto(customer, "Customer");
    assert_int_equal(s->format, SCH_PROTOBUF);
    assert_string_equal(leaves(s), "id name hash note phones[] notes.* homes.*.street others[].street email ref "
                                   "nick.value born.year born.month born.day kind");
    assert_string_equal(s->root->name, "com.acme.Customer");
    sch_hit kind = one(s, "kind");
    assert_int_equal(kind.type->kind, SCH_ENUM);
    assert_string_equal(kind.type->name, "com.acme.Customer.Kind");
    assert_int_equal(kind.type->nsymbols, 2);
    assert_string_equal(kind.type->symbols[1], "B");
    assert_int_equal(one(s, "hash").type->kind, SCH_BYTES);
    assert_int_equal(one(s, "ref").type->kind, SCH_LONG);
    assert_int_equal(one(s, "born.year").type->kind, SCH_INT);
    assert_true(one(s, "born.year").field->record->foreign);
    assert_false(one(s, "others[].street").field->record->foreign);
    assert_int_equal(s->ntypes > 15, 1);
}

static void fields_know_themselves(void **state)
{
    const sch_schema *s = proto(customer, NULL);
    const sch_field *f = one(s, "email").field;
    assert_string_equal(f->oneof, "contact");
    assert_true(f->optional);
    assert_int_equal(f->number, 10);
    assert_true(one(s, "note").field->optional);
    assert_null(one(s, "note").field->oneof);
    assert_false(one(s, "id").field->optional);
    assert_true(one(s, "nick").field->optional);
    assert_false(one(s, "phones").field->optional);
    f = one(s, "name").field;
    assert_int_equal(f->at, strstr(customer, "string name") - customer);
    assert_int_equal(f->to, strstr(customer, "\n  bytes") - customer);
    assert_string_equal(one(s, "notes.*").field->name, "notes");
}

static void inline_tags(void **state)
{
    const sch_schema *s = proto(customer, "com.acme.Customer");
    const sch_field *f = one(s, "hash").field;
    assert_int_equal(f->ntags, 2);
    assert_string_equal(f->tags[0], "A");
    assert_string_equal(f->tags[1], "PII");
    assert_int_equal(one(s, "name").field->ntags, 1);
    assert_int_equal(one(s, "id").field->ntags, 0);
    assert_int_equal(s->nmisplaced, 0);
}

static void names_that_clients_match(void **state)
{
    const sch_schema *s = proto(customer, NULL);
    const char *keys[SCH_MAX_KEYS];
    sch_hit h = one(s, "others[].street");
    assert_int_equal(sch_match_keys(s, &h, arena, keys), 1);
    assert_string_equal(keys[0], "com.acme.Customer.Address.street");
    assert_int_equal(sch_client_names(s, &h, arena, keys), 1);
    assert_string_equal(keys[0], "com.acme.Customer.Address.street");
    sch_hits covered;
    sch_covered(s, arena, &h, &covered);
    assert_string_equal(hits_text(&covered), "homes.*.street others[].street");
}

static void tags_that_are_no_fields(void **state)
{
    const char text[] = HEAD META "option (confluent.file_meta).tags = \"F\";\n"
                                  "message M { option (confluent.message_meta).tags = \"MM\"; E e = 1; }\n"
                                  "message Unreached { option (confluent.message_meta).tags = \"U\"; }\n"
                                  "enum E { option (confluent.enum_meta).tags = \"EE\"; A = 0 "
                                  "[(confluent.enum_value_meta).tags = \"V\"]; }\n";
    const sch_schema *s = proto(text, "M");
    assert_int_equal(s->nmisplaced, 3);
    assert_string_equal(s->misplaced[0].what, "the file itself");
    assert_string_equal(s->misplaced[0].tags[0], "F");
    assert_int_equal(s->misplaced[0].offset, strstr(text, "option (confluent.file") - text);
    assert_string_equal(s->misplaced[1].what, "the message com.acme.M");
    assert_int_equal(s->misplaced[1].offset, strstr(text, "option (confluent.message") - text);
    assert_ptr_equal(s->misplaced[1].type, s->root);
    assert_string_equal(s->misplaced[2].what, "the enum com.acme.E");
    assert_int_equal(s->misplaced[2].ntags, 2);
}

static void proto2_groups_and_extensions(void **state)
{
    const char text[] = "import \"confluent/meta.proto\";\n"
                        "message M { required string a = 1; optional string b = 2 [default = \"x\"]; "
                        "repeated group Line = 3 { optional string c = 4; } extensions 100 to 200; }\n"
                        "extend M { optional string more = 100 [(confluent.field_meta).tags = \"X\"]; }\n";
    const sch_schema *s = proto(text, NULL);
    assert_string_equal(leaves(s), "a b line[].c");
    assert_string_equal(s->root->name, "M");
    assert_false(one(s, "a").field->optional);
    assert_true(one(s, "b").field->optional);
    assert_int_equal(s->nmisplaced, 1);
    assert_string_equal(s->misplaced[0].what, "the extension more");
    assert_int_equal(s->nextensions, 1);
    assert_string_equal(s->extensions[0], "M.more");
}

static void recursive_messages(void **state)
{
    const sch_schema *s = proto(HEAD "message M { string a = 1; M next = 2; N n = 3; }\n"
                                     "message N { repeated O o = 1; }\nmessage O { map<string, N> m = 1; }\n",
                                NULL);
    assert_true(s->root->recursive);
    assert_string_equal(leaves(s), "a next.a@");
}

/* protoc takes a chain of messages of any length; reading it back must not go as deep. */
static void long_chains(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 4u << 20);
    fl_buf_adds(&b, "syntax = \"proto3\";\n");
    for (int i = 0; i < 9000; i++)
        fl_buf_addf(&b, "message M%d { M%d next = 1; }\n", i, i + 1);
    fl_buf_adds(&b, "message M9000 { string x = 1; }\n");
    const sch_schema *s = proto(b.p, NULL);
    assert_int_equal(s->ntypes, 9002);
    fl_buf_free(&b);
}

static void too_many_types(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 4u << 20);
    fl_buf_adds(&b, "syntax = \"proto3\";\nmessage M {\n");
    for (int i = 1; i <= SCH_MAX_TYPES && i < 19000; i++)
        fl_buf_addf(&b, "string a%d = %d;\n", i, i);
    fl_buf_adds(&b, "N n = 200000; }\nmessage N {\n");
    for (int i = 1; i < 1100; i++)
        fl_buf_addf(&b, "string a%d = %d;\n", i, i);
    fl_buf_adds(&b, "}\n");
    assert_null(try_proto(b.p, NULL, NULL, 0));
    assert_string_equal(err.message, "the schema has more than 20000 types");
    fl_buf_free(&b);
}

/* ---- messages of a file ---- */

static void which_message(void **state)
{
    assert_string_equal(proto(customer, "Customer.Address")->root->name, "com.acme.Customer.Address");
    assert_string_equal(proto(customer, "com.acme.Customer.Address")->root->name, "com.acme.Customer.Address");
    assert_refused(customer, "Custmer", NULL, "the file has no message \"Custmer\"; did you mean \"Customer\"?");
    assert_refused(customer, "Address", NULL,
                   "the file has no message \"Address\"; did you mean \"Customer.Address\"?");
    assert_refused(customer, "Zebra", NULL, "the file has no message \"Zebra\"; its first is \"Customer\"");
    assert_refused(customer, "NotesEntry", NULL, "the file has no message \"NotesEntry\"; its first is \"Customer\"");
    assert_refused(HEAD, NULL, NULL, "the file has no message");
    assert_refused("", "M", NULL, "the file has no message");
}

static void message_names(void **state)
{
    const char *const cases[][3] = {{HEAD, "M", "com.acme.M"},
                                    {HEAD, "com.acme.M", "com.acme.M"},
                                    {HEAD, "A.B", "com.acme.A.B"},
                                    {"syntax = \"proto3\"; message M {}", "M", "M"},
                                    {"// package x;\n/* package y; */package a . b;", "M", "a.b.M"},
                                    {"option x = \"package z;\"; package a;", "M", "a.M"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(sch_proto_message_name(arena, cases[i][0], strlen(cases[i][0]), cases[i][1]), cases[i][2]);
    assert_null(sch_proto_message_name(arena, HEAD, strlen(HEAD), NULL));
}

/* ---- imports ---- */

static const char common[] = "syntax = \"proto3\";\npackage com.common;\n" META
                             "message Addr { string street = 1 [(confluent.field_meta).tags = \"PII\"]; }\n";
static const char importing[] = HEAD "import \"common/addr.proto\";\nmessage M { com.common.Addr a = 1; }\n";

static void references(void **state)
{
    sch_ref refs[] = {ref("common/addr.proto", common), ref("unused.proto", HEAD "message M {}")};
    sch_schema *s = try_proto(importing, "M", refs, 1);
    assert_non_null(s);
    sch_hit h = one(s, "a.street");
    assert_true(h.field->record->foreign);
    assert_int_equal(h.field->ntags, 1);
    assert_int_equal(h.field->at, strstr(common, "string street") - common);
    assert_int_equal(s->nrefs, 1);
    /* what nothing imports is not looked at: it has the same message */
    s = try_proto(importing, "M", refs, 2);
    assert_non_null(s);
    assert_non_null(s->proto->refs[0]);
    assert_null(s->proto->refs[1]);
}

static void bad_references(void **state)
{
    assert_refused(importing, NULL, "import \"common", "no reference gives the import \"common/addr.proto\"");
    sch_ref broken = ref("common/addr.proto", "syntax = \"proto3\";\nmessage {}\n");
    assert_null(try_proto(importing, NULL, &broken, 1));
    assert_string_equal(err.ref, "common/addr.proto");
    assert_string_equal(err.message, "Expected message name.");
    assert_int_equal(err.offset, strstr(broken.text, "{}") - broken.text);
    const char *const names[] = {"../x.proto", "/etc/passwd", "a//b.proto", "a/./b", "-o\n", "a\"b", ".flec",
                                 "",           "a/",          "a\\b",       "x\xff"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sch_ref r = ref(names[i], common);
        assert_null(try_proto(importing, NULL, &r, 1));
        assert_non_null(strstr(err.message, "an import is a relative path of plain names"));
    }
    sch_ref twice[] = {ref("common/addr.proto", common), ref("common/addr.proto", common)};
    assert_null(try_proto(importing, NULL, twice, 2));
    assert_string_equal(err.message, "two references are called \"common/addr.proto\"");
    /* one is a file where the other needs a folder */
    sch_ref nested[] = {ref("common", common), ref("common/addr.proto", common)};
    assert_null(try_proto(importing, NULL, nested, 2));
    assert_non_null(strstr(err.message, "a file for protoc cannot be written"));
}

/* ---- refusals ---- */

static void places_of_errors(void **state)
{
    assert_refused(HEAD "message M {\n\t\tfoo x = 1;\n}\n", NULL, "foo", "\"foo\" is not defined.");
    assert_refused(HEAD "message M { string x = 1; string y = 1; }\n", NULL, "1; }",
                   "Field number 1 has already been used in \"com.acme.M\" by field \"x\".");
    assert_refused(HEAD "message M {", NULL, NULL, "Reached end of input in message definition (missing '}').");
    assert_null(try_proto("{\"type\": \"record\"}", NULL, NULL, 0));
    assert_null(try_proto("\x01\x02\xff", NULL, NULL, 0));
}

static void protoc_that_is_not_there(void **state)
{
    char *before = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent:relative", 1);
    assert_null(try_proto(customer, NULL, NULL, 0));
    assert_non_null(strstr(err.message, "install it (Debian: protobuf-compiler and libprotobuf-dev)"));
    char message[256];
    assert_null(sch_proto_prepare(arena, NULL, 0, message));
    setenv("PATH", before, 1);
    free(before);
}

/* A folder of one program called protoc, first in PATH. */
static void with_protoc(const char *script, const char *why)
{
    char folder[] = "/tmp/flec-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *program = fl_printf(arena, "%s/protoc", folder), *before = strdup(getenv("PATH"));
    assert_int_equal(fl_write_file(program, script, strlen(script), 0700, false), 0);
    setenv("PATH", fl_printf(arena, "%s:%s", folder, before), 1);
    assert_null(try_proto(customer, NULL, NULL, 0));
    if (!strstr(err.message, why))
        fail_msg("%s", err.message);
    setenv("PATH", before, 1);
    free(before);
    fl_remove_tree(folder);
}

static void protoc_that_misbehaves(void **state)
{
    with_protoc("#!/bin/sh\nexit 3\n", "does not say why");
    with_protoc("#!/bin/sh\nkill -SEGV $$\n", "ended by signal 11");
    with_protoc("#!/bin/sh\nexit 0\n", "descriptors cannot be read");
    with_protoc("#!/bin/sh\nfor a; do case $a in --desc*) echo junk > ${a#*=};; esac; done\n",
                "these are no descriptors");
    with_protoc("#!/bin/sh\nfor a; do case $a in --desc*) : > ${a#*=};; esac; done\n", "no descriptors of it");
    with_protoc("#!/bin/sh\nyes 'a line: of noise' | head -c 3000000 >&2\nexit 1\n", "protoc refuses it");
    with_protoc("not a program\n", "protoc");
}

/* ---- many files ---- */

static sch_proto_file file_of(const char *name, const char *text, const sch_ref *refs, size_t nrefs)
{
    return (sch_proto_file){name, text, strlen(text), refs, nrefs};
}

static sch_schema *of_set(const sch_proto_set *set, const sch_proto_file *f)
{
    err = (sch_error){0};
    return sch_proto_from_set(arena, set, f->name, f->text, f->len, NULL, f->refs, f->nrefs, &err);
}

static void one_call_for_many(void **state)
{
    sch_ref refs[] = {ref("common/addr.proto", common)};
    sch_ref other[] = {ref("common/addr.proto", "syntax = \"proto3\";\npackage com.common;\n"
                                                "message Addr { string city = 1; }\n")};
    const sch_proto_file files[] = {
        file_of("a", HEAD "message M { string a = 1; }", NULL, 0),
        file_of("b", HEAD "message M { string b = 1; }", NULL, 0), /* the same name */
        file_of("bad", HEAD "message Bad { nothing b = 1; }", NULL, 0),
        file_of("c", importing, refs, 1),
        file_of("c2", importing, other, 1), /* the same import, another text */
        file_of("common", common, NULL, 0), /* imported by one, a schema of its own as well */
        file_of("d", "syntax = \"proto3\";\nenum E { M = 0; }\nmessage D { E e = 1; }", NULL, 0),
        file_of("e", "syntax = \"proto3\";\nmessage M { string e = 1; }", NULL, 0), /* M is a value of E above */
        file_of("empty", "", NULL, 0),
        file_of("a again", HEAD "message M { string a = 1; }", NULL, 0),
    };
    static const char *const expected[] = {"a", "b", NULL, "a.street", "a.city", "street", "e", "e", NULL, "a"};
    char message[256];
    sch_proto_set *set = sch_proto_prepare(arena, files, sizeof files / sizeof *files, message);
    assert_non_null(set);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        sch_schema *s = of_set(set, &files[i]);
        if (!expected[i]) {
            assert_null(s);
            continue;
        }
        if (!s)
            fail_msg("%s: %s", files[i].name, err.message);
        assert_string_equal(leaves(s), expected[i]);
        assert_string_equal(s->name, files[i].name);
    }
    of_set(set, &files[2]);
    assert_string_equal(err.message, "\"nothing\" is not defined.");
    const sch_proto_file unknown = file_of("x", HEAD "message X {}", NULL, 0);
    assert_null(of_set(set, &unknown));
    assert_false(sch_proto_in_set(set, unknown.text, unknown.len, NULL, 0));
    assert_true(sch_proto_in_set(set, files[0].text, files[0].len, NULL, 0));
}

/* Own files under the names that all others get from flec: seen by nobody else. */
static void own_vendor_files(void **state)
{
    sch_ref own = ref("google/type/date.proto", "syntax = \"proto3\";\npackage google.type;\n"
                                                "message Date { string mine = 1; }\n");
    const char text[] = HEAD "import \"google/type/date.proto\";\nmessage M { google.type.Date d = 1; }\n";
    const sch_proto_file files[] = {file_of("own", text, &own, 1), file_of("vendor's", text, NULL, 0)};
    char message[256];
    sch_proto_set *set = sch_proto_prepare(arena, files, 2, message);
    assert_string_equal(leaves(of_set(set, &files[0])), "d.mine");
    assert_string_equal(leaves(of_set(set, &files[1])), "d.year d.month d.day");
}

static void vendor_files(void **state)
{
    proto_source v;
    for (size_t i = 0; sch_proto_vendor(i, &v); i++) {
        sch_schema *s =
            try_proto(fl_printf(arena, HEAD "import \"%s\";\nmessage M { string a = 1; }\n", v.name), NULL, NULL, 0);
        if (!s)
            fail_msg("%s: %s", v.name, err.message);
    }
    assert_true(sch_proto_is_vendor("google/protobuf/timestamp.proto"));
    assert_true(sch_proto_is_vendor("confluent/meta.proto"));
    assert_false(sch_proto_is_vendor("google/api/http.proto"));
}

/* Nothing of a call stays behind. */
static void nothing_left(void **state)
{
    char folder[] = "/tmp/flec-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
    proto(customer, NULL);
    try_proto("nonsense", NULL, NULL, 0);
    assert_true(fl_dir_empty(folder));
    fl_remove_tree(folder);
    assert_null(try_proto(customer, NULL, NULL, 0));
    assert_non_null(strstr(err.message, "no temporary folder"));
    unsetenv("TMPDIR");
}

/* A signal that ends the program ends protoc as well, and takes the folder along. */
static void signals(void **state)
{
    char folder[] = "/tmp/flec-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char script[] = "#!/bin/sh\necho $$ > \"${0%/bin/protoc}/started\"\nexec sleep 60\n";
    const char *program = fl_printf(arena, "%s/bin/protoc", folder), *started = fl_printf(arena, "%s/started", folder);
    assert_int_equal(fl_mkdirs(fl_printf(arena, "%s/bin", folder), 0700), 0);
    assert_int_equal(fl_mkdirs(fl_printf(arena, "%s/tmp", folder), 0700), 0);
    assert_int_equal(fl_write_file(program, script, strlen(script), 0700, false), 0);
    pid_t child = fork();
    if (!child) {
        setenv("TMPDIR", fl_printf(arena, "%s/tmp", folder), 1);
        setenv("PATH", fl_printf(arena, "%s/bin:%s", folder, getenv("PATH")), 1);
        try_proto(customer, NULL, NULL, 0);
        _exit(0);
    }
    char *text = NULL;
    size_t len = 0;
    for (int i = 0; i < 1000 && !len; i++) {
        usleep(10000);
        if (fl_read_regular(arena, started, 100, &text, &len))
            len = 0;
    }
    assert_true(len > 1);
    pid_t protoc = (pid_t)atoi(text);
    assert_false(fl_dir_empty(fl_printf(arena, "%s/tmp", folder)));
    assert_int_equal(kill(child, SIGTERM), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_true(fl_dir_empty(fl_printf(arena, "%s/tmp", folder)));
    assert_int_equal(kill(protoc, 0), -1);
    fl_remove_tree(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_constructs),
        CASE(fields_know_themselves),
        CASE(inline_tags),
        CASE(names_that_clients_match),
        CASE(tags_that_are_no_fields),
        CASE(proto2_groups_and_extensions),
        CASE(recursive_messages),
        CASE(long_chains),
        CASE(too_many_types),
        CASE(which_message),
        CASE(message_names),
        CASE(references),
        CASE(bad_references),
        CASE(places_of_errors),
        CASE(protoc_that_is_not_there),
        CASE(protoc_that_misbehaves),
        CASE(one_call_for_many),
        CASE(own_vendor_files),
        CASE(vendor_files),
        CASE(nothing_left),
        CASE(signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
