//! Operations as they are looked at from outside: nothing moves by that.

use std::time::SystemTime;

use contact_center_insights::Code;
use contact_center_insights::proto::longrunning::operation::Result as Outcome;

use super::Entry;
use super::job::Moment;

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It runs, and its progress is zero still.
    Waiting,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// How far an operation is that goes on by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    pub(crate) create_time: SystemTime,
    /// From 0 to 1.
    pub(crate) part: f64,
    pub(crate) polls: u32,
    pub(crate) profile: String,
}

impl<W> Entry<W> {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn stage(&self, now: SystemTime) -> Stage {
        if let Some(running) = &self.running {
            return if running.moment(now, None).done == 0 { Stage::Waiting } else { Stage::Running };
        }
        match &self.operation.result {
            _ if !self.operation.done => Stage::Running,
            Some(Outcome::Error(error)) if error.code == Code::Cancelled as i32 => Stage::Cancelled,
            Some(Outcome::Error(_)) => Stage::Failed,
            Some(Outcome::Response(_)) | None => Stage::Succeeded,
        }
    }

    /// `None` if nothing runs.
    pub(crate) fn progress(&self, now: SystemTime) -> Option<Progress> {
        let running = self.running.as_ref()?;
        let moment = running.moment(now, None);
        let profile = running.start.profile.to_string();
        Some(Progress { create_time: moment.create_time, part: part(&moment), polls: running.polls, profile })
    }

    /// The method that started it, while it runs.
    pub(crate) fn method(&self) -> Option<&'static str> {
        self.running.as_ref().map(|running| running.start.method)
    }

    /// The full name of its metadata's type, once nothing runs; empty if it has none.
    pub(crate) fn metadata_type(&self) -> &str {
        let url = self.operation.metadata.as_ref().map_or("", |metadata| metadata.type_url.as_str());
        url.rsplit('/').next().unwrap_or_default()
    }
}

fn part(moment: &Moment) -> f64 {
    const WHOLE: u32 = 10_000;
    let part = moment.done.saturating_mul(WHOLE.into()) / moment.of.max(1);
    f64::from(u32::try_from(part).unwrap_or(WHOLE).min(WHOLE)) / f64::from(WHOLE)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use contact_center_insights::Status;
    use contact_center_insights::proto::longrunning::Operation;

    use super::*;
    use crate::engine::Engine;

    #[test]
    fn what_was_placed_stands_as_it_was_placed() {
        let mut engine = Engine::<()>::default();
        let name = |id: &str| format!("projects/p/locations/us/operations/{id}");
        let error = |code: Code| Some(Outcome::Error(Status::new(code, "no").into()));
        for (id, done, result, wanted) in [
            ("1", false, None, Stage::Running),
            ("2", true, None, Stage::Succeeded),
            ("3", true, error(Code::Cancelled), Stage::Cancelled),
            ("4", true, error(Code::Internal), Stage::Failed),
        ] {
            engine.place(Operation { name: name(id), done, result, ..Operation::default() });
            let entry = engine.look(&name(id)).unwrap();
            assert_eq!((entry.stage(UNIX_EPOCH), entry.progress(UNIX_EPOCH)), (wanted, None), "{id}");
        }
    }

    #[test]
    fn a_part_is_from_zero_to_one() {
        let part = |done, of| part(&Moment { create_time: UNIX_EPOCH, end_time: None, done, of });
        let parts = [part(0, 4), part(1, 4), part(4, 4), part(5, 4), part(1, 0)];
        assert_eq!(parts.map(|part| part.to_string()), ["0", "0.25", "1", "1", "1"]);
    }
}
