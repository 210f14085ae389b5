//! The configuration file: profiles of what commands go by where neither a flag nor a variable says. It is read once, and
//! only by a command that lacks something.

mod file;

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

pub(crate) use self::file::File;
use crate::exit::Exit;
use crate::failure::Failure;

/// The file, where it is elsewhere.
pub(crate) const FILE: &str = "CCI_CONFIG";
/// The profile, whatever the file says.
pub(crate) const PROFILE: &str = "CCI_PROFILE";
/// The profile where nothing says.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// What a profile can hold.
pub(crate) const PROJECT: &str = "project";
pub(crate) const LOCATION: &str = "location";
pub(crate) const ENDPOINT: &str = "endpoint";
pub(crate) const ACCESS_TOKEN_FILE: &str = "access-token-file";
pub(crate) const REQUEST_TIMEOUT: &str = "request-timeout";
pub(crate) const OUTPUT: &str = "output";
pub(crate) const KEYS: [&str; 6] = [PROJECT, LOCATION, ENDPOINT, ACCESS_TOKEN_FILE, REQUEST_TIMEOUT, OUTPUT];

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) value: String,
    pub(crate) source: String,
}

/// What `--profile` says.
static CHOSEN: OnceLock<String> = OnceLock::new();

/// Has this profile be the active one, for this process.
pub(crate) fn choose(profile: String) {
    // The command line is read once.
    let _ = CHOSEN.set(profile);
}

/// Where the file is expected; nowhere without a home.
pub(crate) fn path() -> Option<PathBuf> {
    path_by(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

fn path_by(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable(FILE).or_else(|| {
        // By the specification of base directories, one that is not absolute is ignored.
        let folder = variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(variable("HOME")?.join(".config")));
        let folder = folder.or_else(|| variable("APPDATA"));
        Some(folder?.join("cci").join("config.toml"))
    })
}

/// The name of a profile that is not the file's choice, and what says it.
pub(crate) fn chosen() -> Option<Found> {
    let flag = CHOSEN.get().map(|value| Found { value: value.clone(), source: "--profile".to_owned() });
    flag.or_else(|| {
        let value = env::var(PROFILE).ok().filter(|value| !value.is_empty())?;
        Some(Found { value, source: PROFILE.to_owned() })
    })
}

/// What the active profile says of a key.
///
/// # Errors
/// If the file cannot be read, or a profile is asked for that is not in it.
pub(crate) fn get(key: &str) -> Result<Option<Found>, Failure> {
    static READ: OnceLock<File> = OnceLock::new();
    let file = if let Some(file) = READ.get() {
        file
    } else {
        let file = File::read(path())?;
        READ.get_or_init(|| file)
    };
    file.get(&file.active(chosen())?, key)
}

/// A value of a profile that cannot be used.
pub(crate) fn unusable(key: &str, found: &Found, reason: impl Into<String>) -> Failure {
    let Found { value, source } = found;
    let reason = reason.into();
    Failure::because(Exit::Usage, format!("cannot use {key} = \"{value}\" of {source}"), reason)
        .with_help(format!("to change it: cci config set {key} VALUE, or cci config unset {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_where_people_look_for_it() {
        let path = |variables: &[(&str, &str)]| {
            let of = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, v)| v.into());
            path_by(of).map(|path| path.display().to_string())
        };
        assert_eq!(path(&[]), None);
        assert_eq!(path(&[("HOME", "/h")]).unwrap(), "/h/.config/cci/config.toml");
        let xdg = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")];
        assert_eq!(path(&xdg).unwrap(), "/x/cci/config.toml");
        let relative = [("HOME", "/h"), ("XDG_CONFIG_HOME", "x")];
        assert_eq!(path(&relative).unwrap(), "/h/.config/cci/config.toml");
        assert_eq!(path(&[("HOME", "/h"), (FILE, "f.toml")]).unwrap(), "f.toml");
    }
}
