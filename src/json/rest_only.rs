//! The fields that the REST API has in messages of the protos, and the protos lack: gRPC has no numbers for them.
//!
//! `rest_only.tsv` has them from the API's discovery document of revision 20261104: message and field, with a tab
//! between.

const PACKAGE: &str = "google.cloud.contactcenterinsights.v1.";
const FIELDS: &str = include_str!("rest_only.tsv");

/// Whether the REST API has a field in the message of this full name.
pub(super) fn is_rest_only(message: &str, field: &str) -> bool {
    let Some(message) = message.strip_prefix(PACKAGE) else { return false };
    FIELDS.lines().filter_map(|line| line.split_once('\t')).any(|known| known == (message, field))
}

#[cfg(test)]
mod tests {
    use super::super::table::{Form, Tables};
    use super::*;

    #[test]
    fn all_are_of_messages_that_lack_them() {
        let mut count = 0;
        for (message, field) in FIELDS.lines().filter_map(|line| line.split_once('\t')) {
            let Some(Form::Plain(index)) = Tables::get().form(&format!("{PACKAGE}{message}")) else {
                panic!("{message} is not a message");
            };
            assert!(Tables::get().message(index).by_name(field).is_none(), "{message}.{field}");
            count += 1;
        }
        assert_eq!(count, 112);
    }

    #[test]
    fn others_are_not() {
        assert!(is_rest_only("google.cloud.contactcenterinsights.v1.Analysis", "satisfiesPzs"));
        assert!(!is_rest_only("google.cloud.contactcenterinsights.v1.Analysis", "name"));
        assert!(!is_rest_only("Analysis", "satisfiesPzs"));
    }
}
