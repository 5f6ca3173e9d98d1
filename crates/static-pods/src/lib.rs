//! Watches the manifest directory and turns its files into pods
