//! How long a failed command waits for its next try.

use liqo_events::CommandId;

/// The first wait. A conflict or a restarting API server is over by then; sooner would only add load.
const BASE_MILLIS: u64 = 500;

/// The longest wait. Long enough for a thousand waiting commands to be 33 requests a second and no more, short enough
/// that a peer which came back is used again before anyone looks.
const CAP_MILLIS: u64 = 30_000;

/// Milliseconds until the try after `attempt`, which counts from 1.
///
/// Exponential, and between half of it and all of it: commands that failed together do not come back together, and none
/// comes back at once. The choice follows from command and attempt, so a simulation that runs again does the same; no
/// two commands have the same id, which is all the chance that is needed.
pub(super) fn back_off(id: CommandId, attempt: u32) -> u64 {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = (BASE_MILLIS << doublings).min(CAP_MILLIS);
    let half = whole / 2;
    half + scatter(id, attempt) % (whole - half + 1)
}

/// A number that follows from the id and the attempt, and looks like chance.
fn scatter(id: CommandId, attempt: u32) -> u64 {
    let (high, low) = id.0.split_at(8);
    let word = |bytes: &[u8]| bytes.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(word(high)) ^ mix(word(low).wrapping_add(u64::from(attempt))).rotate_left(32))
}

/// SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let bounds: Vec<(u64, u64)> = (1..=9)
            .map(|attempt| {
                let waits = (0..=255).map(|byte| back_off(CommandId([byte; 16]), attempt));
                waits.fold((u64::MAX, 0), |(least, most), wait| (least.min(wait), most.max(wait)))
            })
            .collect();
        let doubled = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
        for ((least, most), whole) in bounds.into_iter().zip(doubled) {
            // 256 commands spread over the whole of the upper half.
            assert!(least >= whole / 2 && least < whole * 11 / 20, "{least} of {whole}");
            assert!(most <= whole && most > whole * 19 / 20, "{most} of {whole}");
        }
    }

    #[test]
    fn commands_that_failed_together_do_not_come_back_together() {
        let waits: BTreeSet<u64> = (0..=255).map(|byte| back_off(CommandId([byte; 16]), 7)).collect();
        assert!(waits.len() > 240, "{}", waits.len());
    }

    proptest! {
        #[test]
        fn every_wait_is_within_the_bounds(id in any::<[u8; 16]>(), attempt in any::<u32>()) {
            let wait = back_off(CommandId(id), attempt);
            prop_assert!((BASE_MILLIS / 2..=CAP_MILLIS).contains(&wait));
            prop_assert_eq!(wait, back_off(CommandId(id), attempt));
        }
    }
}
