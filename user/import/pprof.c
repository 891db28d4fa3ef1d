/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/pprof.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "import/pprof_impl.h"

#define MAX_ITEMS (16u << 20) /* strings, functions, locations, mappings: of each */
#define MAX_TYPES 64

void leat_pprof_fini(struct leat_pprof *x)
{
	free(x->strings);
	free(x->types);
	free(x->mappings);
	free(x->functions);
	free(x->locations);
	free(x->frames);
	free(x->comments);
	leat_index_fini(&x->mapping_ix);
	leat_index_fini(&x->function_ix);
	leat_index_fini(&x->location_ix);
}

int leat_pprof_string(const struct leat_pprof *x, uint64_t i, struct leat_pprof_text *out)
{
	if (i >= x->string_cnt)
		return -EBADMSG;
	*out = x->strings[i];
	return 0;
}

bool leat_pprof_is(const struct leat_pprof *x, uint64_t i, const char *what)
{
	return i < x->string_cnt && x->strings[i].n == strlen(what) &&
	       memcmp(x->strings[i].s, what, x->strings[i].n) == 0;
}

/* ---- things with an id ---- */

static bool mapping_eq(const void *ctx, uint32_t value, const void *key)
{
	return ((const struct leat_pprof_mapping *)ctx)[value].id == *(const uint64_t *)key;
}

static bool function_eq(const void *ctx, uint32_t value, const void *key)
{
	return ((const struct leat_pprof_function *)ctx)[value].id == *(const uint64_t *)key;
}

static bool location_eq(const void *ctx, uint32_t value, const void *key)
{
	return ((const struct leat_pprof_location *)ctx)[value].id == *(const uint64_t *)key;
}

struct leat_pprof_mapping *leat_pprof_mapping(const struct leat_pprof *x, uint64_t id)
{
	uint32_t i =
		leat_index_find(&x->mapping_ix, leat_hash_u64(id), mapping_eq, x->mappings, &id);

	return i == LEAT_INDEX_NONE ? NULL : &x->mappings[i];
}

struct leat_pprof_function *leat_pprof_function(const struct leat_pprof *x, uint64_t id)
{
	uint32_t i =
		leat_index_find(&x->function_ix, leat_hash_u64(id), function_eq, x->functions, &id);

	return i == LEAT_INDEX_NONE ? NULL : &x->functions[i];
}

struct leat_pprof_location *leat_pprof_location(const struct leat_pprof *x, uint64_t id)
{
	uint32_t i =
		leat_index_find(&x->location_ix, leat_hash_u64(id), location_eq, x->locations, &id);

	return i == LEAT_INDEX_NONE ? NULL : &x->locations[i];
}

/* ---- the messages ---- */

/* Numbers of a message's fields 1 to @n; those that are not there are 0. */
static int take_numbers(struct leat_reader r, uint64_t *values, size_t n)
{
	struct leat_proto_field f;
	int err = 0;

	memset(values, 0, n * sizeof(*values));
	while (!err && leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (!err && f.number <= n)
			values[f.number - 1] = f.value;
	}
	return err;
}

static int take_type(const struct leat_proto_field *f, struct leat_pprof_type *t)
{
	uint64_t v[2];
	int err = take_numbers(f->body, v, LEAT_ARRAY_SIZE(v));

	if (!err)
		*t = (struct leat_pprof_type){ .type = v[0], .unit = v[1] };
	return err;
}

static int add_type(struct leat_pprof *x, const struct leat_proto_field *f)
{
	struct leat_pprof_type t;
	int err = take_type(f, &t);

	if (!err)
		err = LEAT_ARRAY_ROOM(x->types, x->type_cap, x->type_cnt + 1, MAX_TYPES);
	if (!err)
		x->types[x->type_cnt++] = t;
	return err;
}

