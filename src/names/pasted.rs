//! Finds the name in what people paste: URLs of the REST API, full resource names, a slash or a line break too many.

/// How names of this API begin.
const FIRST_SEGMENT: &str = "projects/";

/// The name that is in the text, if there is one, and it is not all of the text.
///
/// What comes before `projects/` has to be what is known to come before a name (AIP-122, AIP-127): a scheme, a host, a
/// version. Anything else may mean another resource.
pub(super) fn repaired(text: &str) -> Option<String> {
    let is_around = |c: char| c.is_whitespace() || c.is_control() || "\u{feff}\"'`<>,;".contains(c);
    let trimmed = text.trim_matches(is_around);
    let (before, name) = trimmed.split_at_checked(trimmed.find(FIRST_SEGMENT)?)?;
    if !is_prefix(before) {
        return None;
    }
    let is_url = before.contains("//");
    let name = if is_url { name.split(['?', '#']).next().unwrap_or_default() } else { name };
    let name = name.trim_end_matches('/');
    let name = if is_url { without_verb(name) } else { name };
    (name != text && !name.is_empty()).then(|| name.to_owned())
}

/// Whether this may stand before a name: nothing, `/`, `v1/`, `//HOST/`, `https://HOST/v1/`, `HOST/v1/`.
fn is_prefix(before: &str) -> bool {
    let Some(path) = before.strip_suffix('/') else { return before.is_empty() };
    let has_scheme = before.starts_with("https://") || before.starts_with("http://");
    let path = path.trim_start_matches("https:").trim_start_matches("http:");
    let is_host = |segment: &str| !segment.is_empty() && !segment.contains(char::is_whitespace);
    match path.strip_prefix("//") {
        Some(rest) => match rest.split_once('/') {
            Some((host, version)) => is_host(host) && is_version(version),
            None => is_host(rest),
        },
        None if has_scheme => false,
        None => {
            let segment = path.trim_start_matches('/');
            if let Some((host, version)) = segment.split_once('/') {
                host.contains('.') && is_host(host) && is_version(version)
            } else {
                segment.is_empty() || is_version(segment) || segment.contains('.') && is_host(segment)
            }
        }
    }
}

/// `v1`, `v1alpha1`, `v1main`.
fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix('v') else { return false };
    rest.starts_with(|first: char| first.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `…/operations/1` of `…/operations/1:cancel`: a URL ends in a custom verb (AIP-136), where an id has no colon.
fn without_verb(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((name, verb)) if !verb.is_empty() && verb.bytes().all(|byte| byte.is_ascii_alphabetic()) => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_what_people_paste() {
        const NAME: &str = "projects/p/locations/eu/operations/1";
        for text in [
            "https://contactcenterinsights.googleapis.com/v1/NAME",
            "https://eu-contactcenterinsights.googleapis.com/v1/NAME?alt=json&key=x",
            "http://127.0.0.1:9420/v1/NAME",
            "//contactcenterinsights.googleapis.com/NAME",
            "contactcenterinsights.googleapis.com/v1/NAME",
            "contactcenterinsights.googleapis.com/NAME",
            "https://contactcenterinsights.googleapis.com/v1/NAME:cancel",
            "/v1/NAME",
            "v1/NAME",
            "/NAME",
            "NAME/",
            "NAME//",
            "NAME\r",
            "NAME\r\n",
            " NAME ",
            "\u{feff}NAME",
            "\"NAME\",",
            "`NAME`",
        ] {
            let text = text.replace("NAME", NAME);
            assert_eq!(repaired(&text).as_deref(), Some(NAME), "{text:?}");
        }
    }

    #[test]
    fn what_may_mean_something_else_is_left_alone() {
        for text in [
            "",
            "/",
            "projects",
            "projects/p/locations/eu/operations/1",
            "organizations/1/projects/p",
            "https://projects/p",
            "https:///projects/p",
            "https://host/v1/folders/1/projects/p",
            "https://host/console/projects/p",
            "myprojects/p",
            "x projects/p",
        ] {
            assert_eq!(repaired(text), None, "{text:?}");
        }
        assert_eq!(repaired("/projects/example.com:p").as_deref(), Some("projects/example.com:p"));
    }
}
