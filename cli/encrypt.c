/* encrypt.c: `flec encrypt`: plain records in on standard input, wire records out on standard output. */
#include "cli/crypto.h"
#include "cli/opt.h"
#include "cli/sides.h"
#include "cli/verbs.h"

static const char *const from[] = {"json", "hex", "raw", "envelope", NULL}; /* as rt_format */
static const char *const to[] = {"hex", "raw", "envelope", NULL};           /* rt_format without its first */

int cli_encrypt(int argc, char **argv)
{
    cli_sides_options o = {.from = RT_JSON};
    const cli_opt opts[] = {
        {"plan", 0, CLI_TEXT, NULL, "FILE", "plan.json of a build", &o.plan},
        {"topic", 0, CLI_TEXT, NULL, "TOPIC", "the topic whose rules apply", &o.topic},
        {"key", 0, CLI_FLAG, NULL, NULL, "json, hex and raw carry the record's key", &o.key},
        {"registry", 0, CLI_TEXT, NULL, "URL", "file://DIR, an embedded registry, made if absent; or http(s)://…",
         &o.registry},
        {"from", 0, CLI_ENUM, from, NULL, "form of the records that come in (json)", &o.from},
        {"to", 0, CLI_ENUM, to, NULL, "form of the records that go out (hex)", &o.to},
        {"framing", 0, CLI_ENUM, cli_framings, NULL,
         "a record names its schema by id in front of it, or by guid in a header (envelope) (id)", &o.framing},
        {"bytes", 0, CLI_ENUM, cli_bytes_modes, NULL, "bytes in json: Avro's text, or base64", &o.bytes},
        {"on-error", 0, CLI_ENUM, cli_error_modes, NULL, "a record that fails stops the run, or is left out (stop)",
         &o.on_error},
        {"crypto", 0, CLI_ENUM, cli_cryptos, NULL, CLI_CRYPTO_HELP, &o.crypto},
        {"config", 0, CLI_TEXT, NULL, "FILE", "client settings, key=value", &o.config},
        {0},
    };
    const cli_command cmd = {"encrypt", "--plan FILE --topic TOPIC", "encrypts records as a plan says", opts, 0, 0};
    cli_args args;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    if (!o.plan)
        return cli_usage(&cmd, "what shall be encrypted how? --plan is missing");
    o.to += RT_HEX;
    return (int)cli_transcode(&cmd, &o);
}
