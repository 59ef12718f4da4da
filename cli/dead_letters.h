/* dead_letters.h: topics on Kafka for records whose rule failed (onFailure DLQ). */
#ifndef FLEC_CLI_DEAD_LETTERS_H
#define FLEC_CLI_DEAD_LETTERS_H

#include "runtime/config.h"
#include "runtime/records.h"

typedef struct cli_dead_letters cli_dead_letters;

/* The cluster of the settings: bootstrap.servers and what librdkafka knows of security.…, sasl.…, ssl.…, client.id.
 * *out NULL: they name none. Settings are resolved; the connection is made with the first record. */
rt_code cli_dead_letters_open(const rt_config *c, cli_dead_letters **out, rt_error *err);
void cli_dead_letters_close(cli_dead_letters *d); /* NULL is allowed */
rt_code cli_bury(void *ctx, const char *topic, const rt_message *m, rt_error *err);

#endif
