/* rules.c: rules that are passed through. */
#include "compiler/check/check.h"

void chk_rule_refused(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_rule_name(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_transform_may_copy(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
