//! Time in one step or in many: the same state comes of both.

use std::time::Duration;

use super::*;

/// Longer than anything here lasts.
const WHOLE: u64 = 60;

/// What lasts how long, in seconds.
#[derive(Clone, Debug)]
struct Script {
    /// Of conversations that are analysed; zero is for ever.
    ttls: Vec<u64>,
    /// Of uploads, which are analysed by operations of their own.
    uploads: Vec<u64>,
    analysis: u64,
    upload: u64,
    training: u64,
    has_files: bool,
}

impl Script {
    /// Does all of it at once, then lets the time go by in these steps; gives the state after it.
    fn play(&self, steps: &[u64]) -> Service {
        let root = tempfile::tempdir().unwrap();
        let clock = ManualClock::default();
        let by_method = [
            ("CreateAnalysis", self.analysis),
            ("UploadConversation", self.upload),
            ("CreateIssueModel", self.training),
        ];
        let by_method = by_method
            .map(|(method, seconds)| (method.to_owned(), Profile::time(Duration::from_secs(seconds))));
        let settings = Settings {
            profiles: Profiles { all: Profile::default(), by_method: by_method.into() },
            gcs_root: self.has_files.then(|| root.path().into()),
            min_training: 0,
            ..Settings::default()
        };
        let state = State { world: World::new(settings), ..State::default() };
        let service = Service::new(state, Arc::new(clock.clone()));
        let config = json!({"uploadConversationAnalysisPercentage": 100});
        let settings = json!({"name": format!("{L}/settings"), "analysisConfig": config});
        call(&service, "UpdateSettings", &json!({"settings": settings, "updateMask": "analysisConfig"}))
            .unwrap();
        let conversation = |ttl: u64| {
            if ttl == 0 { json!({}) } else { json!({"ttl": format!("{ttl}s")}) }
        };
        for (number, ttl) in self.ttls.iter().enumerate() {
            let id = format!("conv-{number}");
            let request =
                json!({"parent": L, "conversation": conversation(*ttl), "conversationId": id.clone()});
            call(&service, "CreateConversation", &request).unwrap();
            let request = json!({"parent": format!("{L}/conversations/{id}"), "analysis": {}});
            call(&service, "CreateAnalysis", &request).unwrap();
        }
        for ttl in &self.uploads {
            let request = json!({"parent": L, "conversation": conversation(*ttl)});
            call(&service, "UploadConversation", &request).unwrap();
        }
        let model = json!({"modelType": "TYPE_V2"});
        call(&service, "CreateIssueModel", &json!({"parent": L, "issueModel": model})).unwrap();
        for step in steps {
            clock.advance(Duration::from_secs(*step));
            service.change(|_, _| ()).unwrap();
        }
        service
    }
}

#[test]
fn an_analysis_of_what_expires_meanwhile_ends_in_not_found_however_the_clock_is_moved() {
    for (ttl, wanted) in [(5, Some(5)), (30, None), (0, None)] {
        for has_files in [false, true] {
            let script = Script {
                ttls: vec![ttl],
                uploads: Vec::new(),
                analysis: 10,
                upload: 1,
                training: 1,
                has_files,
            };
            for steps in [&[WHOLE][..], &[6, WHOLE - 6], &[10, WHOLE - 10], &[1; 60]] {
                let service = script.play(steps);
                let ended = service.view(|state, _| {
                    let all = state.engine.list(L);
                    all.values().next().unwrap().at(std::time::UNIX_EPOCH)
                });
                let error = match ended.result.unwrap() {
                    contact_center_insights::proto::longrunning::operation::Result::Error(error) => {
                        Some(error.code)
                    }
                    contact_center_insights::proto::longrunning::operation::Result::Response(_) => None,
                };
                assert_eq!(error, wanted, "{ttl} {has_files} {steps:?}");
            }
        }
    }
}

fn script() -> impl Strategy<Value = Script> {
    let ttls = || prop::collection::vec(0_u64..25, 0..4);
    let time = || 1_u64..20;
    (ttls(), ttls(), time(), time(), time(), any::<bool>()).prop_map(
        |(ttls, uploads, analysis, upload, training, has_files)| Script {
            ttls,
            uploads,
            analysis,
            upload,
            training,
            has_files,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_division_of_a_time_gives_the_same_state(
        script in script(),
        cuts in prop::collection::btree_set(1..WHOLE, 0..12),
    ) {
        let mut last = 0;
        let mut steps = Vec::new();
        for cut in cuts.into_iter().chain([WHOLE]) {
            steps.push(cut - last);
            last = cut;
        }
        let (one, many) = (script.play(&[WHOLE]), script.play(&steps));
        prop_assert_eq!(one.view(|state, _| state.engine.endings().count()), 0);
        prop_assert_eq!(one.view(|state, _| state.engine.next_due(None).is_none()), true);
        prop_assert!(one.snapshot() == many.snapshot(), "{:?}", steps);
    }
}
