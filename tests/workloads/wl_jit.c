/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_jit SECONDS [MAP-UID]: code made at run time, jit_spin in /tmp/perf-PID.map under its pid in
 * its own namespace; the map is given to the user MAP-UID. Prints "ready". x86-64 only.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* push %rbp; mov %rsp,%rbp; mov $10000000,%ecx; 1: dec %ecx; jne 1b; pop %rbp; ret */
static const uint8_t code[] = { 0x55, 0x48, 0x89, 0xe5, 0xb9, 0x80, 0x96, 0x98,
				0x00, 0xff, 0xc9, 0x75, 0xfc, 0x5d, 0xc3 };

static int write_map(char *path, size_t cap, const void *at)
{
	FILE *f;

	snprintf(path, cap, "/tmp/perf-%d.map", (int)getpid());
	f = fopen(path, "w");
	if (!f)
		return 1;
	fprintf(f, "%lx %zx jit_spin\n", (unsigned long)at, sizeof(code));
	return fclose(f);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 5);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*spin)(void);
	char path[64];
	uid_t owner = argc > 2 ? (uid_t)strtol(argv[2], NULL, 10) : 0;

	if (at == MAP_FAILED)
		return 1;
	memcpy(at, code, sizeof(code));
	if (mprotect(at, 4096, PROT_READ | PROT_EXEC) || write_map(path, sizeof(path), at))
		return 1;
	if (argc > 2 && chown(path, owner, (gid_t)-1))
		return 1;
	*(void **)&spin = at;
	puts("ready");
	fflush(stdout);
	while (time(NULL) < end)
		spin();
	return 0;
}
