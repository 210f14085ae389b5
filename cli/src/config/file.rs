//! One configuration file: read, changed with all that is the user's own left as it is, and written in one go.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, TomlError, Value};

use super::{DEFAULT_PROFILE, FILE, Found, KEYS};
use crate::exit::Exit;
use crate::failure::Failure;

/// The table of all profiles, and the key that names the active one.
const PROFILES: &str = "profiles";
const ACTIVE: &str = "profile";

/// A file that is there, or will be.
#[derive(Debug)]
pub(crate) struct File {
    path: Option<PathBuf>,
    document: DocumentMut,
}

impl File {
    /// Reads it; one that is not there is empty.
    pub(crate) fn read(path: Option<PathBuf>) -> Result<Self, Failure> {
        let text = match path.as_deref().map(fs::read_to_string) {
            Some(Ok(text)) => text,
            None => String::new(),
            Some(Err(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                String::new()
            }
            Some(Err(error)) => {
                let reason = format!("cannot read the configuration {}", shown(path.as_deref()));
                let help = format!("mend or remove the file, or name another: export {FILE}=FILE");
                return Err(Failure::because(Exit::Usage, reason, error).with_help(help));
            }
        };
        match text.parse() {
            Ok(document) => Ok(Self { path, document }),
            Err(error) => Err(broken(path.as_deref(), &text, &error)),
        }
    }

    /// The file as messages show it.
    pub(crate) fn shown(&self) -> String {
        shown(self.path.as_deref())
    }

    /// The names of all profiles.
    pub(crate) fn profiles(&self) -> Vec<String> {
        let profiles = self.document.get(PROFILES).and_then(Item::as_table_like);
        profiles.into_iter().flat_map(TableLike::iter).map(|(name, _)| name.to_owned()).collect()
    }

    /// The active profile: the one that is `chosen`, else that of the file.
    ///
    /// # Errors
    /// If it is asked for and not there.
    pub(crate) fn active(&self, chosen: Option<Found>) -> Result<String, Failure> {
        let by_file = || {
            let name = self.document.get(ACTIVE)?.as_str()?;
            Some(Found { value: name.to_owned(), source: self.shown() })
        };
        let Some(Found { value: name, source }) = chosen.or_else(by_file) else {
            return Ok(DEFAULT_PROFILE.to_owned());
        };
        let known = self.profiles();
        if known.contains(&name) || name == DEFAULT_PROFILE {
            return Ok(name);
        }
        let reason = format!("profile `{name}`, which {source} asks for, does not exist");
        let help = if known.is_empty() {
            format!("to make it: cci config set project ID --profile {name}")
        } else {
            format!(
                "the profiles are {}; to make it: cci config set project ID --profile {name}",
                known.join(", ")
            )
        };
        Err(Failure::new(Exit::Usage, reason).with_help(help))
    }

    /// What a profile says of a key.
    ///
    /// # Errors
    /// If it says it in something other than a string.
    pub(crate) fn get(&self, profile: &str, key: &str) -> Result<Option<Found>, Failure> {
        let table = self.document.get(PROFILES).and_then(|profiles| profiles.get(profile));
        let Some(item) = table.and_then(|table| table.get(key)) else { return Ok(None) };
        let source = format!("the profile {profile} of {}", self.shown());
        match item.as_str() {
            Some("") => Ok(None),
            Some(value) => Ok(Some(Found { value: value.to_owned(), source })),
            None => {
                let reason = format!("{key} of {source} is not a string");
                let help = format!("write it in quotes, or: cci config set {key} VALUE");
                Err(Failure::new(Exit::Usage, reason).with_help(help))
            }
        }
    }

    /// What a profile holds beside the keys that are known: it stays, and means nothing.
    pub(crate) fn unknown(&self, profile: &str) -> Vec<String> {
        let table = self.document.get(PROFILES).and_then(|profiles| profiles.get(profile));
        let keys = table.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
        keys.map(|(key, _)| key.to_owned()).filter(|key| !KEYS.contains(&key.as_str())).collect()
    }

    /// Has a profile say something of a key, or nothing.
    ///
    /// # Errors
    /// If there are no tables where profiles should be.
    pub(crate) fn set(&mut self, profile: &str, key: &str, value: Option<&str>) -> Result<(), Failure> {
        let shown = self.shown();
        let wrong = |what: &str| {
            let reason = format!("{what} of the configuration {shown} is not a table");
            Failure::new(Exit::Usage, reason)
                .with_help("mend the file: a profile begins with [profiles.NAME]")
        };
        let profiles = self.document.entry(PROFILES).or_insert_with(implicit);
        let profiles = profiles.as_table_like_mut().ok_or_else(|| wrong("`profiles`"))?;
        let table = profiles.entry(profile).or_insert_with(|| Item::Table(Table::new()));
        let table = table.as_table_like_mut().ok_or_else(|| wrong("the profile"))?;
        match value {
            Some(value) => replace(table, key, value),
            None => drop(table.remove(key)),
        }
        Ok(())
    }

    /// Has a profile be the active one.
    pub(crate) fn activate(&mut self, profile: &str) {
        replace(self.document.as_table_mut(), ACTIVE, profile);
    }

    /// Writes it in one go, readable by its owner alone. Where the path is a link, what it leads to is written.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let Some(path) = &self.path else {
            let help = format!("set it, or name a file: export {FILE}=FILE");
            return Err(Failure::new(Exit::Usage, "the configuration cannot be saved: HOME is not set")
                .with_help(help));
        };
        write(path, &self.document.to_string()).map_err(|error| {
            Failure::because(Exit::Api, format!("cannot write the configuration {}", self.shown()), error)
        })
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// A table without a heading of its own: only those below it have one.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// Sets a value, and keeps the comment beside it.
fn replace(table: &mut dyn TableLike, key: &str, text: &str) {
    let mut value = Value::from(text);
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(|| "(no file)".to_owned(), |path| path.display().to_string())
}

fn broken(path: Option<&Path>, text: &str, error: &TomlError) -> Failure {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let reason = format!("the configuration {} is not TOML: line {line}", shown(path));
    let help = format!("mend line {line}, or remove the file: `cci config set` makes a new one");
    Failure::because(Exit::Usage, reason, error.message().to_owned()).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf, Result<File, Failure>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/config.toml");
        fs::create_dir(directory.path().join("below")).unwrap();
        fs::write(&path, text).unwrap();
        let read = File::read(Some(path.clone()));
        (directory, path, read)
    }

