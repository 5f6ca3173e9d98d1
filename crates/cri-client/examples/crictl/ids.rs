//! Ids as people read and type them: cut short on the screen, and given by their beginning.

/// How much of an id a table shows: enough that two on one node practically never agree.
const SHOWN: usize = 13;

/// Why a beginning does not name one object.
#[derive(Debug, PartialEq, Eq)]
pub enum NotOne {
    /// No id begins so.
    Nobody,
    /// These ids all begin so.
    Several(Vec<String>),
}

/// An id as a table shows it. Of an image's id or digest the algorithm is left away: it is always the same.
pub fn shown(id: &str, whole: bool) -> String {
    if whole {
        return id.to_owned();
    }
    id.strip_prefix("sha256:").unwrap_or(id).chars().take(SHOWN).collect()
}

/// The one id that begins with `start`. A whole id is found even where it is the beginning of another.
///
/// Runtimes look up beginnings by themselves, each in its own way; done here it is the same with all of them.
///
/// # Errors
/// When none begins so, or more than one.
pub fn find<'a>(start: &str, ids: impl IntoIterator<Item = &'a str>) -> Result<&'a str, NotOne> {
    let found: Vec<&str> = ids.into_iter().filter(|id| id.starts_with(start)).collect();
    match found[..] {
        [] => Err(NotOne::Nobody),
        [one] => Ok(one),
        _ => match found.iter().find(|id| **id == start) {
            Some(whole) => Ok(whole),
            None => Err(NotOne::Several(found.into_iter().map(str::to_owned).collect())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_by_a_beginning_that_only_it_has() {
        let ids = ["3f2a", "3f2b", "3f2", "9c"];
        assert_eq!(find("9", ids), Ok("9c"));
        assert_eq!(find("3f2a", ids), Ok("3f2a"));
        assert_eq!(find("3f2", ids), Ok("3f2"), "a whole id wins");
        assert_eq!(find("f2", ids), Err(NotOne::Nobody), "the middle of an id is no beginning");
        assert_eq!(find("3f", ids), Err(NotOne::Several(vec!["3f2a".into(), "3f2b".into(), "3f2".into()])));
    }

    #[test]
    fn ids_are_cut_to_thirteen_characters_without_their_algorithm() {
        assert_eq!(
            shown("sha256:8c811b4aec35f259572d0f79207bc0678df4c736eeec50bc9fec37ed936a472a", false),
            "8c811b4aec35f"
        );
        assert_eq!(shown("f84dd361f8dc51518ed2", false), "f84dd361f8dc5");
        assert_eq!(shown("short", false), "short");
        assert_eq!(shown("sha256:8c81", true), "sha256:8c81");
    }
}
