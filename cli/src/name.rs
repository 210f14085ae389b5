//! Names of operations and of what they are in, as people have them: typed, or copied out of a URL or a log.

use contact_center_insights::names::{LocationName, NameError, OperationName};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::scope::Scope;
use crate::terminal::eprint_line;

/// What a parent of operations looks like.
pub(crate) const PARENT: &str = "projects/PROJECT/locations/LOCATION";
/// What makes the name of an operation of a parent.
const SOME_OPERATION: &str = "/operations/-";

/// The name of an operation that is in `text`; `text` itself if none is, for the library to refuse. A host in it says
/// nothing of where calls go.
pub(crate) fn of_operation(text: String) -> String {
    match OperationName::check(&text).err().as_ref().and_then(NameError::repaired) {
        Some(name) => taken_as(name),
        None => text,
    }
}

/// The full name of an operation that `text` is, as [`of_operation`], or by its id alone, or by its name from the location on.
///
/// # Errors
/// If project or location are lacking, and not known.
pub(crate) fn operation_in(text: String, scope: &Scope) -> Result<String, Failure> {
    let end = text.trim().trim_start_matches("operations/");
    let is_id = !end.is_empty() && end.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    if is_id && end != "operations" {
        return Ok(format!("{}/operations/{end}", scope.parent()?));
    }
    Ok(of_operation(text))
}

/// The parent that `text` is, as [`of_parent`]; without it, that of the scope.
///
/// # Errors
/// If it is not one; or without it, if project or location are not known.
pub(crate) fn parent_in(text: Option<String>, scope: &Scope) -> Result<String, Failure> {
    text.map_or_else(|| scope.parent(), of_parent)
}

/// The parent that is in `text`: what stands before `/operations/` in a name, which is a location, or an authorized view
/// in one.
pub(crate) fn of_parent(text: String) -> Result<String, Failure> {
    // What a URL has behind its path, and the collection that it lists.
    let path = text.split(['?', '#']).next().unwrap_or_default().trim().trim_end_matches('/');
    let path = path.strip_suffix("/operations").unwrap_or(path);
    let name = format!("{path}{SOME_OPERATION}");
    let error = OperationName::check(&name).err();
    match error
        .as_ref()
        .map_or(Some(name.as_str()), NameError::repaired)
        .and_then(|name| name.strip_suffix(SOME_OPERATION))
    {
        Some(parent) if parent == text => Ok(text),
        Some(parent) => Ok(taken_as(parent)),
        None => Err(refused(&text)),
    }
}

/// The location in the name of anything.
pub(crate) fn location(name: &str) -> Option<String> {
    location_name(name).map(|name| name.location().to_owned())
}

/// The location that `name` begins with, else the pattern of one.
pub(crate) fn parent(name: &str) -> String {
    location_name(name).map_or_else(|| PARENT.to_owned(), String::from)
}

fn location_name(name: &str) -> Option<LocationName> {
    name.split('/').take(4).collect::<Vec<_>>().join("/").parse().ok()
}

fn taken_as(name: &str) -> String {
    eprint_line(format_args!("note: taken as {name}"));
    name.to_owned()
}

fn refused(parent: &str) -> Failure {
    let help = match self::parent(parent) {
        known if known != PARENT => format!("give the location alone: {known}"),
        _ => "give a location, such as projects/my-project/locations/us-central1".to_owned(),
    };
    Failure::new(Exit::Usage, format!("`{parent}` is not of the form `{PARENT}`")).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "projects/p/locations/us-central1";

    #[test]
    fn the_name_of_an_operation_is_taken_out_of_what_was_pasted() {
        let name = format!("{HERE}/operations/1");
        for text in [
            name.clone(),
            format!("https://contactcenterinsights.googleapis.com/v1/{name}"),
            format!("//contactcenterinsights.googleapis.com/{name}"),
            format!("{name}/"),
            format!("{name}\r"),
        ] {
            assert_eq!(of_operation(text), name);
        }
        for other in ["", "1", "projects/p/locations/l", "https://host/v1/projects/p"] {
            assert_eq!(of_operation(other.to_owned()), other);
        }
    }

    #[test]
    fn an_id_alone_is_completed() {
        let scope = Scope::new(Some("p".into()), Some("us-central1".into()));
        for text in ["1", "operations/1", " 1\n", &format!("{HERE}/operations/1")] {
            assert_eq!(operation_in(text.to_owned(), &scope).unwrap(), format!("{HERE}/operations/1"));
        }
        for other in ["", "a b", "views/1", "projects/p/locations/us/operations"] {
            assert_eq!(operation_in(other.to_owned(), &scope).unwrap(), other);
        }
        assert_eq!(parent_in(None, &scope).unwrap(), HERE);
        assert!(parent_in(Some("p".into()), &scope).is_err());
    }

    #[test]
    fn parents_are_checked_and_taken_out_of_what_was_pasted() {
        for good in [
            HERE,
            "projects/example.com:p/locations/us-central1",
            "projects/p/locations/l/authorizedViewSets/s/authorizedViews/v",
        ] {
            assert_eq!(of_parent(good.to_owned()).unwrap(), good);
        }
        for pasted in [
            format!("{HERE}/"),
            format!("{HERE}\r\n"),
            format!("{HERE}/operations"),
            format!("https://contactcenterinsights.googleapis.com/v1/{HERE}/operations?pageSize=5"),
            format!("//contactcenterinsights.googleapis.com/{HERE}"),
        ] {
            assert_eq!(of_parent(pasted).unwrap(), HERE);
        }
        for bad in ["", "p", "projects/p", "projects/p/locations/", "projects/p/x/l"] {
            let failure = of_parent(bad.to_owned()).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains("us-central1"), "{failure}");
        }
        let failure = of_parent(format!("{HERE}/operations/1")).unwrap_err().to_string();
        assert!(failure.ends_with(&format!("help: give the location alone: {HERE}")), "{failure}");
    }

    #[test]
    fn a_location_is_cut_out_of_a_name() {
        assert_eq!(parent("projects/p/locations/l/operations/1"), "projects/p/locations/l");
        assert_eq!(location("projects/p/locations/eu").as_deref(), Some("eu"));
        for bad in ["", "1", "projects//locations/l/operations/1", "projects/p/operations/1/é"] {
            assert_eq!((parent(bad), location(bad)), (PARENT.to_owned(), None), "{bad}");
        }
    }
}
