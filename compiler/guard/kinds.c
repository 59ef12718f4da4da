/* kinds.c: the table of kinds and their properties, and how each is read of the estate. The lists: lists.c. */
#include <math.h>
#include <string.h>

#include "compiler/guard/model.h"

/* ---- values ---- */

static guard_value none(fl_span at)
{
    return (guard_value){.state = GUARD_NONE, .at = at};
}

static guard_value text(const char *s, fl_span at)
{
    return s ? (guard_value){.text = s, .at = at} : none(at);
}

static guard_value stated(const est_text *t)
{
    return text(t->s, t->at);
}

static guard_value yes_no(bool yes, fl_span at)
{
    return (guard_value){.yes = yes, .at = at};
}

static guard_value number(long double n, fl_span at)
{
    return (guard_value){.number = n, .at = at};
}

static guard_value version(const est_text *t)
{
    guard_value v = stated(t);
    if (t->s && !fl_version_parse(t->s, &v.version))
        v.state = GUARD_HIDDEN; /* refused elsewhere */
    return v;
}

static guard_value date(const est_text *t)
{
    int64_t day;
    return t->s && fl_date_parse(t->s, &day) ? number((long double)day, t->at) : none(t->at);
}

static guard_value unless_written(guard_value v, fl_span block)
{
    v.by_default = v.at.src == block.src && v.at.from == block.from;
    return v;
}

/* ---- the whole estate ---- */

static guard_value environment(const guard_world *w, const guard_object *o)
{
    return text(w->e->environment, (fl_span){0});
}

static guard_value platform(const guard_world *w, const guard_object *o)
{
    return text(w->e->platform.cloud ? "cloud" : "onprem", w->e->platform.at);
}

static guard_value workers(const guard_world *w, const guard_object *o)
{
    return version(&w->e->platform.workers);
}

/* ---- words ---- */

#define WORDS(name, ...)                                                                                               \
    static const char *const *name(const guard_world *w, size_t *n)                                                    \
    {                                                                                                                  \
        static const char *const words[] = {__VA_ARGS__};                                                              \
        *n = sizeof words / sizeof *words;                                                                             \
        return words;                                                                                                  \
    }

WORDS(platforms, "cloud", "onprem")
WORDS(which_words, "key", "value")
WORDS(formats, "avro", "json", "protobuf", "string", "bytes", "short", "integer", "long", "float", "double")
WORDS(levels, "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE")
WORDS(places, "metadata", "inline", "both")
WORDS(types, "null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map",
      "union", "fixed", "any")
WORDS(algorithms, "AES128_GCM", "AES256_GCM", "AES256_SIV")
WORDS(modes, "WRITEREAD", "WRITE")
WORDS(failures, "error", "ciphertext")
WORDS(kms_words, "aws", "azure", "gcp", "vault", "local")
WORDS(directions, "source", "sink")
WORDS(principal_types, "User", "Group")

static const char *const *environments(const guard_world *w, size_t *n)
{
    *n = w->e->environments.n;
    const char **all = FL_NEW_N(w->a, const char *, *n + 1);
    for (size_t i = 0; i < *n; i++)
        all[i] = w->e->environments.v[i].name.s;
    return all;
}

static const char *const *tag_names(const guard_world *w, size_t *n)
{
    *n = w->e->tags.n;
    const char **all = FL_NEW_N(w->a, const char *, *n + 1);
    for (size_t i = 0; i < *n; i++)
        all[i] = w->e->tags.v[i]->name.s;
    return all;
}

static const char *const *connector_types(const guard_world *w, size_t *n)
{
    const cat_connector *types = cat_connectors(n);
    const char **all = FL_NEW_N(w->a, const char *, *n + 1);
    for (size_t i = 0; i < *n; i++)
        all[i] = types[i].id;
    return all;
}

/* ---- topic ---- */

#define READ(name, T, var)                                                                                             \
    static guard_value name##_of(const guard_world *w, const T *var);                                                  \
    static guard_value name(const guard_world *w, const guard_object *o)                                               \
    {                                                                                                                  \
        return name##_of(w, o->is);                                                                                    \
    }                                                                                                                  \
    static guard_value name##_of(const guard_world *w, const T *var)

READ(topic_name, est_topic, t)
{
    return stated(&t->name);
}

READ(topic_owner, est_topic, t)
{
    return stated(&t->owner);
}

READ(topic_clear, est_topic, t)
{
    return yes_no(t->clear.s, t->clear.s ? t->clear.at : t->at);
}

READ(topic_clear_until, est_topic, t)
{
    return date(&t->clear_until);
}

