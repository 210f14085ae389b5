//! An access token as people have it: in a file, in a pipe, in a variable. What it holds is never shown.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};

use crate::exit::Exit;
use crate::failure::Failure;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The variable that holds an access token. There is no flag for it: every process on the machine can read those.
pub(crate) const TOKEN_VARIABLE: &str = "CCI_ACCESS_TOKEN";
/// A token file is read again this often, so that a long wait finds the newer token.
const TOKEN_FILE_AGE: Duration = Duration::from_mins(5);
/// No token is longer; a pipe may never end.
const LONGEST: u64 = 64 * 1024;

/// The token in `file`: read anew now and then, unless it can be read only once, as a pipe can.
pub(crate) fn of_file(file: &Path) -> Result<Credentials, Failure> {
    // Read now, so that a mistake is told at once.
    let token =
        read(file).map_err(|error| unusable(&format!("--access-token-file {}", file.display()), error))?;
    if !fs::metadata(file).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(Credentials::from_token(token));
    }
    let file = file.to_owned();
    let source = move || std::future::ready(read(&file).map(|token| token.renew_in(TOKEN_FILE_AGE)));
    Ok(Credentials::from_source(source))
}

/// The token in `CCI_ACCESS_TOKEN`.
pub(crate) fn of_variable(value: &str) -> Result<Credentials, Failure> {
    alone(value).map(Credentials::from_token).map_err(|error| unusable(TOKEN_VARIABLE, error))
}

fn read(file: &Path) -> Result<Token, BoxError> {
    let mut bytes = Vec::new();
    File::open(file)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("the file is UTF-16, as `>` of Windows PowerShell writes it; save it as UTF-8".into());
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err("what is read is longer than any access token".into());
    }
    alone(str::from_utf8(&bytes).map_err(|_| "the file is not text")?)
}

/// The token alone, without what editors and shells put around it.
fn alone(text: &str) -> Result<Token, BoxError> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let token = Token::new(text)?;
    if text.contains(char::is_whitespace) {
        return Err("there is more than one word; give the access token alone".into());
    }
    Ok(token)
}

fn unusable(place: &str, error: BoxError) -> Failure {
    let help = format!(
        "get one with `gcloud auth print-access-token`, or leave {TOKEN_VARIABLE} and \
                        --access-token-file out to use application default credentials"
    );
    Failure::because(Exit::Credentials, format!("cannot use the access token from {place}"), error)
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_a_token_is_taken_away() {
        for text in ["ya29.a", " ya29.a\r\n", "\u{feff}ya29.a\n", "\n\u{feff} ya29.a"] {
            alone(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        }
    }

    #[test]
    fn what_is_not_a_token_is_named_and_not_shown() {
        for (text, words) in [
            ("{\"access_token\": \"planted\"}", "this is JSON"),
            ("\u{feff}{}", "this is JSON"),
            ("\"planted\"\n", "in quotes"),
            ("Bearer planted", "`Bearer` stands before"),
            ("planted planted", "more than one word"),
            ("planted\nplanted", "line break"),
            ("  \n", "is empty"),
        ] {
            let failure = of_variable(text).map(drop).unwrap_err();
            assert_eq!(failure.exit(), Exit::Credentials);
            let report = failure.to_string();
            assert!(report.contains(words) && report.contains("CCI_ACCESS_TOKEN"), "{report}");
            assert!(!report.contains("planted") && report.contains("print-access-token"), "{report}");
        }
    }

    #[test]
    fn files_that_hold_no_text_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let long = vec![b'a'; 70_000];
        for (bytes, words) in [
            (&b"\xff\xfep\0l\0a\0n\0t\0e\0d\0"[..], "UTF-16"),
            (b"planted\xff", "not text"),
            (&long, "longer than any"),
        ] {
            fs::write(&file, bytes).unwrap();
            let report = of_file(&file).map(drop).unwrap_err().to_string();
            assert!(report.contains(words) && !report.contains("planted"), "{report}");
        }
        assert!(of_file(directory.path()).is_err());
    }
}
