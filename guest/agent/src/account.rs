//! Users and groups from the container's own /etc/passwd and /etc/group, with bounds.

use crate::message::StartFailure;
use std::fs::File;
use std::io::Read;
use std::path::Path;

const MAX_FILE: u64 = 4 * 1024 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub home: String,
}

/// Resolves `user[:group]` and further groups, by name or number, as Docker does.
pub fn resolve(root: &Path, user: &str, extra: &[String]) -> Result<Account, StartFailure> {
    let passwd = read(&root.join("etc/passwd"));
    let group = read(&root.join("etc/group"));
    resolve_in(&passwd, &group, user, extra)
}

fn resolve_in(passwd: &str, group: &str, user: &str, extra: &[String]) -> Result<Account, StartFailure> {
    let (name, group_name) = match user.split_once(':') {
        Some((name, group_name)) => (name, Some(group_name).filter(|text| !text.is_empty())),
        None => (user, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let entry = passwd_entries(passwd).find(|entry| entry.name == name || number(name) == Some(entry.uid));
    let (uid, gid, home, login) = match (entry, number(name)) {
        (Some(entry), _) => (entry.uid, entry.gid, entry.home.to_owned(), Some(entry.name.to_owned())),
        (None, Some(uid)) => (uid, 0, "/".to_owned(), None),
        (None, None) => return Err(missing("user", name, "passwd")),
    };
    let gid = match group_name {
        Some(group_name) => group_number(group, group_name)?,
        None => gid,
    };
    let mut groups = vec![gid];
    // A group given by the caller stands instead of those the user is a member of.
    if let (None, Some(login)) = (group_name, &login) {
        groups.extend(
            group_entries(group)
                .filter(|entry| entry.members.split(',').any(|member| member == login))
                .map(|entry| entry.gid),
        );
    }
    for wanted in extra {
        groups.push(group_number(group, wanted)?);
    }
    groups.dedup();
    Ok(Account { uid, gid, groups, home: if home.is_empty() { "/".to_owned() } else { home } })
}

fn group_number(group: &str, wanted: &str) -> Result<u32, StartFailure> {
    let entry = group_entries(group).find(|entry| entry.name == wanted);
    entry.map(|entry| entry.gid).or_else(|| number(wanted)).ok_or_else(|| missing("group", wanted, "group"))
}

fn missing(what: &str, name: &str, file: &str) -> StartFailure {
    StartFailure::new("user-not-found", format!("unable to find {what} {name}: no matching entries in {file} file"))
}

/// Docker's bound: an id is a 31-bit number.
fn number(text: &str) -> Option<u32> {
    text.parse::<u32>().ok().filter(|value| *value <= i32::MAX as u32)
}

struct PasswdEntry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

fn passwd_entries(text: &str) -> impl Iterator<Item = PasswdEntry<'_>> {
    text.lines().filter_map(|line| {
        let mut parts = line.trim().split(':');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let uid = number(parts.nth(1)?)?;
        let gid = number(parts.next()?)?;
        Some(PasswdEntry { name, uid, gid, home: parts.nth(1).unwrap_or("") })
    })
}

struct GroupEntry<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

fn group_entries(text: &str) -> impl Iterator<Item = GroupEntry<'_>> {
    text.lines().filter_map(|line| {
        let mut parts = line.trim().split(':');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let gid = number(parts.nth(1)?)?;
        Some(GroupEntry { name, gid, members: parts.next().unwrap_or("") })
    })
}

/// The file's text, as far as the bound; empty when it cannot be read.
fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    // A hostile image may put a device or a fifo there.
    if path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        if let Ok(file) = File::open(path) {
            let _ = file.take(MAX_FILE).read_to_end(&mut bytes);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1001:App:/home/app:/bin/sh\nnohome:x:5:5:::\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,app\napps:x:1001:\nvideo:x:44:app\n";

    fn account(user: &str, extra: &[&str]) -> Result<Account, StartFailure> {
        let extra: Vec<String> = extra.iter().map(|text| (*text).to_owned()).collect();
        resolve_in(PASSWD, GROUP, user, &extra)
    }

    #[test]
    fn finds_users_by_name_and_number_with_their_groups() {
        let expected = Account { uid: 1000, gid: 1001, groups: vec![1001, 10, 44], home: "/home/app".into() };
        assert_eq!(account("app", &[]).unwrap(), expected);
        assert_eq!(account("1000", &[]).unwrap(), expected);
        assert_eq!(account("", &[]).unwrap().home, "/root");
    }

    #[test]
    fn a_given_group_stands_instead_of_memberships() {
        let expected = Account { uid: 1000, gid: 44, groups: vec![44, 10, 7], home: "/home/app".into() };
        assert_eq!(account("app:video", &["wheel", "7"]).unwrap(), expected);
        assert_eq!(account("app:12", &[]).unwrap().gid, 12);
    }

    #[test]
    fn numbers_need_no_entry_and_names_do() {
        assert_eq!(account("77", &[]).unwrap(), Account { uid: 77, gid: 0, groups: vec![0], home: "/".into() });
        assert_eq!(
            account("ghost", &[]).unwrap_err().message,
            "unable to find user ghost: no matching entries in passwd file"
        );
        assert_eq!(account("app:ghost", &[]).unwrap_err().kind, "user-not-found");
        assert_eq!(account("4294967295", &[]).unwrap_err().kind, "user-not-found");
        assert_eq!(account("nohome", &[]).unwrap().home, "/");
    }
}
