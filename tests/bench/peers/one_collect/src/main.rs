// SPDX-License-Identifier: BSD-2-Clause
//! The engine benchmarks, in the peer: the same cases as tests/bench/bench_{event,filter,intern}.c,
//! on the same bytes. Usage: peer_one_collect [ROUNDS]. Prints "case<TAB>median ns<TAB>least ns<TAB>checksum" a
//! line.
mod bench;
mod event;
mod filter;
mod intern;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(101);
    let mut b = bench::Bench::new(rounds);

    event::run(&mut b);
    filter::run(&mut b);
    intern::run(&mut b);
}
