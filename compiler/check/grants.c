/* grants.c: grants against what the estate needs. */
#include "compiler/check/check.h"

void chk_unused_grant(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_wide_grant(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_unknown_principal(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
