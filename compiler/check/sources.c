/* sources.c: what a source makes of its records before they are encrypted: types, names, texts that hold JSON. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

static bool is_type(const est_connector *c, const char *id)
{
    return c->catalog && !strcmp(c->catalog->id, id);
}

/* A leaf that must be encrypted, or whose body is. */
static bool is_sealed(const est_side *s, const est_leaf *l)
{
    return l->encrypt || s->payload;
}

typedef struct at_side {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_connector *c;
    const est_side *s;
} at_side;

/* Calls fn for key and value of each topic of each connector of that kind that has a schema. */
static void each_side_of(const chk_row *row, const est_estate *e, fl_diags *diags, bool source, bool sink,
                         void (*fn)(at_side *j))
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        if (!(source && est_is_source(c)) && !(sink && est_is_sink(c)))
            continue;
        for (size_t k = 0; k < c->topics.n; k++) {
            const est_side *sides[] = {&c->topics.v[k]->key, &c->topics.v[k]->value};
            for (size_t n = 0; n < 2; n++)
                if (sides[n]->schema)
                    fn(&(at_side){row, e, diags, c, sides[n]});
        }
    }
}

/* A member of the schema object of a leaf's field or type, as Connect's converters write them. */
static const char *connect_name(const est_leaf *l)
{
    const sch_type *t = l->hit.type;
    const char *name = fl_json_str(t->node, "connect.name");
    if (!name && l->hit.field)
        name = fl_json_str(l->hit.field->node, "connect.name");
    return name ? name : "";
}

/* ---- type-changing-mode ---- */

/* A mode of Debezium that decides the type of a column. `looks` says which leaf comes of such a column when the mode
 * has one of the values in `fits`; another value makes it a number or a text of another form. */
typedef struct mode {
    const char *property, *fits, *becomes;
    bool (*looks)(const est_leaf *l);
} mode;

static bool is_decimal(const est_leaf *l)
{
    return l->hit.type->kind == SCH_BYTES && l->hit.type->logical && !strcmp(l->hit.type->logical, "decimal");
}

static bool is_bytea(const est_leaf *l)
{
    return l->hit.type->kind == SCH_BYTES && !is_decimal(l);
}

static bool is_hstore(const est_leaf *l)
{
    size_t n = strlen(l->hit.path);
    return n > 2 && !strcmp(l->hit.path + n - 2, ".*");
}

static bool is_interval(const est_leaf *l)
{
    return !strcmp(connect_name(l), "io.debezium.time.Interval");
}

static bool is_iso_time(const est_leaf *l)
{
    return !strncmp(connect_name(l), "io.debezium.time.Iso", 20);
}

static const mode modes[] = {
    {"decimal.handling.mode", "precise", "a double or a text", is_decimal},
    {"binary.handling.mode", "bytes", "an encoded text", is_bytea},
    {"hstore.handling.mode", "map", "one JSON text", is_hstore},
    {"interval.handling.mode", "string", "a number of microseconds", is_interval},
    {"time.precision.mode", "isostring", "a number", is_iso_time},
};

static void changed_by(at_side *j, const mode *m, const est_leaf *l)
{
    const char *value = chk_value(j->c, m->property);
    if (!value || !strcmp(value, m->fits))
        return;
    fl_diag *d = chk_report(j->row, j->diags, chk_value_at(j->c, m->property),
                            "%s = %s makes %s of topic %s %s: its tag would be on another type than the schema's",
                            m->property, value, l->hit.path, j->s->topic->name.s, m->becomes);
    if (l->line)
        fl_diag_relate(j->diags, d, l->line->path.at, "tagged here");
    fl_diag_help(j->diags, d, "write `%s = %s`, or register the schema that this mode gives", m->property, m->fits);
    chk_about_connector(d, j->c, m->property);
}

/* org.apache.kafka.connect.transforms.Cast, `spec` FIELD:TYPE,… */
typedef struct cast {
    at_side *j;
    const char *property;
} cast;

static void cast_item(const char *item, size_t n, void *ctx)
{
    cast *k = ctx;
    const est_side *s = k->j->s;
    const char *colon = memchr(item, ':', n);
    size_t name = colon ? (size_t)(colon - item) : 0;
    bool text = colon && n - name - 1 == 6 && !strncmp(colon + 1, "string", 6);
    for (size_t i = 0; name && !text && i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        if (!l->encrypt || strlen(l->hit.path) != name || strncmp(l->hit.path, item, name))
            continue;
        fl_diag *d = chk_report(k->j->row, k->j->diags, chk_value_at(k->j->c, k->property),
                                "%s casts %s of topic %s to %.*s, which cannot be encrypted", k->property, l->hit.path,
                                s->topic->name.s, (int)(n - name - 1), colon + 1);
        fl_diag_help(k->j->diags, d, "take it out of the list");
        chk_about_connector(d, k->j->c, k->property);
    }
}

