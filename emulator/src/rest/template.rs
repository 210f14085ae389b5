//! Path templates of `google.api.http`: how they are read, and what they match.

use contact_center_insights::{Code, Status};

use super::escapes;
use crate::errors;

/// A template such as `/v1/{name=projects/*/locations/*/issueModels/*}:deploy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    segments: Vec<Segment>,
    /// Fields, each with the range of segments that it holds.
    variables: Vec<(String, std::ops::Range<usize>)>,
    verb: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `*`
    One,
    /// `**`, which ends a template.
    Rest,
}

impl Template {
    pub(super) fn parse(text: &str) -> Self {
        // A colon after the last brace and the last slash begins the verb.
        let tail = text.rfind(['}', '/']).unwrap_or(0);
        let colon = text.get(tail..).and_then(|end| end.find(':')).map(|at| tail + at);
        let path = colon.and_then(|at| text.get(..at)).unwrap_or(text);
        let verb = colon.and_then(|at| text.get(at + 1..)).map(str::to_owned);
        let mut template = Self { segments: Vec::new(), variables: Vec::new(), verb };
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            template.push(before);
            let (variable, after) = after.split_once('}').unwrap_or((after, ""));
            let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
            let start = template.segments.len();
            template.push(pattern);
            template.variables.push((field.to_owned(), start..template.segments.len()));
            rest = after;
        }
        template.push(rest);
        template
    }

    fn push(&mut self, path: &str) {
        self.segments.extend(path.split('/').filter(|segment| !segment.is_empty()).map(
            |segment| match segment {
                "*" => Segment::One,
                "**" => Segment::Rest,
                literal => Segment::Literal(literal.to_owned()),
            },
        ));
    }

    /// Whether a path with this many slashes can match at all.
    pub(super) fn may_match(&self, slashes: usize) -> bool {
        slashes == self.segments.len() || self.segments.last() == Some(&Segment::Rest)
    }

    /// Whether the literal segments of a path, all but the last, which may have a verb, are those of this one: what can
    /// be told without more.
    pub(super) fn is_like(&self, found: &[&str]) -> bool {
        let before = self.segments.len().saturating_sub(1);
        self.segments.iter().take(before).zip(found).all(|(wanted, found)| match wanted {
            Segment::Literal(literal) => literal == found,
            Segment::One | Segment::Rest => true,
        })
    }

    /// The fields bound by `path`, still percent-encoded, if the template matches. A colon that is not encoded belongs
    /// to a verb if it is in the last segment, and to a project such as `example.com:name` elsewhere.
    pub(super) fn matches<'a>(&self, path: &'a str) -> Option<Vec<(&str, &'a str)>> {
        let path = path.strip_prefix('/')?;
        let path = match &self.verb {
            Some(verb) => path.strip_suffix(verb)?.strip_suffix(':')?,
            None => path,
        };
        let found: Vec<&str> = path.split('/').collect();
        if found.last()?.contains(':') || found.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let open = self.segments.last() == Some(&Segment::Rest);
        if found.len() < self.segments.len() || (found.len() > self.segments.len() && !open) {
            return None;
        }
        if self.common(&found) < self.segments.len() {
            return None;
        }
        let bounds = bounds(path);
        let mut bound = Vec::with_capacity(self.variables.len());
        for (field, range) in &self.variables {
            let start = bounds.get(range.start)?.0;
            let last = if open && range.end == self.segments.len() { found.len() } else { range.end };
            let end = bounds.get(last.checked_sub(1)?)?.1;
            bound.push((field.as_str(), path.get(start..end)?));
        }
        Some(bound)
    }

    /// What follows the first `count` segments, for comparison with a path.
    pub(super) fn tail(&self, count: usize) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Literal(literal) => literal.clone(),
            Segment::One | Segment::Rest => "*".to_owned(),
        };
        let segments: Vec<String> = self.segments.iter().skip(count).map(text).collect();
        segments.join("/") + &self.verb.as_ref().map(|verb| format!(":{verb}")).unwrap_or_default()
    }

    /// How many leading segments fit.
    pub(super) fn common(&self, found: &[&str]) -> usize {
        let fits = |(wanted, found): &(&Segment, &&str)| match wanted {
            Segment::Literal(literal) => literal == *found,
            Segment::One | Segment::Rest => !found.is_empty(),
        };
        self.segments.iter().zip(found).take_while(fits).count()
    }
}

