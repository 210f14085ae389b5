//! Parts of a list of operations, by the time of their creation: so that several walks share the work.

use std::fmt::Write as _;

use prost::Message;

use crate::any::type_name;
use crate::proto::longrunning::Operation;

/// The package of the metadata whose `create_time` is known to be field 1: all of it, which a test proves.
const OWN: &str = "google.cloud.contactcenterinsights.v1.";
const MICROS: i64 = 1_000_000;

/// When an operation was created, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Created(i64);

impl Created {
    /// Nothing has been heard of the operation yet.
    pub(super) const UNKNOWN: Self = Self(i64::MIN);
    /// Its metadata has no such time, so that it is in no window: `QueryMetrics` is of this kind.
    pub(super) const NEVER: Self = Self(i64::MIN + 1);

    /// As the metadata of `operation` tells it.
    pub(super) fn of(operation: &Operation) -> Self {
        #[derive(Message)]
        struct Dated {
            #[prost(message, optional, tag = "1")]
            create_time: Option<prost_types::Timestamp>,
        }
        let Some(metadata) = &operation.metadata else { return Self::UNKNOWN };
        if !type_name(&metadata.type_url).starts_with(OWN) {
            return Self::NEVER;
        }
        let time = Dated::decode(metadata.value.as_slice()).ok().and_then(|dated| dated.create_time);
        let micros = time.and_then(|time| {
            time.seconds.checked_mul(MICROS)?.checked_add(i64::from(time.nanos).checked_div(1_000)?)
        });
        micros.map_or(Self::NEVER, |micros| Self(micros.clamp(-MICROS << 36, MICROS << 37)))
    }

    /// `None` unless it is a time.
    pub(super) fn micros(self) -> Option<i64> {
        (self != Self::UNKNOWN && self != Self::NEVER).then_some(self.0)
    }
}

/// Operations created from one time on, and before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    from: Option<i64>,
    before: Option<i64>,
}

impl Window {
    /// The whole list.
    pub(super) const ALL: Self = Self { from: None, before: None };

    /// Nothing that has a time.
    pub(super) const NONE: Self = Self { from: Some(i64::MAX), before: Some(i64::MIN) };

    pub(super) fn between(
        from: Option<prost_types::Timestamp>,
        before: Option<prost_types::Timestamp>,
    ) -> Self {
        let micros = |time: prost_types::Timestamp| {
            time.seconds.saturating_mul(MICROS).saturating_add(i64::from(time.nanos / 1_000))
        };
        Self { from: from.map(micros), before: before.map(micros) }
    }

    /// Disjoint windows over all times, `count` at most, in which equal numbers of `created` lie.
    pub(super) fn parts(mut created: Vec<i64>, count: usize) -> Vec<Self> {
        created.sort_unstable();
        let mut edges: Vec<i64> = (1..count)
            .filter_map(|part| created.get(part.checked_mul(created.len())?.checked_div(count)?).copied())
            .collect();
        edges.dedup();
        let froms = std::iter::once(None).chain(edges.iter().copied().map(Some));
        let befores = edges.iter().copied().map(Some).chain([None]);
        froms.zip(befores).map(|(from, before)| Self { from, before }).collect()
    }

    pub(super) fn is_all(&self) -> bool {
        *self == Self::ALL
    }

    /// Whether an operation of this time is in it; all are in the whole.
    pub(super) fn contains(&self, created: Created) -> bool {
        let is_inside =
            |at| self.from.is_none_or(|from| from <= at) && self.before.is_none_or(|before| at < before);
        self.is_all() || created.micros().is_some_and(is_inside)
    }

    /// What has the service list the operations in it that are not done.
    pub(super) fn filter(&self) -> String {
        let time = |micros: i64| {
            let nanos = i32::try_from(micros.rem_euclid(MICROS).saturating_mul(1_000)).unwrap_or_default();
            prost_types::Timestamp { seconds: micros.div_euclid(MICROS), nanos }
        };
        let mut filter = r#"done="false""#.to_owned();
        for (operator, edge) in [(">=", self.from), ("<", self.before)] {
            if let Some(edge) = edge {
                let _ = write!(filter, r#" AND metadata.create_time{operator}"{}""#, time(edge));
            }
        }
        filter
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;
    use crate::any::pack;
    use crate::proto::insights::{CreateIssueModelMetadata, QueryMetricsMetadata};
    use crate::proto::rpc::RetryInfo;

    fn created(seconds: i64, nanos: i32) -> Created {
        let create_time = Some(Timestamp { seconds, nanos });
        let metadata = pack(&CreateIssueModelMetadata { create_time, ..Default::default() });
        Created::of(&Operation { metadata: Some(metadata), ..Default::default() })
    }

    #[test]
    fn times_come_from_metadata_of_this_service() {
        assert_eq!(created(1, 500_000_000).micros(), Some(1_500_000));
        for extreme in [created(i64::MAX, i32::MAX), created(i64::MIN, i32::MIN)] {
            assert!(extreme == Created::NEVER || extreme.micros().is_some());
            assert!(Window::ALL.contains(extreme));
        }
        let of = |metadata| Created::of(&Operation { metadata, ..Default::default() });
        assert_eq!(of(None), Created::UNKNOWN);
        assert_eq!(of(Some(pack(&QueryMetricsMetadata::default()))), Created::NEVER);
        assert_eq!(of(Some(pack(&RetryInfo::default()))), Created::NEVER);
    }

    #[test]
    fn every_metadata_of_an_operation_has_its_time_in_the_first_field() {
        let pool = prost_reflect::DescriptorPool::decode(crate::proto::FILE_DESCRIPTOR_SET).unwrap();
        let own = pool
            .all_messages()
            .filter(|message| message.full_name().starts_with(OWN) && message.name().ends_with("Metadata"));
        let dated = own.filter_map(|message| message.get_field_by_name("create_time"));
        let numbers: Vec<u32> = dated.map(|field| field.number()).collect();
        assert!(numbers.len() >= 16 && numbers.iter().all(|number| *number == 1), "{numbers:?}");
    }

    #[test]
    fn windows_share_out_the_times_and_leave_none_out() {
        let windows = Window::parts((0..1_000).collect(), 4);
        assert_eq!(windows.len(), 4);
        for second in [-5, 0, 249, 250, 251, 999, 5_000_000] {
            let at = created(0, 0);
            let at = Created(at.0 + second);
            assert_eq!(windows.iter().filter(|window| window.contains(at)).count(), 1, "{second}");
        }
        let sizes =
            windows.iter().map(|window| (0..1_000).filter(|at| window.contains(Created(*at))).count());
        assert_eq!(sizes.collect::<Vec<_>>(), [250; 4]);
        assert_eq!(Window::parts(Vec::new(), 4), [Window::ALL]);
        assert_eq!(Window::parts(vec![7; 100], 4).len(), 2, "one edge");
        assert!(!windows.iter().any(|window| window.contains(Created::UNKNOWN)));
    }

    #[test]
    fn filters_are_those_of_the_service() {
        assert_eq!(Window::ALL.filter(), r#"done="false""#);
        let window = Window { from: Some(1_500_000), before: Some(2_000_000) };
        assert_eq!(
            window.filter(),
            r#"done="false" AND metadata.create_time>="1970-01-01T00:00:01.500Z" AND metadata.create_time<"1970-01-01T00:00:02Z""#
        );
    }
}
