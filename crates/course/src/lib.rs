//! What the course is made of, as data: labs and their regions, the map to the Go source, anchors.