static void cast_alias(const char *alias, size_t n, void *ctx)
{
    at_side *j = ctx;
    static const char *const cls = "org.apache.kafka.connect.transforms.Cast$", *const last = "Cast$";
    const char *type = chk_value(j->c, fl_printf(j->e->arena, "transforms.%.*s.type", (int)n, alias));
    cast k = {j, fl_printf(j->e->arena, "transforms.%.*s.spec", (int)n, alias)};
    size_t skip = !type                                ? 0
                  : !strncmp(type, cls, strlen(cls))   ? strlen(cls)
                  : !strncmp(type, last, strlen(last)) ? strlen(last) /* a worker takes it without the package, too */
                                                       : 0;
    if (!skip || strcmp(type + skip, j->s->is_key ? "Key" : "Value"))
        return;
    const char *spec = chk_value(j->c, k.property);
    if (spec)
        chk_each_item(spec, cast_item, &k);
}

static void type_changes(at_side *j)
{
    const char *transforms = chk_value(j->c, "transforms");
    for (size_t i = 0; is_type(j->c, "postgres-cdc-source") && i < j->s->leaves.n; i++)
        for (size_t m = 0; j->s->leaves.v[i].encrypt && m < sizeof modes / sizeof *modes; m++)
            if (modes[m].looks(&j->s->leaves.v[i]))
                changed_by(j, &modes[m], &j->s->leaves.v[i]);
    if (transforms)
        chk_each_item(transforms, cast_alias, j);
}

void chk_type_changing_mode(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side_of(row, e, diags, true, false, type_changes);
}

/* ---- nested-base64-decimal ---- */

/* Documented for Platform 8.0; converters compiled from the source of 8.2.0 encrypt nested fields either way. */
static const fl_version mended = {{8, 2, 0}};

static bool is_nested(const est_leaf *l)
{
    return strpbrk(l->hit.path, ".[") != NULL;
}

static void base64_decimals(at_side *j)
{
    fl_version workers;
    const char *property = j->s->is_key ? "key.converter.decimal.format" : "value.converter.decimal.format";
    const char *value = chk_value(j->c, property);
    if (j->s->format != EST_JSON || (value && !strcmp(value, "NUMERIC")) || !j->e->platform.workers.s ||
        (fl_version_parse(j->e->platform.workers.s, &workers) && fl_version_cmp(&workers, &mended) >= 0))
        return;
    for (size_t i = 0; i < j->s->leaves.n; i++) {
        const est_leaf *l = &j->s->leaves.v[i];
        if (!l->encrypt || !is_nested(l))
            continue;
        fl_diag *d = chk_report(j->row, j->diags, chk_value_at(j->c, property),
                                "connector %s: the vendor says that workers before 8.2 leave %s of topic %s in clear "
                                "while decimals are written as BASE64, the default",
                                j->c->name.s, l->hit.path, j->s->topic->name.s);
        fl_diag_help(j->diags, d, "write `%s = NUMERIC`", property);
        chk_about_connector(d, j->c, property);
        return;
    }
}

void chk_nested_base64_decimal(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side_of(row, e, diags, true, false, base64_decimals);
}

/* ---- opaque-json ---- */

/* IBM MQ puts the body of a text message into `text`; Debezium gives json, jsonb and hstore columns as text. */
static bool holds_json(const est_connector *c, const est_leaf *l)
{
    if (l->hit.type->kind != SCH_STRING)
        return false;
    if (is_type(c, "ibm-mq-source"))
        return !strcmp(l->hit.path, "text");
    return !strcmp(connect_name(l), "io.debezium.data.Json");
}

static void opaque(at_side *j)
{
    for (size_t i = 0; !est_is_clear(j->s) && i < j->s->leaves.n; i++) {
        const est_leaf *l = &j->s->leaves.v[i];
        if (is_sealed(j->s, l) || !holds_json(j->c, l))
            continue;
        fl_diag *d = chk_report(j->row, j->diags, l->line ? l->line->path.at : j->s->schema_path.at,
                                "%s of topic %s is one text that may hold a whole document: nothing inside it can be "
                                "tagged, and it is not encrypted",
                                l->hit.path, j->s->topic->name.s);
        fl_diag_relate(j->diags, d, j->c->at, "written by this connector");
        fl_diag_help(j->diags, d, "tag it as a whole: `field %s is TAG`", chk_path_text(j->diags->arena, l->hit.path));
        chk_about_side(d, j->s, l->hit.path);
    }
}

void chk_opaque_json(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side_of(row, e, diags, true, false, opaque);
}

/* ---- ciphertext-to-source ---- */

