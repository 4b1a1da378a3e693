//! Which events belong to an explanation, and in which order they are shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use liqo_events::Seq;

use super::{MOST_STEPS, Relation, Step};

type Parents = BTreeMap<Seq, (Option<Seq>, Relation)>;
type Children = BTreeMap<Seq, Vec<Seq>>;

/// The tree around `asked`, and how many consequences were left out.
pub(super) fn grow(parents: &Parents, asked: Seq, depth: u32) -> (Vec<Step>, u64) {
    let path = path(parents, asked, depth);
    let children = children(parents);
    let root = path.last().copied().unwrap_or(asked);
    let mut chosen: BTreeSet<Seq> = path.iter().copied().collect();
    let below_asked = descendants(&children, asked, depth);
    let below_root = descendants(&children, root, depth.saturating_mul(2));
    for seq in below_asked.iter().chain(&below_root) {
        if chosen.len() < MOST_STEPS {
            chosen.insert(*seq);
        }
    }
    let all: BTreeSet<Seq> = below_asked.into_iter().chain(below_root).chain(path).collect();
    let omitted = u64::try_from(all.len() - chosen.len()).unwrap_or(u64::MAX);
    (shown(parents, &children, &chosen, (root, asked)), omitted)
}

/// From what was asked for up to the first cause.
fn path(parents: &Parents, asked: Seq, depth: u32) -> Vec<Seq> {
    let mut path = vec![asked];
    let mut seen = BTreeSet::from([asked]);
    let mut at = asked;
    // The guard against a circle is for logs that something else wrote: causes are earlier than what they cause.
    while let Some((Some(parent), _)) = parents.get(&at)
        && path.len() <= usize::try_from(depth).unwrap_or(usize::MAX)
        && parents.contains_key(parent)
        && seen.insert(*parent)
    {
        path.push(*parent);
        at = *parent;
    }
    path
}

fn children(parents: &Parents) -> Children {
    let mut children = Children::new();
    for (seq, (parent, _)) in parents {
        if let Some(parent) = parent {
            children.entry(*parent).or_default().push(*seq);
        }
    }
    children
}

/// What followed from an event, the nearest first.
fn descendants(children: &Children, of: Seq, depth: u32) -> Vec<Seq> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([of]);
    let mut waiting = VecDeque::from([(of, 0)]);
    while let Some((at, level)) = waiting.pop_front() {
        for child in children.get(&at).into_iter().flatten() {
            if level < depth && seen.insert(*child) {
                found.push(*child);
                waiting.push_back((*child, level + 1));
            }
        }
    }
    found
}

/// The chosen events, each below its cause. Every chosen event but the root has a chosen parent: ways down are chosen
/// from their beginning.
fn shown(
    parents: &Parents,
    children: &Children,
    chosen: &BTreeSet<Seq>,
    (root, asked): (Seq, Seq),
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut open = vec![(root, 0)];
    let mut seen = BTreeSet::new();
    while let Some((seq, depth)) = open.pop() {
        if !seen.insert(seq) {
            continue;
        }
        let (parent, relation) = parents.get(&seq).copied().unwrap_or((None, Relation::Cut));
        let cut = seq == root && parent.is_some();
        steps.push(Step {
            seq,
            depth,
            relation: if cut { Relation::Cut } else { relation },
            asked: seq == asked,
        });
        let below = children.get(&seq).into_iter().flatten().rev().filter(|child| chosen.contains(child));
        open.extend(below.map(|child| (*child, depth + 1)));
    }
    steps
}
