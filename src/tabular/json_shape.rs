//! What values of JSON are made of, and the types of columns that hold them.

use super::infer::Guess;
use super::json_line::{is_deep, string_end};
use arrow::datatypes::{DataType, Field};
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::sync::Arc;

/// What the values of a key are made of, as far as they were seen.
#[derive(Debug, Clone, Default)]
pub(super) enum Shape {
    /// Only NULL.
    #[default]
    Unknown,
    Single(Single),
    List(Box<Shape>),
    Object(Object),
}

/// Texts, numbers and truths.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Single {
    texts: Option<Guess>,
    numbers: Option<Guess>,
    truths: bool,
}

/// The keys of objects in the order in which they are met.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    pub(super) keys: Vec<(String, Shape)>,
    places: HashMap<String, usize>,
}

impl Shape {
    /// The shape of a line, which must be one value; nothing where it is none, or a list of what makes no column together.
    pub(super) fn of(line: &[u8]) -> Option<Shape> {
        if is_deep(line) || serde_json::from_slice::<IgnoredAny>(line).is_err() {
            return None;
        }
        Reader { line, at: 0 }.value()
    }

    /// Whether a column can hold values of both shapes.
    pub(super) fn agrees(&self, other: &Shape) -> bool {
        match (self, other) {
            (Shape::Unknown, _) | (_, Shape::Unknown) | (Shape::Single(_), Shape::Single(_)) => true,
            (Shape::List(item), Shape::List(other)) => item.agrees(other),
            (Shape::Object(object), Shape::Object(other)) => object.agrees(other),
            _ => false,
        }
    }

    /// Takes values of a shape that agrees into account.
    pub(super) fn merge(&mut self, other: Shape) {
        match (self, other) {
            (_, Shape::Unknown) => {}
            (known @ Shape::Unknown, other) => *known = other,
            (Shape::Single(known), Shape::Single(other)) => known.merge(other),
            (Shape::List(known), Shape::List(other)) => known.merge(*other),
            (Shape::Object(known), Shape::Object(other)) => known.merge(other),
            // What does not agree is not merged.
            _ => {}
        }
    }

    /// The type of a column of these values. What is only NULL is text: files can't hold columns of no type.
    pub(super) fn column_type(&self) -> DataType {
        match self {
            Shape::Unknown => DataType::Utf8View,
            Shape::Single(single) => single.data_type(),
            other => other.nested_type(),
        }
    }

    /// The type within a list or an object, where text is not looked into for dates.
    fn nested_type(&self) -> DataType {
        match self {
            Shape::Unknown => DataType::Utf8,
            Shape::Single(Single { texts: Some(_), .. }) => DataType::Utf8,
            Shape::Single(single) => match single.data_type() {
                DataType::Utf8View => DataType::Utf8,
                other => other,
            },
            Shape::List(item) => DataType::List(Arc::new(Field::new_list_field(item.nested_type(), true))),
            Shape::Object(object) => {
                DataType::Struct(object.keys.iter().map(|(key, shape)| Field::new(key, shape.nested_type(), true)).collect())
            }
        }
    }
}

impl Single {
    fn merge(&mut self, other: Single) {
        let both = |known: Option<Guess>, other: Option<Guess>| match (known, other) {
            (Some(known), Some(other)) => Some(known.and(other)),
            (known, other) => known.or(other),
        };
        self.texts = both(self.texts, other.texts);
        self.numbers = both(self.numbers, other.numbers);
        self.truths |= other.truths;
    }

    fn data_type(&self) -> DataType {
        match self {
            Single { texts: Some(texts), numbers: None, truths: false } => texts.date_or_text(),
            Single { texts: None, numbers: Some(numbers), truths: false } => numbers.data_type(),
            Single { texts: None, numbers: None, truths: true } => DataType::Boolean,
            _ => DataType::Utf8View,
        }
    }
}

impl Object {
    fn get(&self, key: &str) -> Option<&Shape> {
        self.places.get(key).map(|place| &self.keys[*place].1)
    }

    /// Whether columns can hold objects of both.
    pub(super) fn agrees(&self, other: &Object) -> bool {
        other.keys.iter().all(|(key, shape)| self.get(key).is_none_or(|known| known.agrees(shape)))
    }

    /// Takes keys of an object that agrees into account.
    pub(super) fn merge(&mut self, other: Object) {
        for (key, shape) in other.keys {
            self.see(key, shape);
        }
    }

