// SPDX-License-Identifier: BSD-2-Clause
//! The cases of tests/bench/bench_filter.c.
use one_collect::event::{Event, EventField, LocationType};

use crate::bench::{Bench, Random, RECORDS};

fn letters(r: &mut Random, out: &mut [u8]) {
    for b in out {
        *b = b'a' + (r.next() % 26) as u8;
    }
}

fn case(b: &mut Bench, name: &str, f: EventField, test: (&str, &str), records: &[Vec<u8>]) {
    let mut e = Event::new(1, "bench/filter".into());

    e.format_mut().add_field(f);
    let mut matches = e.try_get_field_filter_closure("f", test.0, test.1).unwrap();
    b.case(name, |i| matches(&records[i & (RECORDS - 1)]) as u64);
}

fn field(type_name: &str, loc: LocationType, size: usize) -> EventField {
    EventField::new("f".into(), type_name.into(), loc, 0, size)
}

fn number(b: &mut Bench) {
    let mut r = Random(11);
    let records: Vec<Vec<u8>> =
        (0..RECORDS).map(|_| (r.next() as u32).to_ne_bytes().to_vec()).collect();

    case(b, "filter u32 >=", field("u32", LocationType::Static, 4), (">=", "2147483648"), &records);
}

fn comm(b: &mut Bench) {
    let mut r = Random(12);
    let records: Vec<Vec<u8>> = (0..RECORDS)
        .map(|_| {
            let mut rec = vec![0u8; 16];

            if r.next() % 2 == 1 {
                rec[..12].copy_from_slice(b"redis-server");
            } else {
                letters(&mut r, &mut rec[..12]);
            }
            rec
        })
        .collect();

    case(b, "filter char[16] ==", field("char", LocationType::Static, 16), ("==", "redis-server"), &records);
}

fn contains(b: &mut Bench, hit: bool) {
    let mut r = Random(13);
    let records: Vec<Vec<u8>> = (0..RECORDS)
        .map(|_| {
            let mut rec = vec![0u8; 46];

            letters(&mut r, &mut rec[..45]);
            if hit {
                let at = 30 + (r.next() % 7) as usize;

                rec[at..at + 8].copy_from_slice(b"/etc/pam");
            }
            rec
        })
        .collect();
    let name = if hit { "filter contains, hit" } else { "filter contains, miss" };

    case(b, name, field("string", LocationType::StaticString, 0), ("contains", "/etc/pam"), &records);
}

pub fn run(b: &mut Bench) {
    number(b);
    comm(b);
    contains(b, true);
    contains(b, false);
}
