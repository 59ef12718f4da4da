/* table.c: the table of checks, and running it. */
#include "compiler/check/check.h"

#include <string.h>

static const chk_row rows[] = {
    {"syntax", FL_ERROR, CHK_NEVER, "anything that the grammar or the forms of a block refuse", NULL},
    {"duplicate-attribute", FL_ERROR, CHK_NEVER, "a statement that may stand once in its block stands twice", NULL},
    {"duplicate-name", FL_ERROR, CHK_NEVER, "two things of one kind have one name", NULL},
    {"unknown-name", FL_ERROR, CHK_NEVER, "a name that nothing declares", NULL},
    {"variable-cycle", FL_ERROR, CHK_NEVER, "a variable that uses itself", NULL},
    {"no-such-file", FL_ERROR, CHK_NEVER, "a file that the policy names cannot be read", NULL},
    {"unused-variable", FL_WARNING, CHK_NEVER, "a variable that nothing uses", NULL},
    {"topic-undecided", FL_ERROR, CHK_NEVER, "a side with neither `encrypt` nor `clear`, or with both",
     chk_topic_undecided},
    {"clear-expired", FL_ERROR, CHK_NEVER, "a `clear … until` past its day", chk_clear_expired},
    {"no-such-field", FL_ERROR, CHK_NEVER, "a path that selects nothing in the schema", NULL},
    {"cannot-encrypt-type", FL_ERROR, CHK_NEVER, "an encrypted tag on a number, boolean, enum or fixed",
     chk_cannot_encrypt_type},
    {"tag-on-record", FL_ERROR, CHK_NEVER, "a tag on a record, or on an array or map itself", chk_tag_on_record},
    {"silent-plaintext-union", FL_ERROR, CHK_NEVER, "an encrypted tag on a union with another non-null branch",
     chk_silent_plaintext_union},
    {"tag-wider-than-path", FL_ERROR, CHK_NEVER, "what clients match covers more fields than the path",
     chk_tag_wider_than_path},
    {"path-not-walked", FL_ERROR, CHK_NEVER, "a leaf that no client reaches", chk_path_not_walked},
    {"tags-by-name", FL_ERROR, CHK_NEVER, "`tags-in metadata` on a side that a source connector writes",
     chk_tags_by_name},
    {"tag-not-encrypted", FL_ERROR, CHK_NEVER, "a carried tag that no `encrypt` of the side names",
     chk_tag_not_encrypted},
    {"idle-rule", FL_ERROR, CHK_NEVER, "an `encrypt` tag that no field carries", chk_idle_rule},
    {"unknown-tag", FL_ERROR, CHK_NEVER, "a tag that is not declared, inline ones included", chk_unknown_tag},
    {"encrypted-twice", FL_ERROR, CHK_NEVER, "a tag or a field under two `encrypt` lines", chk_encrypted_twice},
    {"field-not-listed", FL_ERROR, CHK_DATED, "a leaf without a `field` line under `exhaustive`", chk_field_not_listed},
    {"random-key-encryption", FL_ERROR, CHK_NEVER, "a record key that is not AES256_SIV without rotation",
     chk_random_key_encryption},
    {"auto-registration", FL_ERROR, CHK_NEVER, "a try to switch auto-registration on", chk_auto_registration},
    {"generated-property", FL_ERROR, CHK_NEVER, "a generated property, or one that would undo it, in `config`",
     chk_generated_property},
    {"unknown-property", FL_ERROR, CHK_FREE, "a property that the catalogue does not know", chk_unknown_property},
    {"missing-property", FL_ERROR, CHK_NEVER, "a property that the connector needs is not there", chk_missing_property},
    {"property-type", FL_ERROR, CHK_NEVER, "a value of another type than the property's", chk_property_type},
    {"property-value", FL_ERROR, CHK_NEVER, "a value that the property does not take", chk_property_value},
    {"secret-literal", FL_ERROR, CHK_NEVER, "a literal where the catalogue says secret", chk_secret_literal},
    {"unknown-provider", FL_ERROR, CHK_FREE, "a reference to a provider that the platform does not list",
     chk_unknown_provider},
    {"connector-version", FL_ERROR, CHK_NEVER, "a connector under the floor, or unsupported on the Platform line",
     chk_connector_version},
    {"platform-version", FL_ERROR, CHK_NEVER, "workers of a Platform version without field level encryption",
     chk_platform_version},
    {"not-csfle-connector", FL_ERROR, CHK_NEVER, "a connector without field level encryption", chk_not_csfle_connector},
    {"kms-parameters-missing", FL_ERROR, CHK_NEVER,
     "a private KEK that lacks a group of KMS parameters, or half of one", chk_kms_parameters_missing},
    {"kms-parameters-clash", FL_ERROR, CHK_NEVER, "two KEKs that need different credentials in one place",
     chk_kms_parameters_clash},
    {"kek-key-id", FL_ERROR, CHK_FREE, "a key id out of shape for its KMS", chk_kek_key_id},
    {"kek-name", FL_ERROR, CHK_NEVER, "a KEK name that registry or clients refuse", chk_kek_name},
    {"unused-kek", FL_WARNING, CHK_FREE, "a KEK that no `encrypt` line uses", chk_unused_kek},
    {"no-principal", FL_ERROR, CHK_NEVER, "a connector without its principal", chk_no_principal},
    {"undefined-topic", FL_ERROR, CHK_NEVER, "a topic that a connector reads or writes and no policy states",
     chk_undefined_topic},
    {"reporter-in-clear", FL_ERROR, CHK_DATED, "reporter topics are on, or left to their default",
     chk_reporter_in_clear},
    {"client-leaves-clear", FL_ERROR, CHK_NEVER,
     "a field that the declared client of a writer, or a connector, leaves in clear", chk_client_leaves_clear},
    {"client-may-leave-clear", FL_ERROR, CHK_DATED, "the same for a writer with no client stated",
     chk_client_may_leave_clear},
    {"client-fails", FL_WARNING, CHK_FREE, "a construct on which a client of the topic fails or destroys data",
     chk_client_fails},
    {"rule-refused", FL_ERROR, CHK_NEVER,
     "a pass-through rule that the registry refuses, that encrypts, or with parameters nobody knows", chk_rule_refused},
    {"rule-name", FL_ERROR, CHK_NEVER, "two rules of one name, or a name that the registry refuses", chk_rule_name},
    {"transform-may-copy", FL_ERROR, CHK_DATED,
     "a rule or a transformation of a source that can copy an encrypted field into clear", chk_transform_may_copy},
    {"property-constraint", FL_ERROR, CHK_DATED, "a constraint between properties that does not hold",
     chk_property_constraint},
    {"topic-mismatch", FL_ERROR, CHK_NEVER,
     "declared topics differ from what configuration and transformations produce", chk_topic_mismatch},
    {"side-topic-undefined", FL_ERROR, CHK_DATED, "a side topic of a source without a `topic` block",
     chk_side_topic_undefined},
    {"type-changing-mode", FL_ERROR, CHK_NEVER, "a mode of a source that makes a tagged field another type",
     chk_type_changing_mode},
    {"error-log-in-clear", FL_ERROR, CHK_DATED,
     "whole records in the log of a source, or in the headers of dead letters", chk_error_log_in_clear},
    {"partitioned-by-encrypted-field", FL_ERROR, CHK_DATED,
     "an encrypted field whose plaintext becomes part of an object's name", chk_partitioned_by_encrypted_field},
    {"ciphertext-to-source", FL_ERROR, CHK_DATED, "a source over objects that hold ciphertext",
     chk_ciphertext_to_source},
    {"read-failure-to-target", FL_WARNING, CHK_FREE, "a sink that could write ciphertext to its target",
     chk_read_failure_to_target},
    {"derived-schema", FL_WARNING, CHK_FREE, "a source whose derived schema will not fit the registered one",
     chk_derived_schema},
    {"nested-base64-decimal", FL_WARNING, CHK_FREE, "JSON with nested tagged fields and BASE64 decimals",
     chk_nested_base64_decimal},
    {"opaque-json", FL_WARNING, CHK_FREE, "a string that holds JSON and is not encrypted whole", chk_opaque_json},
    {"stale-rules", FL_WARNING, CHK_FREE, "no cache interval where rules may change", chk_stale_rules},
    {"assume-role-loop", FL_WARNING, CHK_FREE, "role parameters beside a worker's web identity", chk_assume_role_loop},
    {"kek-differs", FL_ERROR, CHK_NEVER,
     "one KEK name with two key ids or types, over the estate or against `--previous`", chk_kek_differs},
    {"gcm-without-rotation", FL_WARNING, CHK_FREE, "random IVs bound one data key to 2^32 fields",
     chk_gcm_without_rotation},
    {"local-kms", FL_ERROR, CHK_DATED, "a local KMS outside tests", chk_local_kms},
    {"suspicious-untagged-field", FL_WARNING, CHK_FREE,
     "a name or format that looks personal, neither tagged nor explained", chk_suspicious_untagged_field},
    {"unknown-principal", FL_ERROR, CHK_NEVER, "a principal that is not declared, where some are", NULL},
    {"unused-grant", FL_WARNING, CHK_FREE, "a declared principal that nothing in the estate needs", chk_unused_grant},
    {"wide-grant", FL_WARNING, CHK_FREE, "a grant wider than the policy needs", chk_wide_grant},
    {"evolution-algorithm", FL_ERROR, CHK_DATED,
     "another algorithm than in the previous build: old records would not open", chk_evolution_algorithm},
    {"evolution-kek", FL_ERROR, CHK_DATED,
     "another KEK than in the previous build, or one whose immutable parts changed", chk_evolution_kek},
    {"evolution-rotation", FL_ERROR, CHK_DATED, "rotation switched on or off since the previous build",
     chk_evolution_rotation},
    {"evolution-subject", FL_ERROR, CHK_DATED, "another subject name than in the previous build: other data keys",
     chk_evolution_subject},
    {"evolution-removed", FL_ERROR, CHK_DATED, "a rule, tag, topic or subject of the previous build is gone",
     chk_evolution_removed},
    {"evolution-history", FL_ERROR, CHK_DATED, "a field is encrypted now whose old records are in clear",
     chk_evolution_history},
    {"incompatible-schema", FL_ERROR, CHK_DATED, "the schema does not fit the previous one at the subject's level",
     chk_incompatible_schema},
    {"overlay-refused", FL_ERROR, CHK_NEVER, "an environment or default that would change which fields are encrypted",
     NULL},
    {"unused-waiver", FL_WARNING, CHK_NEVER, "a waiver of something that is not reported", NULL},
    {"expired-waiver", FL_ERROR, CHK_NEVER, "a waiver past its day, or one that needs an end and has none", NULL},
    {"idle-guardrail", FL_WARNING, CHK_NEVER, "a guardrail that no object reaches", NULL},
    {"guardrail", FL_ERROR, CHK_NEVER, "a rule of the policy about itself that does not hold", NULL},
};

