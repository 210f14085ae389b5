//! Whether there are application default credentials at all, in the places that AIP-4110 names. A machine that has none
//! is told so at once, in words; the patience for a bad start is for credentials that exist.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderName, HeaderValue, Request};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::file::{FILE_VARIABLE, HOME, Place};
use crate::error::CredentialsError;

const METADATA_HOST_VARIABLE: &str = "GCE_METADATA_HOST";
/// Where Python's library looks whether there is a metadata server, instead of at its usual address.
const METADATA_IP_VARIABLE: &str = "GCE_METADATA_IP";
const METADATA_NAME: &str = "metadata.google.internal";
const METADATA_IP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);
/// The header by which a metadata server of Google Cloud tells itself from one of another cloud at the same address.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");
/// Where Linux names the machine; Google's clients go by it too.
const PRODUCT_NAME: &str = "/sys/class/dmi/id/product_name";

/// A metadata server answers within milliseconds, or is not there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Remembers that credentials were found: from then on any trouble with them is trouble that may pass.
#[derive(Clone, Default)]
pub(super) struct Discovery(Arc<AtomicBool>);

impl Discovery {
    /// An error, permanent and within two seconds, if there is neither file nor variable nor metadata server. Looks
    /// anew each time until it finds something.
    pub(super) async fn check(&self, source_name: &'static str) -> Result<(), CredentialsError> {
        if self.0.load(Ordering::Relaxed) {
            return Ok(());
        }
        let signs = Signs::read(|name| env::var_os(name), Path::new(PRODUCT_NAME));
        let is_there = match signs.look() {
            Look::Found => true,
            Look::ProbeAt(address) => within(answers_as_google(address)).await,
            Look::Probe => within(is_on_google()).await,
        };
        if !is_there {
            return Err(CredentialsError::permanent(source_name, signs.absence().into()));
        }
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// What can be seen without asking anybody.
#[derive(Debug)]
struct Signs {
    /// A file is named or there, or a metadata server is named.
    is_configured: bool,
    /// Where a file is expected.
    place: Place,
    metadata_ip: Option<SocketAddr>,
    is_google_machine: bool,
}

/// What follows from the signs.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Found,
    /// Only this address can tell.
    ProbeAt(SocketAddr),
    /// The usual name and address can tell.
    Probe,
}

impl Signs {
    fn read(variable: impl Fn(&str) -> Option<OsString>, product_name: &Path) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let place = Place::of(&variable);
        let metadata_ip = variable(METADATA_IP_VARIABLE).and_then(|value| {
            let value = value.to_str()?.trim();
            value.parse().ok().or_else(|| Some(SocketAddr::new(value.parse().ok()?, 80)))
        });
        Self {
            // Even an empty name of a file counts, and is told to be one.
            is_configured: is_set(METADATA_HOST_VARIABLE) || place.is_there(),
            place,
            metadata_ip,
            is_google_machine: fs::read_to_string(product_name)
                .is_ok_and(|name| name.trim_start().starts_with("Google")),
        }
    }

    fn look(&self) -> Look {
        if self.is_configured {
            return Look::Found;
        }
        match self.metadata_ip {
            Some(address) => Look::ProbeAt(address),
            // Its metadata server may not be up yet, as in a pod that has just started.
            None if self.is_google_machine => Look::Found,
            None => Look::Probe,
        }
    }

    /// What to tell a caller who has no credentials, with what to do.
    fn absence(&self) -> String {
        let file = match &self.place {
            Place::Gcloud(path) => format!("{} does not exist", path.display()),
            Place::Named(_) | Place::Unknown => {
                format!("{} is not set, so that gcloud's file cannot be found", HOME.0)
            }
        };
        let address = self.metadata_ip.unwrap_or(METADATA_IP);
        format!(
            "no credentials were found: {FILE_VARIABLE} is not set, {file}, and no metadata server of Google Cloud \
             answers at {}; run `gcloud auth application-default login`, or set {FILE_VARIABLE} to the path of \
             a credentials file",
            address.ip()
        )
    }
}

async fn within(probe: impl Future<Output = bool>) -> bool {
    timeout(PROBE_TIMEOUT, probe).await.unwrap_or(false)
}

/// Whether this is a machine of Google Cloud, by whichever says so first: the name or the address of its metadata server.
async fn is_on_google() -> bool {
    tokio::select! {
        true = answers_as_google(METADATA_IP) => true,
        true = knows_the_name() => true,
        else => false,
    }
}

/// Whether a metadata server of Google Cloud answers there.
async fn answers_as_google(address: SocketAddr) -> bool {
    let ask = async {
        let socket = TcpStream::connect(address).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.ok()?;
        let request = Request::get("/").header(HOST, address.to_string()).header(FLAVOR, GOOGLE);
        let request = request.body(String::new()).ok()?;
        // The connection ends once the sender and the reply are dropped.
        let reply = async move {
            let reply = sender.send_request(request).await.ok()?;
            Some(reply.headers().get(FLAVOR) == Some(&GOOGLE))
        };
        tokio::join!(reply, connection).0
    };
    ask.await.unwrap_or(false)
}

