//! The project and the location that names are completed by, where a name does not say.

use std::env;
use std::path::{Path, PathBuf};

use crate::config::{self, Found};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::eprint_line;

/// The variables that say where names are.
pub(crate) const PROJECT: &str = "CCI_PROJECT";
pub(crate) const LOCATION: &str = "CCI_LOCATION";
/// What Google's clients call the project.
const CLOUD_PROJECT: &str = "GOOGLE_CLOUD_PROJECT";
/// What gcloud goes by in place of its configuration.
const GCLOUD_PROJECT: &str = "CLOUDSDK_CORE_PROJECT";

/// Where names are, as far as they do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    project: Option<String>,
    location: Option<String>,
}

impl Scope {
    /// What the flags say. All else is looked for when a name lacks it.
    pub(crate) fn new(project: Option<String>, location: Option<String>) -> Self {
        Self { project, location }
    }

    /// The project: by the flag, else `CCI_PROJECT`, the profile, `GOOGLE_CLOUD_PROJECT`, or gcloud's active configuration.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub(crate) fn project(&self) -> Result<Option<Found>, Failure> {
        if let Some(found) = flag("--project", self.project.as_ref()).or_else(|| variable(PROJECT)) {
            return Ok(Some(found));
        }
        Ok(config::get(config::PROJECT)?.or_else(|| variable(CLOUD_PROJECT)).or_else(gcloud))
    }

    /// The location: by the flag, else `CCI_LOCATION`, or the profile.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub(crate) fn location(&self) -> Result<Option<Found>, Failure> {
        match flag("--location", self.location.as_ref()).or_else(|| variable(LOCATION)) {
            Some(found) => Ok(Some(found)),
            None => config::get(config::LOCATION),
        }
    }

    /// `projects/P/locations/L`.
    ///
    /// # Errors
    /// If one of them is not known, or is not an id.
    pub(crate) fn parent(&self) -> Result<String, Failure> {
        let missing = |what: &str, flag: &str, variable: &str| {
            let help = format!(
                "give a full name, or {flag}, or set {variable}\nto have it stay: cci config set {what} …"
            );
            Failure::new(Exit::Usage, format!("which {what}?")).with_help(help)
        };
        let project = self.project()?.ok_or_else(|| missing("project", "--project ID", PROJECT))?;
        let location =
            self.location()?.ok_or_else(|| missing("location", "--location us-central1", LOCATION))?;
        Ok(format!("projects/{}/locations/{}", id("project", project)?, id("location", location)?))
    }

    /// The full name of what `text` is: a full name, a URL of one, a name from its location on, or the ids alone, for a
    /// name of this pattern, such as `projects/*/locations/*/issueModels/*/issues/*`.
    ///
    /// # Errors
    /// If it is none of these, or project or location are not known.
    pub(crate) fn resolve(&self, pattern: &str, text: &str) -> Result<String, Failure> {
        let wanted: Vec<&str> = pattern.split('/').collect();
        let path = path_of(text);
        let given: Vec<&str> = path.split('/').collect();
        if fits(&wanted, &given) {
            if path != text {
                eprint_line(format_args!("note: taken as {path}"));
            }
            return Ok(path.to_owned());
        }
        let below = wanted.get(4..).unwrap_or_default();
        let variables = below.iter().filter(|part| **part == "*").count();
        let name = if !below.is_empty() && fits(below, &given) {
            Some(path.to_owned())
        } else if variables > 0 && given.len() == variables && given.iter().all(|id| is_id(id)) {
            let mut ids = given.iter();
            let parts =
                below.iter().map(|part| if *part == "*" { ids.next().copied().unwrap_or("") } else { part });
            Some(parts.collect::<Vec<_>>().join("/"))
        } else {
            None
        };
        if let Some(name) = name {
            return Ok(format!("{}/{name}", self.parent()?));
        }
        let help = format!("it has the form {}", spelled(pattern));
        Err(Failure::new(Exit::Usage, format!("`{text}` is not such a name")).with_help(help))
    }
}

fn flag(name: &str, value: Option<&String>) -> Option<Found> {
    value.map(|value| Found { value: value.clone(), source: name.to_owned() })
}

fn variable(name: &str) -> Option<Found> {
    let value = env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(Found { value, source: name.to_owned() })
}

/// The id alone, which becomes part of names, and of a host's.
fn id(what: &str, Found { value, source }: Found) -> Result<String, Failure> {
    if is_id(&value) && !value.contains(['/', '?', '#', '%']) {
        return Ok(value);
    }
    let reason = format!("`{value}`, of {source}, is not the id of a {what}");
    Err(Failure::new(Exit::Usage, reason).with_help("give the id alone, such as my-project or us-central1"))
}

/// The name in a URL, of REST or with `//host/` before it; a host in it says nothing of where calls go.
fn path_of(text: &str) -> &str {
    let text = text.split(['?', '#']).next().unwrap_or_default().trim().trim_end_matches('/');
    match text.split_once("//") {
        Some(("" | "http:" | "https:", rest)) => {
            let path = rest.split_once('/').map_or("", |(_, path)| path);
            path.strip_prefix("v1/").unwrap_or(path)
        }
        _ => text,
    }
}

