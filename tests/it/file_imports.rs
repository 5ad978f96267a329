//! Which file of the source imports which, told by their paths in the text; a re-export counts as the file that has the thing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files that each file imports, by their paths below `src`.
pub(crate) fn of(sources: &[(PathBuf, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: Vec<(String, Vec<String>, &str)> = sources
        .iter()
        .map(|(path, code)| {
            let below = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(String::from).collect();
            if ["mod", "lib", "main"].contains(&module.last().unwrap().as_str()) {
                module.pop();
            }
            (below, module, code.as_str())
        })
        .filter(|(below, ..)| below != "main.rs" && below != "lib.rs")
        .collect();
    let house = House {
        files: files.iter().map(|(below, module, _)| (module.clone(), below.clone())).collect(),
        exports: files.iter().flat_map(|(_, module, code)| exports(module, code)).collect(),
    };
    let imported = |module: &[String], code: &str| -> BTreeSet<String> {
        let passed_on: BTreeSet<String> = uses(code, true).into_iter().map(|(path, _)| path).collect();
        let named = uses(code, false).into_iter().map(|(path, _)| path).chain(written_out(code)).filter(|path| !passed_on.contains(path));
        named.filter_map(|path| house.file(module, &path, 0)).collect()
    };
    files
        .iter()
        .map(|(below, module, code)| {
            let mut used = imported(module, code);
            used.remove(below);
            (below.clone(), used)
        })
        .collect()
}

struct House {
    files: BTreeMap<Vec<String>, String>,
    /// What a module calls its own though it stands elsewhere, and the path of it.
    exports: BTreeMap<(Vec<String>, String), String>,
}

impl House {
    /// The file that `path` leads to, as it is written in `module`; none where it leads out of the house.
    fn file(&self, module: &[String], path: &str, depth: usize) -> Option<String> {
        let mut rest: Vec<&str> = path.split("::").collect();
        let mut at = match rest[0] {
            "crate" => Vec::new(),
            "self" | "super" => module.to_vec(),
            child => {
                let mut below = module.to_vec();
                below.push(child.to_string());
                self.files.get(&below)?;
                module.to_vec()
            }
        };
        if ["crate", "self"].contains(&rest[0]) {
            rest.remove(0);
        }
        while rest.first() == Some(&"super") {
            at.pop();
            rest.remove(0);
        }
        for step in rest {
            let mut below = at.clone();
            below.push(step.to_string());
            if self.files.contains_key(&below) || self.files.keys().any(|module| module.starts_with(&below)) {
                at = below;
                continue;
            }
            if let Some(elsewhere) = self.exports.get(&(at.clone(), step.to_string())).filter(|_| depth < 8) {
                return self.file(&at, elsewhere, depth + 1).or_else(|| self.files.get(&at).cloned());
            }
            break;
        }
        self.files.get(&at).cloned()
    }
}

/// What `pub use` gives on, by the name that it has then.
fn exports(module: &[String], code: &str) -> Vec<((Vec<String>, String), String)> {
    uses(code, true).into_iter().map(|(path, name)| ((module.to_vec(), name), path)).collect()
}

/// The paths of the `use`s in `code`, and the names that they bring; of those that are public only, or of all.
fn uses(code: &str, public: bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = code[line..at].trim();
        if !(before.is_empty() && !public || before.starts_with("pub")) || before.contains(['"', '(']) && !before.starts_with("pub(") {
            continue;
        }
        let Some(end) = code[at..].find(';') else { continue };
        let mut paths = Vec::new();
        spread("", &code[at + 4..at + end], &mut paths);
        found.extend(paths.into_iter().map(|path| match path.split_once(" as ") {
            Some((path, name)) => (path.trim().to_string(), name.trim().to_string()),
            None => (path.clone(), path.rsplit("::").next().unwrap().to_string()),
        }));
    }
    found
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn spread(before: &str, text: &str, paths: &mut Vec<String>) {
    let text = text.trim();
    let Some(open) = text.find('{') else {
        let path = format!("{before}{text}");
        paths.push(path.trim_end_matches("::self").to_string());
        return;
    };
    let before = format!("{before}{}", text[..open].trim());
    let inner = &text[open + 1..text.rfind('}').unwrap_or(text.len())];
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    spread(&before, &inner[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The paths in the rest of the code: from the root, from above, or from a module below.
fn written_out(code: &str) -> Vec<String> {
    let is_use = |line: &str| line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ");
    let mut inside = false;
    let rest = code.lines().map(str::trim_start).filter(|line| {
        let begins = inside || is_use(line);
        inside = begins && !line.contains(';');
        !begins
    });
    let code = &rest.collect::<Vec<_>>().join("\n");
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let start =
            code[..at].rfind(|c: char| !part(c)).map_or(0, |before| before + code[before..].chars().next().map_or(1, char::len_utf8));
        // In the middle of a path that was looked at from its start.
        if code[..start].ends_with("::") {
            continue;
        }
        let mut end = at;
        while code[end..].starts_with("::") {
            let name = end + 2;
            end = code[name..].find(|c: char| !part(c)).map_or(code.len(), |length| name + length);
            if end == name {
                break;
            }
        }
        let path = code[start..end].trim_end_matches(':');
        if !path.is_empty() && !path.starts_with(|c: char| c.is_uppercase()) {
            found.push(path.to_string());
        }
    }
    found
}
