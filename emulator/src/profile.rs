//! How long an operation runs and how it ends, as a small grammar.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use contact_center_insights::Code;
use contact_center_insights::proto::rpc;
use contact_center_insights::status::code_name;

use crate::contract::Contract;
use crate::edit_distance::edit_distance;

const GRAMMAR: &str = "`immediate`, `polls:N` or `time:D` (D such as `500ms`, `5s`, `2m`, `1h`), optionally followed \
                       by `,fail=CODE` or `,fail=CODE:message`";

/// How an operation lives: when it ends, and whether it ends in an error.
///
/// | text | the operation |
/// |---|---|
/// | `immediate` | is done in the answer of the call that starts it |
/// | `polls:N` | is done in the answer to the N-th `GetOperation`; `ListOperations` does not count |
/// | `time:D` | is done once D has passed on the emulator's clock |
///
/// After any of them, `,fail=CODE` or `,fail=CODE:message` makes it end in that error. The default is `polls:2`.
///
/// ```
/// use contact_center_insights_emulator::Profile;
///
/// let profile: Profile = "time:90s,fail=RESOURCE_EXHAUSTED:too many models".parse()?;
/// assert_eq!(profile.to_string(), "time:90s,fail=RESOURCE_EXHAUSTED:too many models");
/// assert_eq!(Profile::default(), Profile::polls(2));
/// # Ok::<(), contact_center_insights_emulator::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub(crate) pace: Pace,
    pub(crate) failure: Option<Failure>,
}

/// When an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Immediate,
    Polls(u32),
    Time(Duration),
}

/// The error that an operation ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: Option<String>,
}

impl Profile {
    /// Done in the answer of the call that starts the operation.
    #[must_use]
    pub fn immediate() -> Self {
        Self { pace: Pace::Immediate, failure: None }
    }

    /// Done in the answer to the `count`-th `GetOperation`; zero is the same as [`Profile::immediate`].
    #[must_use]
    pub fn polls(count: u32) -> Self {
        Self { pace: Pace::Polls(count), failure: None }
    }

    /// Done once `duration` has passed on the emulator's clock; parts of a millisecond are dropped, and so is what is
    /// beyond `u64::MAX` milliseconds, which no text of a profile can say.
    #[must_use]
    pub fn time(duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self { pace: Pace::Time(Duration::from_millis(millis)), failure: None }
    }

    /// The same pace, but the operation ends in this error. [`Code::Ok`] is not an error: it takes a failure away.
    #[must_use]
    pub fn with_failure(mut self, code: Code, message: impl Into<String>) -> Self {
        let message = Some(message.into()).filter(|message| !message.is_empty());
        self.failure = (code != Code::Ok).then_some(Failure { code, message });
        self
    }
}

/// `polls:2`: seen running once, then done.
impl Default for Profile {
    fn default() -> Self {
        Self::polls(2)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pace {
            Pace::Immediate => f.write_str("immediate")?,
            Pace::Polls(count) => write!(f, "polls:{count}")?,
            Pace::Time(duration) => {
                let millis = duration.as_millis();
                let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
                let fitting = units.into_iter().find(|(unit, _)| millis > 0 && millis % unit == 0);
                let (unit, name) = fitting.unwrap_or((1, "ms"));
                write!(f, "time:{}{name}", millis / unit)?;
            }
        }
        let Some(failure) = &self.failure else { return Ok(()) };
        write!(f, ",fail={}", code_name(failure.code))?;
        failure.message.as_ref().map_or(Ok(()), |message| write!(f, ":{message}"))
    }
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let (pace, failure) = text.split_once(',').map_or((text, None), |(pace, rest)| (pace, Some(rest)));
        let error =
            |why: String| ProfileError(format!("`{text}` is not a profile: {why}; a profile is {GRAMMAR}"));
        let profile = Self { pace: parse_pace(pace).map_err(error)?, failure: None };
        let Some(failure) = failure else { return Ok(profile) };
        let scripted = failure
            .strip_prefix("fail=")
            .ok_or_else(|| error(format!("`{failure}` does not begin with `fail=`")))?;
        let (code, message) = scripted.split_once(':').unwrap_or((scripted, ""));
        Ok(profile.with_failure(parse_code(code).map_err(error)?, message))
    }
}

fn parse_pace(text: &str) -> Result<Pace, String> {
    match text.split_once(':') {
        None if text == "immediate" => Ok(Pace::Immediate),
        Some(("polls", count)) => count
            .parse()
            .map(Pace::Polls)
            .map_err(|_| format!("`{count}` is not a number of polls from 0 to {}", u32::MAX)),
        Some(("time", duration)) => parse_duration(duration)
            .map(Pace::Time)
            .ok_or_else(|| format!("`{duration}` is not a duration such as `500ms`, `5s`, `2m` or `1h`")),
        _ => Err(format!("`{text}` is not one of the three paces")),
    }
}