static bool same_place(const est_connector *a, const est_connector *b)
{
    static const char *const names[] = {"s3.bucket.name", "topics.dir"};
    for (size_t i = 0; i < 2; i++) {
        const char *x = chk_value(a, names[i]), *y = chk_value(b, names[i]);
        if (!x || !y || strcmp(x, y))
            return false;
    }
    return true;
}

/* The line because of which a sink hands ciphertext on, or NULL. */
static const est_encrypt *keeps_ciphertext(const est_connector *sink)
{
    for (size_t i = 0; i < sink->topics.n; i++) {
        const est_side *sides[] = {&sink->topics.v[i]->key, &sink->topics.v[i]->value};
        for (size_t n = 0; n < 2; n++)
            for (size_t k = 0; k < sides[n]->encrypts.n; k++)
                if (sides[n]->encrypts.v[k].write_only || sides[n]->encrypts.v[k].read_failure_ciphertext)
                    return &sides[n]->encrypts.v[k];
    }
    return NULL;
}

static void restores(const chk_row *row, fl_diags *diags, const est_connector *source, const est_connector *sink)
{
    const est_encrypt *r = same_place(source, sink) ? keeps_ciphertext(sink) : NULL;
    if (!r)
        return;
    fl_diag *d = chk_report(row, diags, source->at,
                            "connector %s reads the objects of %s, which may hold ciphertext: it would be encrypted "
                            "a second time",
                            source->name.s, sink->name.s);
    fl_diag_relate(diags, d, sink->at, "writes them");
    fl_diag_relate(diags, d, r->at,
                   r->write_only ? "nobody decrypts what this line encrypts"
                                 : "a reader without the key gets ciphertext");
    fl_diag_help(diags, d, "take out `%s`, or give the source a bucket of plaintext",
                 r->write_only ? "mode WRITE" : "read-failure ciphertext");
    chk_about_connector(d, source, NULL);
}

/* S3 sinks that keep ciphertext are few; sources over S3, too. */
void chk_ciphertext_to_source(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    FL_VEC(const est_connector *) sinks = {0};
    for (size_t i = 0; i < e->connectors.n; i++)
        if (is_type(e->connectors.v[i], "s3-sink") && keeps_ciphertext(e->connectors.v[i]))
            FL_PUSH(e->arena, &sinks, e->connectors.v[i]);
    for (size_t i = 0; sinks.n && i < e->connectors.n; i++)
        for (size_t k = 0; is_type(e->connectors.v[i], "s3-source") && k < sinks.n; k++)
            restores(row, diags, e->connectors.v[i], sinks.v[k]);
}

/* ---- derived-schema ---- */

static void has_unwrap(const char *alias, size_t n, void *ctx)
{
    at_side *j = ctx;
    const char *type = chk_value(j->c, fl_printf(j->e->arena, "transforms.%.*s.type", (int)n, alias));
    if (type && !strcmp(type, "io.debezium.transforms.ExtractNewRecordState"))
        j->row = NULL; /* found */
}

/* The simple name that the derived record will have, which the strict check compares; NULL: not known. */
static const char *derived_name(at_side *j)
{
    at_side probe = *j;
    const char *transforms = chk_value(j->c, "transforms");
    if (is_type(j->c, "postgres-cdc-source")) {
        if (!transforms || strstr(transforms, "SetSchemaMetadata"))
            return NULL;
        chk_each_item(transforms, has_unwrap, &probe);
        return j->s->is_key ? "Key" : !probe.row ? "Value" : "Envelope";
    }
    if (is_type(j->c, "salesforce-platform-event-source") && !j->s->is_key)
        return chk_value(j->c, "salesforce.platform.event.name");
    return NULL;
}

static bool sets_metadata(const est_connector *c)
{
    for (size_t i = 0; i < c->config.n; i++)
        if (strstr(c->config.v[i].value, "SetSchemaMetadata"))
            return true;
    return false;
}

static void derived(at_side *j)
{
    const sch_type *root = j->s->schema->root;
    if (j->s->format != EST_AVRO || root->kind != SCH_RECORD || sets_metadata(j->c))
        return;
    const char *want = derived_name(j), *dot = strrchr(root->name, '.'), *have = dot ? dot + 1 : root->name;
    if (!want || !*want || !strcmp(want, have))
        return;
    fl_diag *d = chk_report(j->row, j->diags, j->s->schema_path.at,
                            "connector %s derives a record `%s`, and the registered one is `%s`: every record would be "
                            "refused as incompatible",
                            j->c->name.s, want, have);
    fl_diag_relate(j->diags, d, j->c->at, "this connector");
    fl_diag_help(j->diags, d, "name the record `%s`, or rename what is derived with SetSchemaMetadata", want);
    chk_about_side(d, j->s, NULL);
}

void chk_derived_schema(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side_of(row, e, diags, true, false, derived);
}
