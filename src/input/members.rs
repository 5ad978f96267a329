//! Compressed streams that stand one behind the other in an input, and what stands behind the last of them.

use super::compression::Compression;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// The bytes of an input as they are stored. Those that come next can be looked at before they are taken.
pub(super) struct Stored<R> {
    /// What was looked at; it is taken up to `at`.
    ahead: Vec<u8>,
    at: usize,
    inner: BufReader<R>,
    taken: u64,
}

impl<R: Read> Stored<R> {
    pub(super) fn new(inner: R) -> Stored<R> {
        Stored { ahead: Vec::new(), at: 0, inner: BufReader::with_capacity(256 << 10, inner), taken: 0 }
    }

    /// The next `length` bytes, or all that are left.
    pub(super) fn look(&mut self, length: usize) -> io::Result<&[u8]> {
        self.ahead.drain(..self.at);
        self.at = 0;
        let held = self.inner.buffer().len().min(length.saturating_sub(self.ahead.len()));
        self.ahead.extend_from_slice(&self.inner.buffer()[..held]);
        self.inner.consume(held);
        // No more is read than that. A pipe may give one byte first, which tells nothing.
        let missing = length.saturating_sub(self.ahead.len());
        self.inner.get_mut().take(missing as u64).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead[..length.min(self.ahead.len())])
    }
}

impl<R: Read> Read for Stored<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match &self.ahead[self.at..] {
            [] => self.inner.read(buffer)?,
            mut ahead => {
                let n = ahead.read(buffer)?;
                self.at += n;
                n
            }
        };
        self.taken += n as u64;
        Ok(n)
    }
}

impl<R: Read> BufRead for Stored<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.ahead.len() {
            return Ok(&self.ahead[self.at..]);
        }
        // Decoders don't ask again of a read that a signal interrupted.
        while let Err(error) = self.inner.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(self.inner.buffer())
    }

    fn consume(&mut self, amount: usize) {
        match self.at < self.ahead.len() {
            true => self.at += amount,
            false => self.inner.consume(amount),
        }
        self.taken += amount as u64;
    }
}

/// A decoder of one stream.
pub(super) trait Member<R>: Read + Sized {
    const COMPRESSION: Compression;

    /// A decoder of the stream that `stored` is at the start of.
    fn begin(stored: R) -> io::Result<Self>;

    /// What is behind the stream, once all of it is read.
    fn rest(self) -> R;
}

impl<R: BufRead> Member<R> for flate2::bufread::GzDecoder<R> {
    const COMPRESSION: Compression = Compression::Gzip;

    fn begin(stored: R) -> io::Result<Self> {
        Ok(flate2::bufread::GzDecoder::new(stored))
    }

    fn rest(self) -> R {
        self.into_inner()
    }
}

impl<R: BufRead> Member<R> for zstd::stream::read::Decoder<'static, R> {
    const COMPRESSION: Compression = Compression::Zstd;

    fn begin(stored: R) -> io::Result<Self> {
        zstd::stream::read::Decoder::with_buffer(stored).map(zstd::stream::read::Decoder::single_frame)
    }

    fn rest(self) -> R {
        self.finish()
    }
}

impl<R: BufRead> Member<R> for bzip2::bufread::BzDecoder<R> {
    const COMPRESSION: Compression = Compression::Bzip2;

    fn begin(stored: R) -> io::Result<Self> {
        Ok(bzip2::bufread::BzDecoder::new(stored))
    }

    fn rest(self) -> R {
        self.into_inner()
    }
}

/// Reads one stream after the other, as the tools of each compression do. Zeros between and behind them are nothing: tapes and block
/// devices are filled up with them.
pub(super) struct Members<R, M>(State<R, M>);

enum State<R, M> {
    Within(M),
    Behind(R),
    Ended,
}

impl<R: Read, M: Member<Stored<R>>> Members<Stored<R>, M> {
    /// Reads the streams of `stored`, which is at the start of the first.
    pub(super) fn new(stored: Stored<R>) -> io::Result<Self> {
        M::begin(stored).map(|first| Members(State::Within(first)))
    }
}

