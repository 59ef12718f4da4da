/* json_parse_test.c: JSON Schemas as trees: leaves with their types and what no client walks; references; what is
 * refused; bounds against schemas that multiply; the schemas measured on the vendor's clients. */
#include "schema/testing.h"

static sch_schema *try_json(const char *text, const sch_ref *refs, size_t n, sch_error *err)
{
    *err = (sch_error){0};
    return sch_json_parse(arena, "test.json", text, strlen(text), refs, n, err);
}

static sch_schema *parse_schema(const char *text)
{
    sch_error err;
    sch_schema *s = try_json(text, NULL, 0, &err);
    if (!s)
        fail_msg("at %u: %s\n%s", err.offset, err.message, text);
    return s;
}

/* "path:type" of each leaf: ? nullable, | mixed, @ below itself, <TAG>, !construct. */
static const char *leaves_text(const sch_schema *s)
{
    sch_hits h;
    fl_buf b;
    sch_leaves(s, arena, &h);
    fl_buf_init(&b, 1u << 20);
    for (size_t i = 0; i < h.n; i++) {
        const sch_hit *hit = &h.v[i];
        fl_buf_addf(&b, "%s%s:%s%s%s%s", i ? " " : "", hit->path, sch_type_text(hit->type, arena),
                    hit->nullable ? "?" : "", hit->mixed ? "|" : "", hit->recursive ? "@" : "");
        for (size_t k = 0; hit->field && k < hit->field->ntags; k++)
            fl_buf_addf(&b, "<%s>", hit->field->tags[k]);
        if (hit->unwalked)
            fl_buf_addf(&b, "!%s", hit->unwalked);
    }
    if (h.truncated)
        fl_buf_addc(&b, '+');
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

#define P(members) "{\"type\":\"object\",\"properties\":{" members "}}"
#define S          "{\"type\":\"string\"}"

static const struct {
    const char *schema, *leaves;
} table[] = {
    /* kinds */
    {P("\"s\":" S ",\"i\":{\"type\":\"integer\"},\"n\":{\"type\":\"number\"},\"b\":{\"type\":\"boolean\"},\"z\":{"
       "\"type\":\"null\"}"),
     "s:string i:integer n:number b:boolean z:null"},
    {P("\"d\":{\"type\":\"string\",\"format\":\"date-time\"}"), "d:string (date-time)"},
    {P("\"a\":true,\"b\":{},\"c\":{\"description\":\"x\"},\"d\":{\"pattern\":\"x\"},\"e\":false"),
     "a:any b:any c:any d:any"},
    {"true", ":any"},
    {S, ":string"},
    {P("\"e\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]},\"c\":{\"const\":\"x\"},\"n\":{\"enum\":[1,2]},\"m\":{"
       "\"enum\":[\"a\",null]}"),
     "e:enum c:enum n:integer m:enum?"},
    /* null, lists of types */
    {P("\"a\":{\"type\":[\"string\",\"null\"]},\"b\":{\"type\":[\"string\",\"integer\"]},\"c\":{\"type\":["
       "\"string\"]}"),
     "a:string? b:union of integer and string| c:string"},
    {P("\"a\":{\"oneOf\":[{\"type\":\"null\"}," S "]},\"b\":{\"anyOf\":[" S ",{\"type\":\"null\"}]}"),
     "a:string? b:string?"},
    {P("\"o\":{\"type\":[\"object\",\"null\"],\"properties\":{\"x\":" S "}}"), "o.x:string"},
    {P("\"a\":{\"oneOf\":[{\"anyOf\":[" S ",{\"type\":\"null\"}]},{\"oneOf\":[" S "]}]}"), "a:string?"},
    {P("\"a\":{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"string\",\"pattern\":\"x\"}]}"),
     "a:string"},
    {P("\"a\":{\"type\":\"string\",\"anyOf\":[{\"pattern\":\"x\"},{\"pattern\":\"y\"}]}"), "a:string"},
    {P("\"a\":{\"oneOf\":[" S ",{\"type\":\"string\",\"enum\":[\"x\"]}]}"), "a:union of string and enum|"},
    {P("\"a\":{\"oneOf\":[" S ",true]}"), "a:union of string and any|"},
    {P("\"a\":{\"oneOf\":[" S ",{\"type\":\"null\"}],\"anyOf\":[{\"maxLength\":3},{\"pattern\":\"x\"}]}"), "a:string?"},
    /* objects */
    {"{\"properties\":{\"b\":" S "}}", "b:string"},
    {P("\"o\":{\"type\":\"object\"},\"e\":{\"type\":\"object\",\"additionalProperties\":false}"),
     "o.*:any!additionalProperties"},
    {P("\"m\":{\"type\":\"object\",\"additionalProperties\":" P("\"x\":" S) "}"), "m.*.x:string!additionalProperties"},
    {"{\"properties\":{\"a\":" S "},\"additionalProperties\":" S "}", "a:string \"*\":string!additionalProperties"},
    {"{\"properties\":{\"a\":" S "},\"additionalProperties\":true}", "a:string"},
    {"{\"properties\":{\"a\":" S "},\"patternProperties\":{\"^x\":" S "}}", "a:string \"^x\":string!patternProperties"},
    {P("\"shoe size\":" S ",\"a.b\":" S ",\"q\\\"\\\\\":" S ",\"e-mail\":" S ",\"stra\xc3\x9f"
       "e\":" S),
     "\"shoe size\":string \"a.b\":string \"q\\\"\\\\\":string e-mail:string \"stra\xc3\x9f"
     "e\":string"},
    {P("\"a[0]\":" S ",\"a]\":" S ",\"\":" S), "\"a[0]\":string!a name in brackets \"a]\":string \"\":string!an empty "
                                               "name"},
    {P("\"o\":{\"properties\":{\"x\":" S "},\"enum\":[{\"x\":\"1\"}]}"), "o.x:string!an object with enum"},
    /* arrays */
    {P("\"a\":{\"type\":\"array\",\"items\":" S "},\"b\":{\"items\":{\"items\":" S "}},\"c\":{\"type\":\"array\"}"),
     "a[]:string b[][]:string c[]:any"},
    {"{\"type\":\"array\",\"items\":" P("\"ssn\":" S) "}", "[].ssn:string"},
    {P("\"a\":{\"type\":\"array\",\"items\":[" S ",{\"type\":\"null\"}],\"additionalItems\":" S "}"),
     "a[]:string?!a list in items"},
    {P("\"a\":{\"type\":\"array\",\"prefixItems\":[" S "],\"items\":false}"), "a[]:string!prefixItems"},
    {P("\"a\":{\"type\":\"array\",\"contains\":" S "},\"b\":{\"type\":\"array\",\"items\":" S ",\"contains\":{"
       "\"const\":\"x\"}}"),
     "a[]:string!contains b[]:string"},
    /* combined */
    {"{\"allOf\":[" P("\"a\":" S) "," P("\"b\":" S) "],\"properties\":{\"c\":" S "}}", "c:string a:string b:string"},
    {"{\"properties\":{\"o\":" P("\"x\":" S) "},\"allOf\":[{\"properties\":{\"o\":" P("\"y\":" S) "}}]}",
     "o.x:string o.y:string"},
    {"{\"properties\":{\"a\":" S "},\"allOf\":[{\"properties\":{\"a\":{\"maxLength\":3}}},{\"properties\":{\"a\":{"
     "\"enum\":[\"x\"]}}}]}",
     "a:enum"},
    {"{\"properties\":{\"a\":" S "},\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}}}]}",
     "a:union of integer and string|"},
    {"{\"oneOf\":[" P("\"a\":" S ",\"k\":" S) "," P("\"b\":" S ",\"k\":" S) "]}",
     "a:string k:string b:string k:string"},
    {"{\"properties\":{\"a\":" S "},\"anyOf\":[{\"required\":[\"a\"]},{\"properties\":{\"b\":" S "}}]}",
     "a:string b:string"},
    {"{\"properties\":{\"t\":" S "},\"oneOf\":[{\"properties\":{\"t\":{\"const\":\"1\"},\"v\":" S "}},{\"properties\":{"
     "\"v\":{\"type\":\"integer\"}}}]}",
     "t:union of string and enum| v:union of string and integer|"},
    {P("\"p\":{\"anyOf\":[" P("\"a\":" S) "," S "]}"), "p:union of object and string| p.a:string"},
    /* what no client walks */
    {"{\"properties\":{\"k\":" S
     "},\"if\":{\"properties\":{\"k\":{\"const\":\"x\"}}},\"then\":{\"properties\":{\"t\":" S
     "}},\"else\":{\"properties\":{\"e\":" S "}},\"not\":{\"properties\":{\"n\":" S "}}}",
     "k:string t:string!then e:string!else n:string!not"},
    {"{\"properties\":{\"o\":" P("\"x\":" S) "},\"then\":{\"properties\":{\"o\":" P("\"y\":" S) "}}}",
     "o.x:string o.y:string!then"},
    {"{\"properties\":{\"a\":" S "},\"dependencies\":{\"a\":[\"b\"],\"b\":{\"properties\":{\"d\":" S "}}},"
     "\"dependentSchemas\":{\"a\":{\"properties\":{\"s\":" S "}}}}",
     "a:string d:string!dependencies s:string!dependentSchemas"},
    /* references */
    {"{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A\"},\"b\":{\"$ref\":\"#/$defs/x~1y%20z\"},\"c\":{\"$ref\":"
     "\"#/properties/a\"}},\"definitions\":{\"A\":" P("\"x\":" S) "},\"$defs\":{\"x/y z\":" S "}}",
     "a.x:string b:string c.x:string"},
    {"{\"properties\":{\"a\":{\"$ref\":\"#anc\"},\"b\":{\"$dynamicRef\":\"#dyn\"},\"c\":{\"$ref\":\"#old\"},\"d\":{"
     "\"$ref\":\"item.json\"},\"e\":{\"$ref\":\"http://x/item.json#/properties/y\"}},\"$id\":\"http://x/root.json\","
     "\"$defs\":{\"A\":{\"$anchor\":\"anc\",\"type\":\"string\"},\"B\":{\"$dynamicAnchor\":\"dyn\",\"type\":"
     "\"integer\"},\"C\":{\"$id\":\"#old\",\"type\":\"number\"},\"D\":{\"$id\":\"item.json\",\"properties\":{\"y\":"
     "{\"$ref\":\"#/$defs/in\"}},\"$defs\":{\"in\":{\"type\":\"boolean\"}}}}}",
     "a:string b:integer c:number d.y:boolean e:boolean"},
    {"{\"properties\":{\"r\":{\"$ref\":\"#/definitions/R\",\"description\":\"x\",\"properties\":{\"s\":" S "}}},"
     "\"definitions\":{\"R\":" P("\"x\":" S) "}}",
     "r.s:string!siblings of a $ref r.x:string"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"properties\":{\"r\":{\"$ref\":\"#/definitions/R\","
     "\"enum\":[\"x\"]}},\"definitions\":{\"R\":" S "}}",
     "r:string"},
    {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"properties\":{\"r\":{\"$ref\":\"#/$defs/R\","
     "\"enum\":[\"x\"]}},\"$defs\":{\"R\":" S "}}",
     "r:enum"},
    {"{\"$ref\":\"#/definitions/N\",\"definitions\":{\"N\":{\"properties\":{\"s\":" S ",\"next\":{\"oneOf\":[{\"type\":"
     "\"null\"},{\"$ref\":\"#/definitions/N\"}]}}}}}",
     "s:string next.s:string@"},
    {"{\"properties\":{\"s\":" S ",\"kids\":{\"items\":{\"$ref\":\"#\"}}}}", "s:string kids[].s:string@"},
    {"{\"allOf\":[{\"$ref\":\"#/definitions/B\"},{\"properties\":{\"d\":" S "}}],\"definitions\":{\"B\":{"
     "\"properties\":{\"b\":" S ",\"of\":{\"$ref\":\"#\"}}}}}",
     "b:string of.b:string@ of.d:string@ d:string"},
    /* tags */
    {P("\"a\":{\"type\":\"string\",\"confluent:tags\":[\"B\",\"A\",\"B\"]}"), "a:string<A><B>"},
    {"{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A\",\"confluent:tags\":[\"A\"]}},\"definitions\":{\"A\":" S "}}",
     "a:string<A>"},
    {"{\"properties\":{\"a\":{\"type\":\"string\",\"confluent:tags\":[\"A\"]}},\"allOf\":[{\"properties\":{\"a\":{"
     "\"confluent:tags\":[\"B\"]}}}]}",
     "a:string<A><B>"},
};

static void trees(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = leaves_text(parse_schema(table[i].schema));
        if (strcmp(got, table[i].leaves) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", table[i].schema, got, table[i].leaves);
    }
}

/* ---- references to other texts ---- */

static void references(void **state)
{
    static const char address[] =
        "{\"$id\":\"http://x/address.json\",\"properties\":{\"street\":" S ",\"in\":{\"$ref\":"
        "\"city.json#/definitions/C\"},\"self\":{\"$ref\":\"#/definitions/S\"}},"
        "\"definitions\":{\"S\":{\"type\":\"integer\"}}}";
    static const char city[] =
        "{\"definitions\":{\"C\":" P("\"name\":{\"type\":\"string\",\"confluent:tags\":[\"T\"]}") "}}";
    const sch_ref refs[] = {{"city.json", city, sizeof city - 1}, {"address.json", address, sizeof address - 1}};
    sch_error err;
    sch_schema *s = try_json("{\"properties\":{\"home\":{\"$ref\":\"address.json\"},\"work\":{\"$ref\":"
                             "\"http://x/address.json#\"},\"all\":{\"allOf\":[{\"$ref\":\"city.json#/definitions/C\"},{"
                             "\"properties\":{\"own\":" S "}}]}}}",
                             refs, 2, &err);
    assert_non_null(s);
    assert_string_equal(leaves_text(s),
                        "home.street:string home.in.name:string<T> home.self:integer work.street:string "
                        "work.in.name:string<T> work.self:integer all.name:string<T> all.own:string");
    sch_hits h;
    char message[160];
    assert_int_equal(sch_select(s, arena, "**", &h, message), SCH_PATH_OK);
    for (size_t i = 0; i < h.n; i++)
        assert_int_equal(sch_is_foreign(h.v[i].field), strcmp(h.v[i].path, "all.own") != 0);
    assert_ptr_equal(s->root->fields[0].type, s->root->fields[1].type); /* shared */
    assert_null(try_json("{\"properties\":{\"a\":{\"$ref\":\"address.json#/nowhere\"}}}", refs, 2, &err));
    assert_null(err.ref);
    const sch_ref bad[] = {{"b.json", "{\"properties\":{\"x\":{\"type\":\"strin\"}}}", 37}};
    assert_null(try_json("{\"$ref\":\"b.json\"}", bad, 1, &err));
    assert_string_equal(err.ref, "b.json");
    assert_int_equal(err.offset, 27);
}

/* ---- refusals ---- */

static const struct {
    const char *schema, *message;
} refused[] = {
    {"", "not JSON"},
    {"[]", "a schema is an object, true or false"},
    {"3", "a schema is an object"},
    {"false", "lets nothing through"},
    {"{\"type\":\"strin\"}", "\"type\" is one of"},
    {"{\"type\":[]}", "\"type\" is one of"},
    {"{\"type\":7}", "\"type\" is one of"},
    {"{\"properties\":[]}", "\"properties\" is an object of schemas"},
    {"{\"patternProperties\":true}", "\"patternProperties\" is an object of schemas"},
    {"{\"properties\":{\"a\":7}}", "a schema is an object, true or false"},
    {"{\"items\":7}", "a schema is an object, true or false"},
    {"{\"items\":[7]}", "a schema is an object, true or false"},
    {"{\"prefixItems\":[null]}", "a schema is an object, true or false"},
    {"{\"anyOf\":{}}", "\"anyOf\" is a list of schemas"},
    {"{\"allOf\":{}}", "\"allOf\" is a list of schemas"},
    {"{\"$ref\":7}", "a reference is a text"},
    {"{\"$ref\":\"#/x\"}", "leads nowhere"},
    {"{\"$ref\":\"#nowhere\"}", "leads nowhere"},
    {"{\"$ref\":\"#/a\",\"a\":[]}", "no schema"},
    {"{\"$ref\":\"#\"}", "references lead to references without end"},
    {"{\"$ref\":\"#/a\",\"a\":{\"allOf\":[{\"$ref\":\"#/b\"}]},\"b\":{\"$ref\":\"#/a\"}}", "without end"},
    {"{\"anyOf\":[{\"$ref\":\"#\"}]}", "no branch but itself"},
    {"{\"properties\":{\"a\":{\"$ref\":\"https://evil.example/x.json\"}}}", "nothing is fetched"},
    {"{\"properties\":{\"a\":{\"$ref\":\"file:///etc/passwd\"}}}", "nothing is fetched"},
    {"{\"$ref\":\"http://json-schema.org/draft-07/schema#\"}", "nothing is fetched"},
    {P("\"a\":{\"type\":\"string\",\"confluent:tags\":\"PII\"}"), "is a list of texts"},
    {P("\"a\":{\"type\":\"string\",\"confluent:tags\":[7]}"), "is a list of texts"},
    {P("\"a\":{\"type\":\"string\",\"confluent:tag\":[\"PII\"]}"), "are called"},
    {P("\"a\":{\"type\":\"string\",\"confluent_tags\":\"PII\"}"), "are called"},
};

static void refusals(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        sch_error err;
        if (try_json(refused[i].schema, NULL, 0, &err))
            fail_msg("%s is not refused", refused[i].schema);
        if (!strstr(err.message, refused[i].message))
            fail_msg("%s: %s", refused[i].schema, err.message);
        assert_true(err.offset <= strlen(refused[i].schema));
    }
}

