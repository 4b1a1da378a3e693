//! Commands between being given and having ended.

use liqo_events::{
    Command, CommandFailed, CommandId, CommandIssued, CommandSucceeded, CommandSuperseded, Deadline,
    DeadlinePassed, Disposition, Effect, Event, Facts, ForeignClusterFacts, Slot, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use super::scenario::{Scenario, applied, peer_facts, peer_key};
use crate::{LiqoMachine, Machine, Output, Waiting, effect_hash};

fn unlabelled(version: &str) -> Event {
    let facts = ForeignClusterFacts { labelled_id: "".into(), ..peer_facts("rome-id") };
    applied(peer_key("milan"), version, Facts::ForeignCluster(facts))
}

fn one_command() -> Scenario {
    let mut scenario = Scenario::settled();
    scenario.when(unlabelled("10"));
    scenario
}

fn failed(scenario: &Scenario, disposition: Disposition) -> Event {
    let (id, _) = scenario.state.outbox.iter().next().unwrap();
    Event::CommandFailed(CommandFailed { id: *id, attempt: 1, disposition, error: "503".to_owned() })
}

#[test]
fn planning_again_gives_nothing_new() {
    let scenario = one_command();
    assert_eq!(scenario.state.outbox.len(), 2);
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
}

#[test]
fn a_command_that_was_lost_in_a_crash_is_planned_again_under_the_same_name() {
    let scenario = one_command();
    let before_issue = Scenario::settled().given([unlabelled("10")]);
    let names = |outputs: Vec<Output>| -> Vec<_> {
        outputs
            .into_iter()
            .filter_map(|output| match output {
                Output::Do(command) => Some(command.id),
                Output::Record(_) => None,
            })
            .collect()
    };
    let mut again = names(LiqoMachine::resume(&before_issue.state));
    let mut first: Vec<_> = scenario.state.outbox.iter().map(|(id, _)| *id).collect();
    again.sort();
    first.sort();
    assert_eq!(again, first);
}

#[test]
fn of_one_target_the_oldest_goes_first_and_alone() {
    let scenario = one_command();
    assert!(matches!(scenario.ready().as_slice(), [Effect::LabelForeignCluster { .. }]));
}

#[test]
fn a_write_is_not_repeated_before_the_watch_had_time_to_show_it() {
    let mut scenario = one_command();
    scenario.succeed("20");
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
    // An older version still lacks the label; that says nothing.
    assert_eq!(scenario.when(unlabelled("15")), Vec::new());
}

#[test]
fn a_write_that_somebody_took_back_is_repaired_under_a_new_name() {
    let mut scenario = one_command();
    let first: Vec<_> = scenario.state.outbox.iter().map(|(id, _)| *id).collect();
    scenario.succeed("20");
    let effects = scenario.when(unlabelled("21"));
    assert!(matches!(effects.as_slice(), [Effect::LabelForeignCluster { .. }, ..]), "{effects:?}");
    assert!(scenario.state.outbox.iter().all(|(id, pending)| {
        !first.contains(id) || !matches!(pending.command.effect, Effect::LabelForeignCluster { .. })
    }));
}

#[test]
fn a_failure_waits_for_its_deadline_and_the_wait_is_state() {
    let mut scenario = one_command();
    let event = failed(&scenario, Disposition::Retry { after_millis: 500 });
    scenario.record(event, None);
    let armed = LiqoMachine::next_deadline(&scenario.state).unwrap();
    assert_eq!((armed.armed_at.0, armed.after_millis), (scenario.now, 500));
    let Deadline::Retry(id) = armed.deadline else { panic!("{armed:?}") };
    assert_eq!(scenario.state.outbox.get(&id).unwrap().waiting, Waiting::Retry { after_millis: 500 });
    scenario.record(Event::DeadlinePassed(DeadlinePassed { deadline: Deadline::Retry(id) }), None);
    assert_eq!(scenario.state.outbox.get(&id).unwrap().waiting, Waiting::Ready);
    assert_eq!(LiqoMachine::next_deadline(&scenario.state), None);
}

#[test]
fn a_parked_command_waits_for_a_change_of_its_target() {
    let mut scenario = one_command();
    let event = failed(&scenario, Disposition::Park);
    scenario.record(event, None);
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
    let effects = scenario.when(unlabelled("30"));
    assert_eq!(effects.len(), 1, "{effects:?}");
}

fn labelled(version: &str) -> Event {
    applied(peer_key("milan"), version, Facts::ForeignCluster(peer_facts("rome-id")))
}

fn wants_label(scenario: &Scenario) -> bool {
    let mut commands = scenario.state.outbox.iter();
    commands.any(|(_, pending)| matches!(pending.command.effect, Effect::LabelForeignCluster { .. }))
}

#[test]
fn a_command_that_came_true_is_left_to_end() {
    let mut scenario = one_command();
    scenario.when(labelled("30"));
    assert!(wants_label(&scenario));
    scenario.succeed("30");
    assert!(!wants_label(&scenario));
}

#[test]
fn what_failed_and_came_true_otherwise_is_taken_back() {
    let mut scenario = one_command();
    let ids: Vec<_> = scenario.state.outbox.iter().map(|(id, _)| *id).collect();
    for id in ids {
        let failed =
            CommandFailed { id, attempt: 1, disposition: Disposition::Park, error: "422".to_owned() };
        scenario.record(Event::CommandFailed(failed), None);
    }
    scenario.when(labelled("30"));
    assert!(!wants_label(&scenario));
}

#[test]
fn an_outcome_of_a_command_that_is_not_there_changes_nothing() {
    let scenario = one_command();
    let mut after = scenario.clone();
    let id = liqo_events::CommandId([9; 16]);
    after.record(Event::CommandSuperseded(CommandSuperseded { id, reason: String::new() }), None);
    after.record(
        Event::CommandFailed(CommandFailed {
            id,
            attempt: 1,
            disposition: Disposition::Park,
            error: String::new(),
        }),
        None,
    );
    assert_eq!(after.state, scenario.state);
}

#[test]
fn a_later_command_for_a_slot_replaces_the_earlier_one() {
    let mut scenario = one_command();
    let count = scenario.state.outbox.len();
    let (_, pending) = scenario.state.outbox.iter().next().unwrap();
    let mut command = pending.command.clone();
    command.id = liqo_events::CommandId([9; 16]);
    scenario.record(Event::CommandIssued(CommandIssued { command }), None);
    assert_eq!(scenario.state.outbox.len(), count);
}

fn label_command(scenario: &Scenario) -> CommandId {
    let mut commands = scenario.state.outbox.iter();
    let found = commands.find(|(_, one)| matches!(one.command.effect, Effect::LabelForeignCluster { .. }));
    *found.unwrap().0
}

#[test]
fn an_answer_that_says_nothing_new_is_not_asked_for_again_before_the_next_look() {
    // The object is at version 10 without the label, and the actuator says that nothing is to be done at that version.
    let mut scenario = one_command();
    let id = label_command(&scenario);
    let pending = scenario.state.outbox.get(&id).unwrap().clone();
    let effects = scenario.when(Event::CommandSucceeded(CommandSucceeded {
        id,
        effect: effect_hash(&pending.command.effect),
        destructive: false,
        slot: pending.command.slot,
        resource_version: "10".into(),
    }));
    assert_eq!(effects, Vec::new());
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
    // The next look decides, and what is wanted then has another name.
    scenario.when(unlabelled("10"));
    assert_ne!(label_command(&scenario), id);
}

#[test]
fn word_that_a_command_is_pointless_is_believed_until_the_next_look() {
    let mut scenario = one_command();
    let id = label_command(&scenario);
    let superseded = CommandSuperseded { id, reason: "it is another object of the same name".to_owned() };
    assert_eq!(scenario.when(Event::CommandSuperseded(superseded)), Vec::new());
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
    scenario.when(unlabelled("11"));
    assert_ne!(label_command(&scenario), id);
}

#[test]
fn a_list_that_was_asked_for_is_not_waited_for_once_it_is_there() {
    let watch =
        WatchKey { cluster: ClusterRef::Local, kind: Kind::NamespaceOffloading, selector: String::new() };
    let object = ObjectKey::local_cluster_scoped(Kind::NamespaceOffloading, "");
    let command = Command {
        id: CommandId([9; 16]),
        slot: Slot { object, part: "relist".to_owned() },
        effect: Effect::Relist { watch },
    };
    let done = CommandSucceeded {
        id: command.id,
        effect: effect_hash(&command.effect),
        destructive: false,
        slot: command.slot.clone(),
        resource_version: "5".into(),
    };
    let issued = Event::CommandIssued(CommandIssued { command });
    let list = super::scenario::list_of(Kind::NamespaceOffloading, 1);
    let scenario = Scenario::settled().given([issued.clone(), list, Event::CommandSucceeded(done.clone())]);
    assert!(scenario.state.written.is_empty());
    // The outcome of one whose list was not recorded is.
    let scenario = Scenario::settled().given([issued, Event::CommandSucceeded(done)]);
    assert_eq!(scenario.state.written.len(), 1);
}

#[test]
fn what_came_true_while_it_failed_is_taken_back() {
    let mut scenario = one_command();
    let id = label_command(&scenario);
    scenario.when(labelled("30"));
    let failed = CommandFailed { id, attempt: 1, disposition: Disposition::Park, error: "403".to_owned() };
    scenario.when(Event::CommandFailed(failed));
    assert!(!wants_label(&scenario));
}
