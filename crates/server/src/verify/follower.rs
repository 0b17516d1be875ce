//! Following the change feed: each change is read again from the truth and replaces what is in memory.

use super::entry::{ContextEntry, Noun, UserEntry, Warm};
use super::index::{ByApi, Installing, Name, NameBy, Named};
use super::unknown::Holder;
use super::{Verify, load};
use crate::authn::Digest;
use crate::catalogues::Loaded;
use crate::db::feed::{self, Entry, Topic};
use crate::db::{self, Db, DbError, PageAsk, Tx};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::ids::{
    AccessPolicyId, ApplicationId, ContextId, OrgId, RoleId, ServiceAccountId, TeamId, UserId, VerifierId,
};
use tegata_core::owner::Owner;

/// How long the follower rests when nobody wakes it.
const ROUND: Duration = Duration::from_secs(1);
/// Most entries read at once.
const BATCH: i64 = 500;
/// Rows read at once when everything is loaded.
const PAGE: i64 = 5_000;

impl Verify {
    /// Follows the feed until the task is dropped.
    pub async fn follow(self: Arc<Self>) {
        loop {
            match self.catch_up().await {
                Ok(()) => {
                    let _ = tokio::time::timeout(ROUND, self.wake.notified()).await;
                }
                Err(error) => {
                    // What cannot be followed cannot be decided: the lease runs out by itself, since its renewal
                    // asks the same database. Meanwhile nobody is told that a stop has been applied.
                    tracing::error!(%error, "the change feed cannot be read");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// Applies every change that there is.
    pub async fn catch_up(&self) -> Result<(), DbError> {
        let mut installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let seen = tx.sequence().await?;
        let (mut sequence, mut ordinal) = (installing.applied, i64::MAX);
        let mut awaited = Vec::new();
        // One view for the feed and for what is read again: nothing of it is older than the number that is told.
        while sequence < seen {
            let entries = feed::after(&mut tx, sequence, ordinal, BATCH).await?;
            let Some(last) = entries.last() else { break };
            (sequence, ordinal) = (last.sequence, last.ordinal);
            for entry in &entries {
                self.apply(&mut installing, &mut tx, entry).await?;
                if entry.topic == Topic::Token {
                    awaited.extend(entry.subject.parse().ok().filter(|token| self.waiting.is_awaited(*token)));
                }
            }
        }
        if seen > installing.applied {
            installing.applied = seen;
            self.applied.send_replace(seen);
        }
        for token in awaited {
            self.waiting.wake(token);
        }
        Ok(())
    }

    async fn apply(&self, installing: &mut Installing, tx: &mut Tx, entry: &Entry) -> Result<(), DbError> {
        let subject = entry.subject.as_str();
        match (entry.topic, entry.org) {
            (Topic::Token, _) => {
                if let Ok(id) = subject.parse() {
                    // Before it is let go of: a reading that is under way is older.
                    self.unknown().digests().move_on();
                    let reading = load::token(tx, &self.catalogues, id).await?;
                    for (digest, token) in reading.entries {
                        self.unknown().digests().let_go(&digest);
                        // What is not in memory need not come: a reading that is under way is older, and loses.
                        if self.index.tokens.contains(&digest) {
                            self.index.install_token(installing, digest, token);
                        }
                    }
                    if let Some(application) = reading.application {
                        self.install_application(tx, application).await?;
                    }
                    self.install_client(installing, tx, id).await?;
                }
            }
            (Topic::Verifier, _) => {
                if let Ok(id) = subject.parse() {
                    self.unknown().digests().move_on();
                    self.install_verifier(tx, id).await?;
                }
            }
            (Topic::User, _) => {
                if let Ok(id) = subject.parse() {
                    self.install_user(tx, id).await?;
                }
            }
            (Topic::Member, Some(org)) => {
                if let Ok(user) = subject.parse() {
                    self.install_member(tx, org, user).await?;
                }
            }
            (Topic::Team, Some(org)) => {
                if let Ok(team) = subject.parse() {
                    self.install_team(tx, org, team).await?;
                }
            }
            (Topic::ServiceAccount, Some(org)) => {
                if let Ok(account) = subject.parse() {
                    self.install_service_account(tx, org, account).await?;
                }
            }
            (Topic::Application, _) => {
                if let Ok(application) = subject.parse() {
                    self.install_application(tx, application).await?;
                }
            }
            (Topic::Role, Some(org)) => {
                if let Ok(role) = subject.parse() {
                    self.install_role(tx, org, role).await?;
                }
            }
            (Topic::AccessPolicy, Some(org)) => {
                if let Ok(id) = subject.parse() {
                    self.install_access_policy(tx, org, id).await?;
                }
            }
            (Topic::Context, Some(org)) => {
                if let Ok(context) = subject.parse() {
                    self.install_context(tx, org, context).await?;
                }
            }
            (Topic::Org, Some(org)) => self.install_org(tx, org).await?,
            (Topic::Api, _) => self.install_api(installing, tx, subject).await?,
            (Topic::Limit, owner) => {
                let stored = db::limits::all(tx, db::limits::Whose::Owner(owner)).await?;
                self.limits.install(owner, &stored, self.clock.now());
                if let Some(org) = owner {
                    self.install_org(tx, org).await?;
                }
            }
            (Topic::CredentialImport, _) => {
                self.unknown().digests().move_on();
                self.load_imported(tx).await?;
                self.unknown().digests().let_go_of_all();
            }
            // Sessions are looked up where they are shown, and the keys are read at start.
            (Topic::Session | Topic::HashKeys, _) => {}
            (topic, None) => tracing::error!(?topic, subject, "a change without its organization"),
        }
        Ok(())
    }

    pub(super) async fn install_verifier(&self, tx: &mut Tx, id: VerifierId) -> Result<(), DbError> {
        for (digest, entry) in load::verifier(tx, id).await? {
            self.index.verifiers.pin().insert(digest, entry);
            self.unknown().digests().let_go(&digest);
        }
        Ok(())
    }

    /// Reads a person again, with the memberships that are in memory.
    async fn install_user(&self, tx: &mut Tx, id: UserId) -> Result<(), DbError> {
        if self.index.users.look(id, |_| ()).is_some() {
            self.read_user(tx, id, std::iter::empty()).await?;
        }
        Ok(())
    }

    /// Reads a person with their memberships in these organizations and in those that are in memory, and installs
    /// them; none where there is no such account.
    pub(super) async fn read_user(
        &self,
        tx: &mut Tx,
        id: UserId,
        orgs: impl Iterator<Item = OrgId>,
    ) -> Result<Option<UserEntry>, DbError> {
        let known = self.index.users.look(id, |user| user.members.iter().map(|(org, _)| *org).collect());
        let mut wanted: SmallVec<[OrgId; 4]> = known.unwrap_or_default();
        for org in orgs {
            if !wanted.contains(&org) {
                wanted.push(org);
            }
        }
        let user = load::user(tx, id, wanted.into_iter()).await?;
        if let Some(user) = &user {
            self.index.users.put(id, user.clone());
        }
        Ok(user)
    }

    async fn install_member(&self, tx: &mut Tx, org: OrgId, user: UserId) -> Result<(), DbError> {
        if self.index.users.look(user, |_| ()).is_some() {
            let member = load::member(tx, org, user).await?;
            self.index.users.put_member(org, user, member);
        }
        Ok(())
    }

    async fn install_team(&self, tx: &mut Tx, org: OrgId, team: TeamId) -> Result<(), DbError> {
        let roles = load::team(tx, org, team).await?;
        self.index.nouns.pin().insert(team.as_u128(), Noun::Team(roles));
        Ok(())
    }

    async fn install_service_account(&self, tx: &mut Tx, org: OrgId, id: ServiceAccountId) -> Result<(), DbError> {
        if let Some(account) = load::service_account(tx, org, id).await? {
            self.index.nouns.pin().insert(id.as_u128(), Noun::ServiceAccount(Box::new(account)));
        }
        Ok(())
    }

    async fn install_application(&self, tx: &mut Tx, id: ApplicationId) -> Result<(), DbError> {
        if let Some(application) = load::application(tx, &self.catalogues, id).await? {
            self.index.nouns.pin().insert(id.as_u128(), Noun::Application(Box::new(application)));
        }
        Ok(())
    }

    async fn install_applications(&self, tx: &mut Tx) -> Result<(), DbError> {
        for id in db::applications::all(tx).await? {
            self.install_application(tx, id).await?;
        }
        Ok(())
    }

    async fn install_role(&self, tx: &mut Tx, org: OrgId, role: RoleId) -> Result<(), DbError> {
        let content = load::role(tx, &self.catalogues, org, role).await?;
        let nouns = self.index.nouns.pin();
        match content {
            Some(content) => nouns.insert(role.as_u128(), Noun::Role(content)),
            None => nouns.remove(&role.as_u128()),
        };
        Ok(())
    }

    async fn install_access_policy(&self, tx: &mut Tx, org: OrgId, id: AccessPolicyId) -> Result<(), DbError> {
        let ceiling = load::access_policy(tx, &self.catalogues, org, id).await?;
        let nouns = self.index.nouns.pin();
        match ceiling {
            Some(ceiling) => nouns.insert(id.as_u128(), Noun::AccessPolicy(ceiling)),
            None => nouns.remove(&id.as_u128()),
        };
        Ok(())
    }

    async fn install_context(&self, tx: &mut Tx, org: OrgId, id: ContextId) -> Result<(), DbError> {
        if let Some(context) = db::contexts::get(tx, org, id).await? {
            self.keep_context(org, &context);
        }
        Ok(())
    }

    fn keep_context(&self, org: OrgId, context: &db::contexts::Context) {
        let names = self.index.names.pin();
        let kind = context.kind.as_str();
        let name = |by, text: &str| names.insert(Name::of_context(org, kind, by, text), Named::Context(context.id));
        // By the written and by the folded key: the catalogue of the call says which of the two counts.
        name(NameBy::Key, &context.key);
        name(NameBy::FoldedKey, &tegata_core::name::fold(&context.key));
        name(NameBy::Id, &context.id.to_string());
        if let Some(external) = &context.external_id {
            name(NameBy::Id, external);
        }
        let entry = ContextEntry { parent: context.parent };
        self.index.nouns.pin().insert(context.id.as_u128(), Noun::Context(entry));
    }

    async fn install_org(&self, tx: &mut Tx, id: OrgId) -> Result<(), DbError> {
        if let Some(org) = load::org(tx, id, self.limits.own(id)).await? {
            let names = self.index.names.pin();
            names.insert(Name::of_org(&org.key), Named::Org(id));
            names.insert(Name::of_org(&id.to_string()), Named::Org(id));
            self.index.nouns.pin().insert(id.as_u128(), Noun::Org(Box::new(org)));
        }
        Ok(())
    }

    async fn install_api(&self, installing: &mut Installing, tx: &mut Tx, id: &str) -> Result<(), DbError> {
        let Some(loaded) = self.catalogues.of(tx, id).await? else {
            return Ok(());
        };
        let before = self.index.apis.load_full();
        let meaning_changed = before.get(&loaded.key).is_some_and(|old| !same_meaning(old, &loaded));
        let mut after = ByApi::clone(&before);
        after.insert(loaded.key.clone(), Arc::clone(&loaded));
        if meaning_changed {
            // Permissions were removed or imply others now: what was expanded before is read anew.
            self.install_roles(tx).await?;
            self.install_access_policies(tx).await?;
            self.install_applications(tx).await?;
            self.index.forget_tokens(installing);
        }
        self.index.apis.store(Arc::new(after));
        Ok(())
    }

    async fn install_roles(&self, tx: &mut Tx) -> Result<(), DbError> {
        for (org, role) in db::roles::all(tx).await? {
            self.install_role(tx, org, role).await?;
        }
        Ok(())
    }

    async fn install_access_policies(&self, tx: &mut Tx) -> Result<(), DbError> {
        for (org, id) in db::access_policies::all(tx).await? {
            self.install_access_policy(tx, org, id).await?;
        }
        Ok(())
    }

    /// Reads everything that is always kept, as of now.
    pub async fn load_everything(&self) -> Result<(), DbError> {
        let mut installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let sequence = tx.sequence().await?;
        let mut page = PageAsk { after: None, limit: PAGE };
        loop {
            let apis = db::apis::list(&mut tx, &page).await?;
            for api in &apis {
                self.install_api(&mut installing, &mut tx, &api.id.to_string()).await?;
            }
            let Some(last) = apis.last().filter(|_| apis.len() == usize::try_from(PAGE).unwrap_or(0)) else { break };
            page.after = Some(last.key.clone());
        }
        self.load_imported(&mut tx).await?;
        self.load_limits(&mut tx).await?;
        for org in db::orgs::all(&mut tx).await? {
            self.install_org(&mut tx, org.id).await?;
            self.load_contexts(&mut tx, org.id).await?;
        }
        self.install_roles(&mut tx).await?;
        self.install_access_policies(&mut tx).await?;
        for (org, team) in db::teams::all(&mut tx).await? {
            self.install_team(&mut tx, org, team).await?;
        }
        for (org, account) in db::service_accounts::all(&mut tx).await? {
            self.install_service_account(&mut tx, org, account).await?;
        }
        self.install_applications(&mut tx).await?;
        installing.applied = sequence;
        self.applied.send_replace(sequence);
        Ok(())
    }

    async fn load_contexts(&self, tx: &mut Tx, org: OrgId) -> Result<(), DbError> {
        let mut page = PageAsk { after: None, limit: PAGE };
        loop {
            let contexts = db::contexts::list(tx, org, None, &page).await?;
            for context in &contexts {
                self.keep_context(org, context);
            }
            match contexts.last() {
                Some(last) if contexts.len() == usize::try_from(PAGE).unwrap_or(0) => {
                    page.after = Some(last.id.to_string());
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads a token that is stored, with its owner and their memberships, and installs it; none where nobody has such a
    /// token any more.
    pub(super) async fn refill_token(&self, digest: Digest) -> Result<Option<Warm>, DbError> {
        // Read and installed under the lock of installers: no change is applied in between, and what is read is as
        // new as what was applied, or newer.
        let mut installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let holder = db::secrets::find(&mut tx, digest).await?;
        let Some(id) = holder.and_then(|holder| holder.subject.parse().ok()) else {
            return Ok(None);
        };
        let reading = load::token(&mut tx, &self.catalogues, id).await?;
        let Some((_, token)) = reading.entries.into_iter().find(|(other, _)| *other == digest) else {
            return Ok(None);
        };
        let user = match token.owner {
            Owner::User(owner) => {
                let orgs = token.parts.iter().map(|part| part.org);
                let Some(user) = self.read_user(&mut tx, owner, orgs).await? else {
                    return Ok(None);
                };
                Some(user)
            }
            // These are always in memory.
            Owner::Organization(_) | Owner::ServiceAccount(_) | Owner::Application(_) => None,
        };
        self.index.install_token(&mut installing, digest, token.clone());
        Ok(Some(Warm { token, user }))
    }

    /// The same for a verifier. Tells whether there is one; none where too many are asked for to know.
    pub(super) async fn refill_verifier(&self, digest: Digest) -> Result<Option<bool>, DbError> {
        match self.holder_of(digest, None).await? {
            Some(Holder::Stored(_)) => {}
            Some(Holder::Nobody) => return Ok(Some(false)),
            None => return Ok(None),
        }
        let _installing = self.index.installing.lock().await;
        let mut tx = self.db.read().await?;
        let holder = db::secrets::find(&mut tx, digest).await?;
        match holder.and_then(|holder| holder.subject.parse().ok()) {
            Some(id) => self.install_verifier(&mut tx, id).await.map(|()| Some(true)),
            None => Ok(Some(false)),
        }
    }

    /// Whether anybody has a secret with this digest: asked without the lock, so that a flood of unknown tokens does
    /// not keep changes from being applied.
    pub(super) async fn is_stored(&self, digest: Digest) -> Result<bool, DbError> {
        let mut tx = self.db.read().await?;
        Ok(db::secrets::find(&mut tx, digest).await?.is_some())
    }

    /// The database, for the tasks beside the follower.
    pub const fn db(&self) -> &Db {
        &self.db
    }
}

/// Whether every permission means what it meant: it exists, and implies the same.
fn same_meaning(old: &Loaded, new: &Loaded) -> bool {
    old.catalogue.permissions().iter().all(|permission| {
        new.catalogue.permission(permission.number).is_some_and(|now| now.with_implied == permission.with_implied)
    })
}
