//! Who is told of a run.

use super::document::HookText;
use crate::pipeline::model::Hook;
use crate::yaml::Problems;

pub(super) fn resolve(key: &str, text: Option<&HookText>, problems: &mut Problems<'_>) -> Vec<Hook> {
    let Some(text) = text else { return Vec::new() };
    if text.command.is_none() && text.webhook.is_none() {
        problems.error(&text.place, format!("`{key}` is empty; expected a `command` or a `webhook`"));
    }
    let mut hooks = Vec::new();
    if let Some(command) = &text.command {
        if command.text.trim().is_empty() {
            problems.error(&command.place, "expected a shell command, not an empty string");
        }
        hooks.push(Hook::Command(command.text.clone()));
    }
    if let Some(webhook) = &text.webhook {
        match url::Url::parse(&webhook.text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => hooks.push(Hook::Webhook(webhook.text.clone())),
            _ => problems.error(&webhook.place, webhook.explain("expected a URL such as https://example.org/hook")),
        }
    }
    hooks
}
