//! When a pipeline runs by itself.

use super::document::ScheduleText;
use crate::diagnostic::nearest;
use crate::pipeline::model::{CatchUp, Schedule};
use crate::yaml::{Problems, Text, TextOr};
use chrono::Utc;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};

pub(super) fn resolve(text: Option<&TextOr<ScheduleText>>, problems: &mut Problems<'_>) -> Option<Schedule> {
    let (cron, timezone, catch_up) = match text? {
        TextOr::Text(cron) => (Some(cron), None, CatchUp::default()),
        TextOr::Section(section) => {
            let catch_up = section.catch_up.as_ref().map(|value| value.value).unwrap_or_default();
            (section.cron.as_ref(), section.timezone.as_ref(), catch_up)
        }
    };
    let timezone = timezone.map_or(Some("UTC".to_string()), |timezone| zone(timezone, problems));
    let cron = cron.and_then(|cron| times(cron, problems));
    Some(Schedule { cron: cron?, timezone: timezone?, catch_up })
}

/// The five fields, checked.
fn times(text: &Text, problems: &mut Problems<'_>) -> Option<String> {
    let fields = text.text.split_whitespace().count();
    if fields != 5 {
        let message = format!("expected five fields, minute, hour, day of month, month and day of week, as in `0 3 * * *`; found {fields}");
        problems.error(&text.place, message);
        return None;
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    match parser.parse(&text.text) {
        Ok(cron) if cron.find_next_occurrence(&Utc::now(), false).is_err() => {
            problems.error(&text.place, "no day fits this, so it would never run");
            None
        }
        Ok(_) => Some(text.text.clone()),
        Err(error) => {
            let said = match error {
                CronError::ComponentError(said) => said.trim_end_matches('.').to_lowercase(),
                _ => "a field has numbers, names of months and days, and * , - / L #".to_string(),
            };
            problems.error(&text.place, text.explain(format!("no times can be told from this: {said}; expected for example `0 3 * * *`")));
            None
        }
    }
}

fn zone(text: &Text, problems: &mut Problems<'_>) -> Option<String> {
    if let Ok(zone) = text.text.parse::<chrono_tz::Tz>() {
        return Some(zone.name().to_string());
    }
    let hint = match nearest(&text.text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "expected a name such as Europe/Berlin or UTC".to_string(),
    };
    problems.error(&text.place, text.explain(format!("there is no time zone `{}`; {hint}", text.text.escape_debug())));
    None
}
