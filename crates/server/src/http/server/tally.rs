//! Counts of decisions: each worker has its own, and whoever reads the metrics collects them. A check touches no memory that
//! other processors write to.

use std::sync::atomic::{AtomicU64, Ordering};
use tegata_core::decide::Reason;

/// The decisions of one worker since they were last collected, by reason.
#[derive(Debug)]
// Two cache lines, which processors fetch in pairs.
#[repr(align(128))]
pub struct Tally {
    counts: Vec<AtomicU64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Tally {
    /// Counts a decision.
    pub fn count(&self, reason: Reason) {
        // `ALL` has the reasons in the order of their declaration.
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Moves what was counted to the metrics of the process.
    pub fn collect(&self) {
        for (reason, count) in Reason::ALL.iter().zip(&self.counts) {
            let count = count.swap(0, Ordering::Relaxed);
            if count > 0 {
                metrics::counter!("tegata_checks_total", "reason" => reason.as_str()).increment(count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_collected_once() {
        let tally = Tally::default();
        for reason in [Reason::Granted, Reason::Granted, Reason::Expired] {
            tally.count(reason);
        }
        let counted = |tally: &Tally| tally.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>();
        assert_eq!(counted(&tally), 3);
        let of = |reason: Reason| Reason::ALL.iter().position(|known| *known == reason).map(|at| &tally.counts[at]);
        assert_eq!(of(Reason::Granted).unwrap().load(Ordering::Relaxed), 2);
        tally.collect();
        assert_eq!(counted(&tally), 0);
    }
}
