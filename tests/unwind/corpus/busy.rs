// SPDX-License-Identifier: BSD-2-Clause

// Threads that hand work to each other for ever, with maps, strings, sorting and trait objects.
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread;

trait Job: Send {
    fn run(&self) -> String;
}

struct Words(usize);
struct Tree(usize);

impl Job for Words {
    fn run(&self) -> String {
        let mut m: HashMap<String, usize> = HashMap::new();
        for i in 0..200 {
            *m.entry(format!("{}-{}", i % 50, self.0 & 7)).or_default() += i;
        }
        let mut keys: Vec<_> = m.into_iter().collect();
        keys.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        keys.iter().map(|k| k.0.as_str()).collect::<Vec<_>>().join(",")
    }
}

impl Job for Tree {
    fn run(&self) -> String {
        let m: BTreeMap<usize, Vec<u8>> = (0..100).map(|i| (i * 7919 % 101, vec![i as u8; self.0 % 64])).collect();
        m.range(10..90).map(|(k, v)| k + v.len()).sum::<usize>().to_string()
    }
}

fn work(jobs: Receiver<Box<dyn Job>>, done: SyncSender<String>) {
    for job in jobs {
        if done.send(job.run()).is_err() {
            return;
        }
    }
}

fn main() {
    let (done, results) = sync_channel(64);
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (tx, rx) = sync_channel::<Box<dyn Job>>(64);
            let done = done.clone();
            thread::spawn(move || work(rx, done));
            tx
        })
        .collect();
    thread::spawn(move || results.iter().map(|s| s.len()).sum::<usize>());
    for n in 0.. {
        let job: Box<dyn Job> = if n % 2 == 0 { Box::new(Words(n)) } else { Box::new(Tree(n)) };
        workers[n % workers.len()].send(job).unwrap();
    }
}
