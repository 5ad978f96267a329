//! The names that a log gets as it grows old: `access.log`, then `access.log.1`, `access.log.2.gz`, or `access.log-20200229.gz`.
//!
//! Source: the options `rotate`, `dateext` and `dateformat` of logrotate(8), and `rotatelogs` of Apache.

use super::source::COMPRESSED;

/// How old a file is among those of its log; the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// By the numbers of the date, and what else tells the time.
    Dated(Vec<u64>),
    /// The higher the number, the older.
    Numbered(std::cmp::Reverse<u64>),
    /// What is written to now.
    Current,
}

/// The order of files by their names, folder by folder, and of those of one log by their age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(Vec<String>, Age, String);

impl Order {
    /// The place of `path`.
    pub fn of(path: &str) -> Order {
        let (set, age) = split(path);
        Order(set.split('/').map(str::to_string).collect(), age, path.to_string())
    }
}

/// The path of the log that `path` is of: the same for all files that it was rotated to.
pub fn rotated_set(path: &str) -> String {
    split(path).0.to_string()
}

/// Whether `path` is the one of its log that is written to.
pub fn is_current(path: &str) -> bool {
    split(path).1 == Age::Current
}

fn split(path: &str) -> (&str, Age) {
    let plain = COMPRESSED.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    let name = plain.rfind('/').map_or(0, |slash| slash + 1);
    // Names such as `part.1` count up.
    if !plain[name..].to_ascii_lowercase().contains("log") {
        return (path, Age::Current);
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((log, number)) = plain[name..].rsplit_once('.')
        && digits(number)
        && number.len() < 6
        && (number == "0" || !number.starts_with('0'))
        && !log.is_empty()
        && let Ok(number) = number.parse()
    {
        return (&plain[..name + log.len()], Age::Numbered(std::cmp::Reverse(number)));
    }
    // `-20200229`, `-20200229-1582934400`, `.2020-02-29`, `-2020022913`; of Apache's own rotatelogs seconds, `.1582934400`.
    let is_date = |text: &str| {
        text.bytes().filter(u8::is_ascii_digit).count() >= 8 && text.bytes().all(|b| b.is_ascii_digit() || b"-_.:".contains(&b))
    };
    let starts = plain[name..].match_indices(['-', '.', '_']).map(|(at, _)| at);
    for at in starts {
        let date = &plain[name + at + 1..];
        if at > 0 && is_date(date) && date.starts_with(|c: char| c.is_ascii_digit()) {
            return (
                &plain[..name + at],
                Age::Dated(date.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()),
            );
        }
    }
    (plain, Age::Current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_log_are_in_the_order_of_time() {
        for names in [
            &["a/access.log.10.gz", "a/access.log.2.gz", "a/access.log.1", "a/access.log"][..],
            &["access.log-20191231.gz", "access.log-20200101.gz", "access.log-20200229", "access.log", "error.log.1", "error.log"],
            &["access_log.1582934400", "access_log.1582938000", "access_log"],
            &["access.log-20200227-1", "access.log-20200227-2", "access.log-20200227-10"],
            &["log.2020-02-28", "log.2020-02-29.gz", "log.2020-03-01"],
            &["x/part.1", "x/part.10", "x/part.2"],
            &["a-b/access.log", "a/b/access.log.2", "a/b/access.log.1"][1..],
            &["2020-02-29.log", "2020-03-01.log"],
            &["access-2020-02-29.log", "access-2020-03-01.log"],
            &["access.log.1", "access.log.0", "access.log"],
        ] {
            let mut sorted = names.to_vec();
            sorted.reverse();
            sorted.sort_by_cached_key(|name| Order::of(name));
            assert_eq!(sorted, names);
        }
        let sets =
            ["l/access.log", "l/access.log.1", "l/access.log.12.gz", "l/access.log-20200229.gz", "l/access.log.zst"].map(rotated_set);
        assert!(sets.iter().all(|set| set == "l/access.log"), "{sets:?}");
        assert_eq!(rotated_set("l/part.1"), "l/part.1");
    }
}
