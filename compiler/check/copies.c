/* copies.c: the part of transform-may-copy that is about transformations of a source, which run before the converter
 * and so on plaintext: copies of an encrypted field into the key, a header, a topic's name or a field in clear. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

/* What a class does to the fields of a record. */
typedef enum {
    NOTHING, /* that copies: it drops, converts, masks, routes by topic or adds what is no field */
    TO_KEY,
    TO_HEADERS,
    TO_TOPIC,
    RENAMES,
    UNWRAPS,
    EXTRACTS,
    FLATTENS,
    HOISTS,
    OUTBOX,
    UNKNOWN
} effect;

/* Without $Key, $Value. Read in apache/kafka connect/transforms, debezium io/debezium/transforms, and the vendor's
 * reference of transformations. A class that is not here may do anything. */
static const struct {
    const char *cls;
    effect does;
} classes[] = {
    {"org.apache.kafka.connect.transforms.Cast", NOTHING},
    {"org.apache.kafka.connect.transforms.DropHeaders", NOTHING},
    {"org.apache.kafka.connect.transforms.ExtractField", EXTRACTS},
    {"org.apache.kafka.connect.transforms.Filter", NOTHING},
    {"org.apache.kafka.connect.transforms.Flatten", FLATTENS},
    {"org.apache.kafka.connect.transforms.HeaderFrom", TO_HEADERS},
    {"org.apache.kafka.connect.transforms.HoistField", HOISTS},
    {"org.apache.kafka.connect.transforms.InsertField", NOTHING},
    {"org.apache.kafka.connect.transforms.InsertHeader", NOTHING},
    {"org.apache.kafka.connect.transforms.MaskField", NOTHING},
    {"org.apache.kafka.connect.transforms.RegexRouter", NOTHING},
    {"org.apache.kafka.connect.transforms.ReplaceField", RENAMES},
    {"org.apache.kafka.connect.transforms.SetSchemaMetadata", NOTHING},
    {"org.apache.kafka.connect.transforms.TimestampConverter", NOTHING},
    {"org.apache.kafka.connect.transforms.TimestampRouter", NOTHING},
    {"org.apache.kafka.connect.transforms.ValueToKey", TO_KEY},
    {"io.confluent.connect.transforms.Drop", NOTHING},
    {"io.confluent.connect.transforms.ExtractTopic", TO_TOPIC},
    {"io.confluent.connect.transforms.Filter", NOTHING},
    {"io.confluent.connect.transforms.MessageTimestampRouter", NOTHING},
    {"io.confluent.connect.transforms.TombstoneHandler", NOTHING},
    {"io.debezium.transforms.ByLogicalTableRouter", NOTHING},
    {"io.debezium.transforms.ExtractChangedRecordState", NOTHING}, /* names of fields, no values */
    {"io.debezium.transforms.ExtractNewRecordState", UNWRAPS},
    {"io.debezium.transforms.Filter", NOTHING},
    {"io.debezium.transforms.GeometryFormatTransformer", NOTHING},
    {"io.debezium.transforms.HeaderToValue", NOTHING},
    {"io.debezium.transforms.SchemaChangeEventFilter", NOTHING},
    {"io.debezium.transforms.TimezoneConverter", NOTHING},
    {"io.debezium.transforms.VectorToJsonConverter", NOTHING},
    {"io.debezium.transforms.outbox.EventRouter", OUTBOX},
    {"io.debezium.transforms.partitions.PartitionRouting", NOTHING},
};

/* A worker knows a class by the last part of its name as well. */
static effect effect_of(const char *cls)
{
    size_t n = cls ? strcspn(cls, "$") : 0;
    for (size_t i = 0; n && i < sizeof classes / sizeof *classes; i++) {
        const char *name = memchr(cls, '.', n) ? classes[i].cls : strrchr(classes[i].cls, '.') + 1;
        if (strlen(name) == n && !strncmp(name, cls, n))
            return classes[i].does;
    }
    return UNKNOWN;
}

static bool is_of_key(const char *cls)
{
    return !strcmp(cls + strcspn(cls, "$"), "$Key");
}

/* Of one chain. Beyond them it counts as one that nobody can follow. */
#define MOST_MOVES   4    /* transformations that give all fields other names: each doubles the names to look at */
#define MOST_RENAMES 1000 /* of fields that are encrypted in the end */

/* ---- the transformations of a connector, looked at from the last to the first ---- */

typedef FL_VEC(const char *) names;

/* One topic of a connector. `sealed`: names that fields of value and key have at this point of the chain and whose
 * values are encrypted in the end. */
