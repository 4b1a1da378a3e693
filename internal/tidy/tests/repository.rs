//! Runs every rule on the real tree, one test a rule. The failure names each place and the fix.

use std::sync::LazyLock;

use liqo_tidy::{Picture, Rule, disk, report, rules};

static PICTURE: LazyLock<Result<Picture, disk::Error>> = LazyLock::new(|| disk::read(&disk::root()));

fn holds(rule: Rule) -> Result<(), &'static disk::Error> {
    let violations = rule(PICTURE.as_ref()?);
    let count = violations.len();
    assert!(violations.is_empty(), "{count} places break this rule:\n{}", report(violations));
    Ok(())
}

/// Declares one test for each rule, under the rule's own name.
macro_rules! tests {
    ($($rule:ident)*) => {$(
        #[test]
        fn $rule() -> Result<(), &'static disk::Error> {
            holds(rules::$rule::check)
        }
    )*};
}

tests! {
    architecture_length
    arrows
    file_budget
    function_budget
    leftovers
    links
    machine_paths
    manifests
    module_docs
    module_names
    orphans
    parses
    pure_core
    registries
    sleeps
    thin_commands
    top_level
    unsafe_code
    white_space
}

#[test]
fn every_rule_is_run_here() -> Result<(), &'static disk::Error> {
    let picture = PICTURE.as_ref()?;
    let listed = |path: &str| picture.text(path).unwrap_or_default();
    let (rules, here) = (listed("internal/tidy/src/rules.rs"), listed("internal/tidy/tests/repository.rs"));
    let names = rules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let missing: Vec<_> = names.filter(|name| !here.lines().any(|line| line.trim() == *name)).collect();
    assert!(missing.is_empty(), "add these rules to the list above: {missing:?}");
    Ok(())
}

#[test]
fn the_picture_holds_the_whole_repository() -> Result<(), &'static disk::Error> {
    let picture = PICTURE.as_ref()?;
    for path in ["Cargo.toml", "internal/tidy/src/rules/arrows.rs"] {
        assert!(picture.has_file(path), "{path} is missing from the picture");
    }
    assert!(picture.members.iter().any(|member| member.name == "liqo-tidy"));
    Ok(())
}
