//! The LogFormats that Apache and nginx ship with.

use super::LogFormat;
use super::line::LineValues;
use std::sync::{Arc, OnceLock};

/// A format with a name that everybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The Common Log Format: `%h %l %u %t "%r" %>s %b`.
    Common,
    /// Common with referer and user agent.
    Combined,
    /// Debian's: virtual host and port before combined.
    VhostCombined,
    /// Combined with the bytes in and out of mod_logio.
    CombinedIo,
    /// nginx's `combined`: the same columns as Apache's.
    NginxCombined,
}

impl Preset {
    /// All presets, the one with the most columns first: a line that fits a longer format is never of a shorter one.
    pub const ALL: [Preset; 5] = [Preset::CombinedIo, Preset::VhostCombined, Preset::Combined, Preset::NginxCombined, Preset::Common];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Common => "common",
            Preset::Combined => "combined",
            Preset::VhostCombined => "vhost_combined",
            Preset::CombinedIo => "combinedio",
            Preset::NginxCombined => "nginx_combined",
        }
    }

    /// The preset of this name.
    pub fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|p| p.name() == name)
    }

    /// The LogFormat as `httpd.conf` has it. `%b` stands where some distributions have `%O`: both are the column `bytes`.
    pub fn log_format(self) -> &'static str {
        match self {
            Preset::Common => r#"%h %l %u %t "%r" %>s %b"#,
            Preset::Combined | Preset::NginxCombined => r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
            Preset::VhostCombined => r#"%v:%p %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
            Preset::CombinedIo => r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#,
        }
    }

    /// Whether `line` can be read as this.
    pub fn fits(self, line: &[u8]) -> bool {
        let format = self.format();
        LineValues::new(&format).read(&format, line).is_ok()
    }

    /// The format, parsed once.
    pub fn format(self) -> Arc<LogFormat> {
        static FORMATS: OnceLock<Vec<Arc<LogFormat>>> = OnceLock::new();
        let formats = FORMATS.get_or_init(|| {
            let parse = |p: Preset| LogFormat::parse(p.name(), p.log_format()).expect("a test parses every preset");
            Preset::ALL.into_iter().map(|p| Arc::new(parse(p))).collect()
        });
        let index = Preset::ALL.iter().position(|p| *p == self).expect("ALL has every preset");
        formats[index].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_the_columns_that_users_know() {
        for preset in Preset::ALL {
            let names: Vec<String> = preset.format().columns().iter().map(|c| c.name.clone()).collect();
            let mut expected = "host ident auth_user time method path query protocol status bytes".to_string();
            match preset {
                Preset::Common => {}
                Preset::VhostCombined => expected = format!("vhost port {expected} referer user_agent"),
                Preset::CombinedIo => expected += " referer user_agent bytes_in bytes_out",
                _ => expected += " referer user_agent",
            }
            assert_eq!(names.join(" "), expected + " request", "{}", preset.name());
            assert!(preset.format().notes().is_empty());
        }
    }
}
