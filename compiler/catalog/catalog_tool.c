/* catalog_tool.c: runs when the program is built: reads the catalogue's JSON files, refuses whatever is not exactly in
 * shape, and writes the C tables that catalog.c searches.
 *
 * usage: catalog_tool OUT.c FOLDER
 *
 * *_group.json are property groups, kms.json, transforms.json, classes.json and generated.json what their names say,
 * every other file is one connector. A property is one line of a file. `source` names an entry of the file's `sources`,
 * so every fact says where it was read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/catalog/catalog_tool.h"

typedef struct file {
    const char *path, *base; /* base: file name without .json, as an identifier */
    const fl_json *root;
} file;

static const char *type_names[] = {"STRING", "BOOLEAN", "SHORT", "INT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"};

/* ---- properties ---- */

static int type_of(const fl_json *p)
{
    const char *type = fl_json_str(p, "type");
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (!strcmp(type_names[i], type))
            return (int)i;
    refuse(p, "unknown type %s", type);
}

static bool is_numeric(int type)
{
    return type >= 2 && type <= 5;
}

static void check_default(const fl_json *p, int type)
{
    const char *s = fl_json_str(p, "default");
    const fl_json *values = fl_json_get(p, "values"), *min = fl_json_get(p, "min"), *max = fl_json_get(p, "max");
    char *end;
    if ((min || max) && !is_numeric(type))
        refuse(p, "a range of what is no number");
    if (min && max && strtod(min->str, NULL) > strtod(max->str, NULL))
        refuse(p, "the range is empty");
    if (!s || !*s)
        return;
    if (type == 1 && strcmp(s, "true") && strcmp(s, "false"))
        refuse(p, "the default \"%s\" is no boolean", s);
    if (is_numeric(type)) {
        double d = strtod(s, &end);
        if (*end || !isfinite(d))
            refuse(p, "the default \"%s\" is no number", s);
        if ((min && d < strtod(min->str, NULL)) || (max && d > strtod(max->str, NULL)))
            refuse(p, "the default %s lies outside the range", s);
    }
    if (values) {
        const fl_json *v = values->child;
        while (v && strcmp(v->str, s))
            v = v->next;
        if (!v)
            refuse(p, "the default \"%s\" is none of the values", s);
    }
}

static void check_property(const fl_json *p, const fl_json *sources)
{
    check_members(
        p,
        "!name:s !type:s pattern:b required:b secret:b default:s values:a min:n max:n requiredIf:s !doc:s !source:s");
    int type = type_of(p);
    const char *name = fl_json_str(p, "name"), *cond = fl_json_str(p, "requiredIf"), *doc = fl_json_str(p, "doc");
    if (!fl_json_str(sources, fl_json_str(p, "source")))
        refuse(p, "%s: its source is none of the file's sources", name);
    if ((strchr(name, '*') != NULL) != fl_json_bool(p, "pattern", false))
        refuse(p, "%s: `pattern` goes with a * in the name", name);
    if (type == 8 && !fl_json_bool(p, "secret", false))
        refuse(p, "%s: a PASSWORD is secret", name);
    if (cond && !strchr(cond, '='))
        refuse(p, "%s: requiredIf is written PROPERTY=VALUE", name);
    if (!*doc || doc[strlen(doc) - 1] != '.')
        refuse(p, "%s: doc is a sentence", name);
    check_default(p, type);
}

static const char *property_table(const fl_json *list, const fl_json *sources, const char *ident)
{
    fl_map *seen = fl_map_new();
    size_t i = 0;
    for (const fl_json *p = list->child; p; p = p->next, i++) {
        check_property(p, sources);
        if (fl_map_put(seen, fl_json_str(p, "name"), &arena))
            refuse(p, "%s stands here twice", fl_json_str(p, "name"));
        c_list(fl_json_get(p, "values"), fl_printf(arena, "v_%s_%zu", ident, i));
    }
    fl_map_free(seen);
    fl_buf_addf(&out, "static const cat_property p_%s[] = {\n", ident);
    i = 0;
    for (const fl_json *p = list->child; p; p = p->next, i++) {
        const fl_json *values = fl_json_get(p, "values"), *min = fl_json_get(p, "min"), *max = fl_json_get(p, "max");
        fl_buf_adds(&out, "    {");
        c_member(p, "name");
        fl_buf_addf(&out, "CAT_%s, %d, %d, %d, ", fl_json_str(p, "type"), fl_json_bool(p, "required", false),
                    fl_json_bool(p, "secret", false), fl_json_bool(p, "pattern", false));
        c_member(p, "default");
        if (values && values->count)
            fl_buf_addf(&out, "v_%s_%zu, %zu, ", ident, i, (size_t)values->count);
        else
            fl_buf_adds(&out, "0, 0, ");
        fl_buf_addf(&out, "%d, %d, %s, %s, ", min != NULL, max != NULL, min ? min->str : "0", max ? max->str : "0");
        c_member(p, "requiredIf");
        c_member(p, "doc");
        c_string(fl_json_str(sources, fl_json_str(p, "source")));
        fl_buf_adds(&out, "},\n");
    }
    fl_buf_adds(&out, list->count ? "};\n" : "    {0}};\n");
    return fl_printf(arena, "p_%s, %zu", ident, (size_t)list->count);
}

