//! The format of container logs on disk, as `kubectl logs` and every log collector of a node read it.
//!
//! ```text
//! 2016-10-06T00:17:09.669794202Z stdout P a piece of a line that is longer than 16 KiB, or has no end
//! 2016-10-06T00:17:09.669794203Z stderr F a full line
//! ```
//!
//! Mirrors the writing side of what `pkg/kubelet/kuberuntime/logs` reads; the limit and the rule for an unfinished last
//! line are containerd's.

use jiff::Timestamp;

/// The longest piece of a line in one record, in bytes (containerd's `max_container_log_line_size`).
pub(crate) const MAX_LINE: usize = 16 * 1024;

/// Cuts one stream of output into records.
#[derive(Debug)]
pub(crate) struct LogEncoder {
    stream: &'static str,
    /// The line that has begun and not ended; at most [`MAX_LINE`] bytes.
    line: Vec<u8>,
}

impl LogEncoder {
    /// For `stdout` or `stderr`.
    pub fn new(stream: &'static str) -> Self {
        Self { stream, line: Vec::new() }
    }

    /// Takes output that arrived `now` and appends the records that it completes to `log`.
    pub fn feed(&mut self, output: &[u8], now: Timestamp, log: &mut Vec<u8>) {
        for piece in output.split_inclusive(|byte| *byte == b'\n') {
            let (mut text, ended) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            // A line of exactly the limit is still a full one: only what exceeds it makes a part of it.
            while self.line.len() + text.len() > MAX_LINE {
                let (fits, rest) = text.split_at(MAX_LINE - self.line.len());
                self.line.extend_from_slice(fits);
                self.record("P", now, log);
                text = rest;
            }
            self.line.extend_from_slice(text);
            if ended {
                self.record("F", now, log);
            }
        }
    }

    /// The stream has ended: what is left is a line without an end.
    pub fn finish(&mut self, now: Timestamp, log: &mut Vec<u8>) {
        if !self.line.is_empty() {
            self.record("P", now, log);
        }
    }

    fn record(&mut self, tag: &str, now: Timestamp, log: &mut Vec<u8>) {
        let time = now.strftime("%Y-%m-%dT%H:%M:%S.%9fZ");
        log.extend_from_slice(format!("{time} {} {tag} ", self.stream).as_bytes());
        log.append(&mut self.line);
        log.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records that these pieces of output make, without their times.
    fn records(pieces: &[&[u8]]) -> Vec<String> {
        let now = "2016-10-06T00:17:09.669794202Z".parse().expect("a time");
        let (mut encoder, mut log) = (LogEncoder::new("stdout"), Vec::new());
        for piece in pieces {
            encoder.feed(piece, now, &mut log);
        }
        encoder.finish(now, &mut log);
        let log = String::from_utf8(log).expect("text");
        log.lines()
            .map(|l| l.strip_prefix("2016-10-06T00:17:09.669794202Z stdout ").expect("the prefix").to_owned())
            .collect()
    }

    #[test]
    fn lines_become_records_however_the_output_was_cut() {
        for pieces in
            [vec!["one\n\ntwo\n"], vec!["on", "e\n", "\nt", "wo", "\n"], vec!["one\n\n", "", "two\n"]]
        {
            let bytes: Vec<&[u8]> = pieces.iter().map(|p| p.as_bytes()).collect();
            assert_eq!(records(&bytes), ["F one", "F ", "F two"], "{pieces:?}");
        }
    }

    #[test]
    fn a_last_line_without_an_end_is_partial() {
        assert_eq!(records(&[b"whole\nhalf"]), ["F whole", "P half"]);
    }

    #[test]
    fn a_long_line_is_cut_at_16_kib_and_only_when_it_is_longer() {
        let at_limit = [vec![b'x'; MAX_LINE], b"\n".to_vec()].concat();
        assert_eq!(records(&[&at_limit]), [format!("F {}", "x".repeat(MAX_LINE))]);
        let long = [vec![b'x'; 2 * MAX_LINE + 3], b"\n".to_vec()].concat();
        let expected = [
            format!("P {}", "x".repeat(MAX_LINE)),
            format!("P {}", "x".repeat(MAX_LINE)),
            "F xxx".to_owned(),
        ];
        assert_eq!(records(&[&long]), expected);
        assert_eq!(records(&long.chunks(1000).collect::<Vec<_>>()), expected);
    }
}
