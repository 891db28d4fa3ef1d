// SPDX-License-Identifier: BSD-2-Clause

// Goroutines that hand work to each other for ever, with maps, strings, sorting, clocks and a
// collector that is busy; main is one of them.
package main

import (
	"fmt"
	"sort"
	"sync"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func work(jobs <-chan int, done chan<- string) {
	for n := range jobs {
		m := map[string]int{}
		for i := 0; i < 200; i++ {
			m[fmt.Sprintf("%d-%v", i, n&7)] = fib(i % 15)
		}
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		if time.Now().UnixNano()%2 == 0 {
			done <- keys[n%len(keys)]
		}
	}
}

func main() {
	jobs, done := make(chan int), make(chan string)
	var mu sync.Mutex
	seen := map[string]int{}
	for i := 0; i < 4; i++ {
		go work(jobs, done)
		go func() {
			for s := range done {
				mu.Lock()
				seen[s]++
				mu.Unlock()
			}
		}()
	}
	for n := 0; ; n++ {
		jobs <- n
		fib(20)
	}
}
