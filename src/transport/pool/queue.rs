//! Those that wait, first come, first served. To join and to leave costs the same however many wait: nothing walks the
//! queue but what tells all of them something.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

/// Those that wait to be told a `T`.
pub(super) struct Queue<T> {
    waiting: BTreeMap<Ticket, oneshot::Sender<T>>,
    /// The next ticket: 64 bits do not run out.
    next: u64,
    /// Entries that were looked at, put in or taken out.
    #[cfg(test)]
    touched: usize,
}

/// A place in a queue: a lower one is served earlier. Whoever joins again with it gets the old place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: 0,
            #[cfg(test)]
            touched: 0,
        }
    }
}

impl<T> Queue<T> {
    pub(super) fn join(&mut self, again: Option<Ticket>) -> (Ticket, oneshot::Receiver<T>) {
        let ticket = again.unwrap_or_else(|| {
            self.next = self.next.wrapping_add(1);
            Ticket(self.next)
        });
        let (grant, told) = oneshot::channel();
        self.waiting.insert(ticket, grant);
        self.touch(1);
        (ticket, told)
    }

    /// Of no effect on one that has left, or has been told.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
        self.touch(1);
    }

    pub(super) fn pop(&mut self) -> Option<oneshot::Sender<T>> {
        self.touch(1);
        self.waiting.pop_first().map(|(_, grant)| grant)
    }

    /// All of them, in order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = oneshot::Sender<T>> + use<T> {
        self.touch(self.len());
        std::mem::take(&mut self.waiting).into_values()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    #[cfg(test)]
    fn touch(&mut self, entries: usize) {
        self.touched += entries;
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, reason = "only tests count")]
    fn touch(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_wait_are_served_in_order_and_may_come_back_to_their_place() {
        let mut queue = Queue::default();
        let mut told: Vec<_> = (0..5).map(|_| queue.join(None)).collect();
        queue.leave(told.remove(2).0);
        assert_eq!(queue.len(), 4);
        drop(queue.pop());
        let (first, _) = told.remove(0);
        let (again, back) = queue.join(Some(first));
        assert_eq!(again, first);
        told.insert(0, (again, back));
        let mut number = 0;
        while let Some(grant) = queue.pop() {
            grant.send(number).unwrap();
            number += 1;
        }
        let order: Vec<_> = told.iter_mut().map(|(_, told)| told.try_recv().unwrap()).collect();
        assert_eq!(order, [0, 1, 2, 3]);
    }

    /// The work grows as the number of calls does, whether they are served or give up.
    #[test]
    fn work_is_linear() {
        const CALLS: usize = 20_000;
        let mut queue = Queue::<()>::default();
        let tickets: Vec<_> = (0..CALLS).map(|_| queue.join(None)).collect();
        for (ticket, _) in tickets.iter().step_by(2) {
            queue.leave(*ticket);
        }
        let mut served = 0;
        while let Some(grant) = queue.pop() {
            grant.send(()).unwrap();
            served += 1;
        }
        assert_eq!(served, CALLS / 2, "those that left are not served");
        // One to join, one to leave or to be served; and one that finds it empty.
        assert_eq!(queue.touched, 2 * CALLS + 1);
    }
}