fn fits(wanted: &[&str], given: &[&str]) -> bool {
    let is_match =
        |(wanted, given): (&&str, &&str)| if *wanted == "*" { is_id(given) } else { wanted == given };
    wanted.len() == given.len() && wanted.iter().zip(given).all(is_match)
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// `projects/PROJECT/locations/LOCATION/views/VIEW` of a pattern.
pub(crate) fn spelled(pattern: &str) -> String {
    let mut before = "";
    let parts = pattern.split('/').map(|part| {
        let word = if part == "*" { id_of(before) } else { part.to_owned() };
        before = part;
        word
    });
    parts.collect::<Vec<_>>().join("/")
}

/// `ISSUE_MODEL` for `issueModels`.
fn id_of(collection: &str) -> String {
    let one = match collection {
        "analyses" => "analysis",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    let mut word = String::new();
    for letter in one.chars() {
        if letter.is_ascii_uppercase() {
            word.push('_');
        }
        word.push(letter.to_ascii_uppercase());
    }
    word
}

/// The project of gcloud's active configuration, which is only read.
fn gcloud() -> Option<Found> {
    variable(GCLOUD_PROJECT).or_else(|| gcloud_project(&gcloud_directory()?))
}

/// Where gcloud keeps its configurations.
fn gcloud_directory() -> Option<PathBuf> {
    env::var_os("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME").map(PathBuf::from)?;
        Some(home.join(".config").join("gcloud"))
    })
}

fn gcloud_project(directory: &Path) -> Option<Found> {
    let name = env::var("CLOUDSDK_ACTIVE_CONFIG_NAME")
        .ok()
        .or_else(|| std::fs::read_to_string(directory.join("active_config")).ok())
        .unwrap_or_else(|| "default".to_owned());
    let name = name.trim();
    let file = directory.join("configurations").join(format!("config_{name}"));
    let value = project_in(&std::fs::read_to_string(file).ok()?)?;
    Some(Found { value, source: format!("gcloud's configuration {name}") })
}

/// The `project` of the section `core`.
fn project_in(text: &str) -> Option<String> {
    let mut section = "";
    text.lines().map(str::trim).find_map(|line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            return None;
        }
        let (key, value) = line.split_once('=').filter(|_| section == "core")?;
        (key.trim() == "project").then(|| value.trim().to_owned()).filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "projects/p/locations/us-central1";

    fn scope() -> Scope {
        Scope { project: Some("p".into()), location: Some("us-central1".into()) }
    }

    #[test]
    fn names_are_completed() {
        let issue = "projects/*/locations/*/issueModels/*/issues/*";
        let view = "projects/*/locations/*/views/*";
        let settings = "projects/*/locations/*/settings";
        let location = "projects/*/locations/*";
        for (pattern, text, wanted) in [
            (view, "7", "/views/7"),
            (view, "views/7", "/views/7"),
            (view, "projects/p/locations/us-central1/views/7", "/views/7"),
            (
                view,
                "https://contactcenterinsights.googleapis.com/v1/projects/p/locations/us-central1/views/7?alt=json",
                "/views/7",
            ),
            (
                view,
                "//contactcenterinsights.googleapis.com/projects/p/locations/us-central1/views/7/",
                "/views/7",
            ),
            (issue, "3/4", "/issueModels/3/issues/4"),
            (issue, "issueModels/3/issues/4", "/issueModels/3/issues/4"),
            (settings, "settings", "/settings"),
            (location, HERE, ""),
        ] {
            assert_eq!(scope().resolve(pattern, text).unwrap(), format!("{HERE}{wanted}"), "{text}");
        }
        for (pattern, text) in
            [(view, ""), (view, "a/b"), (view, "a b"), (issue, "4"), (issue, "views/4/x"), (location, "p")]
        {
            let failure = scope().resolve(pattern, text).unwrap_err();
            assert!(failure.to_string().contains("projects/PROJECT/locations/LOCATION"), "{failure}");
        }
    }

    #[test]
    fn a_full_name_needs_nothing() {
        // What a machine has set besides is tried by running `cci`.
        let nothing = Scope::default();
        let full = "projects/q/locations/eu/views/7";
        assert_eq!(nothing.resolve("projects/*/locations/*/views/*", full).unwrap(), full);
    }

    #[test]
    fn what_is_not_an_id_does_not_become_part_of_a_name() {
        for bad in ["projects/p", "a b", "", "p?x", "p%2f"] {
            let scope = Scope::new(Some(bad.to_owned()), Some("us".into()));
            let failure = scope.parent().unwrap_err().to_string();
            assert!(failure.contains("of --project, is not the id of a project"), "{failure}");
        }
        let scope = Scope::new(Some("example.com:p".into()), Some("us".into()));
        assert_eq!(scope.parent().unwrap(), "projects/example.com:p/locations/us");
    }

    #[test]
    fn patterns_are_spelled_for_people() {
        assert_eq!(
            spelled("projects/*/locations/*/qaScorecards/*/revisions/*"),
            "projects/PROJECT/locations/LOCATION/qaScorecards/QA_SCORECARD/revisions/REVISION"
        );
        assert!(spelled("a/*/analyses/*").ends_with("analyses/ANALYSIS"));
    }

    #[test]
    fn the_project_of_a_configuration_of_gcloud_is_read() {
        let text = "[compute]\nproject = no\n[core]\naccount = a@b\nproject = my-project \n";
        assert_eq!(project_in(text).as_deref(), Some("my-project"));
        assert_eq!(project_in("[core]\nproject =\n"), None);
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("configurations")).unwrap();
        std::fs::write(directory.path().join("configurations/config_work"), text).unwrap();
        std::fs::write(directory.path().join("active_config"), "work\n").unwrap();
        let found = gcloud_project(directory.path()).unwrap();
        assert_eq!(
            (found.value.as_str(), found.source.as_str()),
            ("my-project", "gcloud's configuration work")
        );
    }
}