/* ---- misplaced tags ---- */

static void misplaced(void **state)
{
    sch_schema *s = parse_schema(
        "{\"confluent:tags\":[\"R\"],\"properties\":{"
        "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"confluent:tags\":[\"I\"]}},"
        "\"o\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"confluent:tags\":[\"B\"]}]},"
        "\"r\":{\"$ref\":\"#/definitions/T\",\"confluent:tags\":[\"OK\"]},"
        "\"m\":{\"additionalProperties\":{\"type\":\"string\",\"confluent:tags\":[\"V\"]}}},"
        "\"allOf\":[{\"confluent:tags\":[\"A\"],\"required\":[\"l\"]}],"
        "\"definitions\":{\"T\":{\"type\":\"string\",\"confluent:tags\":[\"T\"]},\"unused\":{\"confluent:tags\":["
        "\"U\"]}}}");
    fl_buf b;
    fl_buf_init(&b, 1000);
    for (size_t i = 0; i < s->nmisplaced; i++) {
        const sch_misplaced *m = &s->misplaced[i];
        assert_memory_equal(s->text + m->offset, "\"confluent:tags\"", 16);
        assert_int_equal(s->text[m->to - 1], ']');
        assert_non_null(m->type);
        fl_buf_addf(&b, "%s@%s ", m->tags[0], m->field ? m->field->name : "-");
    }
    assert_string_equal(b.p, "R@- I@l B@o V@m A@- T@r ");
    fl_buf_free(&b);
}