/* ---- constraints ---- */

static bool is_named(const fl_json *list, const char *name, size_t n)
{
    for (const fl_json *p = list->child; p; p = p->next) {
        const char *s = fl_json_str(p, "name");
        if (strlen(s) == n && !strncmp(s, name, n))
            return true;
    }
    return false;
}

/* A condition begins with a property of the file, and what follows is one of the operators and a value. */
static void check_condition(const fl_json *at, const fl_json *properties)
{
    if (at->kind != FL_JSTRING)
        refuse(at, "a condition is a text");
    size_t n = strcspn(at->str, "=!>~");
    const char *op = at->str + n;
    if (!is_named(properties, at->str, n))
        refuse(at, "\"%s\" begins with none of the file's properties", at->str);
    if (*op && (*op == '!' ? op[1] != '=' || !op[2] : !op[1]))
        refuse(at, "\"%s\" is no condition: NAME, NAME=V|W, NAME!=V, NAME>V, NAME~REGEX", at->str);
}

static const char *how_of(const fl_json *k)
{
    static const char *const names[] = {"all", "any", "none"}, *const how[] = {"CAT_ALL", "CAT_ANY", "CAT_NONE"};
    const char *found = NULL;
    for (size_t i = 0; i < 3; i++) {
        if (!fl_json_get(k, names[i]))
            continue;
        if (found)
            refuse(k, "a constraint has one of all, any, none");
        found = how[i];
    }
    if (!found)
        refuse(k, "a constraint has one of all, any, none");
    return found;
}

static const fl_json *conditions_of(const fl_json *k)
{
    const fl_json *all = fl_json_get(k, "all"), *any = fl_json_get(k, "any");
    return all ? all : any ? any : fl_json_get(k, "none");
}

static void check_constraint(const fl_json *k, const fl_json *root)
{
    const fl_json *properties = fl_json_get(root, "properties"), *when = fl_json_get(k, "when");
    check_members(k, "when:s all:a any:a none:a !text:s !source:s");
    how_of(k);
    if (!fl_json_str(fl_json_get(root, "sources"), fl_json_str(k, "source")))
        refuse(k, "its source is none of the file's sources");
    if (when)
        check_condition(when, properties);
    for (const fl_json *c = conditions_of(k)->child; c; c = c->next)
        check_condition(c, properties);
    if (!conditions_of(k)->count)
        refuse(k, "a constraint without conditions");
}

/* The table of a file's constraints, before the row that points at it: "k_NAME, N". */
static const char *constraint_table(const fl_json *root, const char *ident)
{
    const fl_json *list = fl_json_get(root, "constraints");
    size_t i = 0;
    if (!list || !list->count)
        return "0, 0";
    for (const fl_json *k = list->child; k; k = k->next, i++) {
        check_constraint(k, root);
        c_list(conditions_of(k), fl_printf(arena, "kc_%s_%zu", ident, i));
    }
    fl_buf_addf(&out, "static const cat_constraint k_%s[] = {\n", ident);
    i = 0;
    for (const fl_json *k = list->child; k; k = k->next, i++) {
        fl_buf_adds(&out, "    {");
        c_member(k, "when");
        fl_buf_addf(&out, "%s, kc_%s_%zu, %zu, ", how_of(k), ident, i, (size_t)conditions_of(k)->count);
        c_member(k, "text");
        c_string(fl_json_str(fl_json_get(root, "sources"), fl_json_str(k, "source")));
        fl_buf_adds(&out, "},\n");
    }
    fl_buf_adds(&out, "};\n");
    return fl_printf(arena, "k_%s, %zu", ident, (size_t)list->count);
}

/* ---- groups and connectors ---- */

