/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/features.h"

struct leat_check *leat_check_add(struct leat_checks *c, const char *name)
{
	struct leat_check *k = &c->items[c->n < LEAT_CHECKS_MAX ? c->n++ : LEAT_CHECKS_MAX - 1];

	*k = (struct leat_check){ .level = LEAT_CHECK_PASS };
	snprintf(k->name, sizeof(k->name), "%s", name);
	return k;
}

void leat_check_value(struct leat_check *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->value, sizeof(k->value), fmt, ap);
	va_end(ap);
}

void leat_check_bad(struct leat_check *k, enum leat_check_level level, const char *consequence,
		    const char *fix)
{
	k->level = level;
	snprintf(k->consequence, sizeof(k->consequence), "%s", consequence);
	snprintf(k->fix, sizeof(k->fix), "%s", fix);
}

int leat_live_doctor(uint32_t pid, struct leat_check **out, size_t *n)
{
	struct leat_checks c = { .pid = pid };

	c.items = calloc(LEAT_CHECKS_MAX, sizeof(*c.items));
	if (!c.items)
		return -ENOMEM;
	leat_doctor_system(&c);
	leat_doctor_recording(&c);
	if (pid)
		leat_doctor_target(&c);
	*out = c.items;
	*n = c.n;
	return 0;
}

static const char *kind_of(const struct leat_perf_event *ev)
{
	if (strstr(ev->name, "-load") || strstr(ev->name, "-store") ||
	    strstr(ev->name, "-prefetch"))
		return "cache";
	return ev->hardware ? "hardware" : "software";
}

int leat_live_list_events(void (*fn)(void *ctx, const char *name, const char *kind, bool usable,
				     const char *why_not),
			  void *ctx)
{
	const struct leat_perf_event *ev;
	size_t i;

	for (i = 0; (ev = leat_perf_event_at(i)); i++) {
		int err = leat_perf_event_try(ev);
		const char *why = "";

		if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV)
			why = ev->hardware ? "no such hardware counter here"
					   : "the kernel does not have it";
		else if (err == -EACCES || err == -EPERM)
			why = "not permitted";
		else if (err == -EBUSY)
			why = "the hardware counters are in use";
		else if (err)
			why = strerrorname_np(-err);
		fn(ctx, ev->name, kind_of(ev), !err, why ? why : "");
	}
	return 0;
}
