//! Container logs as a runtime writes them, and the lines that the container wrote.
//!
//! ```text
//! 2016-10-06T00:17:09.669794202Z stdout P a piece of a line that is too long for one record,
//! 2016-10-06T00:17:09.669794203Z stdout F and its end
//! ```
//!
//! Mirrors `cri-client/pkg/logs/logs.go: parseCRILog`, without the JSON format of Docker's days.

use jiff::Timestamp;

/// Where the container wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// One line of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// As it stands in the file.
    pub time: &'a str,
    /// Where the text was written to.
    pub stream: Stream,
    /// The line goes on in the next record of the same stream.
    pub partial: bool,
    /// The text, without a line end. Containers write bytes, not always UTF-8.
    pub text: &'a [u8],
}

/// What makes a line of the file no record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// It does not begin with a time.
    #[error("it does not begin with an RFC 3339 time")]
    Time,
    /// It has no stream, or one of another name.
    #[error("its second word is neither stdout nor stderr")]
    Stream,
    /// It ends before the text begins.
    #[error("it has no tag")]
    Tag,
}

/// Reads one line of the file, with or without its line end.
///
/// # Errors
/// When it is not in the format.
pub fn parse(line: &[u8]) -> Result<Record<'_>, BadRecord> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let mut word = || words.next().unwrap_or_default();
    let time = std::str::from_utf8(word()).map_err(|_| BadRecord::Time)?;
    time.parse::<Timestamp>().map_err(|_| BadRecord::Time)?;
    let stream = match word() {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return Err(BadRecord::Stream),
    };
    let (tags, Some(text)) = (word(), words.next()) else { return Err(BadRecord::Tag) };
    // Later formats may add tags after a colon; the first one stays what it is.
    let partial = tags.split(|byte| *byte == b':').next() == Some(b"P");
    Ok(Record { time, stream, partial, text })
}

/// A line that the container wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// When its first piece was written, as it stands in the file.
    pub time: String,
    /// Where it was written to.
    pub stream: Stream,
    /// The whole text, with its line end unless the container ended before it.
    pub text: Vec<u8>,
}

/// Puts the pieces of long lines together again, each stream for itself.
#[derive(Debug, Default)]
pub struct Joiner {
    begun: Vec<Line>,
}

impl Joiner {
    /// Takes the next record of the file; the line that it completes.
    pub fn feed(&mut self, record: &Record<'_>) -> Option<Line> {
        let place = self.begun.iter().position(|line| line.stream == record.stream);
        let mut line = match place {
            Some(place) => self.begun.swap_remove(place),
            None => Line { time: record.time.to_owned(), stream: record.stream, text: Vec::new() },
        };
        line.text.extend_from_slice(record.text);
        if record.partial {
            self.begun.push(line);
            return None;
        }
        line.text.push(b'\n');
        Some(line)
    }

    /// The log has ended: what was begun has no end.
    pub fn finish(self) -> Vec<Line> {
        self.begun
    }
}

/// A record's time with nine digits of a second, so that times stand below each other: runtimes drop trailing zeros.
pub fn fixed_width(time: &str) -> String {
    let clock = time.find('T').unwrap_or(0);
    let zone = time[clock..].find(['Z', '+', '-']).map_or(time.len(), |at| clock + at);
    let (moment, zone) = time.split_at(zone);
    let (seconds, fraction) = moment.split_once('.').unwrap_or((moment, ""));
    format!("{seconds}.{fraction:0<9}{zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2016-10-06T00:17:09.669794202Z";

    #[test]
    fn a_record_is_time_stream_tag_and_all_the_rest() {
        let line = format!("{TIME} stderr F  two  spaces \n");
        let record = parse(line.as_bytes()).expect("a record");
        assert_eq!(
            record,
            Record { time: TIME, stream: Stream::Stderr, partial: false, text: b" two  spaces " }
        );
        for (rest, partial, text) in [
            ("stdout F ", false, ""),
            ("stdout P x", true, "x"),
            ("stdout P:NEW x", true, "x"),
            ("stdout X y", false, "y"),
        ] {
            let line = format!("{TIME} {rest}");
            let record = parse(line.as_bytes()).expect(rest);
            assert_eq!((record.partial, record.text), (partial, text.as_bytes()), "{rest}");
        }
        parse(b"2016-10-06T02:17:09.66+02:00 stdout F not \xff UTF-8").expect("local time, any bytes");
    }

    #[test]
    fn what_is_no_record_says_why() {
        for (line, why) in [
            ("", BadRecord::Time),
            ("hello world", BadRecord::Time),
            ("2016-10-06 stdout F x", BadRecord::Time),
            (r#"{"log":"x","stream":"stdout"}"#, BadRecord::Time),
            ("2016-10-06T00:17:09Z", BadRecord::Stream),
            ("2016-10-06T00:17:09Z stdin F x", BadRecord::Stream),
            ("2016-10-06T00:17:09Z stdout", BadRecord::Tag),
            ("2016-10-06T00:17:09Z stdout F", BadRecord::Tag),
        ] {
            assert_eq!(parse(line.as_bytes()), Err(why), "{line:?}");
        }
    }

    #[test]
    fn pieces_become_one_line_even_where_the_streams_alternate() {
        let mut joiner = Joiner::default();
        let mut fed = |second: u8, rest: &str| {
            let line = format!("2016-10-06T00:17:0{second}Z {rest}");
            let record = parse(line.as_bytes()).expect(rest);
            joiner.feed(&record).map(|l| (l.time, String::from_utf8(l.text).expect("text")))
        };
        let said = |second: u8, text: &str| Some((format!("2016-10-06T00:17:0{second}Z"), text.to_owned()));
        assert_eq!(fed(1, "stdout P one "), None);
        assert_eq!(fed(2, "stderr F other"), said(2, "other\n"));
        assert_eq!(fed(3, "stdout P two "), None);
        assert_eq!(fed(4, "stdout F three"), said(1, "one two three\n"));
        assert_eq!(fed(5, "stdout F "), said(5, "\n"));
        assert_eq!(fed(6, "stderr P no end"), None);
        let rest = joiner.finish();
        assert_eq!(rest.len(), 1);
        assert_eq!((rest[0].stream, rest[0].text.as_slice()), (Stream::Stderr, &b"no end"[..]));
    }

    #[test]
    fn times_are_shown_with_nine_digits() {
        for (given, shown) in [
            (TIME, TIME),
            ("2016-10-06T00:17:09.5Z", "2016-10-06T00:17:09.500000000Z"),
            ("2016-10-06T00:17:09Z", "2016-10-06T00:17:09.000000000Z"),
            ("2016-10-06T00:17:09.66-07:00", "2016-10-06T00:17:09.660000000-07:00"),
        ] {
            assert_eq!(fixed_width(given), shown);
        }
    }
}