/* ---- side ---- */

READ(side_which, est_side, s)
{
    return text(est_side_name(s), s->at);
}

READ(side_topic, est_side, s)
{
    return stated(&s->topic->name);
}

READ(side_subject, est_side, s)
{
    return text(est_has_schema(s) ? s->subject : NULL, s->at);
}

READ(side_format, est_side, s)
{
    return text(est_format_name(s->format), s->at);
}

READ(side_clear, est_side, s)
{
    return yes_no(est_is_clear(s), s->clear.s ? s->clear.at : s->topic->clear.s ? s->topic->clear.at : s->at);
}

READ(side_clear_until, est_side, s)
{
    return date(s->clear.s ? &s->clear_until : &s->topic->clear_until);
}

READ(side_exhaustive, est_side, s)
{
    return yes_no(s->exhaustive, s->at);
}

READ(side_compatibility, est_side, s)
{
    return stated(&s->compatibility);
}

READ(side_tags_in, est_side, s)
{
    const char *where = s->tags_metadata && s->tags_inline ? "both" : s->tags_inline ? "inline" : "metadata";
    return est_has_schema(s) ? unless_written(text(where, s->tags_in_at), s->at) : none(s->at);
}

/* ---- encryption ---- */

static const char *algorithm_word(est_algorithm a)
{
    return a == EST_AES128_GCM ? "AES128_GCM" : a == EST_AES256_GCM ? "AES256_GCM" : "AES256_SIV";
}

READ(encryption_name, est_encrypt, x)
{
    return stated(&x->name);
}

READ(encryption_tags, est_encrypt, x)
{
    return (guard_value){.texts = x->tags.v, .n = x->tags.n, .at = x->at};
}

READ(encryption_payload, est_encrypt, x)
{
    return yes_no(x->payload, x->at);
}

READ(encryption_kek, est_encrypt, x)
{
    return stated(&x->kek_name);
}

READ(encryption_algorithm, est_encrypt, x)
{
    return unless_written(text(algorithm_word(x->algorithm), x->algorithm_at), x->at);
}

READ(encryption_rotate, est_encrypt, x)
{
    long double seconds = x->rotate_days ? (long double)x->rotate_days * 86400 : INFINITY;
    return unless_written(number(seconds, x->rotate_at), x->at);
}

READ(encryption_mode, est_encrypt, x)
{
    return text(x->write_only ? "WRITE" : "WRITEREAD", x->at);
}

READ(encryption_order, est_encrypt, x)
{
    return number(x->order, x->at);
}

READ(encryption_failure, est_encrypt, x)
{
    return text(x->read_failure_ciphertext ? "ciphertext" : "error", x->at);
}

static guard_value of_side(const guard_world *w, const guard_object *o)
{
    return side_which_of(w, o->side);
}

static guard_value of_topic(const guard_world *w, const guard_object *o)
{
    return stated(&o->side->topic->name);
}

/* ---- field ---- */

static fl_span field_at(const guard_object *o)
{
    const est_leaf *l = o->is;
    return l->line ? l->line->at : o->side->at;
}

/* The `encrypt` line that covers it: by tag, or with the whole payload. */
static const est_encrypt *field_line(const guard_object *o)
{
    const est_leaf *l = o->is;
    return l->encrypt ? l->encrypt : o->side->payload;
}

/* The last name on its path: elements and values of `phones[]` and `phones.*` have none of their own. */
static guard_value field_name(const guard_world *w, const guard_object *o)
{
    const est_leaf *l = o->is;
    return text(l->hit.field ? l->hit.field->name : "", field_at(o));
}

static guard_value field_path(const guard_world *w, const guard_object *o)
{
    return text(((const est_leaf *)o->is)->hit.path, field_at(o));
}

static guard_value field_type(const guard_world *w, const guard_object *o)
{
    const est_leaf *l = o->is;
    size_t n;
    return text(l->hit.mixed ? "union" : types(w, &n)[l->hit.type->kind], field_at(o));
}

static guard_value field_nullable(const guard_world *w, const guard_object *o)
{
    return yes_no(((const est_leaf *)o->is)->hit.nullable, field_at(o));
}

static guard_value field_tags(const guard_world *w, const guard_object *o)
{
    const est_leaf *l = o->is;
    return (guard_value){.names = l->tags.v, .n = l->tags.n, .at = field_at(o)};
}

static guard_value field_encrypted(const guard_world *w, const guard_object *o)
{
    const est_encrypt *x = ((const est_leaf *)o->is)->encrypt;
    return yes_no(x && !x->payload, x ? x->at : field_at(o));
}

