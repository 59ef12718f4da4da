/* journal.h: the durable form of the embedded registry: one append-only log in a folder.
 *
 *   DIR/registry.log       mode 0600: a header line of 64 bytes, then one line a record
 *   DIR/registry.log.new   while the log is written anew; left by a crash it means nothing
 *   DIR/stand-in.key       mode 0600: 32 random bytes, the secret of the KMS that stands in for shared KEKs; only when
 *                          one was needed
 *   DIR/lock               held while a process has the registry open
 *
 *   flec-registry 3 committed 0000000000004711 9f86d081884c7d65<spaces>\n      the offset up to which writes were
 * acknowledged, and its check 9f86d081884c7d65 {"op":"kek",…}\n                                          check =
 * SHA-256 of offset and JSON, 16 hex digits
 *
 * A write appends its line, waits for fdatasync, moves the mark in the header, and is then acknowledged. So:
 *   - damage before the mark is damage to something acknowledged, also in the very last record: refused, nothing is
 * changed;
 *   - damage from the mark on is a write that a crash interrupted: cut off. A whole record there was written but not
 *     acknowledged: it is kept.
 *   - The mark itself is not synced (it goes with the next write): after a loss of power it may lag, never lead. If it
 * is damaged, everything counts as acknowledged: a log that is whole opens, any other is refused.
 *
 * Writing it anew (rt_store_tidy) makes a whole log beside it, syncs that, renames it over the old one and syncs the
 * folder; only then anything more is written. Both logs say the same, so it does not matter which one a crash leaves.
 *
 * Formats: 1 has no deletions, settings or times of versions; 2 has no records of contexts. Both are read as they are
 * and get a header of format 3. */
#ifndef FLEC_RUNTIME_JOURNAL_H
#define FLEC_RUNTIME_JOURNAL_H

#include "runtime/store.h"

#define RT_LOG_MAX ((size_t)1 << 30)

/* Opens or makes DIR, takes its lock, replays the log into the store and becomes its journal. */
rt_code rt_journal_open(const char *dir, rt_store *into, rt_error *err);

#endif
