//! The words of an expression.

use super::expression::Misread;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name as it is written, or a word of the language.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    Text(String),
    Number(String),
    /// `=`, `(`, and the like.
    Sign(&'static str),
}

const SIGNS: [&str; 14] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "-", "+", "*"];

/// The words of `text`, each with the byte where it begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Misread> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = match first {
            blank if blank.is_whitespace() => {
                at += blank.len_utf8();
                continue;
            }
            '\'' | '"' => quoted(rest, first).ok_or_else(|| misread(at, format!("a text has no {first} at its end")))?,
            digit if digit.is_ascii_digit() => number(rest),
            letter if letter.is_alphabetic() || letter == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_string()), end)
            }
            other => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return Err(misread(at, format!("`{}` has no meaning here", other.escape_debug()))),
            },
        };
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn misread(at: usize, message: String) -> Misread {
    Misread { at, message }
}

/// A text in quotes, in which two of them are one, and its length with them.
fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut value = String::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            value.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
            letters.next();
            value.push(quote);
        } else {
            let token = if quote == '"' { Token::Quoted(value) } else { Token::Text(value) };
            return Some((token, at + 1));
        }
    }
    None
}

fn number(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    (Token::Number(rest[..end].to_string()), end)
}