static void fields(void **state)
{
    sch_schema *s = parse_schema("{\"required\":[\"a\"],\"properties\":{\"a\":" S ",\"b\":{\"default\":\"x\"}},"
                                 "\"allOf\":[{\"properties\":{\"c\":{\"$ref\":\"#/definitions/C\"}}}],"
                                 "\"definitions\":{\"C\":{\"type\":\"string\"}}}");
    const sch_field *f = s->root->fields;
    assert_int_equal(s->root->nfields, 3);
    assert_false(f[0].optional);
    assert_true(f[1].optional);
    assert_string_equal(f[1].fallback->str, "x");
    assert_string_equal(node_text(s->text, f[2].node), "{\"$ref\":\"#/definitions/C\"}"); /* before the $ref */
    assert_string_equal(node_text(s->text, f[2].type->node), "{\"type\":\"string\"}");    /* behind it */
    assert_int_equal(s->format, SCH_JSON);
    assert_null(s->root->name);
}

/* ---- hostile schemas ---- */

static void hostile_references(void **state)
{
    sch_hits h;
    fl_buf b;
    fl_buf_init(&b, 8u << 20);
    /* 40 definitions, each with two properties of the next: 2^40 leaves, 41 types */
    fl_buf_adds(&b, "{\"$ref\":\"#/definitions/d0\",\"definitions\":{");
    for (int i = 0; i < 40; i++)
        fl_buf_addf(&b,
                    "\"d%d\":{\"properties\":{\"a\":{\"$ref\":\"#/definitions/d%d\"},\"b\":{\"$ref\":"
                    "\"#/definitions/d%d\"}}},",
                    i, i + 1, i + 1);
    fl_buf_adds(&b, "\"d40\":{\"type\":\"string\"}}}");
    sch_schema *s = parse_schema(b.p);
    assert_int_equal(s->ntypes, 41);
    sch_leaves(s, arena, &h);
    assert_true(h.truncated);
    /* the same by allOf: the same properties, again and again */
    fl_buf_clear(&b);
    fl_buf_adds(&b, "{\"$ref\":\"#/definitions/d0\",\"definitions\":{");
    for (int i = 0; i < 40; i++)
        fl_buf_addf(&b,
                    "\"d%d\":{\"allOf\":[{\"$ref\":\"#/definitions/d%d\"},{\"allOf\":[{\"$ref\":\"#/definitions/d%d\"}"
                    ",{\"properties\":{\"p%d\":{\"type\":\"string\"}}}]}]},",
                    i, i + 1, i + 1, i);
    fl_buf_adds(&b, "\"d40\":{\"properties\":{\"x\":{\"type\":\"string\"}}}}}");
    s = parse_schema(b.p);
    sch_leaves(s, arena, &h);
    assert_int_equal(h.n, 41);
    /* a chain of 10,000 references, through properties and bare */
    for (int bare = 0; bare < 2; bare++) {
        fl_buf_clear(&b);
        fl_buf_adds(&b, "{\"$ref\":\"#/definitions/d0\",\"definitions\":{");
        for (int i = 0; i < 10000; i++)
            fl_buf_addf(&b,
                        bare ? "\"d%d\":{\"$ref\":\"#/definitions/d%d\"},"
                             : "\"d%d\":{\"properties\":{\"a\":{\"$ref\":\"#/definitions/d%d\"}}},",
                        i, i + 1);
        fl_buf_adds(&b, "\"d10000\":{\"type\":\"string\"}}}");
        sch_error err;
        s = try_json(b.p, NULL, 0, &err);
        assert_int_equal(s != NULL, !bare);
        if (s) {
            sch_leaves(s, arena, &h);
            assert_true(h.truncated);
        }
    }
    fl_buf_free(&b);
}

