//! A CRI v1 server whose containers are plain processes; it needs no root
