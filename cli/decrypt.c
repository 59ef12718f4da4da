/* decrypt.c: `flec decrypt`: wire records in on standard input, plain records out on standard output. */
#include "cli/crypto.h"
#include "cli/opt.h"
#include "cli/sides.h"
#include "cli/verbs.h"

static const char *const from[] = {"hex", "raw", "envelope", NULL};       /* rt_format without its first */
static const char *const to[] = {"json", "hex", "raw", "envelope", NULL}; /* as rt_format */

static const char *const schemas[] = {"written", "latest", NULL};

int cli_decrypt(int argc, char **argv)
{
    cli_sides_options o = {.decrypt = true};
    const cli_opt opts[] = {
        {"plan", 0, CLI_TEXT, NULL, "FILE",
         "plan.json of a build; without it schema and rules are those of the record's schema id", &o.plan},
        {"topic", 0, CLI_TEXT, NULL, "TOPIC", "the topic the records come from", &o.topic},
        {"key", 0, CLI_FLAG, NULL, NULL, "json, hex and raw carry the record's key", &o.key},
        {"registry", 0, CLI_TEXT, NULL, "URL", "file://DIR, an embedded registry; or http(s)://…", &o.registry},
        {"from", 0, CLI_ENUM, from, NULL, "form of the records that come in (hex)", &o.from},
        {"to", 0, CLI_ENUM, to, NULL, "form of the records that go out (json)", &o.to},
        {"schema", 0, CLI_ENUM, schemas, NULL,
         "Avro values as their record's schema has them, or as the plan's or the subject's latest (written)",
         &o.schema},
        {"bytes", 0, CLI_ENUM, cli_bytes_modes, NULL, "bytes in json: Avro's text, or base64", &o.bytes},
        {"on-error", 0, CLI_ENUM, cli_error_modes, NULL, "a record that fails stops the run, or is left out (stop)",
         &o.on_error},
        {"crypto", 0, CLI_ENUM, cli_cryptos, NULL, CLI_CRYPTO_HELP, &o.crypto},
        {"config", 0, CLI_TEXT, NULL, "FILE", "client settings, key=value", &o.config},
        {0},
    };
    const cli_command cmd = {"decrypt",
                             "(--plan FILE | --registry URL) --topic TOPIC",
                             "decrypts records that a registry's clients wrote",
                             opts,
                             0,
                             0};
    cli_args args;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    if (!o.plan && !o.registry && !o.config)
        return cli_usage(&cmd, "by which rules? --plan or --registry is missing");
    o.from += RT_HEX;
    return (int)cli_transcode(&cmd, &o);
}
