//! Cloud Storage on a directory: `gs://BUCKET/OBJECT` is the file `ROOT/BUCKET/OBJECT`.
//!
//! The directory is opened once, as a capability (crate `cap-std`): no `..` and no symbolic link leads out of it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
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
        let file = open(self.root(uri)?, path).map_err(|error| refused(uri, &error))?;
        let mut content = Vec::new();
        // A file may grow while it is read, and some say that they are empty and never end.
        let read = file.take(MAX_OBJECT.saturating_add(1)).read_to_end(&mut content);
        let length = read.map_err(|error| refused(uri, &error))?;
        if u64::try_from(length).is_ok_and(|length| length <= MAX_OBJECT) {
            return Ok(content);
        }
        let why =
            format!("`{uri}` is longer than {MAX_OBJECT} bytes, which is as much as the emulator reads");
        Err(errors::invalid(field, &why))
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
        create(root, &draft)
            .and_then(|mut file| file.write_all(content))
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

/// Opens a file to be read. Neither the opening nor the reading waits for anybody: what is no regular file, such as a
/// pipe that nobody writes to, is not read.
fn open(root: &Dir, path: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    unblocked(&mut options);
    let file = root.open_with(path, &options)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Opens a file to be written, with nothing in it, in place of whatever has its name.
fn create(root: &Dir, path: &str) -> io::Result<File> {
    match root.remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    root.open_with(path, &options)
}

#[cfg(unix)]
fn unblocked(options: &mut OpenOptions) {
    use cap_std::fs::OpenOptionsExt as _;

    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
}

#[cfg(not(unix))]
fn unblocked(_: &mut OpenOptions) {}

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

    #[cfg(target_os = "linux")]
    #[test]
    fn only_regular_files_are_read_and_no_open_waits() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let (root, buckets) = buckets();
        let bucket = root.path().join("b");
        std::fs::create_dir_all(bucket.join("folder")).unwrap();
        mknodat(CWD, bucket.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(bucket.join("socket")).unwrap();
        symlink("/dev/zero", bucket.join("endless")).unwrap();
        symlink("pipe", bucket.join("link")).unwrap();
        for name in ["pipe", "socket", "endless", "link", "folder"] {
            let error = buckets.read("f", &format!("gs://b/{name}")).unwrap_err();
            assert_eq!(error.code(), Code::PermissionDenied, "{name}: {error}");
        }
        // Nor does a pipe in the place of a draft keep a writer waiting.
        mknodat(CWD, bucket.join("x.part"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        buckets.write("f", "gs://b/x", b"new").unwrap();
        assert_eq!(buckets.read("f", "gs://b/x").unwrap(), b"new");
        assert_eq!(buckets.list("f", "gs://b").unwrap(), ["gs://b/x"]);
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        let (root, buckets) = buckets();
        std::fs::create_dir(root.path().join("b")).unwrap();
        let file = std::fs::File::create(root.path().join("b/x")).unwrap();
        for (length, is_read) in [(MAX_OBJECT, true), (MAX_OBJECT + 1, false), (1 << 40, false)] {
            // Without a byte on the disk.
            file.set_len(length).unwrap();
            let read = buckets.read("f", "gs://b/x");
            assert_eq!(read.is_ok(), is_read, "{length}");
            assert!(is_read || read.unwrap_err().message().contains("longer than"));
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
