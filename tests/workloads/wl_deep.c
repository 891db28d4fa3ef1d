/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_deep DEPTH FRAME user|sys [SECONDS]: a thread that spins below DEPTH frames of about FRAME
 * bytes each (48, 256 or 1500), in user mode or in system calls. Prints "ready" when it is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;
static volatile int in_syscalls;
static time_t end;

static __attribute__((noinline)) void wl_spin(void)
{
	puts("ready");
	fflush(stdout);
	while (!end || time(NULL) < end) {
		for (int i = 0; i < 2000; i++) {
			if (in_syscalls)
				sink += (unsigned long)syscall(SYS_getppid);
			else
				for (int k = 0; k < 100; k++)
					sink += (unsigned long)k;
		}
	}
}

/* Two saved registers and alignment take about 32 bytes of a frame. */
#define DEFINE_DEEP(size)                                                                          \
	static __attribute__((noinline)) int wl_deep_##size(int depth)                             \
	{                                                                                          \
		volatile char pad[(size) > 64 ? (size)-32 : 8];                                    \
                                                                                                   \
		pad[0] = (char)depth;                                                              \
		if (depth > 1)                                                                     \
			pad[1] = (char)wl_deep_##size(depth - 1);                                  \
		else                                                                               \
			wl_spin();                                                                 \
		return pad[0] + pad[1];                                                            \
	}

DEFINE_DEEP(48)
DEFINE_DEEP(256)
DEFINE_DEEP(1500)

static int number(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

int main(int argc, char **argv)
{
	const int depth = argc > 1 ? number(argv[1]) : 10;
	const int size = argc > 2 ? number(argv[2]) : 48;

	in_syscalls = argc > 3 && !strcmp(argv[3], "sys");
	end = argc > 4 ? time(NULL) + number(argv[4]) : 0;
	if (size >= 1500)
		return wl_deep_1500(depth) & 1;
	return (size >= 256 ? wl_deep_256(depth) : wl_deep_48(depth)) & 1;
}
