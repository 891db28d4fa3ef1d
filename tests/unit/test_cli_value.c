/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "../support/alloc.h"
#include "cli/value.h"

#define S 1000000000ull

struct row {
	const char *text;
	int err;
	uint64_t value;
};

static void check(int (*fn)(const char *, uint64_t *), const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = 12345;
		int err = fn(rows[i].text, &v);

		cr_expect(eq(int, err, rows[i].err), "\"%s\"", rows[i].text);
		cr_expect(eq(u64, v, rows[i].err ? 12345 : rows[i].value), "\"%s\"", rows[i].text);
	}
}

Test(value, u64_digits_only)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "99", 0, 99 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
	};

	check(leat_cli_value_u64, rows, LEAT_ARRAY_SIZE(rows));
}

Test(value, duration_forms)
{
	static const struct row rows[] = {
		{ "10", 0, 10 * S },
		{ "0", 0, 0 },
		{ "0.5", 0, S / 2 },
		{ "500ms", 0, S / 2 },
		{ "250us", 0, 250000 },
		{ "1.5s", 0, 3 * S / 2 },
		{ "2m", 0, 120 * S },
		{ "2min", 0, 120 * S },
		{ "1h", 0, 3600 * S },
		{ "1m30s", 0, 90 * S },
		{ "1h2m3s", 0, 3723 * S },
		{ "1H", 0, 3600 * S },
		{ "0.000000001s", 0, 1 },
		{ "0.0000000019s", 0, 1 },
		{ "0.999999999h", 0, 3599999996400 },
	};

	check(leat_cli_value_duration, rows, LEAT_ARRAY_SIZE(rows));
}

Test(value, duration_refused)
{
	static const struct row rows[] = {
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "abc", -EINVAL, 0 },
		{ "-5", -EINVAL, 0 },
		{ "5x", -EINVAL, 0 },
		{ "1m30", -EINVAL, 0 },
		{ "10 s", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 },
		{ "1.2.3", -EINVAL, 0 },
		{ "5s ", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },
		{ "1e9", -EINVAL, 0 },
		{ "18446744073709551615h", -ERANGE, 0 },
		{ "5124095h5124095h", -ERANGE, 0 },
	};

	check(leat_cli_value_duration, rows, LEAT_ARRAY_SIZE(rows));
}

Test(value, size_forms)
{
	static const struct row rows[] = {
		{ "65536", 0, 65536 },
		{ "64K", 0, 65536 },
		{ "64k", 0, 65536 },
		{ "64KiB", 0, 65536 },
		{ "8M", 0, 8 << 20 },
		{ "8MB", 0, 8 << 20 },
		{ "1G", 0, 1 << 30 },
		{ "1.5M", 0, 3 << 19 },
		{ "10b", 0, 10 },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "8X", -EINVAL, 0 },
		{ "8MM", -EINVAL, 0 },
		{ "8M1", -EINVAL, 0 },
		{ "-8M", -EINVAL, 0 },
		{ "8 M", -EINVAL, 0 },
		{ "18446744073709551615G", -ERANGE, 0 },
	};

	check(leat_cli_value_size, rows, LEAT_ARRAY_SIZE(rows));
}

Test(value, percent)
{
	static const struct {
		const char *text;
		int err;
		double value;
	} rows[] = {
		{ "0", 0, 0 },	       { "5", 0, 5 },		{ "2.5", 0, 2.5 },
		{ "2.5%", 0, 2.5 },    { "100", 0, 100 },	{ "100.1", -ERANGE, 0 },
		{ "-1", -EINVAL, 0 },  { "", -EINVAL, 0 },	{ "%", -EINVAL, 0 },
		{ "5%%", -EINVAL, 0 }, { "1e400", -EINVAL, 0 }, { "nan", -EINVAL, 0 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		double v = 0;

		cr_expect(eq(int, leat_cli_value_percent(rows[i].text, &v), rows[i].err), "%s",
			  rows[i].text);
		cr_expect(epsilon_eq(dbl, v, rows[i].value, 1e-9), "%s", rows[i].text);
	}
}

static void check_list(const char *text, int want, const char *numbers,
		       int (*fn)(const char *, struct leat_cli_ids *))
{
	struct leat_cli_ids l = { 0 };
	char got[256] = "";
	int len = 0, err = fn(text, &l);

	for (size_t i = 0; i < l.n && len < 200; i++)
		len += snprintf(got + len, sizeof(got) - (size_t)len, "%s%u", i ? " " : "",
				l.items[i]);
	cr_expect(eq(int, err, want), "\"%s\"", text);
	if (!want)
		cr_expect(eq(str, got, (char *)numbers), "\"%s\"", text);
	leat_cli_ids_fini(&l);
}

static int pids(const char *s, struct leat_cli_ids *l)
{
	return leat_cli_value_ids(s, 1, 4194304, l);
}

Test(value, ids)
{
	check_list("1", 0, "1", pids);
	check_list("1,2,3", 0, "1 2 3", pids);
	check_list("3,1,3", 0, "3 1", pids);
	check_list("4194304", 0, "4194304", pids);
	check_list("0", -ERANGE, "", pids);
	check_list("4194305", -ERANGE, "", pids);
	check_list("99999999999999999999999", -ERANGE, "", pids);
	check_list("", -EINVAL, "", pids);
	check_list("1,", -EINVAL, "", pids);
	check_list(",1", -EINVAL, "", pids);
	check_list("1,,2", -EINVAL, "", pids);
	check_list("1 2", -EINVAL, "", pids);
	check_list("1-3", -EINVAL, "", pids);
	check_list("nginx", -EINVAL, "", pids);
}

Test(value, cpus)
{
	check_list("0", 0, "0", leat_cli_value_cpus);
	check_list("0-3,8", 0, "0 1 2 3 8", leat_cli_value_cpus);
	check_list("2,0-2", 0, "2 0 1", leat_cli_value_cpus);
	check_list("65535", 0, "65535", leat_cli_value_cpus);
	check_list("65536", -ERANGE, "", leat_cli_value_cpus);
	check_list("0-99999999999", -ERANGE, "", leat_cli_value_cpus);
	check_list("3-1", -EINVAL, "", leat_cli_value_cpus);
	check_list("0-", -EINVAL, "", leat_cli_value_cpus);
	check_list("-1", -EINVAL, "", leat_cli_value_cpus);
	check_list("0-1-2", -EINVAL, "", leat_cli_value_cpus);
	check_list("", -EINVAL, "", leat_cli_value_cpus);
	check_list("all", -EINVAL, "", leat_cli_value_cpus);
}

Test(value, users)
{
	check_list("0", 0, "0", leat_cli_value_users);
	check_list("root", 0, "0", leat_cli_value_users);
	check_list("root,33,0", 0, "0 33", leat_cli_value_users);
	check_list("no-such-user", -ENOENT, "", leat_cli_value_users);
	check_list("4294967295", -ERANGE, "", leat_cli_value_users);
	check_list("", -EINVAL, "", leat_cli_value_users);
	check_list("root,", -EINVAL, "", leat_cli_value_users);
}

Test(value, lists_report_failed_allocations)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_cli_ids ids = { 0 };
		struct leat_cli_strs strs = { 0 };
		int a = leat_cli_value_cpus("0-40", &ids);
		int b = leat_cli_strs_add(&strs, "x");
		bool failed = leat_alloc_failed();

		leat_alloc_disarm();
		cr_expect(eq(int, failed, a == -ENOMEM || b == -ENOMEM));
		leat_cli_ids_fini(&ids);
		leat_cli_strs_fini(&strs);
	}
}
