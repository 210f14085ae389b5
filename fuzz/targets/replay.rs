//! The log of a data directory: any bytes, and any payloads in frames that are right. What is read leads to a snapshot that
//! leads to itself.
#![no_main]

use contact_center_insights_emulator::fuzzing::{framed, replay};
use contact_center_insights_fuzz::pieces;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    let file = match kind & 3 {
        // Behind frames that are right.
        0 => [framed(&[b"\x10\x01"]), data.to_vec()].concat(),
        1 => data.to_vec(),
        _ => framed(&pieces(data)),
    };
    if let Ok(image) = replay(&file) {
        assert_eq!(replay(&image).as_ref(), Ok(&image));
    }
    Corpus::Keep
});
