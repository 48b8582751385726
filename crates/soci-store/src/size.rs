//! Sizes as people write them.

/// `10`, `4MiB`, `10M`, `1.5GB`: decimal units without `i`, except that a bare `K`, `M`, `G` is
/// binary, as `docker` and `dd` have it.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 6 || fraction.contains('.') {
        return None;
    }
    let bytes = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    if fraction.is_empty() {
        return (!number.ends_with('.')).then_some(bytes);
    }
    let digits: u64 = fraction.parse().ok()?;
    let scale = 10_u64.pow(fraction.len() as u32);
    bytes.checked_add(digits * factor / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_and_without_units() {
        for (text, bytes) in [
            ("0", 0),
            ("4194304", 4 << 20),
            ("4MiB", 4 << 20),
            ("10M", 10 << 20),
            ("10 MB", 10_000_000),
            ("1.5GiB", 3 << 29),
            ("2k", 2048),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in [
            "",
            "MiB",
            "4 parsecs",
            "-1",
            "1.",
            "1..5",
            "99999999999999999999",
            "18446744073709551615G",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
