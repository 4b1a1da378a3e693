//! ShadowPods.

use liqo_events::{Facts, ShadowPodFacts};

use super::fields::Read;
use super::{Reader, reflection};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    Ok(Facts::ShadowPod(ShadowPodFacts {
        reflection: reflection::read(object)?,
        phase: object.named("status.phase")?,
        restart_policy: object.named("spec.pod.restartPolicy")?,
    }))
}
