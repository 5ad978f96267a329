//! A browser that pages are looked at with: what `ETL_TEST_BROWSER` names. Where nothing is named, such tests are skipped, loudly, and
//! `ETL_TEST_REQUIRE=browser` forbids that.

use super::png::Picture;
use crate::required::is_required;
use serde_json::Value;
use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

pub(crate) struct Browser {
    program: String,
    profile: tempfile::TempDir,
}

/// What is measured of a page in a frame of a width: how wide it is, and where its charts are and what they have drawn.
const MEASURE: &str = "
addEventListener('load', () => {
  const seen = frames[0].document;
  const charts = [...seen.querySelectorAll('svg[role=img]')].map(svg => {
    const box = svg.getBoundingClientRect();
    const shapes = [...svg.querySelectorAll('line,path,rect')].map(shape => shape.getBoundingClientRect());
    const out = shapes.filter(shape => shape.left < box.left - 8 || shape.right > box.right + 8 || shape.bottom > box.bottom + 8).length;
    const texts = [...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect());
    const cut = texts.filter(text => text.left < -1 || text.right > seen.documentElement.clientWidth + 1).length;
    return {left: box.left, top: box.top, width: box.width, height: box.height, drawn: shapes.filter(shape => shape.width + shape.height > 0).length, out, cut};
  });
  const root = seen.documentElement;
  document.body.dataset.told = JSON.stringify({width: root.scrollWidth, visible: root.clientWidth, height: root.scrollHeight, charts});
});";

impl Browser {
    pub(crate) fn get() -> Option<Browser> {
        let program = env::var("ETL_TEST_BROWSER").ok().filter(|program| !program.is_empty());
        if program.is_none() {
            let required = is_required("browser");
            assert!(!required, "ETL_TEST_REQUIRE asks for a browser, and ETL_TEST_BROWSER names none");
            std::io::stderr().write_all(b"SKIPPED: a test of pages, because ETL_TEST_BROWSER names no browser\n").unwrap();
        }
        Some(Browser { program: program?, profile: tempfile::tempdir().unwrap() })
    }

    /// What `MEASURE` tells of `page` at so many pixels of width.
    pub(crate) fn measure(&self, page: &Path, width: u32) -> Value {
        let frame = self.frame(page, width, 4_000);
        let told = self.run(&["--dump-dom", "--virtual-time-budget=10000", "--allow-file-access-from-files"], &frame);
        let text = String::from_utf8(told).unwrap();
        let told = text.split("data-told=\"").nth(1).unwrap_or_else(|| panic!("nothing was measured: {text}"));
        serde_json::from_str(&told.split('"').next().unwrap().replace("&quot;", "\"")).unwrap()
    }

    /// A picture of `page` at so many pixels of width and height; dark where the reader's system is.
    pub(crate) fn picture(&self, page: &Path, width: u32, height: u32, dark: bool) -> Picture {
        let frame = self.frame(page, width, height);
        let shot = self.profile.path().join("shot.png");
        // What a frame prefers follows the page that it is in.
        let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
        let size = format!("--window-size={},{height}", width.max(600));
        self.run(&[&format!("--screenshot={}", shot.display()), &size, &scheme], &frame);
        Picture::read(&fs::read(&shot).unwrap())
    }

    /// A page that has `page` in a frame: a window can't be as narrow as a phone.
    fn frame(&self, page: &Path, width: u32, height: u32) -> String {
        let path = page.with_extension("frame.html");
        let style = format!("width:{width}px;height:{height}px;border:0;display:block");
        let name = page.file_name().unwrap().to_str().unwrap();
        let text = format!(
            "<!doctype html><meta name=color-scheme content=\"light dark\"><body style=\"margin:0\"><script>{MEASURE}</script><iframe src=\"{name}\" style=\"{style}\"></iframe>"
        );
        fs::write(&path, text).unwrap();
        format!("file://{}", path.display())
    }

    fn run(&self, options: &[&str], address: &str) -> Vec<u8> {
        let mut command = Command::new(&self.program);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
            "--hide-scrollbars",
        ]);
        command.args(["--disable-background-networking", "--disable-component-update", "--force-device-scale-factor=1"]);
        command.arg(format!("--user-data-dir={}", self.profile.path().display())).args(options).arg(address);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }
}
