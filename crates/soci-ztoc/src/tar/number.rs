//! Numbers and strings as tar headers and PAX records write them (`docs/tar.md`, section 2).

/// The bytes in front of the first NUL, or all of them.
pub(super) fn c_string(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// A header number: base-256 when the top bit of the first byte is set, octal otherwise.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base_256(field),
        _ => octal(field),
    }
}

/// Octal digits between spaces and NULs, cut at an inner NUL; an empty field is 0.
pub(super) fn octal(field: &[u8]) -> Option<i64> {
    let padding = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = field.iter().position(|byte| !padding(byte));
    let Some(start) = start else { return Some(0) };
    let end = field
        .iter()
        .rposition(|byte| !padding(byte))
        .map_or(start, |last| last + 1);
    c_string(&field[start..end])
        .iter()
        .try_fold(0_u64, |value, &digit| match digit {
            b'0'..=b'7' => value.checked_mul(8).map(|value| value | u64::from(digit - b'0')),
            _ => None,
        })
        // A header field has at most 12 digits, 36 bits; the conversion cannot change the sign.
        .map(|value| value as i64)
}

/// Two's complement, most significant byte first, the marker bit taken out.
fn base_256(field: &[u8]) -> Option<i64> {
    let inverted = if field[0] & 0x40 != 0 { 0xff } else { 0 };
    let mut value = 0_u64;
    for (index, &byte) in field.iter().enumerate() {
        if value >> 56 > 0 {
            return None;
        }
        let byte = byte ^ inverted;
        value = value << 8 | u64::from(if index == 0 { byte & 0x7f } else { byte });
    }
    let value = i64::try_from(value).ok()?;
    Some(if inverted == 0 { value } else { !value })
}

/// Decimal digits with an optional sign, within 64 bits.
pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i64, |value, &digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(digit - b'0');
        let value = value.checked_mul(10)?;
        // Built with its sign, so that the smallest number fits.
        if negative {
            value.checked_sub(digit)
        } else {
            value.checked_add(digit)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_is_trimmed_and_cut_at_an_inner_nul() {
        assert_eq!(octal(b"0000644\0"), Some(0o644));
        assert_eq!(octal(b" \0 12 \0"), Some(0o12));
        assert_eq!(octal(b"12\0junk7"), Some(0o12));
        assert_eq!(octal(b"\0\0\0"), Some(0));
        assert_eq!(octal(b""), Some(0));
        assert_eq!(octal(b"128"), None);
        assert_eq!(octal(b"-1"), None);
        assert_eq!(octal(b"1 2"), None);
    }

    #[test]
    fn base_256_is_signed() {
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0, 0, 1, 0]), Some(256));
        assert_eq!(numeric(&[0xff; 8]), Some(-1));
        assert_eq!(
            numeric(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
            Some(-2)
        );
        assert_eq!(
            numeric(&[0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
            Some(i64::MAX)
        );
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(numeric(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn decimals_have_a_sign_and_64_bits() {
        assert_eq!(decimal(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(decimal(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(decimal(b"9223372036854775808"), None);
        assert_eq!(decimal(b"+7"), Some(7));
        for bad in [&b""[..], b"-", b" 1", b"1_0", b"0x1", b"1e3"] {
            assert_eq!(decimal(bad), None);
        }
    }
}
