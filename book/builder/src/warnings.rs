//! What mdBook says in its log while it works. It goes on after most things that are wrong with a page.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Runs `work` and returns, beside its result, all warnings and errors that were logged on the way.
pub fn heard<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::registry().with(Ear(Arc::clone(&said)));
    let done = tracing::subscriber::with_default(subscriber, work);
    let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
    (done, said)
}

struct Ear(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= Level::WARN {
            let mut message = Message::default();
            event.record(&mut message);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.0);
        }
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_heard_and_nothing_else() {
        let (done, said) = heard(|| {
            tracing::info!("all is well");
            tracing::warn!("page {} is odd", 7);
            tracing::error!("worse");
            42
        });
        assert_eq!((done, said), (42, vec!["page 7 is odd".to_owned(), "worse".to_owned()]));
    }
}