/// `500ms`, `5s`, `2m` or `1h`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

fn parse_code(text: &str) -> Result<Code, String> {
    match rpc::Code::from_str_name(text) {
        Some(rpc::Code::Ok) => Err("an operation cannot fail with `OK`".to_owned()),
        Some(code) => Ok(Code::from_i32(code as i32)),
        None => {
            let names: Vec<_> = (1..=16).map(|code| code_name(Code::from_i32(code))).collect();
            Err(format!("`{text}` is not one of the codes {}", names.join(", ")))
        }
    }
}

/// A profile for one method, `METHOD=PROFILE`, or for all, `PROFILE`: what a command line takes.
///
/// ```
/// use contact_center_insights_emulator::{MethodProfile, Profile};
///
/// let one: MethodProfile = "CreateIssueModel=immediate".parse()?;
/// assert_eq!(one.method.as_deref(), Some("CreateIssueModel"));
/// let all: MethodProfile = "immediate,fail=INTERNAL".parse()?;
/// assert_eq!(all.method, None);
/// assert!("CreateIssueModl=immediate".parse::<MethodProfile>().is_err());
/// # Ok::<(), contact_center_insights_emulator::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodProfile {
    /// The long-running method, without its service; `None` for all of them.
    pub method: Option<String>,
    /// How its operations live.
    pub profile: Profile,
}

impl FromStr for MethodProfile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text.split_once('=') {
            // The `=` of `fail=` comes after a `:` or a `,`, which no method's name has.
            Some((method, profile)) if !method.contains([':', ',']) => {
                check_method(method)?;
                Ok(Self { method: Some(method.to_owned()), profile: profile.parse()? })
            }
            _ => Ok(Self { method: None, profile: text.parse()? }),
        }
    }
}

/// Only long-running methods have profiles.
pub(crate) fn check_method(method: &str) -> Result<(), ProfileError> {
    let names: Vec<&str> = Contract::get().long_running().collect();
    if names.contains(&method) {
        return Ok(());
    }
    let nearest = names.iter().min_by_key(|name| edit_distance(name, method)).copied().unwrap_or_default();
    Err(ProfileError(format!(
        "`{method}` is not a long-running method; the nearest is `{nearest}`, and all are {}",
        names.join(", ")
    )))
}

/// Why a text is not a profile; says what one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProfileError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_print_as_they_are_read() {
        for text in [
            "immediate",
            "polls:0",
            "polls:7",
            "time:0ms",
            "time:500ms",
            "time:5s",
            "time:2m",
            "time:1h",
            "polls:1,fail=ABORTED",
            "immediate,fail=NOT_FOUND:the bucket, it is gone: sorry",
        ] {
            assert_eq!(text.parse::<Profile>().unwrap().to_string(), text);
        }
        assert_eq!("time:120s".parse::<Profile>().unwrap().to_string(), "time:2m");
    }

    #[test]
    fn errors_show_the_grammar_and_the_fault() {
        for (text, why) in [
            ("", "not one of the three"),
            ("soon", "`soon`"),
            ("polls:-1", "`-1`"),
            ("polls:99999999999", "number of polls"),
            ("time:5", "`5`"),
            ("time:5d", "`5d`"),
            ("time:99999999999999999h", "duration"),
            ("immediate,", "fail="),
            ("immediate,fail=OK", "cannot fail with `OK`"),
            ("immediate,fail=BAD", "RESOURCE_EXHAUSTED"),
        ] {
            let error = text.parse::<Profile>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("`polls:N`"), "{error}");
        }
    }

    #[test]
    fn a_wrong_method_is_answered_with_the_nearest() {
        let error = "deployIssueModels=immediate".parse::<MethodProfile>().unwrap_err().to_string();
        assert!(error.contains("nearest is `DeployIssueModel`") && error.contains("QueryMetrics"), "{error}");
        assert!("GetConversation=immediate".parse::<MethodProfile>().is_err());
    }

    #[test]
    fn the_sign_of_a_failure_names_no_method() {
        let profile = "polls:1,fail=ABORTED:a=b".parse::<MethodProfile>().unwrap();
        assert_eq!(profile.method, None);
        assert_eq!(profile.profile, Profile::polls(1).with_failure(Code::Aborted, "a=b"));
    }
}
