//! Puts a file into a bucket, by the way that all outputs take: in parts, several at a time, with checksums.
//!
//! ```sh
//! cargo run --release --example upload -- FILE s3://BUCKET/PREFIX NAME
//! ```

use etl::storage::{Appear, Location, Storage, Uploads};
use etl::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody hearing it is no reason to fail otherwise.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [file, place, name] = arguments else {
        return Err(Error::new(ErrorKind::Usage, "give a file, s3://BUCKET/PREFIX, and the object's name"));
    };
    let storage = Storage::open(Location::parse(place)?)?;
    let uploads = Uploads::new(storage, Appear::WhenWritten, Arc::new(AtomicBool::new(false)));
    let mut upload = uploads.begin(name);
    let file = File::open(file).map_err(|e| Error::input(file, e))?;
    io::copy(&mut BufReader::with_capacity(1 << 20, file), &mut upload).map_err(|e| Error::output(name, e))?;
    upload.finish().map_err(|e| Error::output(name, e))?;
    // Whatever is there is replaced.
    uploads.commit(|_| true)
}
