//! How long something took that was done several times.

use serde::Serialize;

/// Times in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timing {
    /// Of all runs but the fastest and the slowest; of all where there are less than three.
    pub mean: f64,
    pub fastest: f64,
    pub slowest: f64,
    /// In the order in which they were run.
    pub runs: Vec<f64>,
}

impl Timing {
    /// Nothing where there was no run.
    pub fn of(runs: Vec<f64>) -> Option<Timing> {
        let mut sorted = runs.clone();
        sorted.sort_by(f64::total_cmp);
        let (fastest, slowest) = (*sorted.first()?, *sorted.last()?);
        let kept = if sorted.len() < 3 { &sorted[..] } else { &sorted[1..sorted.len() - 1] };
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        Some(Timing { mean, fastest, slowest, runs })
    }

    /// Whether all runs of the one were faster than any of the other: what is nearer may be chance.
    pub fn is_clearly_faster_than(&self, other: &Timing) -> bool {
        self.slowest < other.fastest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_and_the_slowest_are_left_out() {
        let timing = Timing::of(vec![3.0, 1.0, 100.0, 2.0, 4.0]).unwrap();
        assert_eq!((timing.mean, timing.fastest, timing.slowest), (3.0, 1.0, 100.0));
        assert_eq!(timing.runs, [3.0, 1.0, 100.0, 2.0, 4.0]);
        assert_eq!(Timing::of(vec![1.0, 2.0]).unwrap().mean, 1.5);
        assert_eq!(Timing::of(Vec::new()), None);
    }

    #[test]
    fn what_overlaps_is_not_faster() {
        let timing = |runs: [f64; 3]| Timing::of(runs.to_vec()).unwrap();
        assert!(timing([1.0, 1.1, 1.2]).is_clearly_faster_than(&timing([1.3, 1.4, 1.5])));
        assert!(!timing([1.0, 1.1, 1.35]).is_clearly_faster_than(&timing([1.3, 1.4, 1.5])));
    }
}
