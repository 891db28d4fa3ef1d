// SPDX-License-Identifier: BSD-2-Clause
// C++: exceptions through frames with destructors, virtual calls, containers, a thrown one rethrown.
#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

static volatile long sink;

struct Guard {
	int n;
	explicit Guard(int v) : n(v) { sink += v; }
	~Guard() { sink -= n; }
};

struct Base {
	virtual ~Base() = default;
	virtual long go(int n) = 0;
};

struct Deep : Base {
	__attribute__((noinline)) long go(int n) override
	{
		Guard g(n);
		alignas(64) char pad[128] = { 0 };

		pad[n & 127] = 1;
		if (n == 0)
			throw std::runtime_error("bottom");
		return go(n - 1) + pad[1];
	}
};

__attribute__((noinline)) static long again(Base &b)
{
	try {
		return b.go(4);
	} catch (const std::logic_error &) {
		return 1;
	} catch (...) {
		Guard g(7);
		throw;
	}
}

int main(int argc, char **argv)
{
	Deep d;
	std::map<std::string, std::vector<int>> m;
	std::function<long(int)> f = [&](int n) { return n ? f(n - 1) + argc : 0; };

	__asm__ volatile("int3");
	try {
		sink += again(d);
	} catch (const std::exception &e) {
		sink += e.what()[0];
	}
	for (int i = 0; i < 6; i++)
		m["key" + std::to_string(i % 3)].push_back(6 - i);
	for (auto &kv : m)
		std::sort(kv.second.begin(), kv.second.end(), [](int a, int b) { return a < b; });
	sink += f(5) + (long)m.size() + argv[0][0];
	__asm__ volatile("int3");
	return 0;
}