typedef struct flow {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_connector *c;
    const est_topic *topic;
    names sealed[2];               /* [0] value, [1] key */
    FL_VEC(const est_prop *) said; /* properties that were reported for an earlier topic */
    const char *alias;
    unsigned moves, renames;
    bool key;             /* the transformation works on the key */
    const char *property; /* that is being read */
} flow;

static const est_side *side(const flow *f, bool key)
{
    return key ? &f->topic->key : &f->topic->value;
}

static bool is_sealed(const est_side *s)
{
    return s->encrypts.n || s->payload;
}

/* A field, or a field with all that is below it. */
static bool holds(const char *path, const char *name, size_t n)
{
    return !strncmp(path, name, n) && (!path[n] || path[n] == '.' || path[n] == '[');
}

static bool has(const flow *f, bool key, const char *name, size_t n)
{
    const names *all = &f->sealed[key];
    if (side(f, key)->payload)
        return true;
    for (size_t i = 0; i < all->n; i++)
        if (holds(all->v[i], name, n))
            return true;
    return false;
}

static const char *property_of(flow *f, const char *name)
{
    return f->property = fl_printf(f->e->arena, "transforms.%s.%s", f->alias, name);
}

/* ---- reports ---- */

/* NULL: said before of this property. */
static fl_diag *report(flow *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static fl_diag *report(flow *f, const char *fmt, ...)
{
    const est_prop *p = chk_config(f->c, f->property);
    va_list ap;
    for (size_t i = 0; i < f->said.n; i++)
        if (f->said.v[i] == p)
            return NULL;
    FL_PUSH(f->e->arena, &f->said, p);
    va_start(ap, fmt);
    const char *what = fl_vprintf(f->e->arena, fmt, ap);
    va_end(ap);
    fl_diag *d = chk_report(f->row, f->diags, chk_value_at(f->c, f->property), "%s %s", f->property, what);
    const est_side *s = side(f, !is_sealed(&f->topic->value));
    fl_diag_relate(f->diags, d, s->encrypts.n ? s->encrypts.v[0].at : s->at, "encrypted here, behind transformations");
    chk_about_connector(d, f->c, f->property);
    return d;
}

static void help(flow *f, fl_diag *d, const char *instead)
{
    if (d)
        fl_diag_help(f->diags, d,
                     "%s; else `allow transform-may-copy on connector %s property %s because \"…\" until DATE`",
                     instead, f->c->name.s, f->property);
}

static void copied(flow *f, const char *name, size_t n, const char *where, const char *instead)
{
    help(f, report(f, "puts %.*s of topic %s, which is encrypted, into %s", (int)n, name, f->topic->name.s, where),
         instead);
}

/* ---- what each class does ---- */

/* The value of one property; what only the worker knows may be anything. NULL: reported. */
static const char *known(flow *f, const char *name)
{
    const char *value = chk_value(f->c, property_of(f, name));
    if (!value)
        help(f, report(f, "is known to the worker alone: it may copy an encrypted field of topic %s", f->topic->name.s),
             "write the value here");
    return value;
}

static void into_key(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    if (has(f, false, item, n) && !has(f, true, item, n))
        copied(f, item, n, "the key, which is in clear", "take it out of the key, or encrypt it there (AES256_SIV)");
}

static void into_header(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    if (has(f, f->key, item, n))
        copied(f, item, n, "a header, and headers are never encrypted", "take it out of the list");
}

static void into_topic(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    if (has(f, f->key, item, n))
        copied(f, item, n, "the name of a topic", "choose a field that is in clear");
}

/* FROM:TO. A name that ends up encrypted had its old name before. */
static void rename_item(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    const char *colon = memchr(item, ':', n), *to = colon ? colon + 1 : item;
    size_t from = colon ? (size_t)(colon - item) : 0, len = n - from - 1;
    if (!colon)
        return;
    if (has(f, f->key, to, len) && ++f->renames <= MOST_RENAMES)
        FL_PUSH(f->e->arena, &f->sealed[f->key], fl_strndup(f->e->arena, item, from));
    else if (f->renames > MOST_RENAMES)
        help(f, report(f, "renames more fields than can be followed"), "rename them where they come from");
    else if (has(f, f->key, item, from))
        copied(f, item, from, fl_printf(f->e->arena, "%.*s, which is not", (int)len, to),
               "take the pair out, or encrypt the new name");
}

/* Metadata fields: [STRUCT.]FIELD[:NAME], where `before` and `after` are the row. Length of that beginning with its
 * dot, 0 where the item is no encrypted field of the row; *len without the new name. */
static size_t row_field(const flow *f, const char *item, size_t n, size_t *len)
{
    const char *colon = memchr(item, ':', n);
    size_t skip = !strncmp(item, "before.", 7) ? 7 : !strncmp(item, "after.", 6) ? 6 : 0;
    *len = colon ? (size_t)(colon - item) : n;
    return skip && skip < *len && has(f, false, item + skip, *len - skip) ? skip : 0;
}

static void added_header(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    size_t len;
    if (row_field(f, item, n, &len))
        copied(f, item, len, "a header, and headers are never encrypted", "take it out of the list");
}

static void added_field(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    size_t len, skip = row_field(f, item, n, &len);
    if (!skip)
        return;
    const char *prefix = chk_value(f->c, fl_printf(f->e->arena, "transforms.%s.add.fields.prefix", f->alias)),
               *name = len < n
                           ? fl_strndup(f->e->arena, item + len + 1, n - len - 1)
                           : fl_printf(f->e->arena, "%.*s_%.*s", (int)skip - 1, item, (int)(len - skip), item + skip),
               *made = fl_printf(f->e->arena, "%s%s", prefix ? prefix : "", name);
    if (!has(f, false, made, strlen(made)))
        copied(f, item, len, fl_printf(f->e->arena, "%s, which is not", made),
               "take it out of the list, or encrypt the new field");
}

/* Columns of the outbox table: COLUMN:header|envelope|partition[:NAME]. The payload is what becomes the value. */
static void placed(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    const char *colon = memchr(item, ':', n),
               *payload = chk_value(f->c, fl_printf(f->e->arena, "transforms.%s.table.field.event.payload", f->alias));
    size_t len = colon ? (size_t)(colon - item) : n;
    if (!payload || !*payload)
        payload = "payload";
    bool whole = strlen(payload) == len && !strncmp(payload, item, len);
    if (colon && !strncmp(colon, ":header", 7) && (whole || has(f, false, item, len)))
        copied(f, item, len, "a header, and headers are never encrypted", "take it out of the list");
}

static void each(flow *f, const char *property, void (*fn)(const char *item, size_t n, void *ctx))
{
    const char *list = known(f, property);
    if (list)
        chk_each_item(list, fn, f);
}

/* ---- names before the transformation ---- */

typedef const char *(*was)(flow *f, const char *name, const char *how);

static const char *within(flow *f, const char *name, const char *how)
{
    return *how ? fl_printf(f->e->arena, "%s.%s", how, name) : NULL;
}

static const char *without(flow *f, const char *name, const char *how)
{
    size_t n = strlen(how);
    return n && !strncmp(name, how, n) && name[n] == '.' ? name + n + 1 : NULL;
}

static const char *unflattened(flow *f, const char *name, const char *how)
{
    size_t n = *how ? strlen(how) : 1;
    if (!*how || !strcmp(how, ".") || !strstr(name, how))
        return NULL;
    char *out = fl_alloc(f->e->arena, strlen(name) + 1), *to = out;
    for (const char *at = name; *at;) {
        bool cut = !strncmp(at, how, n);
        *to++ = cut ? '.' : *at;
        at += cut ? n : 1;
    }
    *to = '\0';
    return out;
}

static void unknown_class(flow *f)
{
    property_of(f, "type");
    help(f,
         report(f, "is a class that may do anything, before %s of topic %s is encrypted",
                is_sealed(&f->topic->value) ? "the value" : "the key", f->topic->name.s),
         "see that it puts no encrypted field into the key, a header, a topic's name or a field in clear, or take it "
         "out");
}

/* Adds what each name was: both count from here on, as a predicate may leave a transformation out. */
static void were(flow *f, was fn, const char *how)
{
    names *all = &f->sealed[f->key];
    size_t n = all->n;
    if (++f->moves > MOST_MOVES) {
        unknown_class(f);
        return;
    }
    for (size_t i = 0; how && i < n; i++) {
        const char *old = fn(f, all->v[i], how);
        if (old)
            FL_PUSH(f->e->arena, all, old);
    }
}

static void unwrap(flow *f)
{
    each(f, "add.headers", added_header);
    each(f, "add.fields", added_field);
    each(f, "route.by.field", into_topic);
    were(f, within, "after");
}

static void transform(flow *f)
{
    const char *cls = chk_value(f->c, property_of(f, "type"));
    f->key = cls && is_of_key(cls);
    switch (effect_of(cls)) {
    case NOTHING:
        return;
    case TO_KEY:
        each(f, "fields", into_key);
        return;
    case TO_HEADERS:
        each(f, "fields", into_header);
        return;
    case TO_TOPIC:
        each(f, "field", into_topic);
        return;
    case RENAMES:
        each(f, "renames", rename_item);
        return;
    case UNWRAPS:
        unwrap(f);
        return;
    case EXTRACTS:
        were(f, within, known(f, "field"));
        return;
    case FLATTENS:
        were(f, unflattened, known(f, "delimiter"));
        return;
    case HOISTS:
        were(f, without, known(f, "field"));
        return;
    case OUTBOX:
        each(f, "table.fields.additional.placement", placed);
        return;
    case UNKNOWN:
        unknown_class(f);
    }
}

/* ---- the key that Debezium makes of columns ---- */

static void key_column(const char *item, size_t n, void *ctx)
{
    flow *f = ctx;
    const char *row = fl_printf(f->e->arena, "after.%.*s", (int)n, item);
    bool sealed = has(f, false, item, n) || has(f, false, row, strlen(row));
    if (sealed && !has(f, true, item, n))
        copied(f, item, n, "the key, which is in clear",
               "choose other columns, or encrypt it in the key as well (AES256_SIV)");
}

/* TABLE:COLUMN,…;TABLE:COLUMN,… where TABLE is a regular expression: which topic it is about is not looked at. */
static void key_columns(flow *f)
{
    f->property = "message.key.columns";
    const char *list = chk_value(f->c, f->property);
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ";");
        const char *columns = at;
        for (const char *p = at; p < at + n; p++)
            if (*p == ':')
                columns = p + 1;
        chk_each_item(fl_strndup(f->e->arena, columns, (size_t)(at + n - columns)), key_column, f);
        at += n + (at[n] == ';');
    }
}

