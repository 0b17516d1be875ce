//! One's own inbox. It holds what several organizations tell a person, so that only the person signed in reads it: a token may
//! belong to one of them.

pub mod look;
pub mod mark;
pub mod preferences;
pub mod view;

use crate::db;
use crate::db::notices::Stored;
use crate::notices::Language;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use tegata_core::ids::NoticeId;
use tegata_core::problem::{Code, Problem};

/// The language to answer in: what was asked for, what the person prefers, what the program accepts.
async fn language<T: Reading>(act: &mut Act<'_, T>, asked: Option<&str>) -> Result<Language, Problem> {
    if let Some(tag) = asked {
        return tag.parse().map_err(|error| {
            let message = format!("lang: {error}");
            Problem::new(Code::InvalidParameter, message.clone()).with("lang", message)
        });
    }
    let user = act.actor.user.id;
    let preferred = db::notices::preferences(act.tx(), user).await.map_err(internal)?.language;
    let accepted = || act.meta.accept_language.as_deref().and_then(Language::accepted);
    Ok(preferred.or_else(accepted).unwrap_or_default())
}

/// One of one's own notices.
async fn own<T: Reading>(act: &mut Act<'_, T>, id: NoticeId) -> Result<Stored, Problem> {
    let user = act.actor.user.id;
    let found = db::notices::get(act.tx(), user, id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("notice"))
}
