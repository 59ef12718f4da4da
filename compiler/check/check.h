/* check.h: the table of checks: one row and one function a check. The table drives the checker, `flec explain`, docs/checks/ and the output formats. Names
 * and severities are part of the language (docs/checks/README.md). */
#ifndef FLEC_COMPILER_CHECK_H
#define FLEC_COMPILER_CHECK_H

#include "compiler/estate.h"

typedef enum { CHK_FREE, CHK_DATED, CHK_NEVER } chk_waiver;

typedef struct chk_row {
    const char *name;
    fl_severity severity;
    chk_waiver waiver;
    const char *doc; /* one line */
    /* Finds what the check is about and reports it. NULL for checks that parsing and resolution make on their way (syntax, unknown-name, …). */
    void (*run)(const struct chk_row *row, const est_estate *e, fl_diags *diags);
} chk_row;

const chk_row *chk_rows(size_t *n);
const chk_row *chk_find(const char *name);
void chk_run_all(const est_estate *e, fl_diags *diags);

/* Reports with the row's name and severity. */
fl_diag *chk_report(const chk_row *row, fl_diags *diags, fl_span at, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Functions live in check/ by subject: fields.c, encryption.c, keys.c, platform.c (one author) and connectors.c, properties.c, topics.c (another). Each
 * file exports its functions through this list, kept in order of the table. */
#define CHK_FUNCTIONS(X)                                                                                               \
    X(topic_undecided) X(clear_expired) X(cannot_encrypt_type) X(tag_on_record) X(silent_plaintext_union)              \
    X(tag_wider_than_path) X(path_not_walked) X(tags_by_name) X(tag_not_encrypted) X(idle_rule) X(unknown_tag)         \
    X(encrypted_twice) X(field_not_listed) X(random_key_encryption) X(kek_key_id) X(kek_name) X(unused_kek)            \
    X(platform_version) X(connector_version) X(not_csfle_connector) X(no_principal) X(undefined_topic)                 \
    X(reporter_in_clear) X(auto_registration) X(generated_property) X(unknown_property) X(missing_property)            \
    X(property_type) X(property_value) X(secret_literal) X(unknown_provider) X(kms_parameters_missing)                 \
    X(kms_parameters_clash)
#define CHK_DECLARE(f) void chk_##f(const chk_row *row, const est_estate *e, fl_diags *diags);
CHK_FUNCTIONS(CHK_DECLARE)

#endif
