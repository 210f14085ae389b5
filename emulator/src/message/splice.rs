//! Encoded messages put together and cut down, without decoding what is in them.

use super::wire::{Wire, fields};

/// Adds a field that is a string, bytes or a message.
pub(crate) fn put_bytes(message: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_varint(message, (u64::from(number) << 3) | 2);
    put_varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

/// Adds a field that is a message, without the fields of these numbers within it.
pub(crate) fn put_without(message: &mut Vec<u8>, number: u32, value: &[u8], numbers: &[u32]) {
    if numbers.is_empty() || !fields(value).any(|(number, _)| numbers.contains(&number)) {
        return put_bytes(message, number, value);
    }
    put_bytes(message, number, &without(value, numbers));
}

/// The message without the fields of these numbers.
pub(crate) fn without(message: &[u8], numbers: &[u32]) -> Vec<u8> {
    if numbers.is_empty() {
        return message.to_vec();
    }
    let mut left = Vec::with_capacity(message.len());
    for (number, wire) in fields(message).filter(|(number, _)| !numbers.contains(number)) {
        put(&mut left, number, wire);
    }
    left
}

/// Adds a field as it was on the wire.
pub(crate) fn put(message: &mut Vec<u8>, number: u32, wire: Wire<'_>) {
    let key = u64::from(number) << 3;
    match wire {
        Wire::Varint(value) => {
            put_varint(message, key);
            put_varint(message, value);
        }
        Wire::Fixed64(value) => {
            put_varint(message, key | 1);
            message.extend(value.to_le_bytes());
        }
        Wire::Bytes(value) => put_bytes(message, number, value),
        Wire::Fixed32(value) => {
            put_varint(message, key | 5);
            message.extend(value.to_le_bytes());
        }
    }
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    message.push(low_bits(value));
}

/// The last seven bits.
fn low_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::Conversation;
    use contact_center_insights::proto::insights::SentimentData;
    use prost::Message as _;

    use super::*;

    #[test]
    fn fields_are_left_out_and_the_rest_stays() {
        let whole = Conversation {
            name: "n".into(),
            agent_id: "a".repeat(300),
            turn_count: -3,
            ..Conversation::default()
        };
        let left = without(&whole.encode_to_vec(), &[5]);
        let wanted = Conversation { agent_id: String::new(), ..whole };
        assert_eq!(Conversation::decode(left.as_slice()).unwrap(), wanted);
        let data = SentimentData { magnitude: 0.5, score: -1.0 };
        let left = without(&data.encode_to_vec(), &[1]);
        assert_eq!(SentimentData::decode(left.as_slice()).unwrap(), SentimentData { magnitude: 0.0, ..data });
    }

    #[test]
    fn fields_are_put_as_protobuf_has_them() {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, 1, b"n");
        put_bytes(&mut bytes, 21, &[b'x'; 200]);
        let read = Conversation::decode(bytes.as_slice()).unwrap();
        assert_eq!((read.name.as_str(), read.obfuscated_user_id.len()), ("n", 200));
    }
}