/* Unions that hold each other, as a chain and as a clique. */
static void hostile_unions(void **state)
{
    fl_buf b;
    sch_error err;
    fl_buf_init(&b, 8u << 20);
    for (int clique = 0; clique < 2; clique++) {
        int n = clique ? 300 : 5000;
        fl_buf_clear(&b);
        fl_buf_adds(&b, "{\"$ref\":\"#/definitions/d0\",\"definitions\":{");
        for (int i = 0; i < n; i++) {
            fl_buf_addf(&b, "\"d%d\":{\"anyOf\":[{\"properties\":{\"p%d\":true}}", i, i);
            for (int k = clique ? 0 : i + 1; k <= (clique ? n - 1 : i + 1); k++)
                fl_buf_addf(&b, ",{\"$ref\":\"#/definitions/d%d\"}", k);
            fl_buf_adds(&b, "]},");
        }
        fl_buf_addf(&b, "\"d%d\":{\"type\":\"string\"}}}", n);
        sch_schema *s = try_json(b.p, NULL, 0, &err);
        if (clique) {
            assert_non_null(s);
            assert_int_equal(s->root->nbranches, 300);
        } else {
            assert_null(s);
            assert_non_null(strstr(err.message, "more than"));
        }
    }
    fl_buf_free(&b);
}

