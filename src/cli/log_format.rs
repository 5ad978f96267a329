//! The options that say which LogFormat a log is of; every command that reads logs has them.

use crate::accesslog::{LogFormat, LogFormats, Preset, nickname, nicknames};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::input::LogChoice;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which LogFormat logs are read by.
#[derive(Debug, Clone, Args)]
pub(super) struct LogFormatArgs {
    /// Format of log lines: `auto`, a preset, a LogFormat string as in httpd.conf, or a nickname from --httpd-conf
    ///
    /// `auto` tries the presets common, combined, vhost_combined, combinedio and nginx_combined on the first lines. If given several times, each
    /// line is read with the first format that fits, for logs whose LogFormat changed.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub log_format: Vec<String>,

    /// Apache configuration file that defines the nickname in --log-format
    #[arg(long, value_name = "FILE")]
    pub httpd_conf: Option<PathBuf>,
}

impl Default for LogFormatArgs {
    fn default() -> Self {
        LogFormatArgs { log_format: vec!["auto".to_string()], httpd_conf: None }
    }
}

impl LogFormatArgs {
    /// Whether one of them says something.
    pub(super) fn is_given(&self) -> bool {
        self.log_format != ["auto"] || self.httpd_conf.is_some()
    }

    /// The format that the options name.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for a LogFormat that can't be read, or a name that nothing has; [`ErrorKind::Input`] where the
    /// configuration file can't be read.
    pub(super) fn choice(&self) -> Result<LogChoice> {
        match (&self.log_format[..], &self.httpd_conf) {
            ([one], None) if one == "auto" => Ok(LogChoice::Auto),
            (several, _) if several.len() > 1 && several.iter().any(|name| name == "auto") => {
                Err(Error::new(ErrorKind::Usage, "--log-format auto detects one format; if you give several, name each"))
            }
            (names, _) => {
                let formats = names.iter().map(|name| self.named(name)).collect::<Result<Vec<_>>>()?;
                LogFormats::new(formats).map(LogChoice::Formats)
            }
        }
    }

    fn named(&self, wanted: &str) -> Result<Arc<LogFormat>> {
        match &self.httpd_conf {
            _ if wanted.contains('%') => parsed("custom", wanted),
            Some(conf) => from_conf(conf, wanted),
            None => Preset::named(wanted).map(Preset::format).ok_or_else(|| unknown(wanted)),
        }
    }
}

fn parsed(name: &str, text: &str) -> Result<Arc<LogFormat>> {
    LogFormat::parse(name, text).map(Arc::new)
}

/// The format that the file `conf` gives the nickname `wanted`; `auto` is the only one it has.
fn from_conf(conf: &Path, wanted: &str) -> Result<Arc<LogFormat>> {
    let shown = conf.display().to_string();
    // Comments may be in any encoding.
    let bytes = std::fs::read(conf).map_err(|e| Error::input(&shown, e))?;
    let text = String::from_utf8_lossy(&bytes);
    if wanted != "auto" {
        return parsed(wanted, &nickname(&shown, &text, wanted)?);
    }
    let known = nicknames(&text);
    if let (1, Some((name, format))) = (known.len(), known.first_key_value()) {
        return parsed(name, format);
    }
    let wrong = match known.is_empty() {
        true => format!("{shown} has no `LogFormat \"…\" nickname` line"),
        false => {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            format!("{shown} has more than one LogFormat: name one with --log-format ({})", names.join(", "))
        }
    };
    Err(Error::new(ErrorKind::Format, wrong))
}

fn unknown(name: &str) -> Error {
    let names = || Preset::ALL.into_iter().map(Preset::name).chain(["auto"]);
    let hint = nearest(name, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Error::new(ErrorKind::Format, format!("unknown log format `{name}`{hint}"))
        .with_context("known", names().collect::<Vec<_>>().join(", "))
        .with_context("or", "a LogFormat string such as '%h %l %u %t \"%r\" %>s %b', or a nickname of the file that --httpd-conf names")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(args: &LogFormatArgs) -> Result<String> {
        args.choice().map(|choice| match choice {
            LogChoice::Auto => "auto".to_string(),
            LogChoice::Formats(formats) => formats.name().to_string(),
        })
    }

    fn args(log_format: &str, httpd_conf: Option<&Path>) -> LogFormatArgs {
        LogFormatArgs { log_format: vec![log_format.to_string()], httpd_conf: httpd_conf.map(Path::to_path_buf) }
    }

    #[test]
    fn a_format_is_auto_a_preset_or_a_string() {
        assert_eq!(name(&LogFormatArgs::default()).unwrap(), "auto");
        assert_eq!(name(&args("vhost_combined", None)).unwrap(), "vhost_combined");
        assert_eq!(name(&args("%h %>s", None)).unwrap(), "custom");
        let error = name(&args("combind", None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Format);
        assert!(error.to_string().contains("did you mean `combined`?") && error.to_string().contains("nginx_combined"), "{error}");
    }

    #[test]
    fn a_nickname_is_read_from_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("httpd.conf");
        std::fs::write(&conf, "LogFormat \"%h \\\"%r\\\"\" short\n").unwrap();
        assert_eq!(name(&args("short", Some(&conf))).unwrap(), "short");
        assert_eq!(name(&args("auto", Some(&conf))).unwrap(), "short");
        let error = name(&args("shirt", Some(&conf))).unwrap_err().to_string();
        assert!(error.contains("did you mean `short`?"), "{error}");
        std::fs::write(&conf, "LogFormat \"%h\" one\nLogFormat \"%v\" two\n").unwrap();
        let error = name(&args("auto", Some(&conf))).unwrap_err().to_string();
        assert!(error.contains("(one, two)"), "{error}");
    }
}
