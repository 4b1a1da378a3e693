//! A gauge that cannot be left too high.

use prometheus_client::metrics::gauge::Gauge;

/// Counts one more in a gauge for as long as it lives.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    /// One more in this gauge.
    #[must_use]
    pub fn in_gauge(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_for_as_long_as_it_lives() {
        let gauge = Gauge::default();
        let counted = [Counted::in_gauge(&gauge), Counted::in_gauge(&gauge)];
        assert_eq!(gauge.get(), 2);
        drop(counted);
        assert_eq!(gauge.get(), 0);
    }
}