/// Whether the metadata server's name leads to an address that is not public: some networks answer for every name.
async fn knows_the_name() -> bool {
    let (tell, told) = oneshot::channel();
    // In a thread of its own: a lookup cannot be called back, and a runtime that ends would wait for it.
    let lookup = thread::Builder::new().name("metadata-lookup".into()).spawn(move || {
        let found = (METADATA_NAME, 80).to_socket_addrs();
        // Nobody may be waiting any more.
        let _ = tell.send(found.is_ok_and(|mut addresses| addresses.any(|address| is_private(address.ip()))));
    });
    lookup.is_ok() && told.await.unwrap_or(false)
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_private() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;
    use crate::auth::file::FOLDER_VARIABLE;

    fn signs(variables: &[(&str, &str)], product_name: &Path) -> Signs {
        let variable = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Signs::read(variable, product_name)
    }

    #[test]
    fn what_is_there_or_asked_for_is_left_to_the_backend_and_what_is_not_is_probed_for() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().to_str().unwrap();
        let file = directory.path().join(HOME.1).join("application_default_credentials.json");
        let product = directory.path().join("product_name");
        let nowhere = Path::new("/nonexistent");
        let none = [(HOME.0, "/nonexistent")];
        assert_eq!(signs(&none, nowhere).look(), Look::Probe);
        assert_eq!(signs(&[], nowhere).look(), Look::Probe);
        for variable in ["GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"] {
            assert_eq!(signs(&[(variable, "x")], nowhere).look(), Look::Found, "{variable}");
        }
        assert_eq!(signs(&[("GCE_METADATA_HOST", "")], nowhere).look(), Look::Probe);
        for (value, address) in [("127.0.0.1", "127.0.0.1:80"), ("127.0.0.1:1", "127.0.0.1:1")] {
            let look = signs(&[("GCE_METADATA_IP", value)], nowhere).look();
            assert_eq!(look, Look::ProbeAt(address.parse().unwrap()));
        }
        assert_eq!(signs(&[("GCE_METADATA_IP", "not an address")], nowhere).look(), Look::Probe);
        fs::write(&product, "Google Compute Engine\n").unwrap();
        assert_eq!(signs(&none, &product).look(), Look::Found);
        fs::write(&product, "Laptop 14\n").unwrap();
        assert_eq!(signs(&none, &product).look(), Look::Probe);
        assert_eq!(signs(&[(HOME.0, home)], nowhere).look(), Look::Probe);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "not even JSON").unwrap();
        assert_eq!(signs(&[(HOME.0, home)], nowhere).look(), Look::Found);
        let folder = file.parent().unwrap().to_str().unwrap();
        assert_eq!(signs(&[(FOLDER_VARIABLE, folder), none[0]], nowhere).look(), Look::Found);
        assert_eq!(signs(&[(FOLDER_VARIABLE, "/nonexistent"), (HOME.0, home)], nowhere).look(), Look::Probe);
    }

    #[test]
    fn absence_is_told_with_where_was_looked_and_what_to_do() {
        let text = signs(&[(HOME.0, "/nonexistent")], Path::new("/nonexistent")).absence();
        for part in [
            "no credentials were found",
            "/nonexistent",
            "169.254.169.254",
            "`gcloud auth application-default login`",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = signs(&[], Path::new("/nonexistent")).absence();
        assert!(text.contains(&format!("{} is not set", HOME.0)), "{text}");
    }

    /// A server at loopback that answers every request with `reply`, or says nothing if that is empty.
    async fn server(reply: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                if reply.is_empty() {
                    silent.push(socket);
                    continue;
                }
                let _ = socket.read(&mut [0; 1024]).await;
                let _ = socket.write_all(reply.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn only_googles_metadata_server_counts() {
        let google = "HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\ncontent-length: 0\r\n\r\n";
        assert!(answers_as_google(server(google).await).await);
        for other in ["HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 200"]
        {
            assert!(!answers_as_google(server(other).await).await, "{other}");
        }
        assert!(!answers_as_google("127.0.0.1:1".parse().unwrap()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_is_given_up_within_two_seconds() {
        let address = server("").await;
        let start = Instant::now();
        assert!(!within(answers_as_google(address)).await);
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn an_answer_for_every_name_is_not_a_metadata_server() {
        for private in ["169.254.169.254", "fd20:ce::254", "10.0.0.1", "127.0.0.1", "::1", "fe80::1"] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["8.8.8.8", "2001:4860:4860::8888"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
