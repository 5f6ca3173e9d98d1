//! The node's `resolv.conf`, from which pods inherit.
//!
//! Mirrors `network/dns/dns.go: parseResolvConf, appendOptions, CheckLimitsForResolvConf`.

use crate::dns::{MAX_SEARCH_CHARS, MAX_SEARCHES};
use crate::dns_name::SUBDOMAIN_MAX;

/// A larger file is none.
const MAX_LENGTH: usize = 10 << 20;

/// What a resolver needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvConf {
    /// Addresses to ask, best first.
    pub nameservers: Vec<String>,
    /// Domains to try for a short name, best first.
    pub searches: Vec<String>,
    /// Options such as `ndots:5`.
    pub options: Vec<String>,
}

/// A `resolv.conf` that cannot be used. The texts are the kubelet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResolvConfError {
    /// A `nameserver` line without an address.
    #[error("Encountered error while parsing resolv conf file. Error: nameserver list is empty ")]
    NameserverEmpty,
    /// More than 10 MiB.
    #[error("Encountered error while parsing resolv conf file. Error: the read limit is reached")]
    TooLong,
}

impl ResolvConf {
    /// Reads the text of a `resolv.conf`. Each `nameserver` line adds one; of several `search` lines the last counts;
    /// options add up, and a later value replaces an earlier one. Lines that say something else are passed over.
    ///
    /// # Errors
    /// A `nameserver` line without an address, or a text of more than 10 MiB.
    pub fn parse(text: &str) -> Result<Self, ResolvConfError> {
        if text.len() > MAX_LENGTH {
            return Err(ResolvConfError::TooLong);
        }
        let mut conf = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let address = words.next().ok_or(ResolvConfError::NameserverEmpty)?;
                    conf.nameservers.push(address.to_owned());
                }
                // `a.` and `a` are one domain; the root alone would be tried anyway.
                Some("search") => {
                    let domains = words.filter(|domain| *domain != ".");
                    conf.searches = domains.map(|d| d.strip_suffix('.').unwrap_or(d).to_owned()).collect();
                }
                Some("options") => words.for_each(|option| conf.add_option(option)),
                _ => {}
            }
        }
        Ok(conf)
    }

    /// A later value of an option takes the place of the earlier one. Mirrors `appendOptions`, with an order: Go's is
    /// that of a map.
    fn add_option(&mut self, option: &str) {
        let name = |option: &str| option.split(':').next().unwrap_or_default().to_owned();
        match self.options.iter_mut().find(|known| name(known) == name(option)) {
            Some(known) => *known = option.to_owned(),
            None => self.options.push(option.to_owned()),
        }
    }

    /// What the node should be warned of (Warning `CheckLimitsForResolvConf`): searches that pods will not get in full.
    /// `path` is the file's. Mirrors `CheckLimitsForResolvConf`.
    pub fn over_limits(&self, path: &str, cluster_domain: &str) -> Option<String> {
        // Three places are taken by the cluster's own domains.
        let most = if cluster_domain.is_empty() { MAX_SEARCHES } else { MAX_SEARCHES - 3 };
        if self.searches.len() > most {
            return Some(format!(
                "Resolv.conf file '{path}' contains search line consisting of more than {most} domains!"
            ));
        }
        if self.searches.iter().any(|search| search.len() > SUBDOMAIN_MAX) {
            return Some(format!(
                "Resolv.conf file {path:?} contains a search path which length is more than allowed {SUBDOMAIN_MAX} chars!"
            ));
        }
        (self.searches.join(" ").len() > MAX_SEARCH_CHARS).then(|| {
            format!(
                "Resolv.conf file '{path}' contains search line which length is more than allowed {MAX_SEARCH_CHARS} chars!"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_a_file() {
        let conf = |n: &[&str], s: &[&str], o: &[&str]| {
            let own = |list: &[&str]| list.iter().map(ToString::to_string).collect();
            Ok(ResolvConf { nameservers: own(n), searches: own(s), options: own(o) })
        };
        for (text, expected) in [
            ("", conf(&[], &[], &[])),
            (
                "# nameserver 1.1.1.1\n\n  nameserver 1.2.3.4 \nnameserver\t5.6.7.8 more\n",
                conf(&["1.2.3.4", "5.6.7.8"], &[], &[]),
            ),
            ("nameserver fe80::1%eth0\r\n", conf(&["fe80::1%eth0"], &[], &[])),
            ("nameserver", Err(ResolvConfError::NameserverEmpty)),
            ("nameserver \nnameserver 1.2.3.4", Err(ResolvConfError::NameserverEmpty)),
            ("search a b\nsearch c. d . ", conf(&[], &["c", "d"], &[])),
            ("search a\nsearch", conf(&[], &[], &[])),
            (
                "options ndots:5 rotate\noptions ndots:2 attempts:3",
                conf(&[], &[], &["ndots:2", "rotate", "attempts:3"]),
            ),
            ("options ndots:1 ndots:3", conf(&[], &[], &["ndots:3"])),
            ("domain x\nsortlist 1.2.3.4\nSEARCH up", conf(&[], &[], &[])),
        ] {
            assert_eq!(ResolvConf::parse(text), expected, "{text:?}");
        }
        assert_eq!(ResolvConf::parse(&"#".repeat(MAX_LENGTH + 1)), Err(ResolvConfError::TooLong));
    }

    #[test]
    fn a_file_that_pods_cannot_have_in_full_is_reported() {
        let with = |searches: Vec<String>| ResolvConf { searches, ..ResolvConf::default() };
        let many = |n: usize, length: usize| with(vec!["x".repeat(length); n]);
        for (conf, domain, expected) in [
            (many(29, 3), "cluster.local", None),
            (
                many(30, 3),
                "cluster.local",
                Some("Resolv.conf file '/r' contains search line consisting of more than 29 domains!"),
            ),
            (many(32, 3), "", None),
            (
                many(33, 3),
                "",
                Some("Resolv.conf file '/r' contains search line consisting of more than 32 domains!"),
            ),
            (
                many(1, 254),
                "",
                Some(
                    "Resolv.conf file \"/r\" contains a search path which length is more than allowed 253 chars!",
                ),
            ),
            (
                many(9, 227),
                "",
                Some(
                    "Resolv.conf file '/r' contains search line which length is more than allowed 2048 chars!",
                ),
            ),
        ] {
            assert_eq!(conf.over_limits("/r", domain).as_deref(), expected);
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(?s).{0,200}") {
            let _ = ResolvConf::parse(&text);
        }
    }
}
