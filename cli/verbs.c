/* verbs.c: the table of commands: what the program runs, its help, manual and completion. */
#include "cli/verbs.h"

const cli_verb cli_verbs[] = {
    {"check", cli_check, "parse, resolve and check a policy"},
    {"build", cli_build, "check, then write the artefacts of a policy"},
    {"test", cli_test, "run the tests of a policy, or of a build directory as it lies"},
    {"fmt", cli_fmt, "bring policies into the canonical form"},
    {"encrypt", cli_encrypt, "records in, wire records out"},
    {"decrypt", cli_decrypt, "wire records in, records out"},
    {"serve", cli_serve, "the embedded registry over HTTP, for tests of any client"},
    {"registry", cli_registry, "an embedded registry as a file of JSON, and back"},
    {"catalog", cli_catalog, "connectors and their properties"},
    {"explain", cli_explain, "what a check means, or why a field is or is not encrypted"},
    {"completion", cli_completion, "a script that completes commands and options in a shell"},
    {0},
};

size_t cli_nverbs(void)
{
    return sizeof cli_verbs / sizeof *cli_verbs - 1;
}
