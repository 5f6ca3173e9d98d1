//! Code under test may panic; the check goes on.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};

/// A panic: its text, and where it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) at: String,
}

thread_local! {
    /// `Some` while code under test runs on this thread. The hook fills it: only the hook knows where the panic was.
    static RUNNING: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Panics of code under test are noted instead of printed. Once a process.
pub(crate) fn note_panics() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // A panic while this is borrowed cannot be noted; it is printed, like one of another thread.
        let noted = RUNNING.try_with(|running| match running.try_borrow_mut().as_deref_mut() {
            Ok(Some(panic)) => {
                panic.message = info.payload_as_str().unwrap_or("a panic without a text").to_owned();
                panic.at = info.location().map(ToString::to_string).unwrap_or_default();
                true
            }
            _ => false,
        });
        if noted != Ok(true) {
            print(info);
        }
    }));
}

/// Runs code under test.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Result<T, Panic> {
    RUNNING.set(Some(Panic::default()));
    // Nothing that the code may have left half-done is looked at after a panic.
    let done = panic::catch_unwind(AssertUnwindSafe(code));
    let noted = RUNNING.take().unwrap_or_default();
    done.map_err(|payload| if noted == Panic::default() { unnoted(payload.as_ref()) } else { noted })
}

/// A panic that the hook did not see: the code under test has put one of its own in its place.
fn unnoted(payload: &(dyn Any + Send)) -> Panic {
    let text =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    Panic { message: text.unwrap_or("a panic without a text").to_owned(), at: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_noted_with_its_place_and_the_next_one_starts_afresh() {
        note_panics();
        let panicked = caught(|| panic!("container {} has no id", "app")).unwrap_err();
        assert_eq!(panicked.message, "container app has no id");
        assert!(panicked.at.contains("caught.rs:"), "{}", panicked.at);
        // A panic that the code under test catches itself leaves no trace.
        let swallowed = caught(|| panic::catch_unwind(|| panic!("inner")).is_err());
        assert_eq!(swallowed, Ok(true));
        assert_eq!(caught(|| 1), Ok(1));
        // Whoever sets a hook of their own hides the place, and not the panic.
        let hidden = caught(|| panic::resume_unwind(Box::new("out of sight".to_owned())));
        assert_eq!(hidden, Err::<(), _>(Panic { message: "out of sight".to_owned(), at: String::new() }));
    }
}