static void write_group(const file *f)
{
    check_members(f->root, "!id:s !name:s notes:a !sources:o constraints:a !properties:a");
    const char *id = fl_json_str(f->root, "id");
    if (*id != '_')
        refuse(f->root, "the id of a group starts with _");
    const char *table = property_table(fl_json_get(f->root, "properties"), fl_json_get(f->root, "sources"), f->base);
    const char *constraints = constraint_table(f->root, f->base);
    fl_buf_addf(&out, "static const cat_group g%s = {", id);
    c_member(f->root, "id");
    c_member(f->root, "name");
    fl_buf_addf(&out, "%s, %s};\n\n", table, constraints);
}

static void check_connector(const fl_json *c)
{
    check_members(c, "!id:s !name:s !kind:s !class:s !plugin:s !csfle:b minVersion:s minVersionPlatform8:s !reporter:b "
                     "!deadLetters:b !license:b recordKeys:b "
                     "tasksLimit:n !topicFrom:s topicProperty:s !converters:a !groups:a notes:a !docs:a !sources:o "
                     "constraints:a !properties:a");
    const char *kind = fl_json_str(c, "kind");
    if (strcmp(kind, "source") && strcmp(kind, "sink"))
        refuse(c, "kind is source or sink");
    check_version(c, "minVersion");
    check_version(c, "minVersionPlatform8");
    if (fl_json_bool(c, "csfle", false) && !fl_json_str(c, "minVersion"))
        refuse(c, "a connector with CSFLE has a minVersion");
}

static bool is_group(const file *files, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        const char *other = fl_json_str(files[i].root, "id");
        if (other && *other == '_' && !strcmp(other, id))
            return true;
    }
    return false;
}

/* Everything a connector's row points at. */
static void write_connector_lists(const file *f, const file *files, size_t n)
{
    const fl_json *c = f->root;
    c_list(fl_json_get(c, "converters"), fl_printf(arena, "c_%s", f->base));
    c_list(fl_json_get(c, "notes"), fl_printf(arena, "n_%s", f->base));
    c_list(fl_json_get(c, "docs"), fl_printf(arena, "d_%s", f->base));
    fl_buf_addf(&out, "static const cat_group *const g_%s[] = {", f->base);
    for (const fl_json *g = fl_json_get(c, "groups")->child; g; g = g->next) {
        if (g->kind != FL_JSTRING || !is_group(files, n, g->str))
            refuse(g, "there is no such group");
        fl_buf_addf(&out, "&g%s, ", g->str);
    }
    fl_buf_adds(&out, "};\n");
}

static void c_list_use(const fl_json *c, const char *member, const char *prefix, const char *base)
{
    const fl_json *list = fl_json_get(c, member);
    if (list && list->count)
        fl_buf_addf(&out, "%s_%s, %zu, ", prefix, base, (size_t)list->count);
    else
        fl_buf_adds(&out, "0, 0, ");
}

static const char *connector_row(const file *f, const file *files, size_t n)
{
    const fl_json *c = f->root;
    int64_t limit = 0;
    check_connector(c);
    write_connector_lists(f, files, n);
    const char *table = property_table(fl_json_get(c, "properties"), fl_json_get(c, "sources"), f->base);
    const char *constraints = constraint_table(c, f->base);
    fl_json_int(c, "tasksLimit", &limit);
    bool source = !strcmp(fl_json_str(c, "kind"), "source");
    fl_buf saved = out;
    fl_buf_init(&out, 1 << 20);
    fl_buf_adds(&out, "    {");
    c_member(c, "id");
    c_member(c, "name");
    c_member(c, "class");
    c_member(c, "plugin");
    fl_buf_addf(&out, "%d, %d, %d, ", source, !source, fl_json_bool(c, "csfle", false));
    c_member(c, "minVersion");
    c_member(c, "minVersionPlatform8");
    fl_buf_addf(&out, "%d, %d, %d, %d, %d, ", fl_json_bool(c, "reporter", false), fl_json_bool(c, "deadLetters", false),
                fl_json_bool(c, "license", false), fl_json_bool(c, "recordKeys", false), (int)limit);
    c_member(c, "topicFrom");
    c_member(c, "topicProperty");
    c_list_use(c, "converters", "c", f->base);
    c_list_use(c, "groups", "g", f->base);
    fl_buf_addf(&out, "%s, ", table);
    fl_json_get(c, "notes") && fl_json_get(c, "notes")->count ? fl_buf_addf(&out, "n_%s, d_%s, ", f->base, f->base)
                                                              : fl_buf_addf(&out, "0, d_%s, ", f->base);
    fl_buf_addf(&out, "%zu, %zu, %s},\n", fl_json_get(c, "notes") ? (size_t)fl_json_get(c, "notes")->count : 0,
                (size_t)fl_json_get(c, "docs")->count, constraints);
    const char *row = fl_strdup(arena, out.p);
    fl_buf_free(&out);
    out = saved;
    return row;
}

