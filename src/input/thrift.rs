//! Thrift's compact protocol, as far as what Parquet says of itself is looked at before it is believed.
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// How deep values may lie in each other; Parquet's lie seven deep.
const DEPTH: usize = 16;

/// Reads values; what is wrong is said in words.
#[derive(Debug, Clone)]
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A Boolean that is its own type.
    Flag(bool),
    Byte,
    Number,
    Double,
    Bytes,
    List,
    Map,
    Struct,
}

/// What is wrong.
pub(super) type Parsed<T> = Result<T, &'static str>;

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Thrift<'a> {
        Thrift { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn byte(&mut self) -> Parsed<u8> {
        let byte = *self.bytes.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(byte)
    }

    fn unsigned(&mut self) -> Parsed<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number in it is too long")
    }

    /// A number.
    pub(super) fn number(&mut self) -> Parsed<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number of 32 bits.
    pub(super) fn int(&mut self) -> Parsed<i32> {
        i32::try_from(self.number()?).map_err(|_| "a number in it is too large")
    }

    /// The next field of a struct whose last one was `last`: its number and the type of its value; nothing at the struct's end.
    pub(super) fn field(&mut self, last: &mut i64) -> Parsed<Option<(i64, Kind)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        *last = match byte >> 4 {
            0 => self.number()?,
            delta => last.checked_add(i64::from(delta)).ok_or("a field's number in it is too large")?,
        };
        Ok(Some((*last, kind(byte & 0xf)?)))
    }

    /// A list's type and length, which can't be more than what is left.
    pub(super) fn list(&mut self) -> Parsed<(Kind, usize)> {
        let byte = self.byte()?;
        let length = match byte >> 4 {
            15 => self.unsigned()?,
            short => u64::from(short),
        };
        match usize::try_from(length) {
            Ok(length) if length <= self.left() => Ok((kind(byte & 0xf)?, length)),
            _ => Err("a list in it claims to be longer than the rest"),
        }
    }

    /// Passes a value by.
    pub(super) fn skip(&mut self, kind: Kind) -> Parsed<()> {
        self.skip_at(kind, DEPTH)
    }

    fn skip_at(&mut self, kind: Kind, depth: usize) -> Parsed<()> {
        let depth = depth.checked_sub(1).ok_or("values in it lie too deep in each other")?;
        match kind {
            Kind::Flag(_) => {}
            Kind::Byte => drop(self.byte()?),
            Kind::Number => drop(self.unsigned()?),
            Kind::Double => self.pass(8)?,
            Kind::Bytes => {
                let length = self.unsigned()?;
                self.pass(length)?;
            }
            Kind::List => {
                let (kind, length) = self.list()?;
                for _ in 0..length {
                    self.skip_item(kind, depth)?;
                }
            }
            Kind::Map => {
                let length = self.unsigned()?;
                let kinds = if length > 0 { self.byte()? } else { 0 };
                for _ in 0..length {
                    self.skip_item(self::kind(kinds >> 4)?, depth)?;
                    self.skip_item(self::kind(kinds & 0xf)?, depth)?;
                }
            }
            Kind::Struct => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip_at(kind, depth)?;
                }
            }
        }
        Ok(())
    }

    /// In lists and maps, Booleans take a byte.
    fn skip_item(&mut self, kind: Kind, depth: usize) -> Parsed<()> {
        self.skip_at(if let Kind::Flag(_) = kind { Kind::Byte } else { kind }, depth)
    }

    fn pass(&mut self, length: u64) -> Parsed<()> {
        let length = usize::try_from(length).ok().filter(|length| *length <= self.left());
        self.at += length.ok_or("a value in it claims to be longer than the rest")?;
        Ok(())
    }
}

fn kind(code: u8) -> Parsed<Kind> {
    Ok(match code {
        1 => Kind::Flag(true),
        2 => Kind::Flag(false),
        3 => Kind::Byte,
        4..=6 => Kind::Number,
        7 => Kind::Double,
        8 => Kind::Bytes,
        9 | 10 => Kind::List,
        11 => Kind::Map,
        12 => Kind::Struct,
        _ => return Err("a value in it has an unknown type"),
    })
}
