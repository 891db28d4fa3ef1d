// SPDX-License-Identifier: BSD-2-Clause
use std::cell::Cell;
use std::rc::Rc;

use one_collect::event::{Event, EventField, LocationType};

use crate::bench::{Bench, Random, RECORDS};

fn field(e: &mut Event, name: &str, type_name: &str, loc: LocationType, offset: usize, size: usize) {
    e.format_mut().add_field(EventField::new(name.into(), type_name.into(), loc, offset, size));
}

fn random_records(seed: u64, size: usize) -> Vec<Vec<u8>> {
    let mut r = Random(seed);

    (0..RECORDS).map(|_| (0..size).map(|_| (r.next() >> 56) as u8).collect()).collect()
}

/// `len` lower-case letters.
fn letters(r: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| b'a' + (r.next() % 26) as u8).collect()
}

/// Runs a callback for each record, and gives what it added up.
fn dispatch(b: &mut Bench, name: &str, mut e: Event, records: &[Vec<u8>], sum: Rc<Cell<u64>>) {
    let mut errors = Vec::new();

    b.case(name, |i| {
        let data = records[i & (RECORDS - 1)].as_slice();

        e.process(data, data, &mut errors);
        errors.clear();
        sum.take()
    });
}

fn empty(b: &mut Bench) {
    let sum = Rc::new(Cell::new(0u64));
    let mut e = Event::new(1, "bench/empty".into());
    let s = sum.clone();

    e.add_callback(move |_| {
        s.set(s.get() + 1);
        Ok(())
    });
    dispatch(b, "empty callback", e, &random_records(1, 8), sum);
}

fn three_bytes(b: &mut Bench) {
    let sum = Rc::new(Cell::new(0u64));
    let mut e = Event::new(1, "bench/bytes".into());
    let s = sum.clone();

    for i in 0..3 {
        field(&mut e, &format!("f{i}"), "u8", LocationType::Static, i, 1);
    }
    let refs: [_; 3] = std::array::from_fn(|i| e.format().get_field_ref(&format!("f{i}")).unwrap());
    e.add_callback(move |data| {
        let (format, bytes) = (data.format(), data.event_data());

        s.set(s.get()
            + format.get_data(refs[0], bytes)[0] as u64
            + 2 * format.get_data(refs[1], bytes)[0] as u64
            + 3 * format.get_data(refs[2], bytes)[0] as u64);
        Ok(())
    });
    dispatch(b, "3 one-byte fields", e, &random_records(2, 3), sum);
}

/// u64, u32, u16 and u8, each twice, as tracefs lays them out; read by typed getters.
fn eight_ints(b: &mut Bench) {
    let sum = Rc::new(Cell::new(0u64));
    let mut e = Event::new(1, "bench/ints".into());
    let s = sum.clone();
    let mut offset = 0;

    for (i, size) in [8usize, 8, 4, 4, 2, 2, 1, 1].into_iter().enumerate() {
        field(&mut e, &format!("f{i}"), &format!("u{}", size * 8), LocationType::Static, offset, size);
        offset += size;
    }
    let r: [_; 8] = std::array::from_fn(|i| e.format().get_field_ref(&format!("f{i}")).unwrap());
    e.add_callback(move |data| {
        let (f, d) = (data.format(), data.event_data());

        s.set(s.get()
            .wrapping_add(f.get_u64(r[0], d)?)
            .wrapping_add(f.get_u64(r[1], d)?)
            .wrapping_add(f.get_u32(r[2], d)? as u64)
            .wrapping_add(f.get_u32(r[3], d)? as u64)
            .wrapping_add(f.get_u16(r[4], d)? as u64)
            .wrapping_add(f.get_u16(r[5], d)? as u64)
            .wrapping_add(f.get_u8(r[6], d)? as u64)
            .wrapping_add(f.get_u8(r[7], d)? as u64));
        Ok(())
    });
    dispatch(b, "8 typed integers", e, &random_records(3, 30), sum);
}

/// u32, string of 12 bytes, string of 20, u64: the last one is read.
fn behind_strings(b: &mut Bench) {
    let mut e = Event::new(1, "bench/strings".into());
    let mut r = Random(4);
    let records: Vec<Vec<u8>> = (0..RECORDS)
        .map(|_| {
            let mut rec = (r.next() as u32).to_ne_bytes().to_vec();

            for len in [12, 20] {
                rec.extend(letters(&mut r, len));
                rec.push(0);
            }
            rec.extend(r.next().to_ne_bytes());
            rec
        })
        .collect();

    field(&mut e, "id", "u32", LocationType::Static, 0, 4);
    field(&mut e, "a", "string", LocationType::StaticString, 4, 0);
    field(&mut e, "b", "string", LocationType::StaticString, 4, 0);
    field(&mut e, "value", "u64", LocationType::Static, 4, 8);
    let mut read = e.try_get_field_data_closure("value").unwrap();
    b.case("u64 behind two strings", |i| {
        u64::from_ne_bytes(read(&records[i & (RECORDS - 1)]).try_into().unwrap())
    });
}

/// "id=123456 name=abcdefghijklm ": 29 bytes.
fn writer(b: &mut Bench) {
    let mut e = Event::new(1, "bench/write".into());
    let mut r = Random(5);
    let mut out = String::new();
    let records: Vec<Vec<u8>> = (0..RECORDS)
        .map(|_| {
            let mut rec = (100_000 + (r.next() % 900_000) as u32).to_ne_bytes().to_vec();

            rec.extend(letters(&mut r, 13));
            rec.push(0);
            rec
        })
        .collect();

    field(&mut e, "id", "u32", LocationType::Static, 0, 4);
    field(&mut e, "name", "string", LocationType::StaticString, 4, 0);
    let mut write = e.get_write_closure();
    b.case("write u32 + string", |i| {
        out.clear();
        write(&mut out, &records[i & (RECORDS - 1)]);
        /* Without the last blank, which leat does not write. */
        out.as_bytes()[..out.len() - 1].iter().step_by(7).map(|&c| c as u64).sum::<u64>() + out.len() as u64 - 1
    });
}

pub fn run(b: &mut Bench) {
    empty(b);
    three_bytes(b);
    eight_ints(b);
    behind_strings(b);
    writer(b);
}
