//! What is done meanwhile, for who asked to hear of it (`-v`): each request to a store or a service, and each step of a run. Nobody else pays for
//! more than a look at a flag.

use std::sync::OnceLock;
use std::time::Instant;

/// Who hears of it.
static LISTENER: OnceLock<fn(&str)> = OnceLock::new();

/// Tells `listener` from now on; the first one stays.
pub fn listen(listener: fn(&str)) {
    let _ = LISTENER.set(listener);
}

/// Whether anybody listens.
pub fn is_on() -> bool {
    LISTENER.get().is_some()
}

/// Tells what `what` says, where somebody listens. Secrets and what a terminal would obey are the listener's concern.
pub fn tell(what: impl FnOnce() -> String) {
    if let Some(listener) = LISTENER.get() {
        listener(&what());
    }
}

/// Something that takes time, told when it is done.
#[derive(Debug)]
pub struct Span(Option<Instant>);

impl Span {
    /// It begins.
    pub fn begin() -> Span {
        Span(is_on().then(Instant::now))
    }

    /// It is done: tells what `what` says, with how long it took.
    pub fn done(&self, what: impl FnOnce() -> String) {
        if let Some(begun) = self.0 {
            tell(|| format!("{} in {:.1} ms", what(), begun.elapsed().as_secs_f64() * 1000.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_where_nobody_listens() {
        tell(|| panic!("nobody listens"));
        Span::begin().done(|| panic!("nobody listens"));
    }
}
