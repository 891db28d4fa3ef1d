/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct leat_fake_engine fake;

struct leat_fake_engine *leat_fake_engine_init(void)
{
	struct leat_kernel_tables *t = &fake.kernel;

	memset(&fake, 0, sizeof(fake));
	t->range_cnt = LEAT_FAKE_RANGES;
	t->exe_cnt = LEAT_FAKE_EXES;
	t->ranges = calloc(t->range_cnt, sizeof(*t->ranges));
	t->exes = calloc(t->exe_cnt, sizeof(*t->exes));
	t->rules = calloc(LEAT_UNWIND_RULES_MAX, sizeof(*t->rules));
	if (!t->ranges || !t->exes || !t->rules)
		abort();
	t->exes[LEAT_EXE_ANON].state = LEAT_EXE_FRAME;
	t->exes[LEAT_EXE_NONE].state = LEAT_EXE_FAILED;
	return &fake;
}

void leat_fake_engine_fini(void)
{
	free(fake.kernel.ranges);
	free(fake.kernel.exes);
	free(fake.kernel.rules);
	fake.kernel = (struct leat_kernel_tables){ 0 };
}

/* The place of @tgid, or a free one for 0; NULL: there is none. */
static struct leat_space *place_of(uint32_t tgid, uint32_t **whose)
{
	for (size_t i = 0; i < LEAT_FAKE_SPACES; i++) {
		if (fake.spaces[i].tgid != tgid)
			continue;
		*whose = &fake.spaces[i].tgid;
		return &fake.spaces[i].space;
	}
	return NULL;
}

const struct leat_space *leat_fake_engine_space(uint32_t tgid)
{
	uint32_t *whose;

	return place_of(tgid, &whose);
}

int leat_engine_tables(const struct leat_engine *e, struct leat_kernel_tables *out)
{
	(void)e;
	*out = fake.kernel;
	return 0;
}

int leat_engine_space_set(struct leat_engine *e, uint32_t tgid, const struct leat_space *space)
{
	struct leat_space *s;
	uint32_t *whose;

	(void)e;
	if (fake.set_err)
		return fake.set_err;
	s = place_of(tgid, &whose);
	if (!s)
		s = place_of(0, &whose);
	if (!s)
		return -EOVERFLOW;
	*whose = tgid;
	*s = *space;
	return 0;
}

int leat_engine_space_clear(struct leat_engine *e, uint32_t tgid)
{
	uint32_t *whose;

	(void)e;
	if (place_of(tgid, &whose))
		*whose = 0;
	return 0;
}

bool leat_engine_space_has(const struct leat_engine *e, uint32_t tgid)
{
	(void)e;
	return leat_fake_engine_space(tgid);
}

int leat_engine_table_new(const struct leat_engine *e, uint32_t block_cnt, void **mem,
			  size_t *bytes, int *fd)
{
	const size_t size = ((size_t)block_cnt * sizeof(union leat_unwind_block) + 4095) & ~4095ull;
	void *p;

	(void)e;
	fake.news++;
	usleep(fake.new_us);
	if (fake.new_err)
		return fake.new_err;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	*fd = dup(STDERR_FILENO);
	*mem = p;
	*bytes = size;
	return 0;
}

int leat_engine_tables_put(const struct leat_engine *e, const uint32_t *exes, const int *fds,
			   uint32_t cnt, uint32_t *put)
{
	(void)e;
	(void)fds;
	for (*put = 0; *put < cnt; (*put)++) {
		if (fake.put_err && (!fake.put_err_exe || fake.put_err_exe == exes[*put]))
			return fake.put_err;
		fake.put[exes[*put]] = true;
		fake.puts++;
	}
	return 0;
}

int leat_engine_table_drop(const struct leat_engine *e, uint32_t exe)
{
	(void)e;
	fake.put[exe] = false;
	fake.drops++;
	return 0;
}