/* ---- the other files ---- */

static void write_count(const char *name, size_t n)
{
    fl_buf_addf(&out, "const size_t cat_data_n%s = %zu;\n\n", name, n);
}

static void write_kms(const fl_json *root)
{
    size_t n = 0;
    const fl_json *sources = fl_json_get(root, "sources");
    check_members(root, "!sources:o !kms:a");
    fl_buf_adds(&out, "const cat_kms_param cat_data_kms[] = {\n");
    for (const fl_json *k = fl_json_get(root, "kms")->child; k; k = k->next) {
        check_members(k, "!type:s !parameters:a");
        for (const fl_json *p = fl_json_get(k, "parameters")->child; p; p = p->next, n++) {
            check_members(p, "!name:s secret:b group:s needs:s env:s !doc:s !source:s");
            if (!fl_json_str(sources, fl_json_str(p, "source")))
                refuse(p, "its source is none of the file's sources");
            fl_buf_adds(&out, "    {");
            c_member(k, "type");
            c_member(p, "name");
            fl_buf_addf(&out, "%d, ", fl_json_bool(p, "secret", false));
            c_member(p, "group");
            fl_buf_addf(&out, "%d, ", fl_json_str(p, "group") != NULL);
            c_member(p, "env");
            c_member(p, "doc");
            c_member(p, "needs");
            fl_buf_adds(&out, "},\n");
        }
    }
    fl_buf_adds(&out, "};\n");
    write_count("kms", n);
}

static void write_transforms(const fl_json *root)
{
    size_t n = 0;
    FL_VEC(const char *) rows = {0};
    check_members(root, "!sources:o !transforms:a");
    for (const fl_json *t = fl_json_get(root, "transforms")->child; t; t = t->next, n++) {
        check_members(t, "!class:s !properties:a");
        const char *table = property_table(fl_json_get(t, "properties"), fl_json_get(root, "sources"),
                                           fl_printf(arena, "transform_%zu", n));
        FL_PUSH(arena, &rows, fl_printf(arena, "    {\"%s\", %s},\n", fl_json_str(t, "class"), table));
    }
    fl_buf_adds(&out, "const cat_transform cat_data_transforms[] = {\n");
    for (size_t i = 0; i < rows.n; i++)
        fl_buf_adds(&out, rows.v[i]);
    fl_buf_adds(&out, "};\n");
    write_count("transforms", n);
}

static void write_classes(const fl_json *root)
{
    size_t n = 0;
    check_members(root, "!converters:o !short:a");
    fl_buf_adds(&out, "const cat_converter cat_data_converters[] = {\n");
    for (const fl_json *c = fl_json_get(root, "converters")->child; c; c = c->next) {
        if (c->kind != FL_JSTRING)
            refuse(c, "a class is expected here");
        fl_buf_addf(&out, "    {\"%s\", \"%s\"},\n", c->key, c->str);
    }
    fl_buf_adds(&out, "};\n");
    write_count("converters", fl_json_get(root, "converters")->count);
    fl_buf_adds(&out, "const cat_short cat_data_shorts[] = {\n");
    for (const fl_json *s = fl_json_get(root, "short")->child; s; s = s->next) {
        check_members(s, "!connector:s !property:s !names:o");
        for (const fl_json *c = fl_json_get(s, "names")->child; c; c = c->next, n++)
            fl_buf_addf(&out, "    {\"%s\", \"%s\", \"%s\", \"%s\"},\n", fl_json_str(s, "connector"),
                        fl_json_str(s, "property"), c->key, c->str);
    }
    fl_buf_adds(&out, "};\n");
    write_count("shorts", n);
}