    fn see(&mut self, key: String, shape: Shape) {
        match self.places.get(&key) {
            Some(place) => self.keys[*place].1.merge(shape),
            None => {
                self.places.insert(key.clone(), self.keys.len());
                self.keys.push((key, shape));
            }
        }
    }
}

/// Reads a line that is known to be JSON, and keeps numbers as they are written.
struct Reader<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<Shape> {
        match self.next()? {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => {
                let mut guess = Guess::default();
                guess.see(self.text());
                Some(Shape::Single(Single { texts: Some(guess), ..Single::default() }))
            }
            b'n' => {
                self.word();
                Some(Shape::Unknown)
            }
            b't' | b'f' => {
                self.word();
                Some(Shape::Single(Single { truths: true, ..Single::default() }))
            }
            _ => {
                let mut guess = Guess::default();
                guess.see(self.word());
                Some(Shape::Single(Single { numbers: Some(guess), ..Single::default() }))
            }
        }
    }

    fn object(&mut self) -> Option<Shape> {
        let mut object = Object::default();
        self.at += 1;
        while self.next()? != b'}' {
            if self.line[self.at] == b',' {
                self.at += 1;
                continue;
            }
            let start = self.at;
            self.text();
            let key: String = serde_json::from_slice(&self.line[start..self.at]).ok()?;
            if self.next()? == b':' {
                self.at += 1;
            }
            object.see(key, self.value()?);
        }
        self.at += 1;
        Some(Shape::Object(object))
    }

    fn list(&mut self) -> Option<Shape> {
        let mut all = Shape::Unknown;
        self.at += 1;
        while self.next()? != b']' {
            if self.line[self.at] == b',' {
                self.at += 1;
                continue;
            }
            let item = self.value()?;
            if !all.agrees(&item) {
                return None;
            }
            all.merge(item);
        }
        self.at += 1;
        Some(Shape::List(Box::new(all)))
    }

    /// The next byte that is not blank.
    fn next(&mut self) -> Option<u8> {
        while self.line.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.line.get(self.at).copied()
    }

    /// The text of the string that starts here.
    fn text(&mut self) -> &'a [u8] {
        let start = (self.at + 1).min(self.line.len());
        let end = string_end(self.line, start);
        self.at = (end + 1).min(self.line.len());
        &self.line[start..end]
    }

    /// What stands here up to the next sign or blank.
    fn word(&mut self) -> &'a [u8] {
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|byte| b",}]".contains(byte) || byte.is_ascii_whitespace()).unwrap_or(rest.len());
        // At least one, so that what is no JSON ends too.
        let length = length.max(1).min(rest.len());
        self.at += length;
        &rest[..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&str]) -> DataType {
        let mut all = Shape::default();
        for value in values {
            let shape = Shape::of(value.as_bytes()).unwrap();
            assert!(all.agrees(&shape), "{value}");
            all.merge(shape);
        }
        all.column_type()
    }

    #[test]
    fn no_value_loses_a_digit() {
        assert_eq!(column(&["1", "-2", "9223372036854775807"]), DataType::Int64);
        assert_eq!(column(&["1", "1.5"]), DataType::Float64);
        for lossy in [
            &["18446744073709551615"][..],
            &["1", "18446744073709551615"],
            &["1.5", "9007199254740993"],
            &["0.12345678901234567"],
            &["1", "\"a\""],
            &["true", "1"],
            &["\"007\""],
        ] {
            assert_eq!(column(lossy), DataType::Utf8View, "{lossy:?}");
        }
        assert_eq!(column(&["null", "true"]), DataType::Boolean);
        assert_eq!(column(&["\"2020-02-29\"", "null"]), DataType::Date32);
        assert_eq!(column(&["\"1\""]), DataType::Utf8View);
    }

    #[test]
    fn shapes_keep_the_order_of_keys() {
        let DataType::Struct(fields) = column(&[r#" { "b" : [ 1 , null ] , "a" : {"é\"":"2020-02-29"} }"#, r#"{"c":[],"b":[2.5]}"#])
        else {
            panic!()
        };
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(fields[0].data_type(), &DataType::new_list(DataType::Float64, true));
        assert_eq!(fields[1].data_type(), &DataType::Struct(vec![Field::new("é\"", DataType::Utf8, true)].into()));
        assert_eq!(fields[2].data_type(), &DataType::new_list(DataType::Utf8, true));
        assert!(!Shape::of(b"1").unwrap().agrees(&Shape::of(b"[1]").unwrap()));
        assert!(Shape::of(b"[1,{}]").is_none() && Shape::of(b"{\"a\":}").is_none() && Shape::of(b"{} {}").is_none());
    }
}
