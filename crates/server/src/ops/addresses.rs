//! Addresses and ranges as callers write them.

use super::tokens::broken::Broken;
use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// Reads a list of at most so many; what cannot be read is noted under the place in `addresses`.
pub fn read(texts: &[String], whose: &str, most: usize, broken: &mut Broken) -> Vec<IpNet> {
    if texts.len() > most {
        broken.note("addresses", format!("{whose} has at most {most} addresses and ranges"));
        return Vec::new();
    }
    let mut list = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match range {
            Some(range) => list.push(plain(range)),
            None => broken.note(
                format!("addresses[{place}]"),
                "write an address or a range, such as 203.0.113.9, 203.0.113.0/24 or 2001:db8::/32",
            ),
        }
    }
    list
}

/// A range without the bits that say nothing. Callers are compared by their IPv4 address where they have one, so a range of
/// IPv4-mapped addresses (RFC 4291 §2.5.5.2) is the range of IPv4 addresses that it stands for.
fn plain(range: IpNet) -> IpNet {
    let range = range.trunc();
    if let IpNet::V6(v6) = range
        && let (Some(address), Some(length)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
        && let Ok(v4) = Ipv4Net::new(address, length)
    {
        return IpNet::V4(v4);
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<String, String> {
        let mut broken = Broken::default();
        let list = read(&[text.to_owned()], "a policy", 3, &mut broken);
        match list.first() {
            Some(range) => Ok(range.to_string()),
            None => Err(broken.told(tegata_core::problem::Code::Invalid).unwrap_err().detail),
        }
    }

    #[test]
    fn ranges_are_written_one_way() {
        assert_eq!(one("203.0.113.9").unwrap(), "203.0.113.9/32");
        assert_eq!(one("203.0.113.9/24").unwrap(), "203.0.113.0/24");
        assert_eq!(one("2001:DB8::1/32").unwrap(), "2001:db8::/32");
        assert_eq!(one("::ffff:203.0.113.9").unwrap(), "203.0.113.9/32");
        assert_eq!(one("::ffff:203.0.113.9/120").unwrap(), "203.0.113.0/24");
        assert_eq!(one("::/0").unwrap(), "::/0", "every IPv6 address, and no IPv4 address");
    }

    #[test]
    fn what_is_no_range_is_named() {
        for text in ["", "203.0.113", "203.0.113.0/33", "here", "203.0.113.0/24 "] {
            assert!(one(text).unwrap_err().starts_with("addresses[0]"), "{text}");
        }
        let mut broken = Broken::default();
        assert!(read(&vec!["::1".to_owned(); 4], "a policy", 3, &mut broken).is_empty() && !broken.is_empty());
    }
}
