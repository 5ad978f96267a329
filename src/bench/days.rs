//! The day whose rows are asked for where folders are days.

use chrono::{DateTime, Days};

/// The day in the middle of `first` and `last`, in seconds since 1970, and the next one.
pub(super) fn middle(first: i64, last: i64) -> Option<(String, String)> {
    let day = DateTime::from_timestamp(first + (last - first) / 2, 0)?.date_naive();
    Some((day.to_string(), day.checked_add_days(Days::new(1))?.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_between() {
        let days = middle(1_582_934_402, 1_582_934_402 + 4 * 86_400);
        assert_eq!(days, Some(("2020-03-02".into(), "2020-03-03".into())));
    }
}
