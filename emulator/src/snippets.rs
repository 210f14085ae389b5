//! The lines that point each language's client at an emulator, as the clients were seen to work.

/// The port that `cci emulator` listens at unless told otherwise. As a library, an emulator takes a free one.
pub const DEFAULT_PORT: u16 = 9420;

/// A language that Google has a client of this API for, Rust with this repository's own beside it, and `curl`.
///
/// ```
/// use contact_center_insights_emulator::ClientLanguage;
///
/// let lines = ClientLanguage::Python.snippet("localhost:9420").unwrap();
/// assert!(lines.contains(r#"grpc.insecure_channel("localhost:9420")"#));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientLanguage {
    /// Rust, by this repository's client and by Google's.
    Rust,
    /// Python.
    Python,
    /// JavaScript and TypeScript on Node.js.
    Node,
    /// Java.
    Java,
    /// Go.
    Go,
    /// No client: the REST API from a shell.
    Curl,
}

impl ClientLanguage {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rust, Self::Python, Self::Node, Self::Java, Self::Go, Self::Curl];

    /// Its name in lower case, such as `python`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Node => "node",
            Self::Java => "java",
            Self::Go => "go",
            Self::Curl => "curl",
        }
    }

    /// Its name as people write it, such as `Node.js`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::Java => "Java",
            Self::Go => "Go",
            Self::Curl => "curl",
        }
    }

    /// The lines that point its clients at the plaintext emulator at `address`, which is `HOST:PORT` with an IPv6 address
    /// in brackets. A host that stands for every address of a machine (`0.0.0.0`, `[::]`) becomes loopback. `None` if
    /// `address` is not of this form.
    #[must_use]
    pub fn snippet(self, address: &str) -> Option<String> {
        let (host, port) = split(address)?;
        let host = reachable(host);
        let lines = self.template().replace("{address}", &format!("{host}:{port}"));
        Some(lines.replace("{host}", host).replace("{port}", port))
    }

    fn template(self) -> &'static str {
        match self {
            Self::Rust => include_str!("snippets/rust.txt"),
            Self::Python => include_str!("snippets/python.txt"),
            Self::Node => include_str!("snippets/node.txt"),
            Self::Java => include_str!("snippets/java.txt"),
            Self::Go => include_str!("snippets/go.txt"),
            Self::Curl => include_str!("snippets/curl.txt"),
        }
    }
}

/// What ends up in code is plain, whatever was given.
fn split(address: &str) -> Option<(&str, &str)> {
    let (host, port) = address.rsplit_once(':')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let fits =
        !host.is_empty() && host.chars().all(is_plain) && port.parse::<u16>().is_ok_and(|port| port > 0);
    fits.then_some((host, port))
}

/// Where an emulator is reached that listens at all addresses.
fn reachable(host: &str) -> &str {
    match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_has_the_address_and_no_gap() {
        for language in ClientLanguage::ALL {
            let lines = language.snippet("emulator:32768").unwrap();
            assert!(lines.contains("emulator") && lines.contains("32768"), "{lines}");
            for gap in ["{address}", "{host}", "{port}"] {
                assert!(!lines.contains(gap), "{lines}");
            }
            assert!(language.snippet("0.0.0.0:1").unwrap().contains("127.0.0.1"));
        }
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(split("127.0.0.1:9420"), Some(("127.0.0.1", "9420")));
        assert_eq!(split("[::1]:9420"), Some(("[::1]", "9420")));
        for bad in ["", "9420", ":9420", "localhost:", "localhost:0", "localhost:70000", "a\"b:1"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