/* Members of an `allOf` whose properties go round in cycles of different lengths: 2 * 3 * 5 * 7 * 11 * 13 * 17
 * combinations of definitions stand for one property each. */
static void hostile_products(void **state)
{
    static const int lengths[] = {2, 3, 5, 7, 11, 13, 17};
    fl_buf b;
    sch_error err;
    fl_buf_init(&b, 1u << 20);
    fl_buf_adds(&b, "{\"allOf\":[");
    for (int c = 0; c < 7; c++)
        fl_buf_addf(&b, "%s{\"$ref\":\"#/definitions/c%d_0\"}", c ? "," : "", c);
    fl_buf_adds(&b, "],\"definitions\":{\"x\":true");
    for (int c = 0; c < 7; c++)
        for (int i = 0; i < lengths[c]; i++)
            fl_buf_addf(&b, ",\"c%d_%d\":{\"properties\":{\"next\":{\"$ref\":\"#/definitions/c%d_%d\"}}}", c, i, c,
                        (i + 1) % lengths[c]);
    fl_buf_adds(&b, "}}");
    assert_null(try_json(b.p, NULL, 0, &err));
    assert_non_null(strstr(err.message, "more than 20000 types"));
    fl_buf_free(&b);
}

static void hostile_sizes(void **state)
{
    fl_buf b;
    sch_error err;
    sch_hits h;
    fl_buf_init(&b, 16u << 20);
    for (int i = 0; i < 120; i++)
        fl_buf_adds(&b, "{\"items\":");
    fl_buf_adds(&b, "{}");
    for (int i = 0; i < 120; i++)
        fl_buf_addc(&b, '}');
    sch_schema *s = parse_schema(b.p);
    sch_leaves(s, arena, &h);
    assert_int_equal(h.n, 1);
    fl_buf_clear(&b);
    fl_buf_adds(&b, "{\"anyOf\":[{}");
    for (int i = 0; i < 1000; i++)
        fl_buf_adds(&b, ",{}");
    fl_buf_adds(&b, "]}");
    assert_null(try_json(b.p, NULL, 0, &err));
    fl_buf_clear(&b);
    fl_buf_adds(&b, "{\"properties\":{\"x\":{}");
    for (int i = 0; i < 30000; i++)
        fl_buf_addf(&b, ",\"p%d\":{}", i);
    fl_buf_adds(&b, "}}");
    assert_null(try_json(b.p, NULL, 0, &err));
    assert_non_null(strstr(err.message, "types"));
    fl_buf_free(&b);
}

