/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/value.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define NS_PER_S	1000000000ull
#define MAX_DIGITS_FRAC 9

void leat_cli_ids_fini(struct leat_cli_ids *l)
{
	free(l->items);
	*l = (struct leat_cli_ids){ 0 };
}

void leat_cli_strs_fini(struct leat_cli_strs *l)
{
	free(l->items);
	*l = (struct leat_cli_strs){ 0 };
}

int leat_cli_ids_add(struct leat_cli_ids *l, uint32_t v)
{
	int err;

	for (size_t i = 0; i < l->n; i++)
		if (l->items[i] == v)
			return 0;
	err = LEAT_ARRAY_ROOM(l->items, l->cap, l->n + 1, LEAT_CLI_MAX_LIST);
	if (err)
		return err;
	l->items[l->n++] = v;
	return 0;
}

int leat_cli_strs_add(struct leat_cli_strs *l, const char *s)
{
	int err = LEAT_ARRAY_ROOM(l->items, l->cap, l->n + 1, LEAT_CLI_MAX_LIST);

	if (err)
		return err;
	l->items[l->n++] = s;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits at *@s and moves it behind them. */
static int scan_u64(const char **s, uint64_t *out)
{
	uint64_t v = 0;

	if (!is_digit(**s))
		return -EINVAL;
	for (; is_digit(**s); (*s)++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**s - '0'), &v))
			return -ERANGE;
	*out = v;
	return 0;
}

int leat_cli_value_u64(const char *s, uint64_t *out)
{
	uint64_t v;
	int err = scan_u64(&s, &v);

	if (err)
		return err;
	if (*s)
		return -EINVAL;
	*out = v;
	return 0;
}

/* "12", "1.5": the value times @scale, without floating point. */
static int scan_decimal(const char **s, uint64_t scale, uint64_t *out)
{
	uint64_t whole = 0, frac = 0, unit = 1;
	int err = scan_u64(s, &whole);

	if (err)
		return err;
	if (**s == '.') {
		(*s)++;
		if (!is_digit(**s))
			return -EINVAL;
		for (int i = 0; is_digit(**s); (*s)++, i++) {
			if (i >= MAX_DIGITS_FRAC)
				continue;
			frac = frac * 10 + (uint64_t)(**s - '0');
			unit *= 10;
		}
	}
	if (__builtin_mul_overflow(whole, scale, &whole))
		return -ERANGE;
	/* frac < unit <= 1e9 and scale <= 3.6e12: neither product exceeds 64 bits. */
	frac = scale / unit * frac + scale % unit * frac / unit;
	return __builtin_add_overflow(whole, frac, out) ? -ERANGE : 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit *scan_unit(const char **s, const struct unit *units, size_t n)
{
	size_t len = 0;

	while ((*s)[len] && !is_digit((*s)[len]) && (*s)[len] != '.')
		len++;
	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].name) == len && strncasecmp(units[i].name, *s, len) == 0) {
			*s += len;
			return &units[i];
		}
	}
	return NULL;
}

/* The unit that follows the number at @s, without moving. */
static const struct unit *peek_unit(const char *s, const struct unit *units, size_t n)
{
	while (is_digit(*s) || *s == '.')
		s++;
	return scan_unit(&s, units, n);
}

int leat_cli_value_duration(const char *s, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "", NS_PER_S },	  { "us", 1000 },	    { "ms", 1000000 },
		{ "s", NS_PER_S },	  { "sec", NS_PER_S },	    { "m", 60 * NS_PER_S },
		{ "min", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
	};
	uint64_t sum = 0;
	bool bare = false;

	if (!*s)
		return -EINVAL;
	while (*s) {
		const struct unit *u = peek_unit(s, units, LEAT_ARRAY_SIZE(units));
		uint64_t part;
		int err;

		/* A number without a unit stands alone: "1m30" is refused, "90" is fine. */
		if (!u || bare || (!*u->name && sum))
			return -EINVAL;
		bare = !*u->name;
		err = scan_decimal(&s, u->factor, &part);
		if (err)
			return err;
		if (!scan_unit(&s, units, LEAT_ARRAY_SIZE(units)))
			return -EINVAL;
		if (__builtin_add_overflow(sum, part, &sum))
			return -ERANGE;
	}
	*ns = sum;
	return 0;
}

