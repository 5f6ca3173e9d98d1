//! `console` as a person meets it: a page that does what it shows, one that does not, and its repair.

use std::path::Path;
use std::process::Command;

struct Said {
    text: String,
    success: bool,
}

fn console(arguments: &[&str], pages: &[&Path]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.arg("console").args(arguments).args(pages).output().expect("it runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Said { text, success: output.status.success() }
}

#[test]
fn a_page_is_run_found_wrong_repaired_and_right() {
    let dir = tempfile::tempdir().expect("a directory");
    let page = dir.path().join("page.md");
    let text = "# A page\n\n\
                ```console,terminal=server\n$ echo \"serving (pid $$)\"; trap 'echo bye; exit' TERM; sleep 99 & wait\n\
                serving (pid 100)\n```\n\n\
                ```console\n$ kill -TERM 100\n$ echo one; echo two; echo three\none\n…\nfour\n```\n\n\
                ```console,terminal=server\nbye\n```\n";
    std::fs::write(&page, text).expect("written");

    let wrong = console(&[], &[&page]);
    assert!(!wrong.success, "{}", wrong.text);
    for part in [
        ":10 $ echo one; echo two; echo three",
        "- four",
        "+ three",
        "page.md:16 not run: a block before it failed",
    ] {
        assert!(wrong.text.contains(part), "{part} in:\n{}", wrong.text);
    }
    assert_eq!(std::fs::read_to_string(&page).expect("read"), text, "it is only read");

    let updated = console(&["--update"], &[&page]);
    assert!(!updated.success && updated.text.contains("rewritten"), "{}", updated.text);
    let repaired = std::fs::read_to_string(&page).expect("read");
    assert!(repaired.contains("$ echo one; echo two; echo three\none\ntwo\nthree\n```"), "{repaired}");
    assert!(!repaired.contains("100"), "the pid of that run stands in both blocks:\n{repaired}");

    let right = console(&[], &[&page]);
    assert!(right.success, "{}", right.text);
    let again = console(&["--update"], &[&page]);
    assert!(again.success, "{}", again.text);
    assert_eq!(std::fs::read_to_string(&page).expect("read"), repaired, "a page that is right is left alone");
}

#[test]
fn a_mistake_in_a_page_is_said_with_its_place_and_nothing_is_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let (page, mark) = (dir.path().join("page.md"), dir.path().join("mark"));
    let text = format!("```console\n$ touch {}\n```\n\n```console,norun\n$ reboot\n```\n", mark.display());
    std::fs::write(&page, text).expect("written");
    let said = console(&[], &[&page]);
    assert!(!said.success && said.text.contains("page.md:5: a norun block needs"), "{}", said.text);
    assert!(!mark.exists());
}

#[test]
fn every_block_of_our_own_pages_can_be_read() {
    let listed = console(&["--list"], &[]);
    assert!(listed.success, "{}", listed.text);
}