impl<R: Read, M: Member<Stored<R>>> Read for Members<Stored<R>, M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.0 {
                State::Within(member) => match member.read(buffer)? {
                    0 => {}
                    n => return Ok(n),
                },
                State::Behind(stored) => {
                    if !goes_on(stored, M::COMPRESSION)? {
                        self.0 = State::Ended;
                    }
                }
                State::Ended => return Ok(0),
            }
            self.0 = match std::mem::replace(&mut self.0, State::Ended) {
                State::Within(member) => State::Behind(member.rest()),
                State::Behind(stored) => State::Within(M::begin(stored)?),
                State::Ended => State::Ended,
            };
        }
    }
}

/// How many of the bytes behind a stream an error shows.
const SHOWN: usize = 16;

/// Whether behind a stream there is another one, which `stored` is then at the start of.
///
/// # Errors
/// [`Behind`], where there is something else.
fn goes_on<R: Read>(stored: &mut Stored<R>, compression: Compression) -> io::Result<bool> {
    loop {
        let rest = stored.fill_buf()?;
        if rest.is_empty() {
            return Ok(false);
        }
        let zeros = rest.iter().position(|byte| *byte != 0);
        let passed = zeros.unwrap_or(rest.len());
        stored.consume(passed);
        if zeros.is_some() {
            let at = stored.taken;
            let start = stored.look(SHOWN)?;
            return match compression.may_begin(start) {
                true => Ok(true),
                false => Err(io::Error::new(io::ErrorKind::InvalidData, Behind { at, start: start.to_vec() })),
            };
        }
    }
}

/// What stands behind the last stream of an input and is none.
#[derive(Debug)]
pub(super) struct Behind {
    /// How many stored bytes are before it.
    pub(super) at: u64,
    /// Its first bytes.
    pub(super) start: Vec<u8>,
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` from byte {} on", self.start.escape_ascii(), self.at)
    }
}

impl std::error::Error for Behind {}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::bufread::GzDecoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Gives a byte at a time, and is interrupted before each.
    struct Slow<'a>(&'a [u8], bool);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            match self.1 {
                true => Err(io::ErrorKind::Interrupted.into()),
                false => self.0.read(&mut buffer[..1]),
            }
        }
    }

    fn read(stored: &[u8]) -> io::Result<Vec<u8>> {
        let (mut quick, mut slow) = (Vec::new(), Vec::new());
        let done = Members::<_, GzDecoder<_>>::new(Stored::new(stored))?.read_to_end(&mut quick);
        let slowly = Members::<_, GzDecoder<_>>::new(Stored::new(Slow(stored, false)))?.read_to_end(&mut slow);
        assert_eq!((quick.clone(), done.is_ok()), (slow, slowly.is_ok()));
        done.map(|_| quick)
    }

    #[test]
    fn streams_are_read_to_the_last_and_zeros_between_and_behind_them_are_nothing() {
        let (one, two) = (gzip(b"one\n"), gzip(&b"two\n".repeat(100_000)));
        let both = [b"one\n".as_slice(), &b"two\n".repeat(100_000)].concat();
        for zeros in [0, 1, 511, 600_000] {
            let zeros = vec![0; zeros];
            assert!(read(&[one.as_slice(), &two, &zeros].concat()).unwrap() == both, "{} zeros", zeros.len());
            assert!(read(&[one.as_slice(), &zeros, &two, &zeros].concat()).unwrap() == both, "{} zeros between", zeros.len());
        }
    }

    #[test]
    fn what_else_is_behind_a_stream_is_told_with_its_place() {
        let one = gzip(b"one\n");
        for (rest, zeros, start) in [(&b"\n"[..], 0, &b"\n"[..]), (b"\0\0x", 2, b"x"), (b"\0\x1f\x8c", 1, b"\x1f\x8c")] {
            let error = read(&[one.as_slice(), rest].concat()).unwrap_err();
            let behind = error.get_ref().unwrap().downcast_ref::<Behind>().unwrap();
            assert_eq!((behind.at, behind.start.as_slice()), (one.len() as u64 + zeros, start));
        }
        // A stream of which hardly anything is there is one that was cut off.
        for rest in [&b"\x1f"[..], b"\x1f\x8b", b"\0\0\x1f\x8b", b"\x1f\x8b\x08\0\0"] {
            assert_eq!(read(&[one.as_slice(), rest].concat()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{rest:?}");
        }
    }
}
