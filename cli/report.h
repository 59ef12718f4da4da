/* report.h: diagnostics in the forms that other programs read: SARIF 2.1.0, annotations of GitHub. */
#ifndef FLEC_CLI_REPORT_H
#define FLEC_CLI_REPORT_H

#include "base/base.h"

/* A SARIF log with one run: every check as a rule with its page, every diagnostic, and what the policy waives as
 * suppressed results. Columns are Unicode code points. */
void cli_sarif(const fl_diags *ds, fl_buf *out);
/* A workflow command a diagnostic: `::error file=…,line=…,col=…,endLine=…,endColumn=…,title=CHECK::MESSAGE`. */
void cli_github(const fl_diags *ds, fl_buf *out);

#endif
