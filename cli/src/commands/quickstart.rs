//! `cci quickstart`: what the product is for, in a few seconds, on a machine with nothing set up.

use std::time::{Duration, Instant};

use contact_center_insights::auth::Credentials;
use contact_center_insights::lro::PollPolicy;
use contact_center_insights::proto::insights::conversation::Medium;
use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, CreateIssueModelRequest, IssueModel,
    issue_model::{InputDataConfig, ModelType},
};
use contact_center_insights::{Client, Error, Operation};
use contact_center_insights_emulator::{DEFAULT_PORT, Emulator};

use super::ending::conclude;
use super::wait::follow;
use crate::args::Quickstart;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints::{self, Origin};
use crate::output::Format;
use crate::progress::Progress;
use crate::progress_bar::ProgressLine;
use crate::shell::command;
use crate::terminal::{eprint_line, print};

const PARENT: &str = "projects/my-project/locations/us-central1";
const CONVERSATIONS: u64 = 36;
/// Without the service's minimum of 100, so that nobody waits for so many to be made.
const MIN_TRAINING: usize = 36;
/// Often enough for a bar to move evenly.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn run(args: Quickstart, output: Format) -> Result<(), Failure> {
    let emulator = Emulator::builder()
        .with_method_profile("CreateIssueModel", args.profile)
        .with_min_training_conversations(MIN_TRAINING);
    let emulator = emulator
        .start()
        .await
        .map_err(|error| Failure::because(Exit::Api, "cannot start the emulator", error))?;
    let origin = Origin { name: PARENT.to_owned(), endpoint: emulator.endpoint(), ..Origin::default() };
    let operation = train(&emulator.endpoint()).await.map_err(|error| hints::on_error(error, &origin))?;
    print(&output.one(operation.raw())?)?;
    conclude(&operation).map_err(|error| {
        Failure::new(hints::exit(&error), error)
            .with_help("the profile asks for this; without it, all goes well")
    })?;
    print_next_steps();
    Ok(())
}

/// The endpoint is explicit, so that the environment decides nothing.
async fn train(endpoint: &str) -> Result<Operation, Error> {
    let client =
        Client::builder().with_endpoint(endpoint).with_credentials(Credentials::anonymous()).build()?;
    eprint_line(format_args!("emulator   {endpoint}, inside this process"));

    for _ in 0..CONVERSATIONS {
        let conversation = Conversation { medium: Medium::Chat.into(), ..Default::default() };
        let request = CreateConversationRequest {
            parent: PARENT.into(),
            conversation: Some(conversation),
            ..Default::default()
        };
        client.create_conversation(request).await?;
    }
    eprint_line(format_args!("created    {CONVERSATIONS} conversations in {PARENT}"));

    let input = InputDataConfig { filter: "medium=\"CHAT\"".into(), ..Default::default() };
    let model = IssueModel {
        display_name: "billing".into(),
        input_data_config: Some(input),
        model_type: ModelType::TypeV2.into(),
        ..Default::default()
    };
    let request = CreateIssueModelRequest { parent: PARENT.into(), issue_model: Some(model) };
    let started = Instant::now();
    let policy = PollPolicy::default().with_first_wait(INTERVAL).with_max_wait(INTERVAL);
    let mut training = client.create_issue_model(request).await?.with_policy(policy);
    eprint_line(format_args!("training   {}", training.name()));

    let line = ProgressLine::start();
    let show = |progress: Option<Progress>| {
        line.show(progress.map(|progress| progress.with_total(CONVERSATIONS)));
    };
    let operation = follow(&mut training, show).await?;
    drop(line);
    eprint_line(format_args!("ended      after {:.1?}; the operation, on stdout:", started.elapsed()));
    Ok(operation)
}

/// Commands that work where they are read.
fn print_next_steps() {
    let address = format!("http://127.0.0.1:{DEFAULT_PORT}");
    let emulator = command(["emulator", "--profile", "time:20s", "--min-training-conversations", "0"]);
    let names = ["--project", "my-project", "--location", "us-central1", "--endpoint", &address];
    let train = ["issue-models", "create", "--display-name", "billing", "--model-type", "type-v2", "--async"];
    let train = command(train.into_iter().chain(names));
    let look = command(["operations", "watch", PARENT, "--endpoint", &address]);
    eprint_line(format_args!(
        "next, an emulator that stays, and in another shell a training, and a look at it:\n  \
         {emulator}\n  \
         {train}\n  \
         {look}"
    ));
}
