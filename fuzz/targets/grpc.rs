//! gRPC: any frames, or any message in a frame, to any method; there is a status, and it is never an internal error.
#![no_main]

use std::sync::OnceLock;

use contact_center_insights_emulator::fuzzing::{grpc, methods};
use contact_center_insights_fuzz::with_emulator;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    static METHODS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let methods = METHODS.get_or_init(methods);
    let [kind, data @ ..] = data else { return Corpus::Reject };
    let (method, _) = &methods[usize::from(*kind & 127) % methods.len()];
    let is_framed = kind & 128 == 0;
    let body = if is_framed {
        let length = u32::try_from(data.len()).unwrap_or_default();
        [&[0][..], &length.to_be_bytes(), data].concat()
    } else {
        data.to_vec()
    };
    let (status, _) = with_emulator(async |emulator| grpc(emulator, method, &body).await);
    let status = status.expect("there is a status");
    // Bad framing is INTERNAL, as gRPC says.
    assert!(status <= 16 && (status != 13 || !is_framed), "{method}: {status}");
    Corpus::Keep
});
