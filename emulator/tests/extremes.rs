//! Times and spans at their extremes, through every place where a caller or a user can give one: each is answered, none
//! ends in a panic, and the emulator goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contact_center_insights::proto::insights::conversation::Expiration;
use contact_center_insights::proto::insights::{Conversation, CreateConversationRequest};
use contact_center_insights_emulator::{Clock, Fault, ManualClock, Profile, Quotas};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost::Message;
use support::{L, World};

/// The admin API's messages that hold times, as bytes can have them and JSON cannot.
#[derive(Clone, PartialEq, Message)]
struct SetClock {
    #[prost(message, optional, tag = "1")]
    time: Option<prost_types::Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct AdvanceClock {
    #[prost(message, optional, tag = "1")]
    by: Option<prost_types::Duration>,
}

#[derive(Clone, PartialEq, Message)]
struct Faults {
    #[prost(message, repeated, tag = "1")]
    faults: Vec<AdminFault>,
}

#[derive(Clone, PartialEq, Message)]
struct AdminFault {
    #[prost(string, tag = "1")]
    method: String,
    #[prost(message, optional, tag = "8")]
    delay: Option<prost_types::Duration>,
}

/// The code of a call of the admin API, which must have one: 0 for OK.
async fn admin(world: &World, http: &reqwest::Client, method: &str, request: &impl Message) -> u32 {
    let service = "contactcenterinsights.emulator.v1.EmulatorAdmin";
    let message = request.encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let call = http.post(format!("{}/{service}/{method}", world.emulator.endpoint()));
    let call = call.header("content-type", "application/grpc").header("te", "trailers");
    let response = call.body(frame).send().await.unwrap();
    let code =
        response.headers().get("grpc-status").map_or(0, |code| code.to_str().unwrap().parse().unwrap());
    response.bytes().await.unwrap();
    code
}

fn extremes<T: Copy + std::fmt::Debug + Arbitrary + 'static>(
    edges: &[T],
) -> impl Strategy<Value = T> + use<T> {
    prop_oneof![any::<T>(), proptest::sample::select(edges.to_vec())]
}

#[test]
fn every_extreme_of_the_wire_is_answered() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = ManualClock::default();
    let profile: Profile = format!("time:{}ms", u64::MAX).parse().unwrap();
    let builder = crate::support::builder().with_clock(clock.clone()).with_profile(profile);
    let builder = builder.with_quotas(Quotas::default().with_all(u32::MAX));
    let world = runtime.block_on(async { World::of(builder.start().await.unwrap()) });
    let two = support::http().http2_prior_knowledge().build().unwrap();
    let seconds =
        [i64::MIN, i64::MIN + 1, -62_135_596_801, -1, 0, 1, 253_402_300_799, 253_402_300_800, i64::MAX];
    let nanos = [i32::MIN, -1_000_000_000, -1, 0, 1, 999_999_999, 1_000_000_000, i32::MAX];
    let any_time = (extremes(&seconds), extremes(&nanos));
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let result = runner.run(&any_time, |(seconds, nanos)| {
        runtime.block_on(async {
            clock.set(ManualClock::default().now());
            let span = prost_types::Duration { seconds, nanos };
            let is_span = (0..=315_576_000_000).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
            // Every step is from where the one before has left the clock.
            let time = Some(prost_types::Timestamp { seconds, nanos });
            let set = admin(&world, &two, "SetClock", &SetClock { time }).await;
            let is_time =
                (-62_135_596_800..=253_402_300_799).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
            prop_assert_eq!(set, if is_time { 0 } else { 3 });
            let advanced = admin(&world, &two, "AdvanceClock", &AdvanceClock { by: Some(span) }).await;
            prop_assert!(advanced == 3 || (advanced == 0 && is_span), "{}", advanced);

            let mut insights = world.insights.clone();
            let given = Conversation { expiration: Some(Expiration::Ttl(span)), ..Conversation::default() };
            let request = CreateConversationRequest {
                parent: L.into(),
                conversation: Some(given),
                ..Default::default()
            };
            let created = insights.create_conversation(request).await;
            prop_assert!(
                created.as_ref().err().is_none_or(|status| status.code() as i32 == 3),
                "{:?}",
                created
            );

            let delayed = AdminFault { method: "GetView".into(), delay: Some(span) };
            let added = admin(&world, &two, "AddFaults", &Faults { faults: vec![delayed] }).await;
            prop_assert_eq!(added, if is_span { 0 } else { 3 });
            let faults = world.http.get(format!("{}/_emulator/v1/faults", world.emulator.endpoint()));
            prop_assert_eq!(faults.send().await.unwrap().status().as_u16(), 200);
            world.emulator.clear_faults();

            // An operation runs for as long as its profile can say, and the journal and the clock are read.
            let mut all = world.http.get(format!("{}/v1/{L}/operations", world.emulator.endpoint()));
            all = all.header("x-server-timeout", format!("{seconds}e300"));
            prop_assert_eq!(all.send().await.unwrap().status().as_u16(), 200);
            prop_assert_eq!(admin(&world, &two, "GetClock", &SetClock::default()).await, 0);
            prop_assert_eq!(admin(&world, &two, "ListJournal", &SetClock::default()).await, 0);
            Ok(())
        })
    });
    result.unwrap();
}

/// A clock of a user's own.
#[derive(Debug)]
struct Absurd(SystemTime);

impl Clock for Absurd {
    fn now(&self) -> SystemTime {
        self.0
    }
}

#[tokio::test]
async fn clocks_profiles_and_faults_of_a_program_may_be_absurd() {
    let far = Duration::from_secs(i64::MAX.unsigned_abs());
    let earliest = UNIX_EPOCH.checked_sub(far).and_then(|time| time.checked_sub(Duration::from_secs(1)));
    let times = [UNIX_EPOCH.checked_add(far), UNIX_EPOCH.checked_sub(far), earliest];
    for time in times.into_iter().flatten() {
        let manual = ManualClock::new(time);
        manual.advance(Duration::MAX);
        manual.set(time);
        let builder = crate::support::builder().with_profile(Profile::time(Duration::MAX));
        let builder = builder.with_fault(Fault::delay(Duration::MAX).with_method("GetView"));
        for builder in [builder.clone().with_clock(Absurd(time)), builder.with_clock(manual)] {
            let mut world = World::of(builder.start().await.unwrap());
            let made = world.conversation("call-0001").await;
            let year = made.create_time.unwrap().to_string();
            assert!(year.starts_with("9999-12-31") || year.starts_with("0001-01-01"), "{year}");
            let operation = world.train("m").await;
            assert!(!world.poll(&operation.name).await.done);
            let snapshot = world.emulator.snapshot();
            world.emulator.restore(&snapshot).unwrap();
            assert!(!world.poll(&operation.name).await.done);
            world.emulator.stop().await;
        }
    }
}