/* ---- the schemas that were measured ---- */

/* Where no leaf has the path: a value of a map, or a name that is not written as a path. */
static bool no_leaf(const char *name, const char *path)
{
    return !strncmp(name, "json-name-", 10) || !strcmp(path, "m.k.b") ||
           (!strcmp(name, "json-addprops") && *path == 'x');
}

/* a[12].b as a[].b */
static const char *without_index(const char *path)
{
    fl_buf b;
    fl_buf_init(&b, 1000);
    for (; *path; path++) {
        fl_buf_addc(&b, *path);
        if (*path == '[')
            path += strspn(path + 1, "0123456789");
    }
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static void measured_case(const char *doc, const fl_json *c)
{
    const fl_json *list = fl_json_get(c, "refs");
    sch_ref refs[8];
    size_t n = 0;
    for (const fl_json *r = list ? list->child : NULL; r; r = r->next) {
        const char *text = node_text(doc, fl_json_get(r, "schema"));
        refs[n++] = (sch_ref){fl_json_str(r, "name"), text, strlen(text)};
    }
    sch_error err;
    const char *name = fl_json_str(c, "name");
    sch_schema *s = try_json(node_text(doc, fl_json_get(c, "schema")), refs, n, &err);
    if (!s)
        fail_msg("%s: %s", name, err.message);
    for (const fl_json *p = fl_json_get(c, "to_be_encrypted")->child; p; p = p->next) {
        sch_hits h = {0};
        char message[160];
        if (no_leaf(name, p->str))
            continue;
        const char *path = without_index(p->str);
        /* a recursive type is entered once more below itself; the path spells the way out */
        if (sch_select(s, arena, path, &h, message) != SCH_PATH_OK || !h.n)
            fail_msg("%s: nothing at %s", name, path);
    }
}

static void measured(void **state)
{
    size_t len, n = 0;
    const char *doc = read_data("compiler/clients/cases.json", &len);
    for (const fl_json *c = fl_json_get(parse_json(doc, len), "cases")->child; c; c = c->next) {
        if (strcmp(fl_json_str(c, "format"), "JSON") != 0)
            continue;
        measured_case(doc, c);
        n++;
    }
    assert_true(n == 97);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(trees),          CASE(references),       CASE(refusals),
                                       CASE(misplaced),      CASE(fields),           CASE(hostile_references),
                                       CASE(hostile_unions), CASE(hostile_products), CASE(hostile_sizes),
                                       CASE(measured)};
    return cmocka_run_group_tests_name("schema/json_parse", tests, NULL, NULL);
}
