//! Values of a query's parameters, which Athena takes as SQL expressions.

/// The SQL expression of a value as a person writes it: numbers, `true`, `false`, `NULL`, texts in quotes and typed literals such as
/// `DATE '2020-02-29'` are themselves; anything else is a text.
///
/// ```
/// # use etl::query::athena::expression;
/// assert_eq!(expression("404"), "404");
/// assert_eq!(expression("DATE '2020-02-29'"), "DATE '2020-02-29'");
/// assert_eq!(expression("O'Brien"), "'O''Brien'");
/// assert_eq!(expression("1+1"), "'1+1'");
/// ```
pub fn expression(value: &str) -> String {
    let is_word = ["true", "false", "null"].iter().any(|word| value.eq_ignore_ascii_case(word));
    if is_word || is_number(value) || is_literal(value) {
        return value.to_string();
    }
    format!("'{}'", value.replace('\'', "''"))
}

fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    digits(whole)
        && digits(fraction)
        && whole.len() + fraction.len() > 0
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// Whether it is one literal: a text in quotes, or one with a type before it.
fn is_literal(value: &str) -> bool {
    const TYPES: [&str; 11] = ["date", "time", "timestamp", "decimal", "char", "varchar", "real", "double", "bigint", "interval", "x"];
    let Some(at) = value.find('\'') else { return false };
    let (before, quoted) = value.split_at(at);
    let before = before.trim();
    let (quoted, after) = quoted.split_at(quoted.rfind('\'').map_or(0, |end| end + 1));
    let units = ["year", "month", "day", "hour", "minute", "second"];
    let of_interval = before.eq_ignore_ascii_case("interval") && units.iter().any(|unit| after.trim().eq_ignore_ascii_case(unit));
    let typed = before.is_empty() || TYPES.iter().any(|known| before.eq_ignore_ascii_case(known));
    // A quote within is doubled, or the text would end there and something else begin.
    let is_whole = quoted.len() >= 2 && !quoted[1..quoted.len() - 1].replace("''", "").contains('\'');
    typed && is_whole && (of_interval || after.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_literal_is_a_text() {
        for literal in [
            "0",
            "-1.5",
            "+.5",
            "1.",
            "1e10",
            "1.5E-3",
            "TRUE",
            "null",
            "''",
            "'it''s'",
            "DATE '2020-02-29'",
            "timestamp '2020-02-29 00:00:00'",
            "X'65'",
            "INTERVAL '2' DAY",
            "DECIMAL'1.5'",
        ] {
            assert_eq!(expression(literal), literal);
        }
        for (text, quoted) in [
            ("", "''"),
            ("abc", "'abc'"),
            ("1+1", "'1+1'"),
            (".", "'.'"),
            ("1e", "'1e'"),
            ("- 1", "'- 1'"),
            ("1_000", "'1_000'"),
            ("'", "''''"),
            ("a' OR 'a'='a", "'a'' OR ''a''=''a'"),
            ("'a' OR 'a'", "'''a'' OR ''a'''"),
            ("'a'''", "'a'''"),
            ("'a''", "'''a'''''"),
            ("DATE '2020' OR '1'", "'DATE ''2020'' OR ''1'''"),
            ("now() '1'", "'now() ''1'''"),
            ("123e4567-e89b-12d3-a456-426614174000", "'123e4567-e89b-12d3-a456-426614174000'"),
        ] {
            assert_eq!(expression(text), quoted, "{text}");
        }
    }
}
