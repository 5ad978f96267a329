//! The options that say which LogFormat a log is of; every command that reads logs has them.

use crate::accesslog::{LogFormat, LogFormats, NginxConf, Notation, Prefix, Preset, behind, named, named_format, nickname, nicknames};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::input::LogChoice;
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which LogFormat logs are read by.
#[derive(Debug, Clone, Args)]
pub(super) struct LogFormatArgs {
    /// Format of log lines: `auto`, a preset, a format as in httpd.conf or nginx.conf, or its name in --httpd-conf or --nginx-conf
    ///
    /// `auto` tries the presets on the first lines: common, combined, vhost_combined and combinedio of Apache, nginx_combined and nginx_main, and
    /// alb, clb, nlb, s3, cloudfront and vpc_flow of AWS. If given several times, each line is read with the first format that fits, for logs
    /// whose format changed.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub log_format: Vec<String>,

    /// Apache configuration file that defines the nickname in --log-format
    #[arg(long, value_name = "FILE")]
    pub httpd_conf: Option<PathBuf>,

    /// An nginx configuration file that has the --log-format, itself or in a file that it includes
    #[arg(long, value_name = "FILE", conflicts_with = "httpd_conf")]
    pub nginx_conf: Option<PathBuf>,

    /// What a logger put before each line: syslog (journald too), cri (Kubernetes), docker (json-file), compose, or none; `auto` finds it
    /// where it finds the format
    #[arg(long, value_name = "KIND", default_value = "auto", value_parser = ["auto", "syslog", "cri", "docker", "compose", "none"])]
    pub prefix: String,
}

impl Default for LogFormatArgs {
    fn default() -> Self {
        LogFormatArgs { log_format: vec!["auto".to_string()], httpd_conf: None, nginx_conf: None, prefix: "auto".to_string() }
    }
}

impl LogFormatArgs {
    /// Whether one of them says something.
    pub(super) fn is_given(&self) -> bool {
        self.log_format != ["auto"] || self.httpd_conf.is_some() || self.nginx_conf.is_some() || self.prefix != "auto"
    }

    /// The format that the options name.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for a LogFormat that can't be read, or a name that nothing has; [`ErrorKind::Input`] where the
    /// configuration file can't be read.
    pub(super) fn choice(&self) -> Result<LogChoice> {
        match (&self.log_format[..], self.httpd_conf.as_ref().or(self.nginx_conf.as_ref())) {
            ([one], None) if one == "auto" => Ok(LogChoice::Auto(Prefix::named(&self.prefix))),
            (several, _) if several.len() > 1 && several.iter().any(|name| name == "auto") => {
                Err(Error::new(ErrorKind::Usage, "--log-format auto detects one format; if you give several, name each"))
            }
            (names, _) => {
                let prefix = Prefix::named(&self.prefix).unwrap_or_default();
                let prefixed = |format: Arc<LogFormat>| match prefix {
                    Prefix::None => Ok(format),
                    _ => behind(prefix, format.name(), format.text()),
                };
                let formats = names.iter().map(|name| self.named(name).and_then(prefixed)).collect::<Result<Vec<_>>>()?;
                LogFormats::new(formats).map(LogChoice::Formats)
            }
        }
    }

    fn named(&self, wanted: &str) -> Result<Arc<LogFormat>> {
        match (&self.httpd_conf, &self.nginx_conf) {
            _ if Prefix::split(wanted).0 != Prefix::None => named_format(wanted),
            _ if Notation::told(wanted).is_some() => parsed("custom", wanted),
            (Some(conf), _) => from_conf(conf, wanted),
            (_, Some(conf)) => from_nginx_conf(conf, wanted),
            _ => Preset::named(wanted).map(Preset::format).ok_or_else(|| unknown(wanted)),
        }
    }
}

fn parsed(name: &str, text: &str) -> Result<Arc<LogFormat>> {
    LogFormat::parse(name, text).map(Arc::new)
}