const chk_row *chk_rows(size_t *n)
{
    *n = sizeof rows / sizeof *rows;
    return rows;
}

const chk_row *chk_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

/* ---- running them ---- */

enum {
    NROWS = sizeof rows / sizeof *rows,
    THREADS = 8,
    FEW_TOPICS = 100 /* then starting a thread takes longer than checking */
};

/* A check is given an estate and a list of its own, since others run at the same time. */
typedef struct running {
    const est_estate *e;
    fl_diags found[NROWS];
} running;

static void run_row(size_t i, void *ctx)
{
    running *all = ctx;
    est_estate e = *all->e;
    e.arena = fl_arena_new();
    fl_diags_init(&all->found[i], e.arena);
    if (rows[i].run)
        rows[i].run(&rows[i], &e, &all->found[i]);
    if (all->found[i].list.n || all->found[i].hidden.n)
        return;
    fl_arena_free(e.arena); /* nobody has what it made */
    all->found[i].arena = NULL;
}

void chk_run_all(const est_estate *e, fl_diags *diags)
{
    running all = {.e = e};
    bool alone = e->topics.n < FEW_TOPICS || e->previous; /* reads of that as it needs it */
    if (!alone)
        fl_parallel(NROWS, THREADS, run_row, &all);
    for (size_t i = 0; i < NROWS; i++) {
        fl_arena *a = all.found[i].arena;
        if (!alone)
            fl_diags_join(diags, &all.found[i]);
        else if (rows[i].run)
            rows[i].run(&rows[i], e, diags);
        fl_arena_adopt(diags->arena, a);
    }
}

