/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main for fuzz targets without libFuzzer: runs every file named, and every file of every directory
 * named, through the target once. Any compiler can so replay the corpus.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_INPUT_BYTES (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int run_cnt;

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *data = malloc(MAX_INPUT_BYTES);
	uint8_t *exact;
	size_t size;

	if (!f || !data) {
		perror(path);
		free(data);
		return 1;
	}
	size = fread(data, 1, MAX_INPUT_BYTES, f);
	fclose(f);
	/* Its own block, so that a sanitizer sees a read past the end. */
	exact = malloc(size ? size : 1);
	if (exact) {
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
		run_cnt++;
	}
	free(exact);
	free(data);
	return 0;
}

static int run_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char name[4096];
	int bad = 0;

	if (!d) {
		perror(path);
		return 1;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		bad |= run_file(name);
	}
	closedir(d);
	return bad;
}

int main(int argc, char **argv)
{
	struct stat st;
	int bad = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			bad |= run_dir(argv[i]);
		else
			bad |= run_file(argv[i]);
	}
	printf("%u inputs\n", run_cnt);
	return bad;
}