/// Where each segment of a path begins and ends.
fn bounds(path: &str) -> Vec<(usize, usize)> {
    let mut start = 0;
    path.split('/')
        .map(|segment| {
            let bounds = (start, start + segment.len());
            start = bounds.1 + 1;
            bounds
        })
        .collect()
}

/// Undoes percent-encoding. An encoded slash stays encoded: it is part of a segment, and does not end one.
pub(super) fn decode(value: &str) -> Result<String, Status> {
    let pieces = value.split("%2F").flat_map(|part| part.split("%2f"));
    let pieces: Option<Vec<_>> = pieces.map(escapes::decode).collect();
    pieces.map(|pieces| pieces.join("%2F")).ok_or_else(|| {
        let message = format!("`{value}` in the path is not percent-encoded UTF-8");
        errors::with_reason(Code::InvalidArgument, "MALFORMED_PATH", message, &[("value", value)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(template: &str, path: &str) -> Option<Vec<(String, String)>> {
        let template = Template::parse(template);
        let found = template.matches(path)?;
        Some(found.into_iter().map(|(field, value)| (field.to_owned(), decode(value).unwrap())).collect())
    }

    fn one(field: &str, value: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), value.to_owned())]
    }

    const GET: &str = "/v1/{name=projects/*/locations/*/issueModels/*}";
    const DEPLOY: &str = "/v1/{name=projects/*/locations/*/issueModels/*}:deploy";
    const UPLOAD: &str = "/v1/{parent=projects/*/locations/*}/conversations:upload";

    #[test]
    fn r46_a_name_is_bound_whole() {
        let name = "projects/p/locations/l/issueModels/m";
        assert_eq!(bind(GET, &format!("/v1/{name}")), Some(one("name", name)));
        assert_eq!(bind(DEPLOY, &format!("/v1/{name}:deploy")), Some(one("name", name)));
        assert_eq!(
            bind(UPLOAD, "/v1/projects/example.com:p/locations/l/conversations:upload"),
            Some(one("parent", "projects/example.com:p/locations/l"))
        );
        assert_eq!(bind("/v1/{a.b=x/*}/c/{d}", "/v1/x/1/c/2").unwrap().len(), 2);
    }

    #[test]
    fn verbs_are_part_of_the_match() {
        for (template, path) in [
            (GET, "/v1/projects/p/locations/l/issueModels/m:deploy"),
            (DEPLOY, "/v1/projects/p/locations/l/issueModels/m"),
            (DEPLOY, "/v1/projects/p/locations/l/issueModels/m:undeploy"),
            (DEPLOY, "/v1/projects/p/locations/l/issueModels/:deploy"),
            (GET, "/v1/projects/p/locations/l/issueModels/m/"),
            (GET, "/v1/projects//locations/l/issueModels/m"),
            (GET, "/v2/projects/p/locations/l/issueModels/m"),
            (GET, ""),
        ] {
            assert_eq!(bind(template, path), None, "{template} {path}");
        }
    }

    #[test]
    fn two_stars_take_the_rest() {
        assert_eq!(
            bind("/v1/{name=operations/**}", "/v1/operations/a/b"),
            Some(one("name", "operations/a/b"))
        );
        assert_eq!(
            bind("/v1/{name=operations/**}:cancel", "/v1/operations/a:cancel"),
            Some(one("name", "operations/a"))
        );
        assert_eq!(bind("/v1/{name=operations/**}", "/v1/operations"), None);
    }

    #[test]
    fn segments_are_decoded_but_for_slashes() {
        let path = "/v1/projects/a%3Ab/locations/l/issueModels/%C3%A9%2Fx%2fy+z";
        assert_eq!(bind(GET, path), Some(one("name", "projects/a:b/locations/l/issueModels/é%2Fx%2Fy+z")));
        for bad in ["%FF", "%zz", "%", "a%2", "%2F%"] {
            assert_eq!(decode(bad).unwrap_err().code(), Code::InvalidArgument, "{bad}");
        }
    }
}
