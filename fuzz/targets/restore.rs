//! Restoring snapshots: any bytes, and any payloads in frames that are right. What is refused changes nothing; what is
//! taken can be taken again, read, and worked with.
#![no_main]

use contact_center_insights_emulator::fuzzing::{framed, rest};
use contact_center_insights_fuzz::{L, pieces, with_emulator};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    let bytes = if kind & 1 == 0 { framed(&pieces(data)) } else { data.to_vec() };
    with_emulator(async |emulator| {
        let before = emulator.snapshot();
        if emulator.restore(&bytes).is_err() {
            assert_eq!(emulator.snapshot(), before, "what is refused changes nothing");
            return;
        }
        let image = emulator.snapshot();
        emulator.restore(&image).expect("what was taken is taken again");
        assert_eq!(emulator.snapshot(), image, "and is the same");
        for kind in ["conversations", "issueModels", "operations", "phraseMatchers", "views", "analysisRules"]
        {
            let (status, body) = rest(emulator, "GET", &format!("/v1/{L}/{kind}"), "", b"").await;
            assert_eq!(status, 200, "{kind}: {}", String::from_utf8_lossy(&body));
        }
        rest(emulator, "POST", &format!("/v1/{L}/issueModels"), "", br#"{"modelType": "TYPE_V2"}"#).await;
        rest(emulator, "GET", &format!("/v1/{L}/operations/1"), "", b"").await;
        emulator.restore(&before).expect("its own");
    });
    Corpus::Keep
});
