/* clients.c: what each client does with the constructs of a schema. */
#include "compiler/check/check.h"

void chk_client_leaves_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_client_may_leave_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_client_fails(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
