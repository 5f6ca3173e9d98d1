//! Node-level measurements of the assembled agent.
