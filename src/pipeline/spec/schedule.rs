//! When a pipeline runs by itself.

use super::document::ScheduleText;
use crate::pipeline::model::{CatchUp, Schedule};
use crate::yaml::{Problems, Text, TextOr};
use crate::zone::Zone;
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
    let timezone = timezone.map_or(Some("UTC".to_string()), |timezone| zone(timezone, problems).map(|zone| zone.name().to_string()));
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
            problems.error(&text.place, "no day matches this, so it would never run");
            None
        }
        Ok(_) => Some(text.text.clone()),
        Err(error) => {
            let said = match error {
                CronError::ComponentError(said) => said.trim_end_matches('.').to_lowercase(),
                _ => "a field has numbers, names of months and days, and * , - / L #".to_string(),
            };
            problems.error(&text.place, text.explain(format!("not a schedule: {said}; expected for example `0 3 * * *`")));
            None
        }
    }
}

/// The time zone that a name stands for.
pub(super) fn zone(text: &Text, problems: &mut Problems<'_>) -> Option<Zone> {
    text.text.parse().map_err(|what: String| problems.error(&text.place, text.explain(what))).ok()
}
