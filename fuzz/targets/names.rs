//! Names of resources: what is parsed prints as it was, and what is repaired is a name.
#![no_main]

use contact_center_insights::names::{
    AnalysisName, ConversationName, IssueModelName, IssueName, LocationName, OperationName,
    PhraseMatcherName, QaQuestionName, SettingsName, ViewName,
};
use contact_center_insights_fuzz::{L, text};
use libfuzzer_sys::fuzz_target;

macro_rules! each {
    ($text:expr, $($name:ident),+) => {$(
        match $text.parse::<$name>() {
            Ok(name) => {
                assert_eq!(name.to_string(), $text);
                assert_eq!(name.as_str().parse::<$name>().as_ref(), Ok(&name));
                $name::check($text).expect("it was parsed");
            }
            Err(error) => {
                assert!($name::check($text).is_err());
                let _ = error.to_string();
                if let Some(repaired) = error.repaired() {
                    repaired.parse::<$name>().expect("what is repaired is a name");
                }
            }
        }
    )+};
}

fuzz_target!(|data: &[u8]| {
    let text = text(data);
    each!(
        text,
        AnalysisName,
        ConversationName,
        IssueModelName,
        IssueName,
        LocationName,
        OperationName,
        PhraseMatcherName,
        QaQuestionName,
        SettingsName,
        ViewName
    );
    if let Ok(name) = OperationName::new("p", "l", text) {
        assert_eq!(name.as_str().parse::<OperationName>(), Ok(name.clone()));
    }
    let below = format!("{L}/operations/{text}");
    each!(&*below, OperationName);
});
