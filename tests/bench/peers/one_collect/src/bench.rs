// SPDX-License-Identifier: BSD-2-Clause
use std::time::Instant;

/// Records of a case, used in turn: what is read differs from call to call. A power of two.
pub const RECORDS: usize = 256;
/// Calls of a round; the checksum is of the first round. Rounds are short, so that some of many are
/// not disturbed.
pub const CALLS: usize = 102_400;

pub struct Bench {
    rounds: usize,
}

impl Bench {
    pub fn new(rounds: usize) -> Self {
        Self { rounds: rounds.max(1) }
    }

    /// Calls `f(i)` with i = 0 .. CALLS, and prints the median and the least time of a call and the
    /// sum of what the calls of one round returned.
    pub fn case(&mut self, name: &str, f: impl FnMut(usize) -> u64) {
        self.case_n(name, CALLS, f)
    }

    /// The same with `n` calls a round.
    pub fn case_n(&mut self, name: &str, n: usize, mut f: impl FnMut(usize) -> u64) {
        let mut times = Vec::new();
        let mut checksum = None;

        for _ in 0..self.rounds {
            let mut sum = 0u64;
            let start = Instant::now();

            for i in 0..n {
                sum = sum.wrapping_add(f(i));
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / n as f64);
            assert_eq!(*checksum.get_or_insert(sum), sum, "{name}: rounds differ");
        }
        times.sort_by(|a, b| a.total_cmp(b));
        println!("{name}\t{:.2}\t{:.2}\t{:016x}", times[times.len() / 2], times[0], checksum.unwrap());
    }
}

/// splitmix64: both sides make their inputs with it.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d049bb133111eb);
        x ^ (x >> 31)
    }
}
