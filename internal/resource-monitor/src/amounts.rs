//! What a monitor says, in the amounts that decisions are made of.

use std::collections::BTreeMap;

use liqo_model::crd::Quantity;
use liqo_proto::resource_monitor::ResourceList;

use crate::Error;

/// Resources of one consumer. A cluster has about ten; with names as long as they may be, this many still fit into an event.
const MOST_RESOURCES: usize = 64;
/// Bytes of the longest name: a prefix of 253, a slash and 63 more.
const LONGEST_NAME: usize = 317;
/// Bytes of the longest text that is repeated to people.
const LONGEST_SHOWN: usize = 64;
/// Billionths in a thousandth.
const MILLI: i128 = 1_000_000;

/// Amounts in thousandths of the unit, rounded down: nothing is offered that is not there. What has no amount is 0.
pub(crate) fn amounts(list: ResourceList) -> Result<BTreeMap<String, u64>, Error> {
    if list.resources.len() > MOST_RESOURCES {
        return Err(Error::TooMany { resources: list.resources.len(), most: MOST_RESOURCES });
    }
    let read = list.resources.into_iter().map(|(resource, quantity)| {
        let text = quantity.string.filter(|text| !text.is_empty()).unwrap_or_else(|| "0".to_owned());
        let amount = Quantity::from(text.as_str()).billionths().filter(|amount| *amount >= 0);
        match amount.filter(|_| !resource.is_empty() && resource.len() <= LONGEST_NAME) {
            Some(amount) => Ok((resource, u64::try_from(amount / MILLI).unwrap_or(u64::MAX))),
            None => Err(Error::Amount { resource: shown(&resource), text: shown(&text) }),
        }
    });
    read.collect()
}

fn shown(text: &str) -> String {
    text.chars().take(LONGEST_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use liqo_proto::resource_monitor::Quantity as Said;

    use super::*;

    fn read(said: &[(&str, Option<&str>)]) -> Result<BTreeMap<String, u64>, String> {
        let resources = said
            .iter()
            .map(|(resource, text)| ((*resource).to_owned(), Said { string: text.map(str::to_owned) }));
        amounts(ResourceList { resources: resources.collect() }).map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_are_read_as_kubernetes_writes_them() {
        let said = [
            ("cpu", Some("3600m")),
            ("memory", Some("2Ki")),
            ("pods", Some("110")),
            ("tiny", Some("1999u")),
            ("none", None),
            ("empty", Some("")),
        ];
        let expected = [
            ("cpu", 3_600),
            ("memory", 2_048_000),
            ("pods", 110_000),
            ("tiny", 1),
            ("none", 0),
            ("empty", 0),
        ];
        assert_eq!(read(&said).unwrap(), expected.map(|(name, amount)| (name.to_owned(), amount)).into());
        assert_eq!(read(&[]).unwrap(), BTreeMap::new());
    }

    #[test]
    fn what_is_no_amount_is_named() {
        let wrong = "the resource monitor said \"many\" of resource \"cpu\", which is no amount: it has to be one such as \
                     500m, 2Gi or 3";
        assert_eq!(read(&[("pods", Some("1")), ("cpu", Some("many"))]), Err(wrong.to_owned()));
        assert!(read(&[("cpu", Some("-1"))]).is_err());
        assert!(read(&[("", Some("1"))]).is_err());
        let names: Vec<String> = (0..65).map(|number| format!("r{number}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
        assert!(read(&many).unwrap_err().contains("65 resources"));
    }
}
