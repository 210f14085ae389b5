//! The location that a name has in it, where only text is at hand.

/// The location of the first name in a routing header (`name=projects%2Fp%2Flocations%2Feu%2F…`), as it stands there:
/// percent-encoded, and not checked.
pub(crate) fn location_in_routing(routing: &str) -> Option<&str> {
    let mut names = routing.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
    names.find_map(|name| {
        let (project, rest) = name.strip_prefix("projects%2F")?.split_once("%2Flocations%2F")?;
        if project.contains("%2F") {
            return None;
        }
        Some(rest.split_once("%2F").map_or(rest, |(location, _)| location))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_location_is_found_where_a_name_has_it() {
        for (routing, location) in [
            ("name=projects%2Fp%2Flocations%2Feu%2Foperations%2F1", Some("eu")),
            ("parent=projects%2Fexample.com%3Ap%2Flocations%2Feu", Some("eu")),
            ("a=1&conversation.name=projects%2Fp%2Flocations%2Feu%2Fconversations%2Fc", Some("eu")),
            ("name=projects%2Fp%2Flocations%2F", Some("")),
            ("name=projects%2Fp%2Flocations%2Fa%20b%2Fx", Some("a%20b")),
            ("name=projects%2Fp", None),
            ("name=projects%2Fp%2Fx%2Flocations%2Feu", None),
            ("name=operations%2Flocations%2Feu", None),
            ("", None),
        ] {
            assert_eq!(location_in_routing(routing), location, "{routing}");
        }
    }
}
