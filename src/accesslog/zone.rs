//! Zones in times: offsets from UTC, and the abbreviations that mean one.

use super::digits::number;

/// Seconds east of UTC, and the length of `+hhmm`, `+hh:mm` or `Z`.
pub(super) fn offset(text: &[u8]) -> Option<(i32, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        b'Z' | b'z' => return Some((0, 1)),
        _ => return None,
    };
    let colon = usize::from(text.get(3) == Some(&b':'));
    let hours = number(&text[1..], 2, 2)?;
    let minutes = number(text.get(3 + colon..)?, 2, 2)?;
    // The farthest zones are at +14:00 and -12:00; some historical ones are at +15:13.
    (hours <= 15 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60) as i32, 5 + colon))
}

/// Seconds east of UTC, and the length of `+hh`.
pub(super) fn hours(text: &[u8]) -> Option<(i32, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(&text[1..], 2, 2)?;
    (hours <= 15).then_some((sign * hours as i32 * 3600, 3))
}

/// Seconds east of UTC of a zone's abbreviation. Those with more than one common meaning (IST, CST in Asia) have the one of RFC 5322
/// or none.
pub(super) fn zone(name: &[u8]) -> Option<i32> {
    let name = std::str::from_utf8(name).ok()?;
    let quarters = match name {
        "UTC" | "GMT" | "UT" | "Z" | "WET" => 0,
        "CET" | "BST" | "WEST" | "MEZ" => 4,
        "CEST" | "EET" | "MESZ" | "SAST" => 8,
        "EEST" | "MSK" => 12,
        "JST" | "KST" => 36,
        "AWST" | "HKT" | "SGT" => 32,
        "ACST" => 38,
        "AEST" => 40,
        "AEDT" => 44,
        "NZST" => 48,
        "NZDT" => 52,
        "NST" => -14,
        "AST" | "EDT" => -16,
        "ADT" => -12,
        "EST" | "CDT" => -20,
        "CST" | "MDT" => -24,
        "MST" | "PDT" => -28,
        "PST" | "AKDT" => -32,
        "AKST" => -36,
        "HST" => -40,
        _ => return None,
    };
    Some(quarters * 900)
}