fl_diag *chk_report(const chk_row *row, fl_diags *diags, fl_span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *message = fl_vprintf(diags->arena, fmt, ap);
    va_end(ap);
    return fl_diag_add(diags, row->name, row->severity, at, "%s", message);
}

/* ---- what a diagnostic is about ---- */

fl_diag *chk_about_side(fl_diag *d, const est_side *s, const char *path)
{
    d->about = (fl_thing){"topic", s->topic->name.s, est_side_name(s), path};
    return d;
}

fl_diag *chk_about_topic(fl_diag *d, const est_topic *t)
{
    d->about = (fl_thing){"topic", t->name.s, NULL, NULL};
    return d;
}

fl_diag *chk_about_kek(fl_diag *d, const est_kek *k)
{
    d->about = (fl_thing){"kek", k->name.s, NULL, NULL};
    return d;
}

fl_diag *chk_about_connector(fl_diag *d, const est_connector *c, const char *property)
{
    d->about = (fl_thing){"connector", c->name.s, NULL, property};
    return d;
}

fl_diag *chk_about_platform(fl_diag *d)
{
    d->about = (fl_thing){.kind = "platform"};
    return d;
}

/* ---- shared by the checks on fields ---- */

void chk_each_side(const est_estate *e, void (*fn)(const est_side *s, void *ctx), void *ctx)
{
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_topic *t = e->topics.v[i];
        if (t->key.schema)
            fn(&t->key, ctx);
        if (t->value.schema)
            fn(&t->value, ctx);
    }
}