int leat_cli_value_size(const char *s, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },	     { "b", 1 },	 { "k", 1u << 10 },   { "kb", 1u << 10 },
		{ "kib", 1u << 10 }, { "m", 1u << 20 },	 { "mb", 1u << 20 },  { "mib", 1u << 20 },
		{ "g", 1u << 30 },   { "gb", 1u << 30 }, { "gib", 1u << 30 },
	};
	const struct unit *u = peek_unit(s, units, LEAT_ARRAY_SIZE(units));
	uint64_t v;
	int err;

	if (!u)
		return -EINVAL;
	err = scan_decimal(&s, u->factor, &v);
	if (err)
		return err;
	if (!scan_unit(&s, units, LEAT_ARRAY_SIZE(units)) || *s)
		return -EINVAL;
	*bytes = v;
	return 0;
}

int leat_cli_value_percent(const char *s, double *out)
{
	uint64_t micro;
	int err = scan_decimal(&s, 1000000, &micro);

	if (err)
		return err;
	if (*s == '%')
		s++;
	if (*s)
		return -EINVAL;
	if (micro > 100 * 1000000ull)
		return -ERANGE;
	*out = (double)micro / 1e6;
	return 0;
}

int leat_cli_value_ids(const char *s, uint32_t min, uint32_t max, struct leat_cli_ids *out)
{
	for (;;) {
		uint64_t v;
		int err = scan_u64(&s, &v);

		if (!err && *s && *s != ',')
			err = -EINVAL;
		if (!err && (v < min || v > max))
			err = -ERANGE;
		if (!err)
			err = leat_cli_ids_add(out, (uint32_t)v);
		if (err)
			return err;
		if (!*s++)
			return 0;
	}
}

static int add_range(struct leat_cli_ids *out, uint64_t first, uint64_t last)
{
	if (last > LEAT_CLI_MAX_CPU)
		return -ERANGE;
	if (first > last)
		return -EINVAL;
	for (uint64_t cpu = first; cpu <= last; cpu++) {
		int err = leat_cli_ids_add(out, (uint32_t)cpu);

		if (err)
			return err;
	}
	return 0;
}

int leat_cli_value_cpus(const char *s, struct leat_cli_ids *out)
{
	for (;;) {
		uint64_t first, last;
		int err = scan_u64(&s, &first);

		last = first;
		if (!err && *s == '-') {
			s++;
			err = scan_u64(&s, &last);
		}
		if (!err && *s && *s != ',')
			err = -EINVAL;
		if (!err)
			err = add_range(out, first, last);
		if (err)
			return err;
		if (!*s++)
			return 0;
	}
}

/* By /etc/passwd alone: getpwnam would make a static program need the C library's plug-ins. */
static int find_user(const char *name, uint32_t *uid)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;
	int err = -ENOENT;

	if (!f)
		return -ENOENT;
	while (err && (pw = fgetpwent(f))) {
		if (strcmp(pw->pw_name, name) != 0)
			continue;
		*uid = (uint32_t)pw->pw_uid;
		err = 0;
	}
	fclose(f);
	return err;
}

static int one_user(const char *name, uint32_t *uid)
{
	uint64_t v;
	int err = leat_cli_value_u64(name, &v);

	if (err == -ERANGE || (!err && v >= UINT32_MAX))
		return -ERANGE;
	if (!err) {
		*uid = (uint32_t)v;
		return 0;
	}
	return *name ? find_user(name, uid) : -EINVAL;
}

int leat_cli_value_users(const char *s, struct leat_cli_ids *out)
{
	for (;;) {
		size_t len = strcspn(s, ",");
		char name[256];
		uint32_t uid;
		int err;

		if (len >= sizeof(name))
			return -EINVAL;
		memcpy(name, s, len);
		name[len] = '\0';
		err = one_user(name, &uid);
		if (!err)
			err = leat_cli_ids_add(out, uid);
		if (err)
			return err;
		if (!s[len])
			return 0;
		s += len + 1;
	}
}
