use super::*;
use crate::input::{Place, Source};
use crate::pipeline::state::listing::Listed;
use crate::publish::Input;

fn file(path: &str, mark: &str) -> SourceFile {
    SourceFile { path: path.to_string(), size: 1, mark: mark.to_string(), ..SourceFile::default() }
}

fn listing(files: &[(&str, &str)]) -> Listing {
    let listed = |(path, mark): &(&str, &str)| {
        let place = Place::File(std::sync::Arc::new(crate::input::LocalFile::at(path)));
        Listed::new(file(path, mark), Source::new(*path, place, Some(1)))
    };
    Listing::with("logs", Fingerprint::Modified, files.iter().map(listed).collect())
}

fn segments(of: &[&[(&str, &str)]]) -> Vec<SegmentInputs> {
    of.iter()
        .map(|files| {
            BTreeMap::from([(
                "logs".to_string(),
                Input { files: files.iter().map(|(path, mark)| file(path, mark)).collect(), ..Input::default() },
            )])
        })
        .collect()
}

fn decided(mode: Mode, removed_sources: Removal, now: &[(&str, &str)], then: &[&[(&str, &str)]]) -> Result<Changes> {
    let before = Before {
        mode,
        removed_sources,
        segments: Some(&segments(then)),
        redefined: false,
        reshaped: false,
        full: false,
        columns_changed: None,
        tables_changed: None,
        retry_rejects: false,
    };
    decide(&before, &mut [&mut listing(now)])
}

fn done(changes: &Changes) -> (Step, Vec<usize>, Vec<usize>) {
    (
        changes.step,
        changes.read.get("logs").into_iter().flatten().map(|piece| piece.place).collect(),
        changes.stale.iter().copied().collect(),
    )
}

#[test]
fn nothing_is_done_twice() {
    for mode in [Mode::Overwrite, Mode::Append, Mode::ReplacePartitions] {
        let changes = decided(mode, Removal::Keep, &[("a", "1"), ("b", "1")], &[&[("a", "1"), ("b", "1")]]).unwrap();
        assert_eq!(changes.step, Step::Nothing, "{mode:?}");
    }
}

#[test]
fn new_files_are_added_and_changed_ones_take_their_rows_place() {
    let then: &[&[(&str, &str)]] = &[&[("a", "1"), ("b", "1")], &[("c", "1")]];
    let now = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
    assert_eq!(done(&decided(Mode::Append, Removal::Keep, &now, then).unwrap()), (Step::Add, vec![3], vec![]));
    // What was made together with `b` is made again with it.
    let now = [("a", "1"), ("b", "2"), ("c", "1")];
    assert_eq!(done(&decided(Mode::Append, Removal::Keep, &now, then).unwrap()), (Step::Add, vec![0, 1], vec![0]));
    let changes = decided(Mode::ReplacePartitions, Removal::Keep, &now, then).unwrap();
    assert_eq!(done(&changes), (Step::ReplacePartitions, vec![1], vec![0]));
    assert_eq!(done(&decided(Mode::Overwrite, Removal::Keep, &now, then).unwrap()), (Step::Rebuild, vec![0, 1, 2], vec![0, 1]));
}

#[test]
fn rows_whose_file_is_gone_are_kept_or_dropped_but_never_lost_in_silence() {
    let then: &[&[(&str, &str)]] = &[&[("a", "1"), ("b", "1")]];
    let kept = decided(Mode::Append, Removal::Keep, &[("a", "1")], then).unwrap();
    assert_eq!((kept.step, kept.notes.len()), (Step::Nothing, 1));
    assert_eq!(done(&decided(Mode::Append, Removal::Drop, &[("a", "1")], then).unwrap()), (Step::Add, vec![0], vec![0]));
    let error = decided(Mode::Append, Removal::Keep, &[("a", "2")], then).unwrap_err().to_string();
    assert!(error.contains("such as b") && error.contains("--full"), "{error}");
}

#[test]
fn what_is_new_or_asked_for_is_made_whole() {
    let then = segments(&[&[("a", "1")]]);
    let decide_with = |segments: Option<&[SegmentInputs]>, reshaped, full| {
        let before = Before {
            mode: Mode::Append,
            removed_sources: Removal::Keep,
            segments,
            redefined: false,
            reshaped,
            full,
            columns_changed: None,
            tables_changed: None,
            retry_rejects: false,
        };
        decide(&before, &mut [&mut listing(&[("a", "1"), ("b", "1")])]).unwrap()
    };
    assert_eq!(done(&decide_with(None, false, false)), (Step::Rebuild, vec![0, 1], vec![]));
    assert_eq!(done(&decide_with(Some(&then), false, true)), (Step::Rebuild, vec![0, 1], vec![0]));
    assert_eq!(done(&decide_with(Some(&then), true, false)), (Step::Rebuild, vec![0, 1], vec![0]));
    assert_eq!(done(&decide_with(Some(&then), false, false)), (Step::Add, vec![1], vec![]));
}
