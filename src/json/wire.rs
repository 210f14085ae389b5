//! The wire format, field by field, from bytes that nobody vouches for; and back.

/// Protobuf's own limit on nested messages, and that of its JSON parser.
pub(super) const MAX_DEPTH: usize = 100;

/// Why bytes are not the wire form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn(pub(super) &'static str);

/// The value of one field, as its wire type has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
    /// A group, skipped: no message of proto3 has one.
    Group,
}

/// Reads on from where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field and its value; `None` at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u32, Wire<'a>)>, Torn> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, kind) = self.tag()?;
        Ok(Some((number, self.value(number, kind, 0)?)))
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Torn> {
        if let [byte @ 0..=127, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, Torn> {
        let mut value = 0;
        for shift in 0..10 {
            let Some((byte, rest)) = self.rest.split_first() else {
                return Err(Torn("it ends within a number"));
            };
            self.rest = rest;
            if shift == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * shift);
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Torn("a number has more than 64 bits"))
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Torn> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Torn("it ends within a number"))?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, Torn> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Torn("it ends within a number"))?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn tag(&mut self) -> Result<(u32, u8), Torn> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Torn("a field has too high a number"))?;
        if tag >> 3 == 0 {
            return Err(Torn("a field has the number 0"));
        }
        #[allow(clippy::cast_possible_truncation, reason = "three bits")]
        Ok((tag >> 3, (tag & 7) as u8))
    }

    fn value(&mut self, number: u32, kind: u8, depth: usize) -> Result<Wire<'a>, Torn> {
        Ok(match kind {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.fixed64()?),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let (bytes, rest) =
                    self.rest.split_at_checked(length).ok_or(Torn("a length goes past its end"))?;
                self.rest = rest;
                Wire::Bytes(bytes)
            }
            3 => self.group(number, depth)?,
            5 => Wire::Fixed32(self.fixed32()?),
            4 => return Err(Torn("a group ends that did not begin")),
            _ => return Err(Torn("a field has no known wire type")),
        })
    }

    fn group(&mut self, number: u32, depth: usize) -> Result<Wire<'a>, Torn> {
        if depth >= MAX_DEPTH {
            return Err(Torn("groups are nested too deeply"));
        }
        loop {
            match self.tag()? {
                (end, 4) if end == number => return Ok(Wire::Group),
                (inner, kind) => self.value(inner, kind, depth + 1)?,
            };
        }
    }
}

/// `-1` for 1, `1` for 2, as `sint32` and `sint64` travel.
#[allow(clippy::cast_possible_wrap, reason = "the bits are kept")]
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The reverse of [`unzigzag`].
#[allow(clippy::cast_sign_loss, reason = "the bits are kept")]
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "below 128")]
    out.push(value as u8);
}

pub(super) fn put_tag(out: &mut Vec<u8>, number: u32, kind: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(kind));
}

pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Begins a field whose length is not known yet; gives what [`close`] takes.
pub(super) fn open(out: &mut Vec<u8>, number: u32) -> usize {
    put_tag(out, number, 2);
    out.push(0);
    out.len()
}

/// Ends the field that [`open`] began.
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    let length = out.len().saturating_sub(start);
    let place = start.saturating_sub(1);
    if let (0..=127, Some(byte)) = (length, out.get_mut(place)) {
        #[allow(clippy::cast_possible_truncation, reason = "below 128")]
        let short = length as u8;
        *byte = short;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    put_varint(&mut prefix, length as u64);
    out.splice(place..start, prefix);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_bytes_are_refused() {
        let cases: [(&[u8], &str); 8] = [
            (&[0x80], "ends within"),
            (&[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], "64 bits"),
            (&[0, 1], "number 0"),
            (&[10, 2, 1], "past its end"),
            (&[12], "did not begin"),
            (&[14], "wire type"),
            (&[11, 8, 1], "ends within"),
            (&[0xff, 0xff, 0xff, 0xff, 0x7f, 1], "too high"),
        ];
        for (bytes, why) in cases {
            let mut cursor = Cursor::new(bytes);
            let torn = std::iter::repeat_with(|| cursor.field()).find_map(Result::err).unwrap();
            assert!(torn.0.contains(why), "{bytes:?}: {torn:?}");
        }
        let deep: Vec<u8> = std::iter::repeat_n(11, 200).collect();
        assert_eq!(Cursor::new(&deep).field(), Err(Torn("groups are nested too deeply")));
    }

    #[test]
    fn groups_are_skipped_whole() {
        let mut cursor = Cursor::new(&[11, 16, 1, 19, 20, 12, 32, 7]);
        assert_eq!(cursor.field(), Ok(Some((1, Wire::Group))));
        assert_eq!(cursor.field(), Ok(Some((4, Wire::Varint(7)))));
        assert_eq!(cursor.field(), Ok(None));
    }

    #[test]
    fn lengths_are_put_in_afterwards() {
        for length in [0, 1, 127, 128, 20_000] {
            let mut out = Vec::new();
            let start = open(&mut out, 3);
            out.extend(std::iter::repeat_n(7, length));
            close(&mut out, start);
            let mut wanted = Vec::new();
            put_bytes(&mut wanted, 3, &vec![7; length]);
            assert_eq!(out, wanted);
        }
    }

    #[test]
    fn zigzag_goes_both_ways() {
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
        assert_eq!(zigzag(-1), 1);
    }
}
