//! A name of one location, sent to the host of another: what to tell a caller who hears that it is not there.

/// What Google's hosts of this API are called, after the location and before the domain.
const SERVICE: &str = "contactcenterinsights";
/// The locations of the host without one.
const GLOBAL: [&str; 2] = ["us-central1", "global"];

/// What to do about a name of `location` for which `host` answers that there is no such thing. `None` if that is its host,
/// or if nobody knows whose host it is: an emulator's, a proxy's.
pub(crate) fn misplaced(location: &str, host: &str) -> Option<String> {
    let (service, domain) = host.split_once('.')?;
    let (serves, is_own) = match service.strip_suffix(SERVICE)? {
        "" => (format!("{} and {}", GLOBAL[0], GLOBAL[1]), GLOBAL.contains(&location)),
        of => {
            let of = of.strip_suffix('-')?;
            (of.to_owned(), of == location)
        }
    };
    // What is not a location has no host.
    let is_location =
        location.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_own || !is_location || location.is_empty() {
        return None;
    }
    let domain = domain.strip_prefix("mtls.").unwrap_or(domain);
    let right = if GLOBAL.contains(&location) {
        format!("{SERVICE}.{domain}")
    } else {
        format!("{location}-{SERVICE}.{domain}")
    };
    Some(format!("the name is in `{location}`, which is at {right}; {host} serves {serves} only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_the_wrong_host_is_told_the_right_one() {
        for (location, host, right) in [
            ("eu", "contactcenterinsights.googleapis.com", "eu-contactcenterinsights.googleapis.com"),
            ("eu", "contactcenterinsights.mtls.googleapis.com", "eu-contactcenterinsights.googleapis.com"),
            (
                "us-central1",
                "eu-contactcenterinsights.googleapis.com",
                "contactcenterinsights.googleapis.com",
            ),
            ("eu", "us-contactcenterinsights.example.cloud", "eu-contactcenterinsights.example.cloud"),
        ] {
            let advice = misplaced(location, host).unwrap();
            assert!(
                advice.contains(&format!("`{location}`, which is at {right}; {host} serves")),
                "{advice}"
            );
        }
    }

    #[test]
    fn nothing_is_said_where_they_agree_or_nobody_knows() {
        for (location, host) in [
            ("us-central1", "contactcenterinsights.googleapis.com"),
            ("global", "contactcenterinsights.googleapis.com"),
            ("eu", "eu-contactcenterinsights.googleapis.com"),
            ("eu", "localhost"),
            ("eu", "127.0.0.1"),
            ("eu", "emulator.test"),
            ("eu", "mycontactcenterinsights.googleapis.com"),
            ("a%20b", "contactcenterinsights.googleapis.com"),
            ("", "contactcenterinsights.googleapis.com"),
        ] {
            assert_eq!(misplaced(location, host), None, "{location} {host}");
        }
    }
}
