//! The commands that the README and the pages of `docs/` show do what they say, in their order, and their links lead somewhere.

use super::etl::{Etl, Outcome, program};
use super::minio::Minio;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The lines of a page's `sh` blocks that run the program, as `etl …`.
fn commands(readme: &str) -> Vec<String> {
    let blocks = readme.split("\n```sh\n").skip(1).map(|block| block.split("\n```").next().unwrap());
    let command = |line: &str| line.strip_prefix("cargo run -- ").map_or(line.to_string(), |rest| format!("etl {rest}"));
    // What lies outside of the checkout is not there on every machine.
    blocks
        .flat_map(str::lines)
        .map(command)
        .filter(|line| line.starts_with("etl ") && !line.contains(" /etc/") && !line.contains("~/"))
        .collect()
}

/// The pages of the documentation, each of which stands for itself.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    // What a comparison shows is made by a command that takes minutes.
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md") && !page.ends_with("format-comparison.md"));
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

#[test]
fn the_commands_of_the_pages_run() {
    let mut all = 0;
    for page in pages() {
        all += run_commands(&page);
    }
    assert!(all >= 40, "{all}");
}

/// Links lead to files that are there, and to headings in them.
#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            if let Some(heading) = heading {
                let slug = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").replace([',', '`'], "");
                let headings = fs::read_to_string(&target).unwrap();
                assert!(
                    headings.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == heading),
                    "{}: {link}",
                    page.display()
                );
            }
        }
    }
}

/// Runs the commands of a page in its order, in a folder of its own; gives how many they are.
fn run_commands(page: &Path) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let commands = commands(&fs::read_to_string(page).unwrap());
    let number = commands.len();
    let etl = Etl::new();
    for folder in ["sample-data", "pipelines", "pipelines/governed-sales"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            etl.write(&format!("{folder}/{}", path.file_name().unwrap().to_string_lossy()), fs::read(&path).unwrap());
        }
    }
    // Files that readers are to have themselves.
    etl.write("sales.csv", "date,shop_id,price\n2014-01-31,25,1.5\n");
    etl.write(
        "sales.yaml",
        "name: sales\ncolumns:\n  - {name: date, type: date}\n  - {name: shop_id, type: string}\n  - {name: price, type: double}\n",
    );
    etl.write("app.log", "h - - [29/Feb/2020:00:00:02 +0000] \"GET /x HTTP/1.1\" 200 5 12\n");
    etl.write("web.log", "h - - [29/Feb/2020:00:00:02 +0000] \"GET /x HTTP/1.1\" 200 5 0.012\n");
    etl.write("service.log", "2026-03-01T10:00:00.5Z INFO 192.0.2.1:4711 \"GET /x HTTP/1.1\" 0.25 it went well\n");
    etl.write(
        "caddy.log",
        "{\"ts\":1772355600.52,\"request\":{\"remote_ip\":\"192.0.2.1\",\"method\":\"GET\",\"uri\":\"/a?b=1\",\"headers\":{\"Accept\":[\"*/*\"]}},\"status\":200}\n",
    );
    // A log before and after its format changed.
    let line = "h - - [29/Feb/2020:00:00:02 +0000] \"GET /x HTTP/1.1\" 200 5 \"-\" \"curl\"";
    etl.write("old.log", format!("{line}\n")).write("new.log", format!("{line} 12\n"));
    let programs = std::env::join_paths(
        [program().parent().unwrap().to_path_buf()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    // A bucket of a test instead of `lake`, where there is a store.
    let minio = Minio::get();
    for mut command in commands {
        if command.contains("s3://") {
            let Some(minio) = &minio else { continue };
            command = command.replace("s3://lake", &format!("s3://{}", minio.bucket));
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(etl.path("")).env("PATH", programs.as_ref().unwrap());
        minio.iter().for_each(|minio| {
            shell.env("AWS_ENDPOINT_URL_S3", &minio.endpoint);
        });
        let outcome = Outcome::of(shell.output().unwrap());
        assert_eq!(outcome.code, Some(0), "{}: {command}\n{}", page.display(), outcome.stderr);
    }
    number
}