static guard_value field_payload(const guard_world *w, const guard_object *o)
{
    const est_encrypt *x = o->side->payload;
    return yes_no(x, x ? x->at : field_at(o));
}

static guard_value field_algorithm(const guard_world *w, const guard_object *o)
{
    const est_encrypt *x = field_line(o);
    return x ? encryption_algorithm_of(w, x) : none(field_at(o));
}

static guard_value field_rotate(const guard_world *w, const guard_object *o)
{
    const est_encrypt *x = field_line(o);
    return x ? encryption_rotate_of(w, x) : none(field_at(o));
}

static guard_value field_kek(const guard_world *w, const guard_object *o)
{
    const est_encrypt *x = field_line(o);
    return x ? stated(&x->kek_name) : none(field_at(o));
}

/* ---- kek ---- */

READ(kek_name, est_kek, k)
{
    return stated(&k->name);
}

READ(kek_owner, est_kek, k)
{
    return stated(&k->owner);
}

READ(kek_kms, est_kek, k)
{
    size_t n;
    return text(kms_words(w, &n)[k->kms], k->key_id.at.src ? k->key_id.at : k->at);
}

READ(kek_key_id, est_kek, k)
{
    return stated(&k->key_id);
}

READ(kek_shared, est_kek, k)
{
    return yes_no(k->shared, k->at);
}

READ(kek_alternates, est_kek, k)
{
    return (guard_value){.texts = k->alternates.v, .n = k->alternates.n, .at = k->at};
}

/* ---- connector ---- */

READ(connector_name, est_connector, c)
{
    return stated(&c->name);
}

READ(connector_type, est_connector, c)
{
    return stated(&c->type);
}

READ(connector_kind, est_connector, c)
{
    return text(est_is_source(c) ? "source" : est_is_sink(c) ? "sink" : NULL, c->type.at);
}

READ(connector_version, est_connector, c)
{
    return version(&c->version);
}

READ(connector_principal, est_connector, c)
{
    return c->principal.s && *c->principal.s ? stated(&c->principal) : none(c->at);
}

READ(connector_worker, est_connector, c)
{
    return stated(&c->worker);
}

READ(connector_tasks, est_connector, c)
{
    return unless_written(number(c->tasks, c->tasks_at), c->at);
}

static bool has_keys(const est_connector *c)
{
    for (size_t i = 0; i < c->topics.n; i++)
        if (est_has_schema(&c->topics.v[i]->key))
            return true;
    return false;
}

/* The slower side; absent where one that has a schema is never looked at again. */
READ(connector_refresh, est_connector, c)
{
    int key = has_keys(c) ? c->refresh_key : c->refresh_value, value = c->refresh_value;
    return key < 0 || value < 0 ? none(c->at) : number(key > value ? key : value, c->at);
}

READ(connector_dead_letters, est_connector, c)
{
    return stated(&c->dead_letters);
}

/* Left unsaid, the vendor's default topics are used where the type has a reporter. */
READ(connector_reports, est_connector, c)
{
    bool on = c->reports_stated ? !c->reports_off : c->catalog && c->catalog->uses_reporter;
    return yes_no(on, c->reports_success.s  ? c->reports_success.at
                      : c->reports_errors.s ? c->reports_errors.at
                                            : c->at);
}

/* ---- principal ---- */

READ(principal_name, guard_principal, p)
{
    return text(p->name, p->at);
}

READ(principal_type, guard_principal, p)
{
    return text(p->type, p->at);
}

/* ---- the table ---- */

const guard_property guard_common[] = {
    {"environment", GUARD_TEXT, environment, environments},
    {"platform", GUARD_TEXT, platform, platforms},
    {"workers", GUARD_VERSION, workers, NULL},
};
const size_t guard_ncommon = sizeof guard_common / sizeof *guard_common;

static const guard_property of_a_topic[] = {
    {"name", GUARD_TEXT, topic_name, NULL},
    {"owner", GUARD_TEXT, topic_owner, NULL},
    {"clear", GUARD_BOOL, topic_clear, NULL},
    {"clear-until", GUARD_DATE, topic_clear_until, NULL},
};

static const guard_property of_a_side[] = {
    {"name", GUARD_TEXT, side_which, which_words},
    {"topic", GUARD_TEXT, side_topic, NULL},
    {"which", GUARD_TEXT, side_which, which_words},
    {"subject", GUARD_TEXT, side_subject, NULL},
    {"format", GUARD_TEXT, side_format, formats},
    {"clear", GUARD_BOOL, side_clear, NULL},
    {"clear-until", GUARD_DATE, side_clear_until, NULL},
    {"exhaustive", GUARD_BOOL, side_exhaustive, NULL},
    {"compatibility", GUARD_TEXT, side_compatibility, levels},
    {"tags-in", GUARD_TEXT, side_tags_in, places},
};

