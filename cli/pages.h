/* pages.h: docs/checks/NAME.md inside the program, for `flec explain`. Made by pages_tool.c when the program is built.
 */
#ifndef FLEC_CLI_PAGES_H
#define FLEC_CLI_PAGES_H

#include <stddef.h>

typedef struct cli_page {
    const char *name; /* of the check */
    const char *text; /* Markdown */
} cli_page;
extern const cli_page cli_pages[]; /* in order of name */
extern const size_t cli_npages;

#endif
