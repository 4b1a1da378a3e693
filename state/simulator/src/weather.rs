//! Whether an API server answers.

use crate::api::Refusal;
use crate::world::World;

impl World {
    /// Whether the API server of a cluster is away.
    pub(crate) fn is_down(&self, cluster: usize) -> bool {
        self.now < self.clusters[cluster].api.down_until
    }

    /// What becomes of a request: it is carried out, with or without an answer, or refused.
    pub(crate) fn gate(&mut self, cluster: usize) -> Result<bool, Refusal> {
        if self.is_down(cluster) {
            return Err(Refusal::Unavailable);
        }
        let (part, until) = self.clusters[cluster].api.bad;
        if self.now >= until || !self.chance.percent(part) {
            return Ok(true);
        }
        match self.chance.below(4) {
            0 => Err(Refusal::Throttled(self.chance.between(100, 3_000))),
            1 => Err(Refusal::Unavailable),
            2 => Err(Refusal::Conflict),
            _ => Ok(false),
        }
    }
}
