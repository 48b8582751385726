//! Small things that several forms share.

/// The lines with something in them, without what surrounds it.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
}

/// A number at the begin of a text, and what follows it.
pub(super) fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    Some((number, &text[digits..]))
}

/// `12:34:56.789` at the begin of a text in seconds of the day, and what follows it.
pub(super) fn time_of_day(text: &[u8]) -> Option<(f64, &[u8])> {
    let (hours, rest) = number(text)?;
    let (minutes, rest) = number(rest.strip_prefix(b":")?)?;
    let (seconds, rest) = decimal(rest.strip_prefix(b":")?)?;
    let is_time = hours < 24 && minutes < 60 && seconds < 61.0;
    is_time.then_some((hours as f64 * 3600.0 + minutes as f64 * 60.0 + seconds, rest))
}

/// A number with or without a fraction.
pub(super) fn decimal(text: &[u8]) -> Option<(f64, &[u8])> {
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    let number = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    Some((number, &text[length..]))
}

/// Paths of one image: without `/` they begin at its root.
pub(super) fn from_root(path: &[u8]) -> Vec<u8> {
    let mut rooted = path.to_vec();
    if !path.starts_with(b"/") {
        rooted.insert(0, b'/');
    }
    rooted
}

/// Times since the first one; a clock that jumps back, as at midnight, tells nothing more.
#[derive(Default)]
pub(super) struct Clock {
    begin: Option<f64>,
}

impl Clock {
    /// Seconds since the first time that was given.
    pub(super) fn since_begin(&mut self, time: Option<f64>) -> Option<f64> {
        let time = time?;
        let begin = *self.begin.get_or_insert(time);
        (time >= begin).then_some(time - begin)
    }
}

/// What serde_json says, without its place: it saw one line only.
pub(super) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}
