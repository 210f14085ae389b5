//! Pages and the tokens between them (AIP-158).
//!
//! A token names the last item that was given, not a position, so that a walk is neither shifted nor broken by what
//! is added or removed meanwhile. It is bound to the arguments of the call it came from.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contact_center_insights::{Code, Status};

use crate::errors;

/// How many items a page holds if the caller does not say.
const DEFAULT_SIZE: usize = 100;

/// Where an item stands in a list: lists are in ascending order of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// What the list is ordered by, as bytes that compare as it does.
    by: Vec<u8>,
    /// What decides between equals, so that every item has a place of its own.
    serial: u64,
}

impl Key {
    /// In an order, and by creation among equals.
    pub(crate) fn ordered(by: Vec<u8>, serial: u64) -> Self {
        Self { by, serial }
    }

    /// In order of creation alone.
    pub(crate) fn oldest_first(serial: u64) -> Self {
        Self::ordered(Vec::new(), serial)
    }

    /// In an order, and against that of creation among equals.
    pub(crate) fn newest_first(by: Vec<u8>, serial: u64) -> Self {
        Self::ordered(by, !serial)
    }

    /// What the list is ordered by.
    pub(crate) fn by(&self) -> &[u8] {
        &self.by
    }

    /// What decides between equals.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }
}

/// One call for a page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    size: usize,
    after: Option<Key>,
    scope: u64,
}

impl Page {
    /// Reads `page_size` and `page_token`. `arguments` are what a token is bound to: the method, the parent, the
    /// filter, the order. A size above `max` is taken for `max`.
    pub(crate) fn read(size: i32, token: &str, max: usize, arguments: &[&str]) -> Result<Self, Status> {
        let size = usize::try_from(size).map_err(|_| errors::invalid("page_size", "must not be negative"))?;
        let size = if size == 0 { DEFAULT_SIZE } else { size }.min(max);
        let scope = hash(arguments);
        let after = if token.is_empty() { None } else { Some(read_token(token, scope)?) };
        Ok(Self { size, after, scope })
    }

    /// All items on one page, for lists that have no pages.
    pub(crate) fn whole() -> Self {
        Self { size: usize::MAX, after: None, scope: 0 }
    }

    /// What was given before this page ends with this item.
    pub(crate) fn after(&self) -> Option<&Key> {
        self.after.as_ref()
    }

    /// Begins to cut the page out of items that come in order: it is full with one item more than it holds.
    pub(crate) fn sorted<T>(self) -> Cut<T> {
        Cut { page: self, kept: Kept::Sorted(Vec::new()) }
    }

    /// The same for items in whatever order they come. No more than a page of them is kept at a time, and each page costs
    /// the same.
    pub(crate) fn unsorted<T>(self) -> Cut<T> {
        Cut { page: self, kept: Kept::Unsorted(BinaryHeap::new()) }
    }

    fn end<T>(&self, mut items: Vec<Ranked<T>>) -> (Vec<T>, String) {
        let more = items.len() > self.size;
        items.truncate(self.size);
        let token = items.last().filter(|_| more).map(|last| write_token(&last.0, self.scope));
        (items.into_iter().map(|Ranked(_, item)| item).collect(), token.unwrap_or_default())
    }
}

/// A page that is being cut out of a list.
#[derive(Debug)]
pub(crate) struct Cut<T> {
    page: Page,
    kept: Kept<T>,
}

#[derive(Debug)]
enum Kept<T> {
    Sorted(Vec<Ranked<T>>),
    Unsorted(BinaryHeap<Ranked<T>>),
}

impl<T> Cut<T> {
    /// Looks at one item. `false`: no other needs to be looked at.
    pub(crate) fn push(&mut self, key: Key, item: T) -> bool {
        if self.page.after.as_ref().is_some_and(|after| key <= *after) {
            return true;
        }
        let size = self.page.size;
        match &mut self.kept {
            Kept::Sorted(kept) => {
                kept.push(Ranked(key, item));
                kept.len() <= size
            }
            Kept::Unsorted(kept) => {
                if kept.len() <= size {
                    kept.push(Ranked(key, item));
                } else if kept.peek().is_some_and(|last| key < last.0) {
                    kept.pop();
                    kept.push(Ranked(key, item));
                }
                true
            }
        }
    }

    /// The items of the page, in order, and the token for the next; empty if there is none.
    pub(crate) fn end(self) -> (Vec<T>, String) {
        self.end_within(usize::MAX, |_| 0)
    }

    /// The same, but no more than have so many bytes together, and one at least: a page may be shorter than was asked
    /// for (AIP-158).
    pub(crate) fn end_within(mut self, bytes: usize, size: impl Fn(&T) -> usize) -> (Vec<T>, String) {
        let items = match self.kept {
            Kept::Sorted(kept) => kept,
            Kept::Unsorted(kept) => kept.into_sorted_vec(),
        };
        let mut left = bytes;
        let fitting = items.iter().take_while(|Ranked(_, item)| {
            let rest = left.checked_sub(size(item));
            left = rest.unwrap_or_default();
            rest.is_some()
        });
        self.page.size = self.page.size.min(fitting.count().max(1));
        self.page.end(items)
    }
}

