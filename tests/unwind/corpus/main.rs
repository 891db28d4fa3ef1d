// SPDX-License-Identifier: BSD-2-Clause
// Rust: closures, trait objects, collections, formatting, a panic that is caught.
use std::collections::BTreeMap;

trait Shape {
    fn area(&self, n: u32) -> f64;
}
struct Square(f64);
struct Round(f64);
impl Shape for Square {
    #[inline(never)]
    fn area(&self, n: u32) -> f64 {
        if n == 0 { self.0 * self.0 } else { self.area(n - 1) + 1.0 }
    }
}
impl Shape for Round {
    #[inline(never)]
    fn area(&self, n: u32) -> f64 {
        self.0 * 3.14 + n as f64
    }
}

#[inline(never)]
fn fails(n: i32) -> i32 {
    if n == 0 {
        panic!("bottom");
    }
    fails(n - 1) + 1
}

fn stop() {
    unsafe { core::arch::asm!("int3") }
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    stop();
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0)), Box::new(Round(3.0))];
    let mut sum: f64 = shapes.iter().map(|s| s.area(3)).sum();
    let mut m = BTreeMap::new();
    for i in 0..20 {
        m.insert(format!("k{}", i * 7 % 13), i);
    }
    let mut v: Vec<_> = m.iter().map(|(k, v)| (v * 3 % 7, k.len())).collect();
    v.sort();
    sum += v.len() as f64;
    let r = std::panic::catch_unwind(|| fails(4));
    sum += if r.is_err() { 1.0 } else { 0.0 };
    let s = format!("{:.3} {:?}", sum, v);
    stop();
    std::process::exit((s.len() == 0) as i32);
}
