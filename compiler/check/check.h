/* check.h: the table of checks: one row and one function a check. The table drives the checker, `flec explain`,
 * docs/checks/ and the output formats. Names and severities are part of the language (docs/checks/README.md). */
#ifndef FLEC_COMPILER_CHECK_H
#define FLEC_COMPILER_CHECK_H

#include "compiler/estate.h"

/* Free: a reason is enough. Dated: it guards plaintext or availability, so a waiver needs an end. */
typedef enum { CHK_FREE, CHK_DATED, CHK_NEVER } chk_waiver;

typedef struct chk_row {
    const char *name;
    fl_severity severity;
    chk_waiver waiver;
    const char *doc; /* one line */
    /* Finds what the check is about and reports it. NULL for checks that parsing and resolution make on their way
     * (syntax, unknown-name, …). */
    void (*run)(const struct chk_row *row, const est_estate *e, fl_diags *diags);
} chk_row;

const chk_row *chk_rows(size_t *n); /* in the order in which they run and are documented */
const chk_row *chk_find(const char *name);
void chk_run_all(const est_estate *e, fl_diags *diags);

/* Reports with the row's name and severity. */
fl_diag *chk_report(const chk_row *row, fl_diags *diags, fl_span at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* What a diagnostic is about, for waivers: a side, or one leaf or path of it; a whole topic; a KEK; a connector, or one
 * property of it; the platform. Every check that may be waived says it. Return d. */
fl_diag *chk_about_side(fl_diag *d, const est_side *s, const char *path); /* path: NULL, or canonical */
fl_diag *chk_about_topic(fl_diag *d, const est_topic *t);
fl_diag *chk_about_kek(fl_diag *d, const est_kek *k);
fl_diag *chk_about_connector(fl_diag *d, const est_connector *c, const char *property); /* property: or NULL */
fl_diag *chk_about_platform(fl_diag *d);

/* What only the estates of all environments together can tell: kek-differs where two have one registry. */
void chk_keks_of_environments(const est_estate *const *all, size_t n, fl_diags *diags);

/* An edit: `text` instead of what stands there. What is written once and counts in several places (a default, a
 * statement repeated for the rows of a list) is never safe to change: it may be right in another one. */
void chk_fix(fl_diags *diags, fl_diag *d, fl_span at, const char *text, bool safe);
/* The word at a place is none of `names`: where just one of them is a letter away, an edit writes that one. `safe` if
 * the word has no part in what is encrypted. Nothing where the place says the word in another way (a variable). */
void chk_fix_near(fl_diags *diags, fl_diag *d, fl_span at, const char *word, const char *const *names, size_t n,
                  bool safe);

/* The functions, by file: sides.c, fields.c, tags.c, encryption.c, keys.c, platform.c, connectors.c, properties.c,
 * values.c, kms.c, walked.c, wider.c, routing.c, sources.c, leaks.c, constraints.c, key_use.c, grants.c, personal.c,
 * rules.c, clients.c, evolution.c. */
#define CHK_FUNCTIONS(X)                                                                                               \
    X(topic_undecided)                                                                                                 \
    X(clear_expired)                                                                                                   \
    X(cannot_encrypt_type)                                                                                             \
    X(tag_on_record)                                                                                                   \
    X(silent_plaintext_union)                                                                                          \
    X(tag_wider_than_path)                                                                                             \
    X(tags_by_name)                                                                                                    \
    X(tag_not_encrypted)                                                                                               \
    X(idle_rule)                                                                                                       \
    X(unknown_tag)                                                                                                     \
    X(encrypted_twice)                                                                                                 \
    X(field_not_listed)                                                                                                \
    X(random_key_encryption)                                                                                           \
    X(kek_key_id)                                                                                                      \
    X(kek_name)                                                                                                        \
    X(unused_kek)                                                                                                      \
    X(platform_version)                                                                                                \
    X(connector_version)                                                                                               \
    X(not_csfle_connector)                                                                                             \
    X(no_principal)                                                                                                    \
    X(undefined_topic)                                                                                                 \
    X(reporter_in_clear)                                                                                               \
    X(auto_registration)                                                                                               \
    X(generated_property)                                                                                              \
    X(unknown_property)                                                                                                \
    X(missing_property)                                                                                                \
    X(property_type)                                                                                                   \
    X(property_value)                                                                                                  \
    X(secret_literal)                                                                                                  \
    X(unknown_provider)                                                                                                \
    X(kms_parameters_missing)                                                                                          \
    X(kms_parameters_clash)                                                                                            \
    X(path_not_walked)                                                                                                 \
    X(client_leaves_clear)                                                                                             \
    X(client_may_leave_clear)                                                                                          \
    X(client_fails)                                                                                                    \
    X(rule_refused)                                                                                                    \
    X(rule_name)                                                                                                       \
    X(transform_may_copy)                                                                                              \
    X(property_constraint)                                                                                             \
    X(topic_mismatch)                                                                                                  \
    X(side_topic_undefined)                                                                                            \
    X(type_changing_mode)                                                                                              \
    X(error_log_in_clear)                                                                                              \
    X(partitioned_by_encrypted_field)                                                                                  \
    X(ciphertext_to_source)                                                                                            \
    X(read_failure_to_target)                                                                                          \
    X(derived_schema)                                                                                                  \
    X(nested_base64_decimal)                                                                                           \
    X(opaque_json)                                                                                                     \
    X(stale_rules)                                                                                                     \
    X(assume_role_loop)                                                                                                \
    X(kek_differs)                                                                                                     \
    X(gcm_without_rotation)                                                                                            \
    X(local_kms)                                                                                                       \
    X(suspicious_untagged_field)                                                                                       \
    X(unused_grant)                                                                                                    \
    X(wide_grant)                                                                                                      \
    X(evolution_algorithm)                                                                                             \
    X(evolution_kek)                                                                                                   \
    X(evolution_rotation)                                                                                              \
    X(evolution_subject)                                                                                               \
    X(evolution_removed)                                                                                               \
    X(evolution_history)                                                                                               \
    X(incompatible_schema)
#define CHK_DECLARE(f) void chk_##f(const chk_row *row, const est_estate *e, fl_diags *diags);
CHK_FUNCTIONS(CHK_DECLARE)

/* payload.c: the part of client-may-leave-clear that is about workers and bodies that are encrypted whole. */
void chk_payload_by_workers(const chk_row *row, const est_estate *e, fl_diags *diags);

/* ---- shared by the checks on fields ---- */

/* Calls fn for the key and the value side of every topic that has a readable schema. */
void chk_each_side(const est_estate *e, void (*fn)(const est_side *s, void *ctx), void *ctx);
/* Is the tag declared, and must what carries it be encrypted? */
bool chk_must_encrypt(const est_estate *e, const char *tag);
/* Must a rule by tags encrypt what carries the tag on this side? Not where the whole body is encrypted, unless an
 * `encrypt` line of the side names the tag all the same. */
bool chk_needs_rule(const est_estate *e, const est_side *s, const char *tag);
/* The first tag of a field line, of a leaf, for which that holds; NULL. */
const est_text *chk_line_secret(const est_estate *e, const est_side *s, const est_field *f);
const char *chk_leaf_secret(const est_estate *e, const est_side *s, const est_leaf *l);
/* The first `encrypt` line of the side that works by tags; NULL. */
const est_encrypt *chk_by_tags(const est_side *s);
/* Does an `encrypt` line of the side name the tag? */
bool chk_names_tag(const est_side *s, const char *tag);
bool chk_carries(const est_leaf *l, const char *tag);
/* A canonical path as a policy writes it: in '…' where a name or the beginning asks for it. */
const char *chk_path_text(fl_arena *a, const char *path);

#endif
