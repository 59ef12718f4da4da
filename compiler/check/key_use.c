/* key_use.c: how keys are used over the estate. */
#include "compiler/check/check.h"

void chk_gcm_without_rotation(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_local_kms(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_kek_differs(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_assume_role_loop(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_stale_rules(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
