//! No function has more than 70 lines or 5 parameters, and nine in ten outside of tests have at most 30 lines.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, ImplItemFn, ItemFn, ItemImpl, ItemMod, Signature, TraitItemFn};

use crate::picture::Picture;
use crate::violation::Violation;
use crate::{module_tree, syntax};

const RULE: &str = "function_budget";
const MOST_LINES: usize = 70;
const NINE_IN_TEN_LINES: usize = 30;
const MOST_PARAMETERS: usize = 5;

/// Checks each function with a body, and the ninetieth percentile of their lengths.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let functions = functions(picture);
    let long = functions.iter().filter(|function| function.lines > MOST_LINES).map(|function| {
        function.violation(&format!(
            "has {} lines, and {MOST_LINES} is the limit: split it by step",
            function.lines
        ))
    });
    let wide = functions.iter().filter(|function| function.parameters > MOST_PARAMETERS).map(|function| {
        let count = function.parameters;
        function.violation(&format!(
            "has {count} parameters, and {MOST_PARAMETERS} is the limit: group them in a struct"
        ))
    });
    long.chain(wide).chain(spread(&functions)).collect()
}

/// The ninetieth percentile by nearest rank, when it is above the budget.
fn spread(functions: &[Function]) -> Option<Violation> {
    let mut production: Vec<_> = functions.iter().filter(|function| !function.test).collect();
    production.sort_by_key(|function| function.lines);
    let rank = (production.len() * 9).div_ceil(10);
    let lines = production.get(rank.checked_sub(1)?)?.lines;
    let above = production.iter().filter(|function| function.lines > NINE_IN_TEN_LINES).count();
    (lines > NINE_IN_TEN_LINES).then(|| {
        let total = production.len();
        production[production.len() - 1].violation(&format!(
            "is the longest of {above} among {total} functions above {NINE_IN_TEN_LINES} lines, and only one in ten may \
             be: split the longest ones"
        ))
    })
}

fn functions(picture: &Picture) -> Vec<Function> {
    let reached = module_tree::reached(picture);
    let mut found = Vec::new();
    for (file, text) in picture.rust() {
        let mut census = Census { file: &file.path, test: reached.is_test(file), found: &mut found };
        if let Some(parsed) = syntax::parse(text) {
            census.visit_file(&parsed);
        }
    }
    found
}

struct Function {
    file: String,
    line: usize,
    name: String,
    lines: usize,
    parameters: usize,
    test: bool,
}

impl Function {
    fn violation(&self, message: &str) -> Violation {
        Violation::new(RULE, &self.file, self.line, format!("{} {message}", self.name))
    }
}

struct Census<'a> {
    file: &'a str,
    test: bool,
    found: &'a mut Vec<Function>,
}

impl Census<'_> {
    /// Counts a function, whose lines run from its signature to its closing brace.
    fn count(&mut self, signature: &Signature, body: &impl Spanned, attributes: &[Attribute]) {
        let line = signature.span().start().line;
        self.found.push(Function {
            file: self.file.to_owned(),
            line,
            name: signature.ident.to_string(),
            lines: body.span().end().line + 1 - line,
            parameters: signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count(),
            test: self.test || syntax::is_test(attributes),
        });
    }

    /// Runs `visit` with the knowledge that everything below is a test, if the attributes say so.
    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let outer = self.test;
        self.test |= syntax::is_test(attributes);
        visit(self);
        self.test = outer;
    }
}

impl<'ast> Visit<'ast> for Census<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.within(&module.attrs, |census| visit::visit_item_mod(census, module));
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        self.within(&block.attrs, |census| visit::visit_item_impl(census, block));
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.count(&function.sig, &function.block, &function.attrs);
        self.within(&function.attrs, |census| visit::visit_item_fn(census, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.count(&function.sig, &function.block, &function.attrs);
        self.within(&function.attrs, |census| visit::visit_impl_item_fn(census, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.count(&function.sig, function, &function.attrs);
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of so many lines.
    fn function(head: &str, lines: usize) -> String {
        format!("{head} {{\n{}}}\n", "    call();\n".repeat(lines - 2))
    }

    fn complaints(text: &str) -> Vec<Violation> {
        check(&Picture::of(&[("a.rs", text)]))
    }

    #[test]
    fn functions_within_the_budget_are_good() {
        let text =
            function("fn long()", 70) + &function("fn five(a: u8, b: u8, c: u8, d: u8, e: u8)", 2).repeat(9);
        assert_eq!(complaints(&text), []);
        assert_eq!(complaints("impl A { fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8) {} }"), []);
    }

    #[test]
    fn a_long_function_is_reported_at_its_signature_even_in_a_test() {
        for text in [
            function("\n/// Doc.\n#[test]\nfn f()", 71),
            format!("trait A {{\n\n\n{}}}", function("fn f()", 71)),
        ] {
            let found = complaints(&(text + &"fn g() {}".repeat(20)));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].line, 4);
        }
    }

    #[test]
    fn a_sixth_parameter_is_reported() {
        assert_eq!(complaints("fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}").len(), 1);
        assert_eq!(complaints("trait A { fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8); }").len(), 1);
    }

    #[test]
    fn one_in_ten_may_be_long_and_tests_do_not_count() {
        let long = function("fn f()", 31);
        assert_eq!(complaints(&(long.clone() + &"fn g() {}\n".repeat(9))), []);
        assert_eq!(complaints(&(long.clone() + &"fn g() {}\n".repeat(8))).len(), 1);
        assert_eq!(complaints(&format!("#[cfg(test)]\nmod tests {{\n{long}\n}}\n")), []);
        assert_eq!(complaints(&format!("#[tokio::test]\n{long}")), []);
    }
}
