//! Filters, orders, masks and selections: any text, on any bytes of any resource.
#![no_main]

use contact_center_insights_emulator::fuzzing::{filter, mask, selection};
use contact_center_insights_fuzz::{parts, text};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else { return Corpus::Reject };
    let resource = usize::from(kind & 31);
    match kind >> 6 {
        0 | 1 => {
            let [first, order, bytes] = parts(data);
            let answer = filter(resource, text(first), text(order), bytes);
            assert_eq!(answer, filter(resource, text(first), text(order), bytes), "the same, the same");
        }
        2 => {
            let [paths, source, target] = parts(data);
            let paths: Vec<String> = text(paths).split(',').map(str::to_owned).collect();
            if let Some(once) = mask(resource, &paths, source, target) {
                assert_eq!(mask(resource, &paths, source, &once), Some(once), "twice is once");
            }
        }
        _ => {
            let [fields, bytes] = parts(data);
            if let Some(once) = selection(resource, text(fields), bytes) {
                assert_eq!(selection(resource, text(fields), &once), Some(once), "twice is once");
            }
        }
    }
    Corpus::Keep
});
