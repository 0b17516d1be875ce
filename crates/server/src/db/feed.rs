//! The change feed: what has changed, in commit order. The number of an entry is that of its transaction; within one,
//! `ordinal` counts.

use super::{DbError, Tx, WriteTx, parsed_option};
use tegata_core::ids::OrgId;

/// What kind of thing an entry is about; its `subject` is the id of the thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A token or key: its state, its parts, its grants or its secrets.
    Token,
    /// A sign-in session.
    Session,
    /// A verifier.
    Verifier,
    /// A user's account.
    User,
    /// A membership, with the roles and teams of the user; the subject is the user.
    Member,
    /// A team's roles.
    Team,
    /// A role's permissions.
    Role,
    /// A context.
    Context,
    /// An organization: its policies and the APIs it uses.
    Org,
    /// An API's catalogue.
    Api,
    /// The hashing keys.
    HashKeys,
    /// An access policy.
    AccessPolicy,
    /// A service account with its roles.
    ServiceAccount,
    /// An application with its installations.
    Application,
    /// An import of credentials: how imported keys are recognized, and keys that nobody had.
    CredentialImport,
    /// A limit on calls; without an organization where it holds in every one.
    Limit,
}

impl Topic {
    const ALL: [(Self, &'static str); 16] = [
        (Self::Token, "token"),
        (Self::Session, "session"),
        (Self::Verifier, "verifier"),
        (Self::User, "user"),
        (Self::Member, "member"),
        (Self::Team, "team"),
        (Self::Role, "role"),
        (Self::Context, "context"),
        (Self::Org, "org"),
        (Self::Api, "api"),
        (Self::HashKeys, "hash_keys"),
        (Self::AccessPolicy, "access_policy"),
        (Self::Limit, "limit"),
        (Self::ServiceAccount, "service_account"),
        (Self::Application, "application"),
        (Self::CredentialImport, "credential_import"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(topic, _)| *topic == self).map_or("", |(_, word)| word)
    }

    fn read(word: &str) -> Result<Self, DbError> {
        let found = Self::ALL.iter().find(|(_, other)| *other == word);
        found.map(|(topic, _)| *topic).ok_or_else(|| DbError::Corrupt(word.to_owned()))
    }
}

/// One change, as readers of the feed see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of its transaction.
    pub sequence: u64,
    /// Its place within the transaction.
    pub ordinal: i64,
    /// What it is about.
    pub topic: Topic,
    /// Whose it is; none for what belongs to the installation.
    pub org: Option<OrgId>,
    /// The id of what changed.
    pub subject: String,
}

impl WriteTx {
    /// Tells every reader of the feed that something changed.
    pub async fn feed(&mut self, topic: Topic, org: Option<OrgId>, subject: &str) -> Result<(), DbError> {
        let (sequence, ordinal) = (self.sequence, self.next_ordinal());
        sqlx::query("INSERT INTO feed (sequence, ordinal, topic, org_id, subject) VALUES ($1, $2, $3, $4, $5)")
            .bind(sequence)
            .bind(ordinal)
            .bind(topic.as_str())
            .bind(org.map(|org| org.to_string()))
            .bind(subject)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

/// The entries after a place in the feed, oldest first.
// tenant: the follower of the feed keeps the memory of all organizations.
pub async fn after(tx: &mut Tx, sequence: u64, ordinal: i64, limit: i64) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<(i64, i64, String, Option<String>, String)> = sqlx::query_as(
        "SELECT sequence, ordinal, topic, org_id, subject FROM feed
         WHERE sequence > $1 OR (sequence = $2 AND ordinal > $3)
         ORDER BY sequence, ordinal LIMIT $4",
    )
    .bind(sequence.cast_signed())
    .bind(sequence.cast_signed())
    .bind(ordinal)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|(sequence, ordinal, topic, org, subject)| {
            Ok(Entry {
                sequence: sequence.cast_unsigned(),
                ordinal,
                topic: Topic::read(&topic)?,
                org: parsed_option(org.as_deref())?,
                subject,
            })
        })
        .collect()
}
