//! One life of a peering, from beginning to end.

use liqo_events::Switch;

use crate::invariants::{Checked, ensure};
use crate::queue::Step;
use crate::run::Report;
use crate::settings::Settings;
use crate::world::World;

/// How a life went.
#[derive(Clone, Debug)]
pub struct Life {
    /// The run.
    pub report: Report,
    /// Moments that passed, in their order.
    pub moments: Vec<String>,
    /// Everything that there was at each rest: peered, unpeered, forgotten.
    pub rests: Vec<Vec<String>>,
}

/// Lives through a peering. With a crash, everything has to come to what it comes to without; `expected` are the rests of
/// that life, when they are known.
pub fn live(seed: u64, settings: &Settings, expected: Option<&[Vec<String>]>) -> Life {
    let mut world = World::new(seed, settings);
    let mut rests = Vec::new();
    let outcome = world.live(&mut rests, expected);
    let moments = world.moments.take();
    Life { report: Report::of(world, seed, outcome), moments, rests }
}

/// Something that users do, and what has to be so when everything rests after it.
type Act = (fn(&mut World), fn(&World) -> Checked);

impl World {
    fn live(&mut self, rests: &mut Vec<Vec<String>>, expected: Option<&[Vec<String>]>) -> Checked {
        self.calm = true;
        self.run_until("every cluster has an identity", Self::are_identified)?;
        self.rest()?;
        self.moments.counted = true;
        let acts: [Act; 3] = [
            (|world| world.introduce(), |world| world.check_peered()),
            (|world| world.switch(Switch::No), |world| world.check_nothing_is_left()),
            (|world| world.forget_everybody(), |world| world.check_everybody_is_forgotten()),
        ];
        for (index, (act, check)) in acts.into_iter().enumerate() {
            act(self);
            self.endure()?;
            check(self)?;
            let rest = self.outline();
            if let Some(expected) = expected.and_then(|expected| expected.get(index)) {
                same(&rest, expected)?;
            }
            rests.push(rest);
        }
        Ok(())
    }

    /// Whatever may go wrong does for some time; then everything comes to rest.
    fn endure(&mut self) -> Checked {
        if self.settings.faults.is_empty() {
            self.rest()?;
            return self.check_nothing_new();
        }
        self.calm = false;
        self.plan(300, 9_000, Step::Fault);
        let end = self.steps + self.settings.steps;
        while self.steps < end {
            self.advance()?;
        }
        self.settle()
    }
}

fn same(rest: &[String], expected: &[String]) -> Checked {
    let lacks: Vec<&String> = expected.iter().filter(|line| !rest.contains(line)).collect();
    let extra: Vec<&String> = rest.iter().filter(|line| !expected.contains(line)).collect();
    ensure(lacks.is_empty() && extra.is_empty(), "the_same_is_reached_whatever_died", || {
        format!("it lacks\n  {lacks:#?}\nand has\n  {extra:#?}")
    })
}
