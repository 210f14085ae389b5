//! How often a request is sent again at once that came back unprocessed, whatever the policy of retries says: the server has
//! not seen it, or has said so (gRFC A6, "transparent retries").

use crate::error::Unprocessed;

/// In all, and of those that came back because their connection was lost: a proxy that ends each connection after so many
/// requests lets the first of those through that come over the next, and has the rest try once more.
const MOST: u32 = 3;
/// Of those that the server refused on a connection that stands.
const MOST_REFUSED: u32 = 1;

/// What was sent again so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resends {
    made: u32,
    refused: u32,
}

impl Resends {
    /// Whether the request may be sent again, which is then counted.
    pub(crate) fn allow(&mut self, unprocessed: Unprocessed) -> bool {
        let is_refused = unprocessed == Unprocessed::StreamRefused;
        if self.made >= MOST || is_refused && self.refused >= MOST_REFUSED {
            return false;
        }
        self.made = self.made.saturating_add(1);
        self.refused = self.refused.saturating_add(u32::from(is_refused));
        true
    }

    /// How often.
    pub(crate) fn made(self) -> u32 {
        self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unprocessed::{ConnectionLost, StreamRefused};

    #[test]
    fn a_request_survives_three_connections_or_one_refusal() {
        let made = |came_back: &[Unprocessed]| {
            let mut resends = Resends::default();
            came_back.iter().filter(|how| resends.allow(**how)).count()
        };
        assert_eq!(made(&[ConnectionLost; 9]), 3);
        assert_eq!(made(&[StreamRefused; 9]), 1);
        assert_eq!(made(&[StreamRefused, ConnectionLost, StreamRefused, ConnectionLost, ConnectionLost]), 3);
    }
}
