/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: raised, of the hardware, at any instruction (timer), on a stack of their own, left by a jump. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile long sink;
static sigjmp_buf back;

__attribute__((noinline)) static void inside(int n)
{
	char pad[64];

	memset(pad, n, sizeof(pad));
	sink += pad[3];
	if (n)
		inside(n - 1);
	sink++;
}

static void on_signal(int sig)
{
	inside(sig & 3);
}

static void on_info(int sig, siginfo_t *info, void *ctx)
{
	(void)info;
	sink += (long)(intptr_t)ctx & 7;
	inside(sig & 3);
}

static void on_fault(int sig)
{
	inside(2);
	siglongjmp(back, sig);
}

__attribute__((noinline)) static long work(int n)
{
	_Alignas(32) volatile char local[64];

	local[n & 63] = 1;
	for (int i = 0; i < n; i++)
		sink += i ^ local[i & 63];
	return sink;
}

static void catch(int sig, void (*fn)(int), void (*info)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_flags = flags;
	if (info)
		sa.sa_sigaction = info;
	else
		sa.sa_handler = fn;
	sigaction(sig, &sa, NULL);
}

int main(int argc, char **argv)
{
	stack_t alt = { .ss_sp = malloc(65536), .ss_size = 65536 };
	volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)argv;
	catch(SIGUSR1, on_signal, NULL, 0);
	catch(SIGUSR2, NULL, on_info, SA_SIGINFO | SA_ONSTACK);
	catch(SIGSEGV, on_fault, NULL, SA_ONSTACK | SA_NODEFER);
	catch(SIGALRM, on_signal, NULL, 0);
	sigaltstack(&alt, NULL);
	__asm__ volatile("int3");
	raise(SIGUSR1);
	kill(getpid(), SIGUSR2);
	if (sigsetjmp(back, 1) == 0)
		*nowhere = argc;
	work(20);
	ualarm(200, 300);
	for (int i = 0; i < 12; i++)
		work(10 + i);
	ualarm(0, 0);
	__asm__ volatile("int3");
	return 0;
}
