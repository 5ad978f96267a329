//! Which row belongs to which file.

use super::options::Layout;
use std::ops::Range;

/// Where the rows of one partition are cut into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cuts {
    /// Not by row: all into one file, or into files of about so many bytes.
    Size(Option<u64>),
    /// `files` files of as even a number of rows as can be: the first ones have one more.
    Even { rows: u64, files: u64 },
    /// Files of this many rows.
    Every(u64),
}

impl Cuts {
    /// The cuts that `layout` makes of a partition with `rows` rows.
    pub(super) fn of(layout: Layout, rows: u64) -> Cuts {
        match layout {
            Layout::Splits(files) => Cuts::Even { rows, files: files.get().min(rows).max(1) },
            Layout::RowsPerFile(rows) => Cuts::Every(rows.get()),
            Layout::TargetSize(size) => Cuts::Size(Some(size.0)),
        }
    }

    /// The file of row number `row`, and the rows that the file has; nothing where files are not cut by row.
    pub(super) fn file(self, row: u64) -> Option<(u64, Range<u64>)> {
        match self {
            Cuts::Size(_) => None,
            Cuts::Every(rows) => Some((row / rows, row / rows * rows..row / rows * rows + rows)),
            Cuts::Even { rows, files } => {
                let (least, longer) = (rows / files, rows % files);
                let longer_rows = longer * (least + 1);
                let file = if row < longer_rows { row / (least + 1) } else { longer + (row - longer_rows) / least.max(1) };
                let start = file * least + file.min(longer);
                Some((file, start..start + least + u64::from(file < longer)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_cuts_lose_no_row_and_differ_by_one() {
        for rows in [1, 2, 7, 15, 148_534] {
            for files in [1, 2, 3, 7, 10, 100, 10_000] {
                let files = files.min(rows);
                let cuts = Cuts::Even { rows, files };
                let mut next = 0;
                let mut sizes = Vec::new();
                while next < rows {
                    let (file, range) = cuts.file(next).unwrap();
                    assert_eq!((file, range.start), (sizes.len() as u64, next));
                    assert_eq!(cuts.file(range.end - 1).unwrap().0, file);
                    sizes.push(range.end - range.start);
                    next = range.end;
                }
                assert_eq!(sizes.len() as u64, files);
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            }
        }
    }
}
