//! The commands of the comparison, for a client in Rust; benches/peers/README.md has them.

use std::error::Error;
use std::future::Future;
use std::io::{BufRead as _, Write as _, stdin, stdout};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// One client; its clones share connections.
pub(crate) trait Peer: Clone + Send + 'static {
    /// The client of `address`, which asks about the operation `name` and sends `token`.
    fn connect(address: &str, name: &str, token: &str) -> impl Future<Output = Result<Self, Failure>>;

    /// Gets the operation, and decodes what it holds.
    fn call(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Walks over all operations, and decodes what each holds.
    fn list(&mut self) -> impl Future<Output = Result<usize, Failure>>;

    /// Starts an operation, a training or else a deployment, and waits for its end by the client's own way.
    fn wait(
        &mut self,
        parent: &str,
        model: &str,
        is_training: bool,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Obeys the commands on stdin.
pub(crate) fn run<P: Peer>() -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(obey::<P>())
}

async fn obey<P: Peer>() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, name, token] = arguments.as_slice() else {
        return Err("usage: CLIENT ADDRESS NAME TOKEN".into());
    };
    let mut peer = P::connect(address, name, token).await?;
    // A thread reads, so that the runtime is driven between two commands.
    let (lines, mut commands) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = commands.recv().await {
        let words: Vec<_> = line.split(' ').collect();
        if let Err(error) = command(&mut peer, &words).await {
            say(
                "error",
                &format!("{:?}", format!("{error}: {:?}", error.source().map(ToString::to_string))),
            )?;
        }
    }
    Ok(())
}

async fn command<P: Peer>(peer: &mut P, words: &[&str]) -> Result<(), Failure> {
    match words {
        ["calls", calls, callers] => {
            let (calls, callers) = (calls.parse::<usize>()?, callers.parse::<usize>()?);
            let each = calls.checked_div(callers).ok_or("no callers")?;
            together((0..callers).map(|_| {
                let mut peer = peer.clone();
                async move {
                    for _ in 0..each {
                        peer.call().await?;
                    }
                    Ok(())
                }
            }))
            .await?;
            say("calls", &calls.to_string())
        }
        ["list"] => say("operations", &peer.list().await?.to_string()),
        ["wait", models @ ..] => {
            together(models.iter().map(|model| {
                let (mut peer, model) = (peer.clone(), (*model).to_owned());
                async move {
                    let (parent, id) = model.split_once("/issueModels/").ok_or("not a model")?;
                    peer.wait(parent, &model, id.starts_with("train")).await?;
                    say("ended", &format!("{model:?}"))
                }
            }))
            .await
        }
        _ => Err(format!("no such command: {words:?}").into()),
    }
}

async fn together<F>(all: impl Iterator<Item = F>) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = all.collect();
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

fn say(what: &str, json: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    writeln!(out, "{{\"{what}\": {json}}}")?;
    Ok(out.flush()?)
}
