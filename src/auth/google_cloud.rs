//! Application default credentials through Google's own crate, in a thread and a runtime of its own.
//!
//! That crate caches a token and renews it in a task which it spawns. Read at 1.18.0: the task ends for good at the
//! first error that it takes for final (a torn answer, a 404), it goes down with the runtime of the caller that
//! happened to be first, a request that the server never answers it waits for without end, and whoever asks after its
//! end panics. So each instance lives where nothing else does, is asked under our timeout, and after any failure is
//! thrown away with all that it has under way; the next fetch builds another.

use std::env;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::service_account::AccessSpecifier;
use google_cloud_auth::credentials::{
    AccessTokenCredentials, CacheableResource, CredentialsProvider, external_account, impersonated, mds,
    service_account, user_account,
};
use http::Extensions;
use http::header::AUTHORIZATION;
use serde_json::Value;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::discovery::Discovery;
use super::file::Place;
use super::layer::QUOTA_PROJECT;
use super::quiet::Quiet;
use super::redact::{RedactedError, failed};
use super::{Token, TokenFuture, TokenSource};
use crate::error::{BoxError, CredentialsError};

const NAME: &str = "google-cloud-auth";

/// That crate does not say when a token ends; so it is asked for anew this often, which costs a look into its cache.
const RENEW_AFTER: Duration = Duration::from_secs(30);
/// How long to wait for the universe domain, which a metadata server is asked for.
const UNIVERSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The project that calls are charged to, whatever the file says.
const QUOTA_PROJECT_VARIABLE: &str = "GOOGLE_CLOUD_QUOTA_PROJECT";
/// The universe of credentials that do not name one.
const DEFAULT_UNIVERSE: &str = "googleapis.com";

/// Built at the first fetch, and anew after a failed one.
#[derive(Default)]
pub(super) struct GoogleCloud {
    instance: Mutex<Option<Instance>>,
    discovery: Discovery,
}

impl TokenSource for GoogleCloud {
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(async {
            // Not in its place while it is asked: if this future is dropped, as by the timeout, so is the instance.
            let kept = self.lock().take();
            let instance = match kept {
                Some(instance) => instance,
                None => Instance::start(self.discovery.clone())?,
            };
            let token = instance.ask().await?;
            *self.lock() = Some(instance);
            Ok(token)
        })
    }

    fn discard(&self) {
        *self.lock() = None;
    }
}

impl GoogleCloud {
    fn lock(&self) -> MutexGuard<'_, Option<Instance>> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Reply = oneshot::Sender<Result<Token, BoxError>>;

/// A thread that keeps Google's credentials. Dropping this ends it, and what it has under way.
struct Instance(mpsc::UnboundedSender<Reply>);

impl Instance {
    fn start(discovery: Discovery) -> Result<Self, BoxError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Lost only to another thread that installs one at this moment, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let (sender, requests) = mpsc::unbounded_channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name(NAME.into()).spawn(move || {
            // A panic is told by the want of an answer.
            let _quiet = Quiet::begin();
            runtime.block_on(serve(requests, &discovery));
            // A name that is being resolved cannot be called back, and is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Self(sender))
    }

    async fn ask(&self) -> Result<Token, BoxError> {
        let (reply, answer) = oneshot::channel();
        // If nobody is there to take it, nobody answers.
        let _ = self.0.send(reply);
        answer.await.map_err(|_| "google-cloud-auth panicked")?
    }
}

/// Answers until an answer is an error, or nobody waits for it any more.
async fn serve(mut requests: mpsc::UnboundedReceiver<Reply>, discovery: &Discovery) {
    let mut credentials = None;
    while let Some(mut reply) = requests.recv().await {
        let answer = tokio::select! {
            answer = answer(&mut credentials, discovery) => answer,
            () = reply.closed() => return,
        };
        let is_over = answer.is_err();
        if reply.send(answer).is_err() || is_over {
            return;
        }
    }
}

async fn answer(slot: &mut Option<AccessTokenCredentials>, discovery: &Discovery) -> Result<Token, BoxError> {
    let credentials = if let Some(credentials) = slot {
        credentials
    } else {
        discovery.check(NAME).await?;
        slot.insert(build()?)
    };
    let universe = timeout(UNIVERSE_TIMEOUT, credentials.universe_domain());
    let (headers, universe) = tokio::join!(credentials.headers(Extensions::new()), universe);
    let CacheableResource::New { data: headers, .. } = headers.map_err(|error| failed(NAME, &error))? else {
        return Err("google-cloud-auth gave no headers".into());
    };
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = bearer.and_then(|text| text.strip_prefix("Bearer "));
    let universe = universe.ok().flatten().unwrap_or_else(|| DEFAULT_UNIVERSE.to_owned());
    let token = Token::new(secret.ok_or("google-cloud-auth gave no bearer token")?)?
        .renew_in(RENEW_AFTER)
        .with_universe_domain(universe);
    match headers.get(QUOTA_PROJECT).and_then(|value| value.to_str().ok()) {
        Some(project) => token.with_quota_project(project),
        None => Ok(token),
    }
}

/// The credentials of the environment. The file is read and checked here: what that crate says of a wrong one helps
/// nobody, and it does not know where `CLOUDSDK_CONFIG` puts it.
fn build() -> Result<AccessTokenCredentials, BoxError> {
    let permanent = |said: BoxError| BoxError::from(CredentialsError::permanent(NAME, said));
    let file = Place::of(|name| env::var_os(name)).read().map_err(|said| permanent(said.into()))?;
    of_file(file).map_err(|error| permanent(RedactedError::of(&error).into()))
}

/// By the file, or by the metadata server if there is none.
fn of_file(file: Option<Value>) -> Result<AccessTokenCredentials, BuildError> {
    macro_rules! built {
        ($builder:expr) => {{
            let builder = $builder;
            match env::var(QUOTA_PROJECT_VARIABLE) {
                Ok(project) => builder.with_quota_project_id(project),
                Err(_) => builder,
            }
            .build_access_token_credentials()
        }};
    }
    let scopes = [super::SCOPE];
    let Some(file) = file else { return built!(mds::Builder::default().with_scopes(scopes)) };
    match file.get("type").and_then(Value::as_str) {
        Some("service_account") => {
            let access = AccessSpecifier::from_scopes(scopes);
            built!(service_account::Builder::new(file).with_access_specifier(access))
        }
        Some("impersonated_service_account") => {
            built!(impersonated::Builder::new(file).with_scopes(scopes))
        }
        Some("external_account") => built!(external_account::Builder::new(file).with_scopes(scopes)),
        // Every other type has been refused.
        _ => built!(user_account::Builder::new(file).with_scopes(scopes)),
    }
}
