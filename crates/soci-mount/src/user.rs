//! Who a container runs as: names of `/etc/passwd` and `/etc/group` in the image.

/// Numbers of a user and its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The groups that `/etc/group` lists the user in.
    pub groups: Vec<u32>,
}

/// What an image's `User` means: `name`, `uid`, either with `:group` or `:gid`, or nothing for root.
///
/// # Errors
/// The name that neither file has.
pub fn user(wanted: &str, passwd: &str, group: &str) -> Result<User, String> {
    let (name, group_name) = match wanted.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (wanted, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let lines = || {
        passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let login = fields.next()?;
            let uid: u32 = fields.nth(1)?.parse().ok()?;
            let gid: u32 = fields.next()?.parse().ok()?;
            Some((login, uid, gid))
        })
    };
    let number = name.parse::<u32>().ok();
    let known = match number {
        Some(number) => lines().find(|(_, uid, _)| *uid == number),
        None => lines().find(|(login, ..)| *login == name),
    };
    let (login, uid, gid) = match (known, number) {
        (Some(known), _) => known,
        (None, Some(number)) => ("", number, 0),
        (None, None) => return Err(format!("the user {name:?} is not in the image's /etc/passwd")),
    };
    let listed = || {
        group.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let gid: u32 = fields.nth(1)?.parse().ok()?;
            Some((name, gid, fields.next().unwrap_or("")))
        })
    };
    let gid = match group_name.map(|group| (group, group.parse::<u32>())) {
        None => gid,
        Some((_, Ok(number))) => number,
        Some((group, Err(_))) => listed()
            .find(|(name, ..)| *name == group)
            .map(|(_, gid, _)| gid)
            .ok_or_else(|| format!("the group {group:?} is not in the image's /etc/group"))?,
    };
    let member = |members: &str| !login.is_empty() && members.split(',').any(|member| member == login);
    let mut groups: Vec<u32> = listed()
        .filter(|(_, other, members)| *other != gid && member(members))
        .map(|(_, gid, _)| gid)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    Ok(User { uid, gid, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1001::/home/app:/bin/sh\n";
    const GROUP: &str = "root:x:0:\napp:x:1001:\nvideo:x:44:app,other\naudio:x:29:other,app\n";

    #[test]
    fn names_and_numbers_mean_what_the_image_says() {
        for (wanted, uid, gid, groups) in [
            ("", 0, 0, &[][..]),
            ("root", 0, 0, &[]),
            ("app", 1000, 1001, &[29, 44]),
            ("1000", 1000, 1001, &[29, 44]),
            ("app:video", 1000, 44, &[29]),
            ("1234", 1234, 0, &[]),
            ("1234:5678", 1234, 5678, &[]),
            (":44", 0, 44, &[]),
        ] {
            let groups = groups.to_vec();
            assert_eq!(
                user(wanted, PASSWD, GROUP),
                Ok(User { uid, gid, groups }),
                "{wanted}"
            );
        }
    }

    #[test]
    fn who_is_nowhere_is_named() {
        assert!(user("nobody", PASSWD, GROUP).is_err_and(|error| error.contains("\"nobody\"")));
        assert!(user("app:nogroup", PASSWD, GROUP).is_err_and(|error| error.contains("\"nogroup\"")));
        assert!(user("app", "", "").is_err());
    }
}
