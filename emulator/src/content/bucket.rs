//! Cloud Storage on a directory: `gs://BUCKET/OBJECT` is the file `ROOT/BUCKET/OBJECT`.
//!
//! The directory is opened once, as a capability (crate `cap-std`): no `..` and no symbolic link leads out of it.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use contact_center_insights::{Code, Status};

use crate::errors;

/// The largest object that is read.
const MAX_OBJECT: u64 = 64 * 1024 * 1024;
/// How many objects one listing may have.
const MAX_OBJECTS: usize = 100_000;

/// The buckets that the emulator reads from and writes to.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    root: Option<Dir>,
}

impl Buckets {
    /// Those below a directory.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        Dir::open_ambient_dir(root, ambient_authority()).map(|root| Self { root: Some(root) })
    }

    /// Whether there are any.
    pub(crate) fn is_open(&self) -> bool {
        self.root.is_some()
    }

    /// Reads one object. `field` is the request's field that names it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if `uri` is not of the form `gs://BUCKET/OBJECT`, `FAILED_PRECONDITION` without a
    /// directory, `NOT_FOUND`, and `PERMISSION_DENIED` for what cannot be read.
    pub(crate) fn read(&self, field: &str, uri: &str) -> Result<Vec<u8>, Status> {
        let path = object_path(field, uri)?;
        let root = self.root(uri)?;
        let metadata = root.metadata(path).map_err(|error| refused(uri, &error))?;
        if metadata.len() > MAX_OBJECT {
            let why = format!("`{uri}` has {} bytes; the emulator reads up to {MAX_OBJECT}", metadata.len());
            return Err(errors::invalid(field, &why));
        }
        root.read(path).map_err(|error| refused(uri, &error))
    }

    /// Whether an object of this name could be written.
    ///
    /// # Errors
    /// As for [`Self::read`], but for what only the write itself can show.
    pub(crate) fn check_object(&self, field: &str, uri: &str) -> Result<(), Status> {
        object_path(field, uri)?;
        self.root(uri).map(drop)
    }

    /// Writes one object, in place of any that is there; what is read is the old one or the new one.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub(crate) fn write(&self, field: &str, uri: &str, content: &[u8]) -> Result<(), Status> {
        let path = object_path(field, uri)?;
        let root = self.root(uri)?;
        if let Some((folder, _)) = path.rsplit_once('/') {
            root.create_dir_all(folder).map_err(|error| refused(uri, &error))?;
        }
        let draft = format!("{path}.part");
        root.write(&draft, content)
            .and_then(|()| root.rename(&draft, root, path))
            .map_err(|error| refused(uri, &error))
    }

    /// The URIs of all objects whose URI starts with `uri`, in order. `gs://BUCKET`, with or without a slash, is all of
    /// a bucket. Links are not followed.
    ///
    /// # Errors
    /// As for [`Self::read`]. A bucket that exists and has nothing under the prefix is not an error.
    pub(crate) fn list(&self, field: &str, uri: &str) -> Result<Vec<String>, Status> {
        let path = inside(field, uri)?;
        let root = self.root(uri)?;
        let (bucket, _) = path.split_once('/').unwrap_or((path, ""));
        // A slash at the end is part of the prefix: `gs://b/x/` is the folder, without `gs://b/x.json`.
        let slash = if uri.ends_with('/') || path == bucket { "/" } else { "" };
        let prefix = format!("{path}{slash}");
        let mut found = Vec::new();
        let mut folders = vec![bucket.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in root.read_dir(&folder).map_err(|error| refused(uri, &error))? {
                let entry = entry.map_err(|error| refused(uri, &error))?;
                let kind = entry.file_type().map_err(|error| refused(uri, &error))?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = format!("{folder}/{name}");
                if kind.is_dir() {
                    // Only folders that lead to the prefix, or lie below it.
                    let below = format!("{path}/");
                    if below.starts_with(&prefix) || prefix.starts_with(&below) {
                        folders.push(path);
                    }
                } else if kind.is_file() && path.starts_with(&prefix) {
                    found.push(format!("gs://{path}"));
                }
                if found.len() > MAX_OBJECTS {
                    let why = format!("`{uri}` has more than {MAX_OBJECTS} objects; name a longer prefix");
                    return Err(errors::invalid(field, &why));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn root(&self, uri: &str) -> Result<&Dir, Status> {
        self.root.as_ref().ok_or_else(|| {
            let message = format!(
                "`{uri}` cannot be reached: the emulator has no buckets; start it with `--gcs-root DIR`, and \
                 `gs://BUCKET/OBJECT` is the file `DIR/BUCKET/OBJECT`"
            );
            errors::precondition("EMULATOR_WITHOUT_BUCKETS", message, uri)
        })
    }
}

/// What follows `gs://`, if it stays inside the buckets.
fn inside<'a>(field: &str, uri: &'a str) -> Result<&'a str, Status> {
    let path = uri.strip_prefix("gs://").map(|path| path.strip_suffix('/').unwrap_or(path));
    let plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    path.filter(|path| path.split('/').all(plain) && !path.contains(['\0', '\\'])).ok_or_else(|| {
        let why = format!(
            "`{uri}` is not of the form `gs://BUCKET/OBJECT`, with no empty segment, `.`, `..` or backslash"
        );
        errors::invalid(field, &why)
    })
}

fn object_path<'a>(field: &str, uri: &'a str) -> Result<&'a str, Status> {
    let path = inside(field, uri)?;
    if path.contains('/') && !uri.ends_with('/') {
        return Ok(path);
    }
    Err(errors::invalid(field, &format!("`{uri}` names a bucket or a folder, not an object")))
}