/* ---- all of it ---- */

typedef FL_VEC(const char *) aliases;

typedef struct listing {
    fl_arena *arena;
    aliases list;
} listing;

static void one_alias(const char *item, size_t n, void *ctx)
{
    listing *l = ctx;
    FL_PUSH(l->arena, &l->list, fl_strndup(l->arena, item, n));
}

static void start(flow *f, const est_topic *t)
{
    f->topic = t;
    f->moves = f->renames = 0;
    for (int key = 0; key < 2; key++) {
        const est_side *s = side(f, key);
        f->sealed[key].n = 0;
        for (size_t i = 0; i < s->leaves.n; i++)
            if (s->leaves.v[i].encrypt || s->payload)
                FL_PUSH(f->e->arena, &f->sealed[key], s->leaves.v[i].hit.path);
    }
}

static void connector(flow *f)
{
    const char *list = chk_value(f->c, "transforms");
    bool debezium = !strncmp(f->c->catalog->id, "postgres-cdc", 12);
    listing l = {.arena = f->e->arena};
    if (list)
        chk_each_item(list, one_alias, &l);
    for (size_t t = 0; (l.list.n || debezium || !list) && t < f->c->topics.n; t++) {
        if (!is_sealed(&f->c->topics.v[t]->key) && !is_sealed(&f->c->topics.v[t]->value))
            continue;
        start(f, f->c->topics.v[t]);
        for (size_t i = l.list.n; i-- > 0;) {
            f->alias = l.list.v[i];
            transform(f);
        }
        f->property = "transforms";
        if (!list)
            help(
                f,
                report(f, "is known to the worker alone: it may copy an encrypted field of topic %s", f->topic->name.s),
                "write the list here");
        if (debezium)
            key_columns(f);
    }
}

