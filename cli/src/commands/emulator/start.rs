//! Starts an emulator as the flags ask for it, and writes the files that tell where it is.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use contact_center_insights_emulator::{
    Emulator as Server, EmulatorBuilder, ErrorDetails as Shown, OperationLists, Quotas, Seed, StartError,
    SyncMode,
};

use crate::args::{ClockChoice, ErrorDetails, Listen, Lists, ProjectNames, Serve, SyncChoice};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shell::command;
use crate::terminal::eprint_line;

/// A running emulator, and the file that tells where it is.
pub(super) struct Started {
    pub(super) emulator: Server,
    address_file: Option<AddressFile>,
}

impl Started {
    /// Stops it. First the file goes: who reads it now is not to find an emulator that is about to end.
    pub(super) async fn stop(self) {
        drop(self.address_file);
        self.emulator.stop().await;
    }
}

/// A file that tells where an emulator is; it is removed when this is dropped, unless another has written it since.
struct AddressFile {
    path: PathBuf,
    text: String,
}

impl AddressFile {
    fn write(path: &Path, emulator: &Server) -> Result<Self, Failure> {
        let text = format!("{}\n", emulator.host());
        write_whole(path, &text)?;
        Ok(Self { path: path.to_owned(), text })
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
            && let Err(error) = fs::remove_file(&self.path)
        {
            eprint_line(format_args!("cannot remove {}: {error}", self.path.display()));
        }
    }
}

/// An emulator as it was asked for, with the files written that were asked for.
pub(super) async fn start(args: &Serve, default_port: u16) -> Result<Started, Failure> {
    let mut builder = listen(&args.listen, default_port);
    for profile in &args.profile {
        builder = match &profile.method {
            Some(method) => builder.with_method_profile(method, profile.profile.clone()),
            None => builder.with_profile(profile.profile.clone()),
        };
    }
    if let Some(file) = &args.seed {
        builder = builder.with_seed(read_seed(file, args.lenient)?);
    }
    if let Some(directory) = &args.gcs_root {
        builder = builder.with_gcs_root(directory);
    }
    if let Some(directory) = &args.data_dir {
        builder = builder.with_data_dir(directory).with_sync(match args.sync {
            SyncChoice::Second => SyncMode::EverySecond,
            SyncChoice::Always => SyncMode::Always,
        });
    }
    for project in &args.project_number {
        builder = builder.with_project_number(&project.id, project.number);
    }
    if args.project_names == ProjectNames::Echo {
        builder = builder.with_echoed_project_names();
    }
    if args.strictness.allow_deprecated {
        builder = builder.with_deprecated_allowed();
    }
    if args.strictness.allow_any_location {
        builder = builder.with_any_location();
    }
    if args.strictness.strict_fields {
        builder = builder.with_strict_fields();
    }
    if let Some(conversations) = args.strictness.min_training_conversations {
        builder = builder.with_min_training_conversations(conversations);
    }
    builder = builder.with_operation_lists(lists(&args.lists));
    builder = builder.with_error_details(match args.error_details {
        ErrorDetails::Calls => Shown::Calls,
        ErrorDetails::All => Shown::All,
        ErrorDetails::None => Shown::None,
    });
    if let ClockChoice::Virtual(clock) = &args.clock {
        builder = builder.with_clock(clock.clone());
    }
    if args.journal_bodies {
        builder = builder.with_journal_bodies();
    }
    if args.documented_quotas {
        builder = builder.with_quotas(Quotas::documented());
    }
    let emulator = builder.start().await.map_err(not_started)?;
    if let Some(file) = &args.faults {
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            let help = r#"faults are as in {"faults": [{"method": "GetOperation", "status": {"code": 14}, "times": 2}]}"#;
            Failure::because(Exit::Usage, format!("cannot use the faults {}", file.display()), error)
                .with_help(help)
        };
        let text = fs::read_to_string(file).map_err(|error| unusable(error.into()))?;
        emulator.add_faults_json(&text).map_err(|status| unusable(status.message().into()))?;
    }
    if let (Some(file), Some(ca)) = (&args.listen.ca_out, emulator.ca_pem()) {
        write_whole(file, ca)?;
    }
    let file = args.listen.addr_file.as_ref();
    let address_file = file.map(|file| AddressFile::write(file, &emulator)).transpose()?;
    Ok(Started { emulator, address_file })
}

fn listen(args: &Listen, default_port: u16) -> EmulatorBuilder {
    let address = SocketAddr::new(args.host.0, args.port.unwrap_or(default_port));
    let mut builder = Server::builder().with_address(address);
    for host in &args.allow_host {
        builder = builder.with_allowed_host(host);
    }
    for origin in &args.allow_origin {
        builder = builder.with_allowed_origin(origin);
    }
    if let Some(timeout) = args.idle_timeout {
        builder = builder.with_idle_timeout(timeout);
    }
    if args.tls { builder.with_tls() } else { builder }
}

/// Writes a file that others wait for: it is not there, or it is whole.
pub(super) fn write_whole(file: &Path, text: &str) -> Result<(), Failure> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, file));
    written.map_err(|error| Failure::because(Exit::Usage, format!("cannot write {}", file.display()), error))
}

fn read_seed(file: &Path, is_lenient: bool) -> Result<Seed, Failure> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let help = "a seed is {\"operations\": [...], ...}: lists of resources as the REST API prints them, each \
                    with its full name";
        Failure::because(Exit::Usage, format!("cannot use the seed {}", file.display()), error)
            .with_help(help)
    };
    let text = fs::read_to_string(file).map_err(|error| unusable(error.into()))?;
    let seed = if is_lenient { Seed::from_json_lenient(&text) } else { Seed::from_json(&text) };
    seed.map_err(|error| unusable(error.into()))
}

fn lists(args: &Lists) -> OperationLists {
    let mut lists = OperationLists::default().with_lag(args.lag.unwrap_or_default());
    if let Some(operations) = args.page_cap {
        lists = lists.with_page_cap(operations);
    }
    if args.is_unordered { lists.unordered() } else { lists }
}

fn not_started(error: StartError) -> Failure {
    let is_taken =
        matches!(&error, StartError::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse);
    let failure = match &error {
        StartError::Method(_)
        | StartError::Fault(_)
        | StartError::Project(_)
        | StartError::Seed(_)
        | StartError::Host(_)
        | StartError::Origin(_)
        | StartError::GcsRoot { .. }
        | StartError::DataDir { .. } => Failure::new(Exit::Usage, error),
        _ => Failure::new(Exit::Api, error),
    };
    if is_taken {
        let help = "another program listens there, perhaps another emulator; to take a free port: ";
        failure.with_help(help.to_owned() + &command(["emulator", "--port", "0"]))
    } else {
        failure
    }
}
