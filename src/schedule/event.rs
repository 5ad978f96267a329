//! What a scheduler has to tell: one line each, for people or for programs.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::fmt::Write;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// As in a run's report, or `interrupted`.
    pub status: String,
    pub success: bool,
    pub run: String,
    pub seconds: f64,
    pub rows: u64,
    pub rejects: u64,
    pub error: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A pipeline is scheduled, or scheduled for other times.
    Loaded {
        pipeline: String,
        path: String,
        cron: String,
        timezone: String,
        next: Option<DateTime<Utc>>,
    },
    /// A pipeline is scheduled no more.
    Removed {
        pipeline: String,
    },
    /// A file can't be read; `kept` where the version before is still in force.
    Invalid {
        path: String,
        error: String,
        kept: bool,
    },
    Started {
        pipeline: String,
        scheduled: DateTime<Utc>,
    },
    Finished {
        pipeline: String,
        scheduled: DateTime<Utc>,
        ended: Ended,
    },
    /// A pipeline was still at work as its time came.
    Skipped {
        pipeline: String,
        scheduled: DateTime<Utc>,
        times: u64,
    },
    /// Times passed while nothing ran.
    Missed {
        pipeline: String,
        times: u64,
        since: DateTime<Utc>,
        caught_up: bool,
    },
    /// Something went wrong that stops nothing.
    Trouble {
        pipeline: Option<String>,
        error: String,
    },
    Listening {
        address: String,
    },
    /// Nothing is started any more; so many runs are still at work.
    Stopping {
        running: usize,
    },
    /// The runs at work are told to stop.
    Interrupting {
        running: usize,
    },
    Stopped,
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Event::Loaded { .. } => "loaded",
            Event::Removed { .. } => "removed",
            Event::Invalid { .. } => "invalid",
            Event::Started { .. } => "started",
            Event::Finished { .. } => "finished",
            Event::Skipped { .. } => "skipped",
            Event::Missed { .. } => "missed",
            Event::Trouble { .. } => "trouble",
            Event::Listening { .. } => "listening",
            Event::Stopping { .. } => "stopping",
            Event::Interrupting { .. } => "interrupting",
            Event::Stopped => "stopped",
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Event::Loaded { pipeline, path, cron, timezone, next } => vec![
                ("pipeline", json!(pipeline)),
                ("file", json!(path)),
                ("cron", json!(cron)),
                ("timezone", json!(timezone)),
                ("next", json!(next.map(instant))),
            ],
            Event::Removed { pipeline } => vec![("pipeline", json!(pipeline))],
            Event::Invalid { path, error, kept } => {
                vec![("file", json!(path)), ("last_good_version_kept", json!(kept)), ("error", json!(error))]
            }
            Event::Started { pipeline, scheduled } => vec![("pipeline", json!(pipeline)), ("scheduled", json!(instant(*scheduled)))],
            Event::Finished { pipeline, scheduled, ended } => vec![
                ("pipeline", json!(pipeline)),
                ("status", json!(ended.status)),
                ("run", json!(ended.run)),
                ("scheduled", json!(instant(*scheduled))),
                ("seconds", json!((ended.seconds * 1_000.0).round() / 1_000.0)),
                ("rows", json!(ended.rows)),
                ("rejects", json!(ended.rejects)),
                ("error", json!(ended.error)),
            ],
            Event::Skipped { pipeline, scheduled, times } => vec![
                ("pipeline", json!(pipeline)),
                ("scheduled", json!(instant(*scheduled))),
                ("times", json!(times)),
                ("why", json!("its last run is still at work")),
            ],
            Event::Missed { pipeline, times, since, caught_up } => vec![
                ("pipeline", json!(pipeline)),
                ("times", json!(times)),
                ("since", json!(instant(*since))),
                ("caught_up", json!(caught_up)),
            ],
            Event::Trouble { pipeline, error } => vec![("pipeline", json!(pipeline)), ("error", json!(error))],
            Event::Listening { address } => vec![("address", json!(address))],
            Event::Stopping { running } | Event::Interrupting { running } => vec![("running", json!(running))],
            Event::Stopped => Vec::new(),
        }
    }

    /// The event as one line of JSON: `time`, `event`, and what belongs to it.
    pub fn json(&self, time: DateTime<Utc>) -> String {
        let mut line = format!("{{\"time\":{},\"event\":{}", json!(instant(time)), json!(self.name()));
        for (name, value) in self.fields() {
            // A String takes whatever is written to it.
            let _ = write!(line, ",{}:{value}", json!(name));
        }
        line + "}"
    }

    /// The event as one line for people: `2024-01-01T00:00:00Z started pipeline=daily`.
    pub fn text(&self, time: DateTime<Utc>) -> String {
        let mut line = format!("{} {}", instant(time), self.name());
        for (name, value) in self.fields() {
            let shown = match &value {
                Value::Null => continue,
                // What has blanks, quotes or control characters in it is quoted as in JSON, and so is always on one line.
                Value::String(text) if is_plain(text) => text.clone(),
                other => other.to_string(),
            };
            let _ = write!(line, " {name}={shown}");
        }
        line
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '=')
}

fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines() {
        let time = "2024-01-01T00:00:00Z".parse().unwrap();
        let invalid = Event::Invalid { path: "a b.yaml".into(), error: "a.yaml:1:2:\n  what's \"this\"\u{1b}".into(), kept: true };
        let text =
            r#"2024-01-01T00:00:00Z invalid file="a b.yaml" last_good_version_kept=true error="a.yaml:1:2:\n  what's \"this\"\u001b""#;
        assert_eq!(invalid.text(time), text);
        let json = invalid.json(time);
        assert!(json.starts_with(r#"{"time":"2024-01-01T00:00:00Z","event":"invalid","file":"a b.yaml","#), "{json}");
        assert!(serde_json::from_str::<Value>(&json).is_ok() && !json.contains('\n'));
        let started = Event::Started { pipeline: "daily".into(), scheduled: time };
        assert_eq!(started.text(time), "2024-01-01T00:00:00Z started pipeline=daily scheduled=2024-01-01T00:00:00Z");
        assert_eq!(Event::Stopped.json(time), r#"{"time":"2024-01-01T00:00:00Z","event":"stopped"}"#);
    }
}
