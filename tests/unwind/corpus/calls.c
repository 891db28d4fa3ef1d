/* SPDX-License-Identifier: BSD-2-Clause */
/* Every shape of function that a C compiler makes frames for, between two breakpoints. */
#include <alloca.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))
#ifdef __clang__
#undef NOINLINE
#define NOINLINE __attribute__((noinline))
#endif

static volatile long sink;

NOINLINE static void leaf(const void *p)
{
	sink += (long)(intptr_t)p & 15;
}

NOINLINE static long with_alloca(size_t n)
{
	char *p = alloca(n);

	memset(p, (int)n, n);
	leaf(p);
	return p[n / 2];
}

NOINLINE static long with_vla(int n)
{
	int v[n];

	for (int i = 0; i < n; i++)
		v[i] = i * n;
	leaf(v);
	return v[n - 1];
}

NOINLINE static long aligned_locals(int n)
{
	_Alignas(64) char a[192];

	memset(a, n, sizeof(a));
	leaf(a);
	return a[n & 127];
}

NOINLINE static long aligned_and_alloca(int n)
{
	_Alignas(128) char a[128];
	char *p = alloca((size_t)n);

	memset(a, n, sizeof(a));
	memset(p, n, (size_t)n);
	leaf(a);
	leaf(p);
	return a[1] + p[n - 1];
}

NOINLINE static long many_arguments(long a, long b, long c, long d, long e, long f, long g, long h,
				    long i, long j)
{
	leaf(&i);
	return a + b * c - d + e * f - g + h * i - j;
}

NOINLINE static long variadic(int n, ...)
{
	va_list ap;
	double sum = 0;

	va_start(ap, n);
	for (int i = 0; i < n; i++)
		sum += i & 1 ? va_arg(ap, double) : va_arg(ap, int);
	va_end(ap);
	leaf(&sum);
	return (long)sum;
}

NOINLINE static long tail_target(long a)
{
	leaf(&a);
	return a * 3;
}

NOINLINE static long tail_call(long a, long b)
{
	leaf(&b);
	return tail_target(a + b);
}

__attribute__((cold, noinline)) static long rare(long a)
{
	leaf(&a);
	return a * 7;
}

NOINLINE static long cold_split(long a, long b)
{
	long big[40];

	if (__builtin_expect(a % 3 == 0, 0)) {
		for (int i = 0; i < 40; i++)
			big[i] = rare(a + i);
		leaf(big);
		return big[b & 31] + rare(b);
	}
	leaf(&a);
	return a * b;
}

NOINLINE static long early_out(long a, char **p)
{
	char buf[300];

	if (a < 3)
		return a; /* before anything was saved: shrink-wrapping */
	snprintf(buf, sizeof(buf), "%ld %s", a, *p);
	leaf(buf);
	return buf[0] + early_out(a - 1, p);
}

NOINLINE static long deep(int n)
{
	char pad[32];

	memset(pad, n, sizeof(pad));
	leaf(pad);
	return n ? deep(n - 1) + pad[n & 31] : 0;
}

NOINLINE static long big_frame(int n)
{
	char pad[70000];

	pad[n] = (char)n;
	pad[sizeof(pad) - 1] = 1;
	leaf(pad);
	return pad[n];
}

static int compare(const void *a, const void *b)
{
	leaf(a);
	return *(const int *)a - *(const int *)b;
}

static jmp_buf back;

NOINLINE static void jump_away(int n)
{
	char pad[100];

	leaf(pad);
	if (n == 0)
		longjmp(back, 1);
	jump_away(n - 1);
	leaf(&n);
}

NOINLINE static long jumps(void)
{
	volatile long got = 0;

	if (setjmp(back) == 0)
		jump_away(4);
	else
		got = 1;
	leaf((const void *)&got);
	return got;
}

NOINLINE static double floating(double a, float b, int n)
{
	double v[8];

	for (int i = 0; i < 8; i++)
		v[i] = sin(a * i) + (double)b;
	leaf(v);
	return v[n & 7] + pow(a, (double)b);
}

typedef long (*step_fn)(long, long);

NOINLINE static long through_pointers(long n)
{
	static step_fn volatile fns[] = { tail_call, cold_split };
	long sum = 0;

	for (long i = 0; i < n; i++)
		sum += fns[i & 1](i, n);
	return sum;
}

struct large {
	long v[20];
};

NOINLINE static struct large by_value(struct large in, int n)
{
	in.v[n % 20] += n;
	leaf(&in);
	return in;
}

int main(int argc, char **argv)
{
	int numbers[] = { 5, 3, 9, 1, 7, 2 };
	char *text = argc > 1 ? argv[1] : argv[0];
	struct large l = { { 1, 2, 3 } };
	char buf[200];

	__asm__ volatile("int3");
	sink += with_alloca((size_t)argc * 77) + with_vla(argc * 9) + aligned_locals(argc);
	sink += aligned_and_alloca(argc * 33);
	sink += many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9, argc);
	sink += variadic(4, 1, 2.0, 3, 4.5) + tail_call(argc, 2);
	sink += cold_split(argc * 3, 2) + cold_split(argc, 4) + early_out(5, &text);
	sink += deep(40) + big_frame(argc) + jumps() + through_pointers(4);
	qsort(numbers, 6, sizeof(numbers[0]), compare);
	sink += numbers[0] + (long)floating(1.5 * argc, 2.5f, argc);
	l = by_value(l, argc);
	sink += l.v[1];
	snprintf(buf, sizeof(buf), "%d %f %s %p", argc, 1.25 * argc, text, (void *)buf);
	sink += strtol(buf, NULL, 10) + (long)strlen(buf);
	free(memcpy(malloc(100), buf, 100));
	__asm__ volatile("int3");
	return 0;
}
