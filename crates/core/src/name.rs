//! Names that people give: permissions, keys, titles. One place says what each may look like, so that every door
//! refuses the same things with the same words.

/// Why a text was refused, as a sentence about "it" that a door can put behind a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub &'static str);

/// Longest name of a permission, in bytes.
pub const PERMISSION_MAX_BYTES: usize = 100;
/// Longest title or name for people, in characters.
pub const TITLE_MAX_CHARS: usize = 100;
/// Longest key of a context, in characters.
pub const CONTEXT_KEY_MAX_CHARS: usize = 200;

/// A permission's name: letters, digits, `.`, `_`, `-` and `:` (DESIGN §1, scope grammar).
pub fn check_permission(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.len() > PERMISSION_MAX_BYTES {
        return Err(NameError("a permission's name has 1 to 100 characters"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte)) {
        return Err(NameError("a permission's name has only letters, digits, '.', '_', '-' and ':'"));
    }
    Ok(())
}

/// A key for organizations, APIs, roles and teams: what goes into URLs.
pub fn check_key(key: &str) -> Result<(), NameError> {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if key.is_empty() || key.len() > 60 {
        return Err(NameError("a key has 1 to 60 characters"));
    }
    if !key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
        || !edge(key.bytes().next())
        || !edge(key.bytes().last())
    {
        return Err(NameError(
            "a key has lower-case letters, digits, '.', '_' and '-', and begins and ends with a letter or digit",
        ));
    }
    if let Some((prefix, rest)) = key.split_once('_')
        && prefix.len() == 3
        && crate::base32::decode(rest).is_some()
    {
        return Err(NameError("a key does not look like an id"));
    }
    Ok(())
}

/// The class of an endpoint: `search`, `write.bulk`. Written like a key.
pub fn check_class(class: &str) -> Result<(), NameError> {
    check_key(class).map_err(|_| {
        NameError(
            "a class has 1 to 60 lower-case letters, digits, '.', '_' and '-', and begins and ends with a letter or digit",
        )
    })
}

/// The name of a context type: `project`, `channel`, or one that a catalogue declares.
pub fn check_context_type(name: &str) -> Result<(), NameError> {
    if name == "global" {
        return Err(NameError("'global' is the organization itself and cannot be a context type"));
    }
    let first_is_letter = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !first_is_letter
        || name.len() > 40
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    {
        return Err(NameError("a context type has 1 to 40 letters, digits, '_' and '-', and begins with a letter"));
    }
    Ok(())
}

/// A context's key, as people know the place: `MY-APP`, `octo/hello`.
pub fn check_context_key(key: &str) -> Result<(), NameError> {
    // Asked on the way of every check, and mostly of visible ASCII, which has nothing to refuse.
    let visible = key.bytes().fold(true, |visible, byte| visible & byte.is_ascii_graphic());
    if visible && (1..=CONTEXT_KEY_MAX_CHARS).contains(&key.len()) {
        return Ok(());
    }
    if key.is_empty() || key.chars().count() > CONTEXT_KEY_MAX_CHARS {
        return Err(NameError("a context's key has 1 to 200 characters"));
    }
    if key.chars().any(char::is_control) || key.trim() != key {
        return Err(NameError("a context's key has no control characters and no space at its ends"));
    }
    Ok(())
}

/// A name or title for people.
pub fn check_title(title: &str) -> Result<(), NameError> {
    if title.trim().is_empty() || title.chars().count() > TITLE_MAX_CHARS {
        return Err(NameError("a name has 1 to 100 characters"));
    }
    if title.chars().any(char::is_control) || title.trim() != title {
        return Err(NameError("a name has no control characters and no space at its ends"));
    }
    Ok(())
}

/// A reason or comment: free text that people read.
pub fn check_reason(reason: &str) -> Result<(), NameError> {
    if reason.chars().count() > 1000 {
        return Err(NameError("a reason has at most 1,000 characters"));
    }
    if reason.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err(NameError("a reason has no control characters but line ends"));
    }
    Ok(())
}

/// An e-mail address, as far as it can be judged without sending mail.
pub fn check_email(email: &str) -> Result<(), NameError> {
    let wrong = NameError("an e-mail address looks like name@example.com");
    let (local, domain) = email.rsplit_once('@').ok_or(wrong)?;
    let printable = email.chars().all(|letter| !letter.is_control() && !letter.is_whitespace());
    if local.is_empty() || email.len() > 254 || !printable || !domain.contains('.') || domain.starts_with('.') {
        return Err(wrong);
    }
    if domain.ends_with('.') || local.contains('@') {
        return Err(wrong);
    }
    Ok(())
}

/// Letters as they are compared where case does not matter.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// The same, without a copy where the text is folded already, as most are.
pub fn folded(text: &str) -> std::borrow::Cow<'_, str> {
    let is_folded = text.bytes().fold(true, |folded, byte| folded & byte.is_ascii() & !byte.is_ascii_uppercase());
    if is_folded { text.into() } else { fold(text).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_of_the_real_catalogues_pass() {
        for name in ["read:post", "Project.Issues.Create", "issues:write", "read:events:admin", "Rd.Warmup.View"] {
            assert_eq!(check_permission(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for name in ["", "a b", "a/b", "読む", &"x".repeat(101)] {
            assert!(check_permission(name).is_err(), "{name}");
        }
        for key in ["", "-a", "a-", "A", "a/b", "a b"] {
            assert!(check_key(key).is_err(), "{key}");
        }
        for name in ["global", "9p", "a:b", ""] {
            assert!(check_context_type(name).is_err(), "{name}");
        }
        for email in ["a", "a@b", "@b.c", "a b@c.d", "a@.c", "a@c.", "a@b@c.d"] {
            assert!(check_email(email).is_err(), "{email}");
        }
    }
}
