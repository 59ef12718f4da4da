/* evolution.c: against the build that --previous names. */
#include "compiler/check/check.h"

void chk_evolution_algorithm(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_evolution_kek(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_evolution_rotation(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_evolution_subject(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_evolution_removed(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_evolution_history(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_incompatible_schema(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
