//! A plan drawn as a tree, in words: each step stands over those that it gets its rows from.

/// Steps as people call them, by the engine's names.
const STEPS: [(&str, &str); 18] = [
    ("ProjectionExec", "Compute"),
    ("Projection", "Compute"),
    ("FilterExec", "Filter"),
    ("AggregateExec", "Aggregate"),
    ("HashJoinExec", "Hash join"),
    ("SortMergeJoinExec", "Merge join"),
    ("NestedLoopJoinExec", "Loop join"),
    ("CrossJoinExec", "Cross join"),
    ("SortExec", "Sort"),
    ("SortPreservingMergeExec", "Merge sorted"),
    ("RepartitionExec", "Spread"),
    ("CoalescePartitionsExec", "Gather"),
    ("GlobalLimitExec", "Limit"),
    ("LocalLimitExec", "Limit"),
    ("UnionExec", "Union"),
    ("StreamingTableExec", "Read"),
    ("DataSourceExec", "Read"),
    ("TableScan", "Read"),
];

/// Draws `plan`, whose steps are lines with two blanks before each for every step above it.
pub(super) fn tree(plan: &str) -> String {
    let steps: Vec<(usize, String)> = plan
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let text = line.trim_start();
            ((line.len() - text.len()) / 2, step(text))
        })
        .collect();
    let mut drawn = String::new();
    // Whether more steps follow at each depth above.
    let mut open: Vec<bool> = Vec::new();
    for (at, (depth, text)) in steps.iter().enumerate() {
        let more = steps[at + 1..].iter().take_while(|(below, _)| below >= depth).any(|(below, _)| below == depth);
        open.truncate(*depth);
        open.resize(*depth, false);
        // Of the first step there is one: nothing stands beside it.
        for open in open.iter().skip(1) {
            drawn.push_str(if *open { "│  " } else { "   " });
        }
        if *depth > 0 {
            drawn.push_str(if more { "├─ " } else { "└─ " });
        }
        drawn.push_str(text);
        drawn.push('\n');
        open.push(more);
    }
    drawn
}

/// A step in words: its name, and what it does without the places of columns.
fn step(text: &str) -> String {
    let (name, rest) = text.split_once(':').unwrap_or((text, ""));
    let known = STEPS.iter().find(|(engine, _)| *engine == name).map(|(_, words)| (*words).to_string());
    let name = known.unwrap_or_else(|| words(name.strip_suffix("Exec").unwrap_or(name)));
    match rest.is_empty() {
        true => name,
        false => format!("{name}:{}", without_places(rest)),
    }
}

/// `BoundedWindowAgg` as `Bounded window agg`.
fn words(name: &str) -> String {
    if !name.chars().all(char::is_alphanumeric) {
        return name.to_string();
    }
    let mut words = String::new();
    for (at, letter) in name.char_indices() {
        match letter.is_uppercase() && at > 0 {
            true => {
                words.push(' ');
                words.extend(letter.to_lowercase());
            }
            false => words.push(letter),
        }
    }
    words
}

/// `text` without the numbers of columns, as in `status@0`; texts in quotes stay as they are.
fn without_places(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == '\'' {
            quoted = !quoted;
        }
        let digits = rest[letter.len_utf8()..].bytes().take_while(u8::is_ascii_digit).count();
        let is_name = plain.chars().next_back().is_some_and(|before| before.is_alphanumeric() || "_)\"".contains(before));
        match letter == '@' && digits > 0 && !quoted && is_name {
            true => rest = &rest[1 + digits..],
            false => {
                plain.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_drawn_below_one_another() {
        let plan = "ProjectionExec: expr=[a@0 as a]\n  HashJoinExec: on=[(h@0, h@1)]\n    FilterExec: b@2 > 'x@1'\n      StreamingTableExec\n    \
                    BoundedWindowAggExec: mode=Sorted\n      Odd thing: a\n";
        let drawn = "Compute: expr=[a as a]\n└─ Hash join: on=[(h, h)]\n   ├─ Filter: b > 'x@1'\n   │  └─ Read\n   └─ Bounded window agg: mode=Sorted\n      \
                     └─ Odd thing: a\n";
        assert_eq!(tree(plan), drawn);
        assert_eq!(tree(""), "");
    }
}
