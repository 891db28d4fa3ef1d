/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/data_ref.h - a part of the record under way, shared by who knows where it is and who reads it.
 *
 * A source moves the reference before each record; everybody who holds it sees the move. The bus
 * has one for the header of the record (leat_bus_header). All holders are in one thread.
 */
#ifndef LEAT_DATA_REF_H
#define LEAT_DATA_REF_H

#include <leat/event.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_data_ref;

/**
 * leat_data_ref_new - a reference to nothing.
 *
 * Ownership: one reference, the caller's, until leat_data_ref_put.   Errors: -ENOMEM.
 */
int leat_data_ref_new(struct leat_data_ref **out);
/** leat_data_ref_get - another holder; returns @d. */
struct leat_data_ref *leat_data_ref_get(struct leat_data_ref *d);
/** leat_data_ref_put - one holder less; NULL is accepted in *@d; nulls the pointer. */
void leat_data_ref_put(struct leat_data_ref **d);
/**
 * leat_data_ref_move - refer to another part from now on.
 * @start: bytes from the record's start.
 * @len:   bytes.
 *
 * Returns where the part ends, so that calls for parts in a row chain.
 */
uint32_t leat_data_ref_move(struct leat_data_ref *d, uint32_t start, uint32_t len);
/** leat_data_ref_reset - refer to nothing. */
void leat_data_ref_reset(struct leat_data_ref *d);
/** leat_data_ref_range - where it is: start and end, in bytes from the record's start. */
void leat_data_ref_range(const struct leat_data_ref *d, uint32_t *start, uint32_t *end);
/** leat_data_ref_read - the part of a record; empty, and counted, when it ends behind the record. */
struct leat_slice leat_data_ref_read(struct leat_data_ref *d, const struct leat_record *r);
/** leat_data_ref_short_cnt - how often a part ended behind its record. */
uint64_t leat_data_ref_short_cnt(const struct leat_data_ref *d);

#ifdef __cplusplus
}
#endif

#endif
