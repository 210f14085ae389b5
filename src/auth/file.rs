//! The file of application default credentials: where it is expected, and what it holds, with the usual mistakes named.
//! The backends say of them "expected value at line 1 column 1", or show the bytes of a key.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use serde_json::Value;
use serde_json::error::Category;

use super::contents;

pub(super) const FILE_VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Where gcloud keeps its files, in place of the usual folder.
pub(super) const FOLDER_VARIABLE: &str = "CLOUDSDK_CONFIG";
const FILE_NAME: &str = "application_default_credentials.json";
#[cfg(windows)]
pub(super) const HOME: (&str, &str) = ("APPDATA", "gcloud");
#[cfg(not(windows))]
pub(super) const HOME: (&str, &str) = ("HOME", ".config/gcloud");

/// No path is so long in which the beginning of JSON in base64 is found.
const LONG: usize = 100;

/// Where the file is expected (AIP-4110, AIP-4113).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// What `GOOGLE_APPLICATION_CREDENTIALS` holds: it has to be there.
    Named(OsString),
    /// Where gcloud writes it, if it does.
    Gcloud(PathBuf),
    /// Nobody has said where gcloud's files are.
    Unknown,
}

impl Place {
    pub(super) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let folder = || {
            let (home, path) = HOME;
            set(FOLDER_VARIABLE).map(PathBuf::from).or_else(|| Some(PathBuf::from(set(home)?).join(path)))
        };
        match variable(FILE_VARIABLE) {
            Some(value) => Self::Named(value),
            None => folder().map_or(Self::Unknown, |folder| Self::Gcloud(folder.join(FILE_NAME))),
        }
    }

    /// Whether there is a file, as far as can be seen: what is wrong with it, [`Place::read`] tells.
    pub(super) fn is_there(&self) -> bool {
        match self {
            Self::Named(_) => true,
            Self::Gcloud(path) => !fs::metadata(path).is_err_and(|error| is_absent(&error)),
            Self::Unknown => false,
        }
    }

    /// What the file holds; `None` if there is none, and need not be.
    ///
    /// An error names the place and the mistake, and says what to do. It shows nothing of what the file holds.
    pub(super) fn read(&self) -> Result<Option<Value>, String> {
        let path = match self {
            Self::Named(value) => {
                if let Some(mistake) = in_variable(value) {
                    return Err(format!("{FILE_VARIABLE} {mistake}"));
                }
                PathBuf::from(value)
            }
            Self::Gcloud(path) => path.clone(),
            Self::Unknown => return Ok(None),
        };
        let wrong = |mistake: String| {
            let origin = if matches!(self, Self::Named(_)) { FILE_VARIABLE } else { "gcloud" };
            format!("the credentials file {} (from {origin}) {mistake}", path.display())
        };
        match fs::read(&path) {
            Ok(bytes) => parse(&bytes).map(Some).map_err(wrong),
            Err(error) if is_absent(&error) && matches!(self, Self::Gcloud(_)) => Ok(None),
            Err(error) => Err(wrong(unreadable(&path.display().to_string(), &error))),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What is wrong with the value of the variable itself. It is not shown: it may be the credentials.
fn in_variable(value: &OsStr) -> Option<&'static str> {
    let text = value.to_string_lossy();
    let text = text.trim_start_matches('\u{feff}').trim_start_matches(['"', '\'']).trim_start();
    if text.is_empty() {
        return Some("is set, but empty; set it to the path of a credentials file, or unset it");
    }
    if text.starts_with('{') || text.starts_with("-----BEGIN") {
        return Some(
            "holds the credentials themselves; write them to a file, and set it to the path of that",
        );
    }
    // `{"` and `{` with a line break or spaces after it.
    let is_base64 =
        text.len() > LONG && ["eyI", "eyJ", "ewo", "ew0", "eyA"].iter().any(|p| text.starts_with(p));
    is_base64.then_some(
        "holds something in base64, the credentials themselves it seems; decode them into a file, and set it to the \
         path of that",
    )
}

fn unreadable(path: &str, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory if path.starts_with('~') => {
            "does not exist: `~` is not expanded within quotes; write the path in full".to_owned()
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory if path.trim() != path => {
            "does not exist: there is white space around the path".to_owned()
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            format!("does not exist; set {FILE_VARIABLE} to the path of a credentials file, or unset it")
        }
        ErrorKind::IsADirectory => "is a directory; name the file in it".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    const AS_UTF8: &str = "save it as UTF-8 without BOM";
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(format!("is UTF-16, as `>` of Windows PowerShell writes it; {AS_UTF8}"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(format!("begins with a byte order mark (BOM), which JSON must not have; {AS_UTF8}"));
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return Err("is not text; make a key in JSON, not in P12".to_owned());
    };
    if text.trim().is_empty() {
        return Err("is empty; download it anew".to_owned());
    }
    if text.trim_start().starts_with("-----BEGIN") {
        return Err(
            "is a private key alone; what is needed is the whole JSON file that the key came in".to_owned()
        );
    }
    let value = serde_json::from_str::<Value>(text).map_err(|error| not_json(&error))?;
    contents::check(&value)?;
    Ok(value)
}

/// Such an error tells where, and nothing of what is there.
fn not_json(error: &serde_json::Error) -> String {
    let advice = if error.classify() == Category::Eof {
        "it breaks off; download it anew"
    } else if error.to_string().starts_with("control character") {
        "within a string, a line break is written `\\n`; download it anew"
    } else {
        "download it anew"
    };
    format!("is not JSON at line {} column {}; {advice}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn place(variables: &[(&str, &str)]) -> Place {
        Place::of(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_file_is_where_aip_4110_and_gcloud_have_it() {
        let gcloud = |folder: &str| Place::Gcloud(Path::new(folder).join(FILE_NAME));
        let usual = Path::new("/h").join(HOME.1);
        for (variables, expected) in [
            (&[][..], Place::Unknown),
            (&[(HOME.0, "/h")], gcloud(usual.to_str().unwrap())),
            (&[(HOME.0, "/h"), (FOLDER_VARIABLE, "")], gcloud(usual.to_str().unwrap())),
            (&[(HOME.0, "/h"), (FOLDER_VARIABLE, "/c")], gcloud("/c")),
            (&[(FOLDER_VARIABLE, "/c")], gcloud("/c")),
            (&[(FOLDER_VARIABLE, "/c"), (FILE_VARIABLE, "/f")], Place::Named("/f".into())),
            (&[(FILE_VARIABLE, "")], Place::Named("".into())),
        ] {
            assert_eq!(place(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_variable_that_holds_no_path_is_told_without_its_value() {
        let key = r#"{"type": "service_account", "private_key": "planted"}"#;
        let base64 = "ewogICJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIsCiAgInByb2plY3RfaWQiOiAicCIsCiAgInByaXZhdGVfa2V5X2lkIjogImtleSIs";
        for (value, words) in [
            (key.to_owned(), "holds the credentials themselves; write them to a file"),
            (format!("'{key}'"), "holds the credentials themselves"),
            (format!("\u{feff} {key}"), "holds the credentials themselves"),
            (base64.to_owned(), "in base64"),
            (String::new(), "is set, but empty"),
            (
                "/nonexistent/planted".to_owned(),
                "planted (from GOOGLE_APPLICATION_CREDENTIALS) does not exist; set",
            ),
            ("~/planted".to_owned(), "`~` is not expanded"),
            ("/nonexistent/x ".to_owned(), "white space around the path"),
            ("/".to_owned(), "is a directory"),
        ] {
            let error = Place::Named(value.clone().into()).read().unwrap_err();
            assert!(error.contains(words), "{error}");
            assert!(value.contains("/planted") || !error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn what_is_not_json_is_told_with_what_to_do_and_not_shown() {
        let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], &str); 10] = [
            (b"\xef\xbb\xbf{\"type\": \"planted\"}", "begins with a byte order mark (BOM)"),
            (&utf16, "is UTF-16"),
            (b"\x30\x82\x09\xf1planted", "is not text"),
            (b" \n", "is empty"),
            (b"-----BEGIN PRIVATE KEY-----\nplanted", "is a private key alone"),
            (b"{\"private_key\": \"plan", "is not JSON at line 1 column 21; it breaks off"),
            (b"{\"private_key\": \"planted\nplanted\"}", "a line break is written `\\n`"),
            (b"planted", "is not JSON at line 1 column 1; download it anew"),
            (b"{\"type\": planted}", "is not JSON at line 1 column 10; download it anew"),
            (b"\"{\\\"type\\\": \\\"planted\\\"}\"", "quoted once more"),
        ];
        for (bytes, words) in cases {
            let error = parse(bytes).unwrap_err();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains("plan"), "{error}");
        }
    }
}