/* A thing with an id of its own, "mapping", "function", "location", into its table. */
#define ADD_NEW(x, what, item)                                                                     \
	({                                                                                         \
		int err_ = !(item).id || leat_pprof_##what(x, (item).id) ? -EBADMSG : 0;           \
                                                                                                   \
		if (!err_)                                                                         \
			err_ = LEAT_ARRAY_ROOM((x)->what##s, (x)->what##_cap, (x)->what##_cnt + 1, \
					       MAX_ITEMS);                                         \
		if (!err_)                                                                         \
			err_ = leat_index_add(&(x)->what##_ix, leat_hash_u64((item).id),           \
					      (uint32_t)(x)->what##_cnt);                          \
		if (!err_)                                                                         \
			(x)->what##s[(x)->what##_cnt++] = (item);                                  \
		err_;                                                                              \
	})

static int add_mapping(struct leat_pprof *x, const struct leat_proto_field *field)
{
	uint64_t v[6];
	int err = take_numbers(field->body, v, LEAT_ARRAY_SIZE(v));
	struct leat_pprof_mapping m = {
		.id = v[0],
		.start = v[1],
		.limit = v[2],
		.offset = v[3],
		.file = v[4],
		.build_id = v[5],
		.object = LEAT_ID_NONE,
	};

	return err ? err : ADD_NEW(x, mapping, m);
}

static int add_function(struct leat_pprof *x, const struct leat_proto_field *field)
{
	uint64_t v[5];
	int err = take_numbers(field->body, v, LEAT_ARRAY_SIZE(v));
	struct leat_pprof_function fn = {
		.id = v[0],
		.name = v[1],
		.system_name = v[2],
		.file = v[3],
		.line = v[4],
	};

	return err ? err : ADD_NEW(x, function, fn);
}

/* Its lines are read when it is first used. */
static int add_location(struct leat_pprof *x, const struct leat_proto_field *field)
{
	uint64_t v[3];
	int err = take_numbers(field->body, v, LEAT_ARRAY_SIZE(v));
	struct leat_pprof_location l = {
		.id = v[0],
		.mapping = v[1],
		.address = v[2],
		.body = field->body,
	};

	return err ? err : ADD_NEW(x, location, l);
}

static int add_string(struct leat_pprof *x, const struct leat_proto_field *f)
{
	int err = LEAT_ARRAY_ROOM(x->strings, x->string_cap, x->string_cnt + 1, MAX_ITEMS);

	if (!err)
		x->strings[x->string_cnt++] =
			(struct leat_pprof_text){ .s = (const char *)f->body.base,
						  .n = f->body.len };
	return err;
}

static int add_comments(struct leat_pprof *x, struct leat_proto_field *f)
{
	uint64_t v;
	int rc;

	while ((rc = leat_proto_repeated(f, &v)) > 0) {
		int err =
			LEAT_ARRAY_ROOM(x->comments, x->comment_cap, x->comment_cnt + 1, MAX_ITEMS);

		if (err)
			return err;
		x->comments[x->comment_cnt++] = v;
	}
	return rc;
}

static bool is_message(uint32_t number)
{
	return (number >= 1 && number <= 6) || number == 11;
}

static int take_field(struct leat_pprof *x, struct leat_proto_field *f)
{
	if (is_message(f->number) && f->type != 2)
		return -EBADMSG;
	switch (f->number) {
	case 1:
		return add_type(x, f);
	case 3:
		return add_mapping(x, f);
	case 4:
		return add_location(x, f);
	case 5:
		return add_function(x, f);
	case 6:
		return add_string(x, f);
	case 9:
		x->time_ns = f->value;
		return 0;
	case 10:
		x->duration_ns = f->value;
		return 0;
	case 11:
		return take_type(f, &x->period_type);
	case 12:
		x->period = f->value;
		return 0;
	case 13:
		return add_comments(x, f);
	case 14:
		x->default_type = f->value;
		return 0;
	default:
		return 0;
	}
}

int leat_pprof_each(struct leat_pprof *x, int (*fn)(struct leat_pprof *, struct leat_proto_field *))
{
	struct leat_reader r = x->whole;
	struct leat_proto_field f;
	int err = 0;

	while (!err && leat_reader_left(&r)) {
		x->at = r.off;
		err = leat_proto_next(&r, &f);
		if (!err)
			err = fn(x, &f);
	}
	return err;
}

static int say(const struct leat_pprof *x, int err, const char *name, struct leat_diag *d)
{
	if (err == -ENODATA)
		return leat_diag_set(d, err, LEAT_EXIT_INPUT,
				     "%s: cut, or damaged, in the field at byte %zu", name, x->at);
	if (err == -EBADMSG)
		return leat_diag_set(d, err, LEAT_EXIT_INPUT,
				     "%s: malformed pprof data in the field at byte %zu", name,
				     x->at);
	return err;
}

int leat_pprof_parse(struct leat_build *b, const struct leat_import_opts *o, const char *p,
		     size_t n, const char *name, struct leat_diag *d)
{
	LEAT_AUTO(leat_pprof_fini)
	struct leat_pprof x = { .b = b, .whole = leat_reader_of(p, n), .name = name };
	int err = leat_pprof_each(&x, take_field);

	if (!err)
		err = leat_pprof_choose(&x, o, d);
	if (!err)
		err = leat_pprof_each(&x, leat_pprof_take_sample);
	if (!err)
		err = leat_pprof_meta(&x);
	return say(&x, err, name, d);
}