fn refused(uri: &str, error: &io::Error) -> Status {
    let reason = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            return errors::not_found("Cloud Storage object", uri);
        }
        _ => error.to_string(),
    };
    let message = format!("`{uri}` cannot be used: {reason}");
    errors::with_reason(
        Code::PermissionDenied,
        "OBJECT_NOT_ACCESSIBLE",
        message,
        &[("resource", uri), ("error", &reason)],
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn buckets() -> (tempfile::TempDir, Buckets) {
        let root = tempfile::tempdir().unwrap();
        let buckets = Buckets::open(root.path()).unwrap();
        (root, buckets)
    }

    #[test]
    fn what_is_written_is_listed_and_read() {
        let (_root, buckets) = buckets();
        for name in ["b/x/2.json", "b/x/1.json", "b/x.json", "b/y/z/3.json", "bb/x/4.json"] {
            buckets.write("f", &format!("gs://{name}"), name.as_bytes()).unwrap();
        }
        assert_eq!(buckets.read("f", "gs://b/y/z/3.json").unwrap(), b"b/y/z/3.json");
        let list = |uri: &str| buckets.list("f", uri).unwrap();
        assert_eq!(list("gs://b/x/"), ["gs://b/x/1.json", "gs://b/x/2.json"]);
        assert_eq!(list("gs://b/x"), ["gs://b/x.json", "gs://b/x/1.json", "gs://b/x/2.json"]);
        assert_eq!(list("gs://b/x/1"), ["gs://b/x/1.json"]);
        assert_eq!(list("gs://b").len(), 4);
        assert_eq!(list("gs://b/none"), [""; 0]);
        buckets.write("f", "gs://b/x.json", b"new").unwrap();
        assert_eq!(buckets.read("f", "gs://b/x.json").unwrap(), b"new");
        assert_eq!(list("gs://b").len(), 4, "no draft is left");
    }

    #[test]
    fn nothing_leads_out() {
        let (root, buckets) = buckets();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        std::fs::create_dir(root.path().join("b")).unwrap();
        symlink(outside.path().join("secret"), root.path().join("b/link")).unwrap();
        symlink(outside.path(), root.path().join("b/folder")).unwrap();
        for uri in ["gs://b/link", "gs://b/folder/secret"] {
            assert_eq!(buckets.read("f", uri).unwrap_err().code(), Code::PermissionDenied, "{uri}");
        }
        assert!(buckets.write("f", "gs://b/folder/new", b"x").is_err());
        assert!(!outside.path().join("new").exists());
        assert_eq!(buckets.list("f", "gs://b").unwrap(), [""; 0]);
        let outside = outside.path().display();
        for uri in [
            format!("gs://b/../..{outside}/secret"),
            format!("gs://{outside}/secret"),
            "gs://../x".into(),
            "gs://b/./x".into(),
            "gs://b//x".into(),
            "gs://".into(),
            "gs://b\\..\\x/y".into(),
            "/b/x".into(),
            "file:///b/x".into(),
            String::new(),
        ] {
            assert_eq!(buckets.read("f", &uri).unwrap_err().code(), Code::InvalidArgument, "{uri}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let (_root, buckets) = buckets();
        assert_eq!(buckets.read("f", "gs://b/x").unwrap_err().code(), Code::NotFound);
        assert_eq!(buckets.list("f", "gs://b").unwrap_err().code(), Code::NotFound);
        assert!(buckets.read("f", "gs://b/").unwrap_err().message().contains("not an object"));
        let error = Buckets::default().read("f", "gs://b/x").unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.message().contains("--gcs-root"));
    }
}