/// An item that is compared by its place alone.
#[derive(Debug)]
struct Ranked<T>(Key, T);

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Ranked<T> {}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Scope, then the key masked by the scope, then a checksum: nothing in it for a caller to read or to write.
fn write_token(key: &Key, scope: u64) -> String {
    let mut bytes = Vec::with_capacity(24 + key.by.len());
    bytes.extend(scope.to_be_bytes());
    bytes.extend((key.serial ^ scope).to_be_bytes());
    bytes.extend(masked(&key.by, scope));
    let sum = hash(&bytes);
    bytes.extend(sum.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn masked(bytes: &[u8], scope: u64) -> impl Iterator<Item = u8> {
    bytes.iter().zip(scope.to_be_bytes().into_iter().cycle()).map(|(byte, mask)| byte ^ mask)
}

fn read_token(token: &str, scope: u64) -> Result<Key, Status> {
    let garbage = || errors::invalid("page_token", "was not issued by this service");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| garbage())?;
    let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(garbage)?;
    if *sum != hash(body.to_vec()).to_be_bytes() {
        return Err(garbage());
    }
    let (issued, rest) = body.split_first_chunk::<8>().ok_or_else(garbage)?;
    let (serial, by) = rest.split_first_chunk::<8>().ok_or_else(garbage)?;
    if u64::from_be_bytes(*issued) != scope {
        let message =
            "`page_token` was issued for other arguments: only `page_size` may change between pages";
        return Err(errors::with_reason(Code::InvalidArgument, "PAGE_TOKEN_MISMATCH", message, &[]));
    }
    Ok(Key::ordered(masked(by, scope).collect(), u64::from_be_bytes(*serial) ^ scope))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all<T>(mut cut: Cut<T>, items: impl IntoIterator<Item = (Key, T)>) -> (Vec<T>, String) {
        for (key, item) in items {
            if !cut.push(key, item) {
                break;
            }
        }
        cut.end()
    }

    fn cut(total: u64, size: i32, token: &str) -> (Vec<u64>, String) {
        let page = Page::read(size, token, 1000, &["L", "p"]).unwrap();
        let items = || (0..total).map(|serial| (Key::oldest_first(serial), serial));
        let cut = all(page.clone().unsorted(), items().rev());
        assert_eq!(all(page.sorted(), items()), cut);
        cut
    }

    #[test]
    fn a_page_ends_where_it_is_large_enough() {
        let within = |bytes: usize, after: &str| {
            let mut cut = Page::read(10, after, 1000, &["L"]).unwrap().sorted();
            (0..5_u64).for_each(|n| assert!(cut.push(Key::oldest_first(n), n)));
            cut.end_within(bytes, |_| 10)
        };
        let (first, token) = within(25, "");
        assert_eq!((first, within(25, &token).0), (vec![0, 1], vec![2, 3]));
        assert_eq!(within(5, "").0, [0], "one is always given");
        let (all, end) = within(50, "");
        assert_eq!((all.len(), end.as_str()), (5, ""));
    }

    #[test]
    fn no_more_is_looked_at_than_a_page_and_one() {
        let mut looked_at = 0;
        let items = (0..1000).map(|serial| (Key::oldest_first(serial), serial)).inspect(|_| looked_at += 1);
        assert_eq!(all(Page::read(10, "", 1000, &[]).unwrap().sorted(), items).0.len(), 10);
        assert_eq!(looked_at, 11);
    }

    #[test]
    fn r12_r13_sizes_have_a_default_and_a_maximum() {
        assert_eq!(cut(5000, 0, "").0.len(), 100);
        assert_eq!(cut(5000, 2000, "").0.len(), 1000);
    }

    #[test]
    fn r14_a_negative_size_is_invalid() {
        assert_eq!(Page::read(-1, "", 1000, &[]).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn r17_r18_a_token_serves_only_the_arguments_it_came_from() {
        let (_, token) = cut(10, 3, "");
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        for arguments in [["L", "q"], ["M", "p"]] {
            assert_eq!(Page::read(3, &token, 1000, &arguments).unwrap_err().code(), Code::InvalidArgument);
        }
        for garbage in ["!", "AAAA", "é", &token[1..], &format!("{token}AAAA")] {
            assert_eq!(Page::read(3, garbage, 1000, &["L", "p"]).unwrap_err().code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn an_insert_before_the_cursor_does_not_shift_the_walk() {
        let page = Page::read(2, "", 10, &["L"]).unwrap();
        let (first, token) = all(page.sorted(), [1, 3, 5].map(|n| (Key::oldest_first(n), n)));
        let page = Page::read(2, &token, 10, &["L"]).unwrap();
        let (second, end) = all(page.sorted(), [0, 1, 2, 3, 4, 5].map(|n| (Key::oldest_first(n), n)));
        assert_eq!((first, second, end.as_str()), (vec![1, 3], vec![4, 5], ""));
    }

    #[test]
    fn newest_first_is_descending() {
        let keys = [(1, 1), (2, 3), (2, 2)].map(|(by, serial)| Key::newest_first(vec![by], serial));
        assert!(keys.is_sorted());
    }

    proptest! {
        #[test]
        fn r15_r16_a_walk_is_the_exact_set(
            total in 0u64..60,
            sizes in prop::collection::vec(1i32..9, 1..5),
        ) {
            let (mut seen, mut token) = (Vec::new(), String::new());
            for size in sizes.iter().cycle() {
                let (page, next) = cut(total, *size, &token);
                seen.extend(page);
                token = next;
                if token.is_empty() { break; }
            }
            prop_assert_eq!(seen, (0..total).collect::<Vec<_>>());
        }

        #[test]
        fn any_token_is_read_without_panic(token in ".{0,80}") {
            let _ = Page::read(1, &token, 10, &["L"]);
        }
    }
}
