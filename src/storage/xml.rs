//! The little of XML that S3 answers with: elements without attributes that matter, texts with entities.

/// The text of the first element called `name`, anywhere; none where it holds other elements only.
pub(super) fn first(document: &str, name: &str) -> Option<String> {
    inner(document, name).map(|(text, _)| decoded(text))
}

/// What stands inside each element called `name` that isn't inside another one of that name.
pub(super) fn each<'d>(document: &'d str, name: &str) -> Vec<&'d str> {
    let mut found = Vec::new();
    let mut rest = document;
    while let Some((text, after)) = inner(rest, name) {
        found.push(text);
        rest = after;
    }
    found
}

/// What stands inside the first element called `name`, and what follows it.
fn inner<'d>(document: &'d str, name: &str) -> Option<(&'d str, &'d str)> {
    let mut rest = document;
    loop {
        let at = rest.find('<')?;
        let tag = &rest[at + 1..];
        let end = tag.find('>')?;
        let after = &tag[end + 1..];
        let named = tag.strip_prefix(name).filter(|tag| tag.starts_with(['>', ' ', '/', '\t', '\r', '\n']));
        if named.is_some() {
            if tag[..end].ends_with('/') {
                return Some(("", after));
            }
            let close = format!("</{name}>");
            let length = after.find(&close)?;
            return Some((&after[..length], &after[length + close.len()..]));
        }
        rest = after;
    }
}

/// A text with its entities as what they stand for. What is none stays as it is.
fn decoded(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        done.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';') else { break };
        let entity = &rest[1..end];
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let stands_for = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match (entity.strip_prefix("#x"), entity.strip_prefix('#')) {
                (Some(digits), _) => number(digits, 16),
                (None, Some(digits)) => number(digits, 10),
                (None, None) => None,
            },
        };
        match stands_for {
            Some(c) => {
                done.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                done.push('&');
                rest = &rest[1..];
            }
        }
    }
    done.push_str(rest);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_and_their_texts_decoded() {
        let document = "<?xml version=\"1.0\"?><R xmlns=\"x\"><UploadIdMarker/><Upload><Key>a&amp;b&#x20;&#233;&unknown;</Key></Upload>\
            <Upload><Key>c</Key></Upload><KeyMarker></KeyMarker></R>";
        assert_eq!(first(document, "Key").as_deref(), Some("a&b é&unknown;"));
        assert_eq!(first(document, "UploadIdMarker").as_deref(), Some(""));
        assert_eq!(first(document, "KeyMarker").as_deref(), Some(""));
        assert_eq!(first(document, "UploadId"), None);
        assert_eq!(each(document, "Upload"), ["<Key>a&amp;b&#x20;&#233;&unknown;</Key>", "<Key>c</Key>"]);
        for broken in ["<Key", "<Key>", "<", "&", "<Key>x</Ke"] {
            assert_eq!(first(broken, "Key"), None);
        }
        assert_eq!(decoded("a & b &amp"), "a & b &amp");
    }
}
