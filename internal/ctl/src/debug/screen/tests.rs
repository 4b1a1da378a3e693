//! Whole screens.

use serde_json::json;

use super::*;
use crate::debug::record::{CAUSED, CUT, Degradation, ECHO, ORIGIN, Object, Step};

fn lease() -> Record {
    Record {
        seq: 1,
        recorded_at: "2026-11-22T10:00:00.007Z".into(),
        kind: 8,
        name: "LeaseGained".into(),
        family: "observed",
        state_digest: "00000000000000ff".into(),
        summary: "lease gained: epoch 7".into(),
        payload: json!({"leaseGained": {"epoch": 7, "continued": false}}),
        ..Record::default()
    }
}

fn issued() -> Record {
    Record {
        seq: 4711,
        recorded_at: "2026-11-22T10:00:01.120Z".into(),
        kind: 150,
        name: "CommandIssued".into(),
        family: "decided",
        caused_by: Some(1),
        object: Some(Object {
            cluster: "local".into(),
            kind: "NamespaceMap".into(),
            namespace: "liqo-tenant".into(),
            name: "milan".into(),
        }),
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
        summary: "command ab: NamespaceMap/liqo-tenant/milan#map/shop: map namespace shop to shop-rome"
            .into(),
        ..lease()
    }
}

fn failed() -> Record {
    Record {
        seq: 4712,
        recorded_at: "2026-11-23T00:00:00.000Z".into(),
        name: "CommandFailed".into(),
        family: "done",
        caused_by: None,
        summary: "command ab failed, attempt 1, again in 250 ms: \u{1b}[2Jtwo\nlines".into(),
        ..lease()
    }
}

#[test]
fn events_stand_in_columns() {
    let mut screen = Screen::text(false);
    let text: String = [lease(), issued(), failed()].iter().map(|record| screen.line(record)).collect();
    let expected = "
     SEQ  TIME (UTC)       CAUSE  EVENT                  WHAT
          2026-11-22
       1  10:00:00.007            LeaseGained            lease gained: epoch 7
    4711  10:00:01.120         1  CommandIssued          command ab: NamespaceMap/liqo-tenant/milan#map/shop: map \
         namespace shop to shop-rome
          2026-11-23
    4712  00:00:00.000            CommandFailed          command ab failed, attempt 1, again in 250 ms: \
         \\u{1b}[2Jtwo\\nlines
";
    assert_eq!(text, expected[1..]);
}

#[test]
fn an_event_is_told_in_full() {
    let expected = "
event:       4711 CommandIssued (kind 150, decided)
recorded:    2026-11-22T10:00:01.120Z
caused by:   event 1
object:      NamespaceMap/liqo-tenant/milan (cluster local)
state after: 00000000000000ff
trace:       0af7651916cd43dd8448eb211c80319c
summary:     command ab: NamespaceMap/liqo-tenant/milan#map/shop: map namespace shop to shop-rome
{
  \"leaseGained\": {
    \"continued\": false,
    \"epoch\": 7
  }
}
";
    assert_eq!(Screen::text(false).whole(&issued()), expected[1..]);
    let unknown = Record { name: String::new(), family: "", ..lease() };
    assert!(Screen::text(false).whole(&unknown).starts_with("event:       1 ? (kind 8, unknown)\n"));
}

fn step(depth: u32, relation: &'static str, event: Record) -> Step {
    Step { depth, asked: false, relation, event }
}

#[test]
fn an_explanation_is_a_tree() {
    let seen =
        Record { seq: 4713, summary: "NamespaceMap/liqo-tenant/milan seen at version 9".into(), ..failed() };
    let seen = Record { name: "Applied".into(), family: "observed", ..seen };
    let steps = vec![
        step(0, ORIGIN, lease()),
        step(1, CAUSED, issued()),
        Step { asked: true, ..step(2, ECHO, seen) },
    ];
    let text = Screen::text(false).why(&Explanation { steps, omitted: 3, searched_from: 1 });
    let expected = "
          2026-11-22
       1  10:00:00.007   LeaseGained: lease gained: epoch 7
    4711  10:00:01.120   └─ CommandIssued: command ab: NamespaceMap/liqo-tenant/milan#map/shop: map namespace shop to \
         shop-rome
          2026-11-23
    4713  00:00:00.000 >    └─ Applied: (as that left it) NamespaceMap/liqo-tenant/milan seen at version 9
          and 3 more consequences
";
    assert_eq!(text, expected[1..]);
}