static void write_owned(const fl_json *root)
{
    const fl_json *list = fl_json_get(root, "properties");
    check_members(root, "!properties:a");
    fl_buf_adds(&out, "const cat_owned cat_data_owned[] = {\n");
    for (const fl_json *p = list->child; p; p = p->next) {
        check_members(p, "!name:s !owner:s !why:s");
        bool generated = !strcmp(fl_json_str(p, "owner"), "generated");
        if (!generated && strcmp(fl_json_str(p, "owner"), "undoes"))
            refuse(p, "owner is generated or undoes");
        fl_buf_adds(&out, "    {");
        c_member(p, "name");
        fl_buf_addf(&out, "%s, ", generated ? "CAT_GENERATED" : "CAT_UNDOES");
        c_string(fl_json_str(p, "why"));
        fl_buf_adds(&out, "},\n");
    }
    fl_buf_adds(&out, "};\n");
    write_count("owned", list->count);
}

/* ---- all of it ---- */

static file read_one(const char *path)
{
    file f = {.path = path};
    char *text;
    size_t len;
    fl_json_error err;
    current = path;
    if (fl_read_file(arena, path, 1 << 20, &text, &len))
        refuse(NULL, "cannot be read");
    f.root = fl_json_parse(arena, text, len, 0, &err);
    if (!f.root) {
        fprintf(stderr, "%s: byte %u: %s\n", path, err.offset, err.message);
        exit(1);
    }
    const char *slash = strrchr(path, '/');
    char *base = fl_strdup(arena, slash ? slash + 1 : path);
    base[strlen(base) - strlen(".json")] = 0;
    for (char *p = base; *p; p++)
        *p = *p == '-' ? '_' : *p;
    f.base = base;
    return f;
}

static bool is_table(const file *f)
{
    static const char *const names[] = {"kms", "transforms", "classes", "generated"};
    for (size_t i = 0; i < 4; i++)
        if (!strcmp(names[i], f->base))
            return true;
    return false;
}

static void write_table(const file *f)
{
    current = f->path;
    if (!strcmp(f->base, "kms"))
        write_kms(f->root);
    else if (!strcmp(f->base, "transforms"))
        write_transforms(f->root);
    else if (!strcmp(f->base, "classes"))
        write_classes(f->root);
    else
        write_owned(f->root);
}

static bool is_group_file(const file *f)
{
    const char *id = fl_json_str(f->root, "id");
    return id && *id == '_';
}

static void write_connectors(const file *files, size_t n)
{
    FL_VEC(const char *) rows = {0};
    for (size_t i = 0; i < n; i++) {
        current = files[i].path;
        if (is_group_file(&files[i]))
            write_group(&files[i]);
    }
    for (size_t i = 0; i < n; i++) {
        current = files[i].path;
        if (!is_group_file(&files[i]) && !is_table(&files[i]))
            FL_PUSH(arena, &rows, connector_row(&files[i], files, n));
    }
    fl_buf_adds(&out, "const cat_connector cat_data_connectors[] = {\n");
    for (size_t i = 0; i < rows.n; i++)
        fl_buf_adds(&out, rows.v[i]);
    fl_buf_adds(&out, "};\n");
    write_count("connectors", rows.n);
}

/* In order of id, so that the tables are, too; files without one by path. */
static int by_id(const void *a, const void *b)
{
    const file *x = a, *y = b;
    const char *i = fl_json_str(x->root, "id"), *j = fl_json_str(y->root, "id");
    return i && j ? strcmp(i, j) : i ? 1 : j ? -1 : strcmp(x->path, y->path);
}

int main(int argc, char **argv)
{
    char **paths;
    size_t n, tables = 0;
    if (argc != 3)
        return fprintf(stderr, "usage: catalog_tool OUT.c FOLDER\n"), 2;
    arena = fl_arena_new();
    current = argv[2];
    if (fl_find_files(arena, argv[2], ".json", &paths, &n))
        refuse(NULL, "cannot be read");
    file *files = FL_NEW_N(arena, file, n);
    for (size_t i = 0; i < n; i++) {
        files[i] = read_one(paths[i]);
        tables += is_table(&files[i]);
    }
    qsort(files, n, sizeof *files, by_id);
    if (tables != 4)
        refuse(NULL, "kms, transforms, classes or generated is missing");
    fl_buf_init(&out, 8 << 20);
    fl_buf_adds(&out, "/* made by catalog_tool.c out of the JSON files beside it */\n#include "
                      "\"compiler/catalog/catalog_data.h\"\n\n");
    write_connectors(files, n);
    for (size_t i = 0; i < n; i++)
        if (is_table(&files[i]))
            write_table(&files[i]);
    if (out.full || fl_write_file(argv[1], out.p, out.len, 0644, false))
        return fprintf(stderr, "%s: cannot be written\n", argv[1]), 1;
    fl_buf_free(&out);
    fl_arena_free(arena);
    return 0;
}
