/* leaks.c: ways past the ciphertext: logs, object keys, targets. */
#include "compiler/check/check.h"

void chk_error_log_in_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_partitioned_by_encrypted_field(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_read_failure_to_target(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
