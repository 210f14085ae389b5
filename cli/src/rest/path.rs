//! The path of a call of REST, as it was typed: checked, completed, and never more than a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::scope::Scope;

/// What a query's names and values keep as it is (RFC 3986, "unreserved").
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const VERSION: &str = "v1";

/// A path with its query, and the name in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Such as `/v1/projects/p/locations/l/views?pageSize=5`.
    pub(crate) path_and_query: String,
    /// Such as `projects/p/locations/l/views`.
    pub(crate) name: String,
}

impl Place {
    /// Reads what was typed: a path from the version on, or from `projects/` on; anything else is below the location of
    /// the scope. `{project}`, `{location}` and `{parent}` in it stand for what the scope says.
    ///
    /// # Errors
    /// If it is more than a path, or not one; or the scope lacks what it needs.
    pub(crate) fn read(text: &str, query: &[String], scope: &Scope) -> Result<Self, Failure> {
        refuse(text)?;
        let text = filled(text, scope)?;
        let (path, given) = text.split_once('?').unwrap_or((&text, ""));
        let path = path.trim_start_matches('/').trim_end_matches('/');
        let (version, name) = match path.split_once('/') {
            Some((first, rest)) if is_version(first) => (first, rest.to_owned()),
            _ if path == "projects" || path.starts_with("projects/") => (VERSION, path.to_owned()),
            _ => (VERSION, format!("{}/{path}", scope.parent()?)),
        };
        let mut path_and_query = format!("/{version}/{name}");
        let more = query.iter().map(|pair| encoded(pair)).collect::<Result<Vec<_>, _>>()?;
        let all: Vec<&str> = std::iter::once(given)
            .chain(more.iter().map(String::as_str))
            .filter(|part| !part.is_empty())
            .collect();
        if !all.is_empty() {
            path_and_query = format!("{path_and_query}?{}", all.join("&"));
        }
        Ok(Self { path_and_query, name })
    }
}

fn refuse(text: &str) -> Result<(), Failure> {
    let refused = |reason: String, help: &str| Err(Failure::new(Exit::Usage, reason).with_help(help));
    let example = "a path is v1/projects/PROJECT/locations/LOCATION/views, or what stands below the location, such as views";
    if text.contains("://") || text.starts_with("//") {
        let path =
            text.split_once("//").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
        let help = format!("give the path alone: {path}\nto call another host: --endpoint https://HOST");
        return refused(format!("`{text}` is a URL; where calls go is not for a path to say"), &help);
    }
    if let Some(bad) = text.chars().find(|c| !c.is_ascii_graphic() || "\\#\"<>^`|".contains(*c)) {
        return refused(format!("a path cannot have {bad:?} in it"), "write it percent-encoded, as in %20");
    }
    let path = text.split('?').next().unwrap_or_default();
    let path = path.trim_matches('/');
    if path.is_empty() {
        return refused("the path is empty".to_owned(), example);
    }
    let is_bad = |segment: &str| {
        // Servers and proxies decode them before they resolve them.
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain.is_empty() || plain == "." || plain == ".."
    };
    if path.split('/').any(is_bad) {
        return refused(format!("`{text}` has an empty segment, `.` or `..` in it"), example);
    }
    if path
        .split('/')
        .next()
        .is_some_and(|first| first.contains('.') || first.contains(':') && first.contains('@'))
    {
        return refused(
            format!("`{text}` begins with a host"),
            "give the path alone; to call another host: --endpoint https://HOST",
        );
    }
    Ok(())
}

/// Puts in what placeholders stand for.
fn filled(text: &str, scope: &Scope) -> Result<String, Failure> {
    let Some((before, rest)) = text.split_once('{') else { return Ok(text.to_owned()) };
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    let parent = || scope.parent();
    let value = match name {
        "parent" => parent()?,
        "project" => parent()?.split('/').nth(1).unwrap_or_default().to_owned(),
        "location" => parent()?.split('/').nth(3).unwrap_or_default().to_owned(),
        other => {
            let reason = format!("`{{{other}}}` stands for nothing");
            return Err(
                Failure::new(Exit::Usage, reason).with_help("there are {project}, {location} and {parent}")
            );
        }
    };
    Ok(format!("{before}{value}{}", filled(after, scope)?))
}

/// `v1`, `v1alpha1`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// `k=v` as a query has it.
fn encoded(pair: &str) -> Result<String, Failure> {
    let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        let reason = format!("`--query {pair}` is not NAME=VALUE");
        Failure::new(Exit::Usage, reason).with_help("such as --query pageSize=5")
    })?;
    Ok(format!("{}={}", utf8_percent_encode(name, QUERY), utf8_percent_encode(value, QUERY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new(Some("p".into()), Some("us".into()))
    }

    fn read(text: &str) -> Result<String, String> {
        let place = Place::read(text, &[], &scope());
        place.map(|place| place.path_and_query).map_err(|failure| failure.to_string())
    }

    #[test]
    fn paths_are_completed() {
        for (text, path) in [
            ("v1/projects/p/locations/us/views", "/v1/projects/p/locations/us/views"),
            ("/v1/projects/q/locations/eu/views?pageSize=5", "/v1/projects/q/locations/eu/views?pageSize=5"),
            ("/v1alpha1/projects/q", "/v1alpha1/projects/q"),
            ("projects/q/locations/eu/views/", "/v1/projects/q/locations/eu/views"),
            ("assessmentRules", "/v1/projects/p/locations/us/assessmentRules"),
            ("conversations:calculateStats", "/v1/projects/p/locations/us/conversations:calculateStats"),
            ("v1/projects/{project}/locations/{location}/x", "/v1/projects/p/locations/us/x"),
            ("{parent}/x", "/v1/projects/p/locations/us/x"),
        ] {
            assert_eq!(read(text).unwrap(), path);
        }
        let query = ["filter=a=\"b c\"".to_owned(), "x=&".to_owned()];
        let place = Place::read("views?y=1", &query, &scope()).unwrap();
        assert!(place.path_and_query.ends_with("/views?y=1&filter=a%3D%22b%20c%22&x=%26"), "{place:?}");
        assert_eq!(place.name, "projects/p/locations/us/views");
        assert!(Place::read("views", &["x".to_owned()], &scope()).is_err());
    }

    #[test]
    fn what_is_more_than_a_path_is_refused_with_what_to_do() {
        for (text, words) in [
            ("https://evil.test/v1/projects/p", "give the path alone: v1/projects/p"),
            ("//evil.test/v1/projects/p", "is a URL"),
            ("evil.test/v1/projects/p", "begins with a host"),
            ("evil.test:443/v1", "begins with a host"),
            ("u@evil:1/v1", "begins with a host"),
            ("", "is empty"),
            ("/", "is empty"),
            ("v1/projects/../x", "`..`"),
            ("v1/projects/%2E%2e/x", "`..`"),
            ("v1/projects/.%2e", "`..`"),
            ("v1//projects", "empty segment"),
            ("v1/projects/a b", "cannot have ' '"),
            ("v1/projects/a\r\nx: y", "cannot have '\\r'"),
            ("v1/projects/a\\..\\b", "cannot have"),
            ("v1/projects/a#b", "cannot have '#'"),
            ("v1/é", "cannot have 'é'"),
            ("{nothing}/x", "stands for nothing"),
        ] {
            let report = read(text).unwrap_err();
            assert!(report.contains(words), "{text}: {report}");
        }
    }
}
