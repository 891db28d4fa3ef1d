// SPDX-License-Identifier: BSD-2-Clause
//! The cases of tests/bench/bench_intern.c. The peer's tables do not grow: they are given a bucket
//! for each item beforehand, which is the best that they can do.
use one_collect::intern::{InternedCallstacks, InternedStrings};

use crate::bench::{Bench, Random, CALLS, RECORDS};

const STRINGS: usize = 1024;
const MILLION: usize = 1_000_000;
const STACKS: usize = 100_000;
const DEEP: usize = 32;

fn make_strings(cnt: usize, seed: u64) -> Vec<String> {
    let mut r = Random(seed);

    (0..cnt)
        .map(|i| {
            let n = 6 + (r.next() % 16) as usize;
            let mut s: Vec<u8> = (0..n).map(|_| b'a' + (r.next() % 26) as u8).collect();

            for k in 0..6 {
                s.push(b'0' + (i >> (4 * k) & 15) as u8);
            }
            String::from_utf8(s).unwrap()
        })
        .collect()
}

fn make_stacks(cnt: usize, depth: usize, seed: u64) -> Vec<u64> {
    let mut r = Random(seed);

    (0..cnt * depth).map(|_| 0x7f00_0000_0000 + r.next() % 0x100_0000).collect()
}

fn strings(b: &mut Bench) {
    let names = make_strings(STRINGS, 21);
    let mut table = InternedStrings::new(STRINGS);

    for n in &names {
        table.to_id(n);
    }
    b.case("intern string, hit", |i| table.to_id(&names[i % STRINGS]) as u64);
    b.case_n("intern string, new", 976 * STRINGS, |i| {
        if i % STRINGS == 0 {
            table = InternedStrings::new(STRINGS);
        }
        table.to_id(&names[i % STRINGS]) as u64
    });

    let names = make_strings(MILLION, 22);
    b.case_n("intern 1 million strings, each", MILLION, |i| {
        if i == 0 {
            table = InternedStrings::new(MILLION);
        }
        table.to_id(&names[i]) as u64
    });
}

fn hits(b: &mut Bench, name: &str, depth: usize, seed: u64) {
    let stacks = make_stacks(RECORDS, depth, seed);
    let mut table = InternedCallstacks::new(RECORDS);

    b.case_n(name, CALLS, |i| {
        let at = i % RECORDS * depth;

        table.to_id(&stacks[at..at + depth]) as u64
    });
}

pub fn run(b: &mut Bench) {
    strings(b);
    hits(b, "intern 5-frame stack, hit", 5, 23);
    hits(b, "intern 32-frame stack, hit", DEEP, 24);

    let stacks = make_stacks(STACKS, DEEP, 25);
    let mut table = InternedCallstacks::new(STACKS);
    b.case_n("intern 100,000 32-frame stacks, each", STACKS, |i| {
        if i == 0 {
            table = InternedCallstacks::new(STACKS);
        }
        table.to_id(&stacks[i * DEEP..(i + 1) * DEEP]) as u64
    });
}
