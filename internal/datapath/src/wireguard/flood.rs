//! Keeps one source from taking all the time that there is for handshakes. Pure; time comes in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Handshake messages of one source: so many at once, and one more in each such time. WireGuard of Linux allows the same.
const BURST: u32 = 5;
const REFILL: Duration = Duration::from_millis(50);
/// Sources that are remembered at a time, some 100 bytes each. When there are more, which takes a flood of forged
/// addresses, the memory is emptied: what holds then is the proof of address that the gate asks for.
const MOST_SOURCES: usize = 4096;

/// How much each source has left.
#[derive(Debug, Default)]
pub(super) struct Flood {
    sources: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u32,
    filled: Duration,
}

impl Flood {
    /// Whether a handshake message of this source may be looked at. `now` is of a clock that never goes back.
    pub(super) fn admits(&mut self, source: IpAddr, now: Duration) -> bool {
        if self.sources.len() >= MOST_SOURCES && !self.sources.contains_key(&source) {
            self.sources.clear();
        }
        let bucket = self.sources.entry(source).or_insert(Bucket { left: BURST, filled: now });
        let refills = now.saturating_sub(bucket.filled).as_millis() / REFILL.as_millis();
        let refills = u32::try_from(refills).unwrap_or(u32::MAX);
        if refills > 0 {
            bucket.left = bucket.left.saturating_add(refills).min(BURST);
            bucket.filled = now;
        }
        let admits = bucket.left > 0;
        bucket.left = bucket.left.saturating_sub(1);
        admits
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn a_flood_of_one_source_is_cut_and_does_not_touch_others() {
        let mut flood = Flood::default();
        let admitted =
            (0..1000).filter(|millis| flood.admits(source(1), Duration::from_millis(*millis))).count();
        // Five at once, and one each fifty milliseconds of the second.
        assert_eq!(admitted, 5 + 19);
        assert!(flood.admits(source(2), Duration::from_secs(1)));
    }

    #[test]
    fn a_quiet_source_has_its_burst_again() {
        let mut flood = Flood::default();
        let burst = |flood: &mut Flood, at| (0..10).filter(|_| flood.admits(source(1), at)).count();
        assert_eq!(burst(&mut flood, Duration::ZERO), 5);
        assert_eq!(burst(&mut flood, Duration::from_millis(49)), 0);
        assert_eq!(burst(&mut flood, Duration::from_millis(120)), 2);
        assert_eq!(burst(&mut flood, Duration::from_secs(60)), 5);
    }

    #[test]
    fn forged_sources_do_not_fill_the_memory() {
        let mut flood = Flood::default();
        for number in 0..100_000 {
            assert!(flood.admits(source(number), Duration::ZERO));
        }
        assert!(flood.sources.len() <= MOST_SOURCES);
    }
}
