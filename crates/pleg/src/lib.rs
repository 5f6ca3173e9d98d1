//! Pod lifecycle events: what changed in the runtime since the last look
