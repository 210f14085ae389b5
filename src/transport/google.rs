//! What Google's clients take from an option, else from a variable: the quota project and the universe domain.

use http::HeaderValue;

use super::endpoint::DEFAULT_UNIVERSE;
use super::environment::Environment;
use crate::error::{Error, Setting};

/// The value of `x-goog-user-project`, if it is for the client to say.
pub(super) fn quota_project(
    option: Option<String>,
    environment: &Environment<'_>,
) -> Result<Option<HeaderValue>, Error> {
    const VARIABLE: &str = "GOOGLE_CLOUD_QUOTA_PROJECT";
    let (name, project) = match (option, environment.get(VARIABLE)) {
        (Some(project), _) => (Setting::QuotaProject, project),
        (None, Some(project)) => (Setting::Variable(VARIABLE), project),
        (None, None) => return Ok(None),
    };
    match HeaderValue::try_from(project.trim()) {
        Ok(value) if !value.is_empty() => Ok(Some(value)),
        _ => Err(Error::config(name, format!("`{}` is not a project id", project.escape_debug()))),
    }
}

/// The domain that the service is in, and the credentials must be for.
pub(super) fn universe_domain(option: Option<&str>, environment: &Environment<'_>) -> Result<String, Error> {
    const VARIABLE: &str = "GOOGLE_CLOUD_UNIVERSE_DOMAIN";
    let (name, domain) = match (option, environment.get(VARIABLE)) {
        (Some(domain), _) => (Setting::UniverseDomain, domain.trim().to_ascii_lowercase()),
        (None, Some(domain)) => (Setting::Variable(VARIABLE), domain.to_ascii_lowercase()),
        (None, None) => return Ok(DEFAULT_UNIVERSE.to_owned()),
    };
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if domain.contains('.') && domain.split('.').all(is_label) {
        return Ok(domain);
    }
    let reason = format!("`{}` is not a domain, such as {DEFAULT_UNIVERSE}", domain.escape_debug());
    Err(Error::config(name, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variable: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
        move |name| (name == variable).then(|| value.to_owned())
    }

    #[test]
    fn the_quota_project_is_an_option_else_a_variable() {
        let lookup = with("GOOGLE_CLOUD_QUOTA_PROJECT", "from-variable");
        let environment = Environment::new(&lookup);
        let project = |option: Option<&str>| quota_project(option.map(str::to_owned), &environment);
        assert_eq!(project(Some("from-option")).unwrap().unwrap(), "from-option");
        assert_eq!(project(None).unwrap().unwrap(), "from-variable");
        assert_eq!(quota_project(None, &Environment::new(&|_| None)).unwrap(), None);
        for bad in ["", " ", "a\nb"] {
            let error = project(Some(bad)).unwrap_err();
            assert_eq!(error.setting(), Some(Setting::QuotaProject), "{bad:?}: {error:?}");
        }
    }

    #[test]
    fn the_universe_domain_is_an_option_else_a_variable_else_googles_own() {
        let lookup = with("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "From.Variable");
        let environment = Environment::new(&lookup);
        assert_eq!(universe_domain(Some("from.option"), &environment).unwrap(), "from.option");
        assert_eq!(universe_domain(None, &environment).unwrap(), "from.variable");
        assert_eq!(universe_domain(None, &Environment::new(&|_| None)).unwrap(), "googleapis.com");
        for bad in ["", "https://x.y", "x", "x..y", "evil.com/x", "a.b:1"] {
            let error = universe_domain(Some(bad), &environment).unwrap_err();
            assert_eq!(error.setting(), Some(Setting::UniverseDomain), "{bad:?}: {error:?}");
        }
    }
}