bool chk_must_encrypt(const est_estate *e, const char *tag)
{
    const est_tag *t = est_find_tag(e, tag);
    return t && !t->clear.s;
}

const est_encrypt *chk_by_tags(const est_side *s)
{
    for (size_t i = 0; i < s->encrypts.n; i++)
        if (!s->encrypts.v[i].payload)
            return &s->encrypts.v[i];
    return NULL;
}

bool chk_names_tag(const est_side *s, const char *tag)
{
    for (size_t i = 0; i < s->encrypts.n; i++)
        for (size_t k = 0; k < s->encrypts.v[i].tags.n; k++)
            if (!strcmp(s->encrypts.v[i].tags.v[k].s, tag))
                return true;
    return false;
}

bool chk_needs_rule(const est_estate *e, const est_side *s, const char *tag)
{
    return chk_must_encrypt(e, tag) && (!s->payload || chk_names_tag(s, tag));
}

const est_text *chk_line_secret(const est_estate *e, const est_side *s, const est_field *f)
{
    for (size_t i = 0; i < f->tags.n; i++)
        if (chk_needs_rule(e, s, f->tags.v[i].s))
            return &f->tags.v[i];
    return NULL;
}

const char *chk_leaf_secret(const est_estate *e, const est_side *s, const est_leaf *l)
{
    for (size_t i = 0; i < l->tags.n; i++)
        if (chk_needs_rule(e, s, l->tags.v[i]))
            return l->tags.v[i];
    return NULL;
}

bool chk_carries(const est_leaf *l, const char *tag)
{
    for (size_t i = 0; i < l->tags.n; i++)
        if (!strcmp(l->tags.v[i], tag))
            return true;
    return false;
}

const char *chk_path_text(fl_arena *a, const char *path)
{
    return strchr(path, '"') || *path == '[' ? fl_printf(a, "'%s'", path) : path;
}
