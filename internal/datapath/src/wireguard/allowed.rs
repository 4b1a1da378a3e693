//! Which peer an address inside the tunnel belongs to: the longest prefix of all peers counts. Pure.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Prefixes and whose they are.
#[derive(Clone, Debug)]
pub(super) struct Allowed<T> {
    /// By length of the prefix, longest first. Networks of peers have one or two different lengths in practice, so a look-up
    /// is one or two steps.
    lengths: Vec<(u32, HashMap<u32, T>)>,
}

impl<T> Allowed<T> {
    pub(super) fn new(prefixes: impl IntoIterator<Item = (Ipv4Net, T)>) -> Self {
        let mut lengths: Vec<(u32, HashMap<u32, T>)> = Vec::new();
        for (prefix, owner) in prefixes {
            let mask = u32::from(prefix.netmask());
            let of_length = match lengths.iter_mut().position(|(known, _)| *known == mask) {
                Some(index) => &mut lengths[index].1,
                None => {
                    lengths.push((mask, HashMap::new()));
                    let last = lengths.len() - 1;
                    &mut lengths[last].1
                }
            };
            of_length.insert(u32::from(prefix.network()), owner);
        }
        lengths.sort_by_key(|(mask, _)| std::cmp::Reverse(*mask));
        Self { lengths }
    }

    /// Whose an address is.
    pub(super) fn owner(&self, address: Ipv4Addr) -> Option<&T> {
        let address = u32::from(address);
        self.lengths.iter().find_map(|(mask, owners)| owners.get(&(address & mask)))
    }
}

/// Source and destination of an IPv4 packet; nothing for any other.
pub(super) fn addresses(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    if packet.first()? >> 4 != 4 {
        return None;
    }
    let at = |start: usize| <[u8; 4]>::try_from(packet.get(start..start + 4)?).ok().map(Ipv4Addr::from);
    Some((at(12)?, at(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets() -> impl Strategy<Value = Vec<Ipv4Net>> {
        let net = (0_u32..4, 0_u8..=32).prop_map(|(high, length)| {
            Ipv4Net::new(Ipv4Addr::from(high << 30 | high << 8), length).unwrap().trunc()
        });
        proptest::collection::vec(net, 0..6)
    }

    proptest! {
        #[test]
        fn the_longest_prefix_counts(nets in nets(), address in any::<u32>().prop_map(|bits| bits & 0xc000_0303)) {
            let address = Ipv4Addr::from(address);
            let allowed = Allowed::new(nets.iter().map(|net| (*net, *net)));
            let fits = nets.iter().filter(|net| net.contains(&address));
            let longest = fits.max_by_key(|net| net.prefix_len());
            prop_assert_eq!(allowed.owner(address), longest);
        }
    }

    #[test]
    fn addresses_of_packets_are_where_they_belong() {
        let mut packet = vec![0x45; 20];
        packet[12..20].copy_from_slice(&[10, 200, 0, 5, 10, 201, 0, 7]);
        let expected = (Ipv4Addr::new(10, 200, 0, 5), Ipv4Addr::new(10, 201, 0, 7));
        assert_eq!(addresses(&packet), Some(expected));
        assert_eq!(addresses(&packet[..19]), None);
        packet[0] = 0x60;
        assert_eq!(addresses(&packet), None);
        assert_eq!(addresses(&[]), None);
    }
}