    #[test]
    fn what_is_the_users_own_survives_a_change() {
        let text = "# mine\ncolour = \"red\"\n\n[profiles.work] # the job\nproject = \"a\" # first\nfancy = 7\n\n[other]\nx = 1\n";
        let (_directory, path, read) = file(text);
        let mut file = read.unwrap();
        assert_eq!(file.active(None).unwrap(), DEFAULT_PROFILE);
        file.set("work", "project", Some("b")).unwrap();
        file.set("new", "location", Some("eu")).unwrap();
        file.activate("work");
        file.save().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        for kept in [
            "# mine\n",
            "colour = \"red\"",
            "[profiles.work] # the job",
            "project = \"b\" # first",
            "fancy = 7",
            "x = 1",
        ] {
            assert!(written.contains(kept), "no {kept} in {written}");
        }
        assert!(!written.contains("[profiles]\n"), "{written}");
        let again = File::read(Some(path.clone())).unwrap();
        assert_eq!(again.active(None).unwrap(), "work");
        assert_eq!(again.get("work", "project").unwrap().unwrap().value, "b");
        assert_eq!(again.get("new", "location").unwrap().unwrap().value, "eu");
        assert_eq!(again.unknown("work"), ["fancy"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/config.toml");
        let mut file = File::read(Some(path.clone())).unwrap();
        assert_eq!(file.get(DEFAULT_PROFILE, "project").unwrap(), None);
        file.set(DEFAULT_PROFILE, "project", Some("p")).unwrap();
        file.save().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[profiles.default]\nproject = \"p\"\n");
        file.set(DEFAULT_PROFILE, "project", None).unwrap();
        assert_eq!(file.get(DEFAULT_PROFILE, "project").unwrap(), None);
        let nowhere = File::read(None).unwrap();
        assert!(nowhere.save().unwrap_err().to_string().contains("CCI_CONFIG"));
    }

    #[test]
    fn a_broken_file_is_told_with_its_line() {
        let (_directory, path, read) = file("[profiles.work]\nproject = \n");
        let report = read.unwrap_err().to_string();
        assert!(report.contains("line 2") && report.contains(path.to_str().unwrap()), "{report}");
        let (_directory, _, read) = file("profiles = 3\nprofile = \"gone\"\n");
        let mut file = read.unwrap();
        assert!(file.set("work", "project", Some("b")).unwrap_err().to_string().contains("not a table"));
        let report = file.active(None).unwrap_err().to_string();
        assert!(report.contains("profile `gone`, which ") && report.contains("--profile gone"), "{report}");
        let (_directory, _, read) = self::file("[profiles.default]\nproject = 7\n");
        let report = read.unwrap().get("default", "project").unwrap_err().to_string();
        assert!(
            report.contains("project of the profile default") && report.contains("not a string"),
            "{report}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let (directory, path, read) = file("");
        drop(read);
        let link = directory.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = File::read(Some(link.clone())).unwrap();
        file.set("default", "project", Some("p")).unwrap();
        file.save().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&path).unwrap().contains("project"));
    }
}
