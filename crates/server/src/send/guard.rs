//! Which addresses something may be sent to. A server that sends where its users say can be made to knock at doors of the
//! network that it stands in (server-side request forgery); so it sends to public addresses only, and to those that the
//! operator names. The address that is asked about is the one that is connected to, so that no name can lead elsewhere
//! between the question and the connection.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may be sent to.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Networks that are allowed although they are not public.
    pub allowed: Vec<IpNet>,
}

impl Guard {
    /// Whether something may be sent to this address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(&address))
    }
}

/// Whether the address is one of the public internet: globally reachable by the registries of IANA for special-purpose
/// addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    /// Network and length: everything in them is private, local, for documents or tests, or nobody's.
    const SPECIAL: [([u8; 4], u8); 16] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 31, 196, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        // The metadata service of a cloud that lies outside of link-local addresses.
        ([168, 63, 129, 16], 32),
        // Multicast, what is reserved, and everybody.
        ([224, 0, 0, 0], 3),
    ];
    let number = u32::from(address);
    !SPECIAL.iter().any(|(network, length)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(*length)).unwrap_or(0);
        number & mask == u32::from(Ipv4Addr::from(*network)) & mask
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // Protocols' own addresses, tunnels with an address of version 4 inside, documents.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x2002 | 0x3ffe..=0x3fff, ..] => false,
        // What is given out to the public; all else is local, private, translated or nobody's.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        let guard = Guard::default();
        for text in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fd00:ec2::254",
            "fc00::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "fec0::1",
        ] {
            assert!(!guard.allows(text.parse().unwrap()), "{text}");
        }
        for text in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]
        {
            assert!(guard.allows(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_operator_opens_networks() {
        let guard = Guard { allowed: vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()] };
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"] {
            assert!(guard.allows(text.parse().unwrap()), "{text}");
        }
        for text in ["10.2.0.1", "127.0.0.1", "fe80::1"] {
            assert!(!guard.allows(text.parse().unwrap()), "{text}");
        }
    }
}
