//! What the course is made of, as data: labs and their regions, the map to the Go source, anchors.

pub mod anchor;
pub mod folder;
pub mod lab;
pub mod layout;
pub mod lock;
pub mod map;
pub mod package;
pub mod readme;
pub mod region;
pub mod timeline;
pub mod variants;
