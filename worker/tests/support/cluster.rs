//! A PostgreSQL cluster of a test's own: in a temporary directory, on a port of its own, by a user who is not root.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A cluster that runs; stopped hard when it is dropped.
pub struct Cluster {
    folder: TempDir,
    binaries: PathBuf,
    user: Option<(u32, u32)>,
    pub port: u16,
    server: Option<Child>,
}

const PROGRAMS: [&str; 5] = ["initdb", "postgres", "pg_isready", "psql", "pg_basebackup"];

/// Where the server's programs are: on the path, or where Debian has them, the newest first.
fn binaries() -> Option<PathBuf> {
    let has_all = |folder: &PathBuf| PROGRAMS.iter().all(|program| folder.join(program).exists());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(has_all);
    let installed = || {
        let mut versions: Vec<_> =
            fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|of| of.path()).collect();
        versions.sort();
        versions.into_iter().rev().map(|of| of.join("bin")).find(has_all)
    };
    on_path.or_else(installed)
}

/// Whom the server runs as, if this process is root: PostgreSQL refuses that.
fn user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let fields: Vec<_> = line.split(':').collect();
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

impl Cluster {
    /// `None`, with a printed word, where PostgreSQL is not installed.
    pub fn start(settings: &str) -> Option<Self> {
        Self::start_with(settings, |_| {})
    }

    /// A cluster that takes connections over TLS alone, with this certificate and key, as PEM; and passwords.
    pub fn start_with_tls(certificate: &str, key: &str) -> Option<Self> {
        Self::start_with("ssl = on\nfsync = off", |cluster| {
            let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
            for (name, text) in [("server.crt", certificate), ("server.key", key), ("pg_hba.conf", rules)] {
                let path = cluster.data().join(name);
                fs::write(&path, text).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                if let Some((uid, gid)) = cluster.user {
                    chown(&path, Some(uid), Some(gid)).unwrap();
                }
            }
        })
    }

    fn start_with(settings: &str, prepare: impl FnOnce(&Self)) -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(std::env::var_os("CI_POSTGRES").is_none(), "PostgreSQL is not installed");
            eprintln!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let cluster = Self::empty(binaries);
        let made = cluster
            .run("initdb")
            .args(["--username=worker", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(cluster.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.configure(settings);
        prepare(&cluster);
        let mut cluster = cluster;
        cluster.resume();
        Some(cluster)
    }

    fn empty(binaries: PathBuf) -> Self {
        let (folder, user) = (tempfile::tempdir().unwrap(), user());
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, binaries, user, port, server: None }
    }

    /// A standby of this cluster, which streams from it; the cluster waits for it with every commit from now on.
    pub fn standby(&self) -> Self {
        let mut standby = Self::empty(self.binaries.clone());
        let copied = standby
            .run("pg_basebackup")
            .args(["--host=127.0.0.1", "--username=worker", "--write-recovery-conf", "--checkpoint=fast"])
            .arg(format!("--port={}", self.port))
            .arg("-D")
            .arg(standby.data())
            .output()
            .unwrap();
        assert!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        standby.resume();
        self.sql("alter system set synchronous_standby_names = '*'");
        self.sql("select pg_reload_conf()");
        let until = Instant::now() + Duration::from_secs(30);
        while !self.sql("select sync_state from pg_stat_replication").contains("sync") {
            assert!(Instant::now() < until, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(100));
        }
        standby
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        // It must not wait for a standby of its own.
        self.sql("alter system set synchronous_standby_names = ''");
        self.sql("select pg_promote()");
    }

    fn run(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.stdin(Stdio::null()).current_dir(self.folder.path());
        if let Some((uid, gid)) = self.user {
            command.gid(gid).uid(uid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn configure(&self, settings: &str) {
        let file = self.data().join("postgresql.auto.conf");
        let common = "listen_addresses = '127.0.0.1'\nmax_connections = 200\nautovacuum_naptime = 5\n";
        fs::write(file, format!("{common}{settings}\n")).unwrap();
    }

    /// Starts the server, and waits until it answers.
    pub fn resume(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let server = self
            .run("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-k"])
            .arg(self.folder.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let until = Instant::now() + Duration::from_mins(1);
        while !self.answers() {
            assert!(Instant::now() < until, "PostgreSQL does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        let port = self.port.to_string();
        let ready = self.run("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
        ready.is_ok_and(|status| status.success())
    }

    /// Ends all its processes at once, as a crash of the server does.
    pub fn stop_hard(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let id = Pid::from_child(&server);
        // An immediate shutdown: no checkpoint, no farewell, and the next start recovers from the log.
        let _ = kill_process(id, Signal::QUIT);
        let _ = server.wait();
    }

    /// Runs a statement by psql.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        let (port, socket) = (self.port.to_string(), self.folder.path().display().to_string());
        let done = self
            .run("psql")
            .args(["-h", &socket, "-p", &port, "-U", "worker", "-d", database, "-Atc", statement])
            .output()
            .unwrap();
        assert!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// The address of a new database.
    pub fn database(&self, name: &str) -> String {
        self.sql(&format!("create database {name}"));
        self.url(name)
    }

    pub fn url(&self, name: &str) -> String {
        format!("postgres://worker@127.0.0.1:{}/{name}", self.port)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_hard();
    }
}