static const guard_property of_a_field[] = {
    {"name", GUARD_TEXT, field_name, NULL},
    {"path", GUARD_TEXT, field_path, NULL},
    {"topic", GUARD_TEXT, of_topic, NULL},
    {"side", GUARD_TEXT, of_side, which_words},
    {"type", GUARD_TEXT, field_type, types},
    {"nullable", GUARD_BOOL, field_nullable, NULL},
    {"tags", GUARD_SET, field_tags, tag_names},
    {"encrypted", GUARD_BOOL, field_encrypted, NULL},
    {"payload-encrypted", GUARD_BOOL, field_payload, NULL},
    {"algorithm", GUARD_TEXT, field_algorithm, algorithms},
    {"rotate", GUARD_DURATION, field_rotate, NULL},
    {"kek", GUARD_TEXT, field_kek, NULL},
};

static const guard_property of_an_encryption[] = {
    {"name", GUARD_TEXT, encryption_name, NULL},
    {"topic", GUARD_TEXT, of_topic, NULL},
    {"side", GUARD_TEXT, of_side, which_words},
    {"tags", GUARD_SET, encryption_tags, tag_names},
    {"payload", GUARD_BOOL, encryption_payload, NULL},
    {"kek", GUARD_TEXT, encryption_kek, NULL},
    {"algorithm", GUARD_TEXT, encryption_algorithm, algorithms},
    {"rotate", GUARD_DURATION, encryption_rotate, NULL},
    {"mode", GUARD_TEXT, encryption_mode, modes},
    {"order", GUARD_NUMBER, encryption_order, NULL},
    {"read-failure", GUARD_TEXT, encryption_failure, failures},
};

static const guard_property of_a_kek[] = {
    {"name", GUARD_TEXT, kek_name, NULL},     {"owner", GUARD_TEXT, kek_owner, NULL},
    {"kms", GUARD_TEXT, kek_kms, kms_words},  {"key-id", GUARD_TEXT, kek_key_id, NULL},
    {"shared", GUARD_BOOL, kek_shared, NULL}, {"alternates", GUARD_SET, kek_alternates, NULL},
};

static const guard_property of_a_connector[] = {
    {"name", GUARD_TEXT, connector_name, NULL},
    {"type", GUARD_TEXT, connector_type, connector_types},
    {"kind", GUARD_TEXT, connector_kind, directions},
    {"version", GUARD_VERSION, connector_version, NULL},
    {"principal", GUARD_TEXT, connector_principal, NULL},
    {"worker", GUARD_TEXT, connector_worker, NULL},
    {"tasks", GUARD_NUMBER, connector_tasks, NULL},
    {"refresh", GUARD_DURATION, connector_refresh, NULL},
    {"dead-letters", GUARD_TEXT, connector_dead_letters, NULL},
    {"reports", GUARD_BOOL, connector_reports, NULL},
};

static const guard_property of_a_principal[] = {
    {"name", GUARD_TEXT, principal_name, NULL},
    {"type", GUARD_TEXT, principal_type, principal_types},
};

#define ALL(v) v, sizeof v / sizeof *v
const guard_kind_row guard_kinds[GUARD_KINDS] = {
    [GUARD_TOPIC] = {"topic", "a topic", "topics", ALL(of_a_topic), ALL(guard_in_a_topic), NULL},
    [GUARD_SIDE] = {"side", "a side", "sides", ALL(of_a_side), ALL(guard_in_a_side), NULL},
    [GUARD_FIELD] = {"field", "a field", "fields", ALL(of_a_field), NULL, 0, NULL},
    [GUARD_ENCRYPTION] = {"encryption", "an encryption", "encryptions", ALL(of_an_encryption), NULL, 0, NULL},
    [GUARD_KEK] = {"kek", "a KEK", "KEKs", ALL(of_a_kek), ALL(guard_in_a_kek), NULL},
    [GUARD_CONNECTOR] = {"connector", "a connector", "connectors", ALL(of_a_connector), ALL(guard_in_a_connector),
                         NULL},
    [GUARD_PRINCIPAL] = {"principal", "a principal", "principals", ALL(of_a_principal), ALL(guard_in_a_principal),
                         guard_make_principals},
};