#[test]
fn a_cause_that_is_not_there_is_said_to_be_missing() {
    let text = Screen::text(false).why(&Explanation {
        steps: vec![step(0, CUT, issued())],
        omitted: 0,
        searched_from: 40,
    });
    let last = text.lines().last().unwrap();
    assert_eq!(last, "          the first cause is not among the events from 40 on, or deeper than --depth");
}

#[test]
fn the_state_of_a_process_is_a_table() {
    let standing = Standing {
        seq: 12,
        digest: "00000000000000ff".into(),
        epoch: 7,
        leader: true,
        live: true,
        degraded: false,
        counts: [("orphans held".to_owned(), 2)].into(),
        log: [("diskBytes", 4096), ("onVolume", 12)].into(),
        ..Standing::default()
    };
    let expected = "
role:           leader of epoch 7, live
log:            durable
last event:     12
state:          00000000000000ff
orphans held:   2
log disk bytes: 4096
log on volume:  12
";
    assert_eq!(Screen::text(false).state(&standing), expected[1..]);
    let why = Degradation { since: "2026-11-22T10:00:00.007Z".into(), reason: "the disk\nis full".into() };
    let degraded = Standing {
        leader: false,
        degraded: true,
        degraded_because: Some(why),
        counts: [].into(),
        put_aside: Some("CURRENT is gone; it is kept in /log/damaged-1".into()),
        ..standing
    };
    let expected = "
role:           follower
log:            in memory only since 2026-11-22T10:00:00.007Z: the disk\\nis full
last event:     12
state:          00000000000000ff
log put aside:  CURRENT is gone; it is kept in /log/damaged-1
log disk bytes: 4096
log on volume:  12
";
    assert_eq!(Screen::text(false).state(&degraded), expected[1..]);
    let line = Screen::json().state(&degraded);
    let because =
        "\"degradedBecause\":{\"since\":\"2026-11-22T10:00:00.007Z\",\"reason\":\"the disk\\nis full\"}";
    assert!(line.contains(because), "{line}");
}

#[test]
fn programs_get_one_object_a_line() {
    let mut screen = Screen::json();
    let line = screen.line(&lease());
    let expected = "{\"seq\":1,\"recordedAt\":\"2026-11-22T10:00:00.007Z\",\"kind\":8,\"name\":\"LeaseGained\",\
                    \"family\":\"observed\",\"stateDigest\":\"00000000000000ff\",\"summary\":\"lease gained: epoch 7\",\
                    \"payload\":{\"leaseGained\":{\"continued\":false,\"epoch\":7}}}\n";
    assert_eq!(line, expected);
    let steps = vec![step(0, ORIGIN, lease()), step(1, CAUSED, issued())];
    let text = screen.why(&Explanation { steps, omitted: 0, searched_from: 1 });
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[1]["depth"], &lines[1]["event"]["causedBy"]), (&json!(1), &json!(1)));
    let told = Exported { events: 2, first: 5, last: 6 };
    let line = screen.exported(Path::new("f"), told);
    assert_eq!(line, "{\"events\":2,\"file\":\"f\",\"first\":5,\"last\":6}\n");
    assert_eq!(Screen::text(false).exported(Path::new("f"), told), "f has 2 events, 5 to 6\n");
}

#[test]
fn colours_are_used_on_a_terminal_alone() {
    assert!(
        !Screen::text(false)
            .why(&Explanation { steps: vec![step(0, CUT, failed())], omitted: 1, searched_from: 1 })
            .contains('\u{1b}')
    );
    let coloured = Screen::text(true).line(&failed());
    assert!(coloured.contains("\u{1b}[31mCommandFailed"), "{coloured:?}");
    assert!(!coloured.contains("\u{1b}[2J"), "{coloured:?}");
}