typedef struct renaming {
    fl_arena *arena;
    const char *name;
} renaming;

static void back(const char *item, size_t n, void *ctx)
{
    renaming *r = ctx;
    const char *colon = memchr(item, ':', n);
    size_t len = colon ? n - (size_t)(colon - item) - 1 : 0;
    if (colon && strlen(r->name) == len && !strncmp(r->name, colon + 1, len))
        r->name = fl_strndup(r->arena, item, (size_t)(colon - item));
}

const char *chk_name_before_renames(const est_estate *e, const est_connector *c, const char *name, size_t n)
{
    renaming r = {e->arena, fl_strndup(e->arena, name, n)};
    listing l = {.arena = e->arena};
    const char *list = chk_value(c, "transforms");
    if (list)
        chk_each_item(list, one_alias, &l);
    for (size_t i = l.list.n; i-- > 0;) {
        const char *cls = chk_value(c, fl_printf(e->arena, "transforms.%s.type", l.list.v[i])),
                   *pairs = chk_value(c, fl_printf(e->arena, "transforms.%s.renames", l.list.v[i]));
        if (effect_of(cls) == RENAMES && !is_of_key(cls) && pairs)
            chk_each_item(pairs, back, &r);
    }
    return r.name;
}

void chk_transforms_that_copy(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        flow f = {.row = row, .e = e, .diags = diags, .c = e->connectors.v[i]};
        if (f.c->catalog && est_is_source(f.c))
            connector(&f);
    }
}