/// The format that the file `conf` gives the nickname `wanted`; `auto` is the only one it has.
fn from_conf(conf: &Path, wanted: &str) -> Result<Arc<LogFormat>> {
    let shown = conf.display().to_string();
    let text = read(conf)?;
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

/// The format that the file `conf`, or one that it includes, calls `wanted`; `auto` is the only one that there is.
fn from_nginx_conf(conf: &Path, wanted: &str) -> Result<Arc<LogFormat>> {
    let shown = conf.display().to_string();
    let (mut formats, mut missing) = (Vec::new(), Vec::new());
    let text = read(conf)?;
    let folder = conf.parent().unwrap_or(Path::new(""));
    gather(&text, folder, &mut BTreeSet::from([conf.to_path_buf()]), &mut formats, &mut missing);
    let format = match (wanted, formats.as_slice()) {
        ("auto", [(name, format)]) => return parsed(name, format),
        ("auto", [_, _, ..]) => {
            let names: Vec<&str> = formats.iter().map(|(name, _)| name.as_str()).collect();
            let wrong = format!("{shown} has more than one log_format: name one with --log-format ({})", names.join(", "));
            return Err(Error::new(ErrorKind::Format, wrong));
        }
        // nginx has it without a line that says so.
        ("combined", formats) if formats.iter().all(|(name, _)| name != "combined") => return Ok(Preset::NginxCombined.format()),
        _ => named(&shown, &formats, wanted),
    };
    match format {
        Ok(format) => parsed(wanted, &format),
        Err(error) if missing.is_empty() => Err(error),
        Err(error) => {
            Err(error.with_context("not read", format!("{}, which it includes and which can't be read here", missing.join(", "))))
        }
    }
}

/// The bytes of a configuration as text; comments may be in any encoding.
fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|e| Error::input(path.display().to_string(), e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Gathers the formats of the configuration `text` and of what it includes, each file once; includes that can't be read are `missing`.
fn gather(text: &str, folder: &Path, seen: &mut BTreeSet<PathBuf>, formats: &mut Vec<(String, String)>, missing: &mut Vec<String>) {
    let conf = NginxConf::parse(text);
    formats.extend(conf.formats);
    for include in conf.includes {
        let pattern = folder.join(&include);
        let found = glob::glob(&pattern.to_string_lossy()).into_iter().flatten().flatten();
        let files: Vec<PathBuf> = found.filter(|file| seen.insert(file.clone())).collect();
        let texts: Vec<String> = files.iter().filter_map(|file| read(file).ok()).collect();
        if texts.len() < files.len() || (files.is_empty() && !include.contains(['*', '?', '[']) && !seen.contains(&pattern)) {
            missing.push(include);
        }
        texts.iter().for_each(|text| gather(text, folder, seen, formats, missing));
    }
}

fn unknown(name: &str) -> Error {
    let names = || Preset::ALL.into_iter().map(Preset::name).chain(["auto"]);
    let hint = nearest(name, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Error::new(ErrorKind::Format, format!("unknown log format `{name}`{hint}"))
        .with_context("known", names().collect::<Vec<_>>().join(", "))
        .with_context("or", "a format as httpd.conf or nginx.conf has it, such as '%h %l %u %t \"%r\" %>s %b', or a name in the file of --httpd-conf or --nginx-conf")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(args: &LogFormatArgs) -> Result<String> {
        args.choice().map(|choice| match choice {
            LogChoice::Auto(_) => "auto".to_string(),
            LogChoice::Formats(formats) => formats.name().to_string(),
        })
    }

    fn args(log_format: &str, httpd_conf: Option<&Path>) -> LogFormatArgs {
        LogFormatArgs {
            log_format: vec![log_format.to_string()],
            httpd_conf: httpd_conf.map(Path::to_path_buf),
            nginx_conf: None,
            prefix: "auto".to_string(),
        }
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
    fn a_log_format_is_read_from_a_configuration_and_what_it_includes() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("nginx.conf");
        std::fs::create_dir(folder.path().join("conf.d")).unwrap();
        std::fs::write(folder.path().join("conf.d/site.conf"), "log_format timed '$status $request_time'; include nginx.conf;").unwrap();
        std::fs::write(&conf, "http { log_format short '$status'; include conf.d/*.conf; include mime.types; }\n").unwrap();
        let args = |name: &str| LogFormatArgs { log_format: vec![name.to_string()], nginx_conf: Some(conf.clone()), ..Default::default() };
        for wanted in ["short", "timed"] {
            assert_eq!(name(&args(wanted)).unwrap(), wanted);
        }
        assert_eq!(name(&args("combined")).unwrap(), "nginx_combined");
        let error = name(&args("auto")).unwrap_err().to_string();
        assert!(error.contains("(short, timed)"), "{error}");
        let error = name(&args("tmed")).unwrap_err().to_string();
        assert!(error.contains("did you mean `timed`?") && error.contains("mime.types"), "{error}");
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
