/* SPDX-License-Identifier: BSD-2-Clause */
/* --anonymize: paths of the profile no longer tell whose they are. */
#include <stdio.h>
#include <string.h>

#include "leat_wire.h"
#include "live/run.h"

const char *leat_below_home(const char *path)
{
	static const char home[] = "/home/";
	const char *rest;

	if (strncmp(path, "/root/", 6) == 0)
		return path + 5;
	if (strncmp(path, home, sizeof(home) - 1) != 0)
		return NULL;
	rest = strchr(path + sizeof(home) - 1, '/');
	return rest ? rest : "";
}

static int rename_path(struct leat_profile *p, uint32_t *id)
{
	const char *rest = *id == LEAT_ID_NONE ? NULL : leat_below_home(leat_profile_str(p, *id));
	char path[LEAT_PATH_MAX + 1];
	int n;

	if (!rest)
		return 0;
	n = snprintf(path, sizeof(path), "~%s", rest);
	if (n >= (int)sizeof(path))
		n = sizeof(path) - 1;
	return leat_profile_string(p, path, (size_t)n, id);
}

int leat_run_anonymize(struct leat_profile *p)
{
	int err = 0;
	size_t i;

	for (i = 0; !err && i < p->object_cnt; i++)
		err = rename_path(p, &p->objects[i].path);
	for (i = 0; !err && i < p->process_cnt; i++)
		err = rename_path(p, &p->processes[i].exe);
	for (i = 0; !err && i < p->function_cnt; i++)
		err = rename_path(p, &p->functions[i].file);
	return err;
}
