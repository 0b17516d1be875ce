//! Every operation of Tegata's own API: the first of the two tables that drive every face. Routes, OpenAPI, the
//! command line, the golden permission matrix and "no operation without a refusal test" read it.

use crate::permissions::{self, Reach};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Anybody.
    Public,
    /// A verifier, with its own credential.
    Verifier,
    /// Whoever is signed in, about their own things.
    SignedIn,
    /// Whoever has this permission in the publisher's organization.
    Publisher(&'static str),
    /// Whoever has this permission in the organization of the path.
    Organization(&'static str),
    /// Whoever has this permission in the context that the call is about; the use case says which.
    Context(&'static str),
    /// An organization key with this permission, in the organization that owns it; nobody else. The only operations that such a
    /// key may call at all.
    Provisioning(&'static str),
    /// An application, about itself, with its own token.
    Application,
    /// Whoever shows the credential that it is about, whatever that may do, or its owner in person.
    Holder,
}

impl Guard {
    /// The permission, where one is needed.
    pub const fn permission(self) -> Option<&'static str> {
        match self {
            Self::Public | Self::Verifier | Self::SignedIn | Self::Application | Self::Holder => None,
            Self::Publisher(name) | Self::Organization(name) | Self::Context(name) | Self::Provisioning(name) => {
                Some(name)
            }
        }
    }
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Its stable name: noun and verb.
    pub id: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path template under the server's root.
    pub path: &'static str,
    /// Who may call it.
    pub guard: Guard,
    /// The permission that a token needs besides its owner's right; the same as the guard's where that has one.
    pub scope: Option<&'static str>,
    /// What it does, for OpenAPI and help.
    pub summary: &'static str,
    /// Whether it changes something, and is therefore recorded in activity.
    pub changes: bool,
}

const fn op(
    id: &'static str,
    method: &'static str,
    path: &'static str,
    guard: Guard,
    summary: &'static str,
) -> Operation {
    let changes = !matches!(method.as_bytes(), b"GET");
    Operation { id, method, path, guard, scope: guard.permission(), summary, changes }
}

/// An operation on one's own things, with the permission that a token needs for it.
const fn own(
    id: &'static str,
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    summary: &'static str,
) -> Operation {
    let changes = !matches!(method.as_bytes(), b"GET");
    Operation { id, method, path, guard: Guard::SignedIn, scope: Some(scope), summary, changes }
}

/// A question that is asked with POST.
const fn question(id: &'static str, path: &'static str, guard: Guard, summary: &'static str) -> Operation {
    Operation { id, method: "POST", path, guard, scope: guard.permission(), summary, changes: false }
}

use Guard::{Application, Context, Holder, Organization, Provisioning, Public, Publisher, SignedIn, Verifier};

macro_rules! operations {
    ($($name:ident = $operation:expr;)+) => {
        $(
            #[doc = concat!("See [`OPERATIONS`]: `", stringify!($name), "`.")]
            pub const $name: &Operation = &$operation;
        )+

        /// Every operation, in the order of the documents.
        pub const OPERATIONS: &[&Operation] = &[$($name),+];
    };
}

operations! {
    SETUP = op("setup.complete", "POST", "/v1/setup", Public, "Make the first administrator with the one-time set-up token");
    SESSION_CREATE = op("session.create", "POST", "/v1/sessions", Public, "Sign in");
    SESSION_LIST = op("session.list", "GET", "/v1/sessions", SignedIn, "List one's own sessions");
    SESSION_END = op("session.end", "DELETE", "/v1/sessions/{session}", SignedIn, "End one of one's own sessions; `current` is the one that asks");
    ME_SHOW = op("me.show", "GET", "/v1/me", SignedIn, "Show who is signed in, and in which organizations");
    ME_PASSWORD = op("me.password", "POST", "/v1/me/password", SignedIn, "Change one's own password, which ends every other session");
    ME_PREFERENCES = op("me.preferences", "GET", "/v1/me/preferences", SignedIn, "Show how one likes to be spoken to");
    ME_PREFERENCES_UPDATE = op("me.preferences.update", "PATCH", "/v1/me/preferences", SignedIn, "Change how one likes to be spoken to");
    INBOX_LIST = op("inbox.list", "GET", "/v1/me/inbox", SignedIn, "List one's own notices, newest first");
    INBOX_SHOW = op("inbox.show", "GET", "/v1/me/inbox/{notice}", SignedIn, "Show one of one's own notices");
    INBOX_READ_ALL = op("inbox.read_all", "POST", "/v1/me/inbox/read", SignedIn, "Mark all of one's own notices as read");
    INBOX_READ = op("inbox.read", "POST", "/v1/me/inbox/{notice}/read", SignedIn, "Mark one of one's own notices as read");
    INBOX_UNREAD = op("inbox.unread", "POST", "/v1/me/inbox/{notice}/unread", SignedIn, "Mark one of one's own notices as unread");

    TOKEN_CREATE = own("token.create", "POST", "/v1/me/tokens", "own_tokens:write", "Create a personal token");
    TOKEN_LIST = own("token.list", "GET", "/v1/me/tokens", "own_tokens:read", "List one's own personal tokens");
    TOKEN_SHOW = own("token.show", "GET", "/v1/me/tokens/{token}", "own_tokens:read", "Show one of one's own personal tokens");
    TOKEN_REGENERATE = own("token.regenerate", "POST", "/v1/me/tokens/{token}/regenerate", "own_tokens:write", "Give a token a new secret and keep its id");
    TOKEN_REVOKE = own("token.revoke", "POST", "/v1/me/tokens/{token}/revoke", "own_tokens:write", "Stop one of one's own tokens everywhere and for good");
    REQUEST_OWN_LIST = own("request.own.list", "GET", "/v1/me/requests", "own_tokens:read", "List what one has asked for");
    REQUEST_FILE = op("request.file", "POST", "/v1/me/requests", SignedIn, "Ask for what a denial said was missing, for the credential that was denied");
    REQUEST_OWN_SHOW = own("request.own.show", "GET", "/v1/me/requests/{request}", "own_tokens:read", "Show one of one's own requests");
    REQUEST_WITHDRAW = own("request.withdraw", "POST", "/v1/me/requests/{request}/withdraw", "own_tokens:write", "Take back what is not decided yet of one's own request");

    TOKEN_LEGACY_CREATE = own("token.legacy.create", "POST", "/v1/me/legacy-tokens", "own_tokens:write", "Create a legacy token: everything of a level that one may do oneself");

    USER_CREATE = op("user.create", "POST", "/v1/users", Publisher("users:write"), "Make an account");
    USER_LIST = op("user.list", "GET", "/v1/users", Publisher("users:read"), "List the accounts of the installation");
    USER_SHOW = op("user.show", "GET", "/v1/users/{user}", Publisher("users:read"), "Show an account");
    USER_DEACTIVATE = op("user.deactivate", "POST", "/v1/users/{user}/deactivate", Publisher("users:write"), "Deactivate an account everywhere");
    USER_ACTIVATE = op("user.activate", "POST", "/v1/users/{user}/activate", Publisher("users:write"), "Reactivate an account");

    API_IMPORT = op("api.import", "POST", "/v1/apis", Publisher("apis:write"), "Import a catalogue, or show what an import would change");
    API_LIST = op("api.list", "GET", "/v1/apis", SignedIn, "List the protected APIs");
    API_SHOW = op("api.show", "GET", "/v1/apis/{api}", SignedIn, "Show an API with its permissions and roles");
    API_CATALOGUE = op("api.catalogue", "GET", "/v1/apis/{api}/catalogue", SignedIn, "Show the whole catalogue of an API");

    VERIFIER_CREATE = op("verifier.create", "POST", "/v1/verifiers", Publisher("verifiers:write"), "Make a verifier for one or more APIs");
    VERIFIER_LIST = op("verifier.list", "GET", "/v1/verifiers", Publisher("verifiers:read"), "List the verifiers");
    VERIFIER_SHOW = op("verifier.show", "GET", "/v1/verifiers/{verifier}", Publisher("verifiers:read"), "Show a verifier");
    VERIFIER_REGENERATE = op("verifier.regenerate", "POST", "/v1/verifiers/{verifier}/regenerate", Publisher("verifiers:write"), "Give a verifier a new credential");
    VERIFIER_REVOKE = op("verifier.revoke", "POST", "/v1/verifiers/{verifier}/revoke", Publisher("verifiers:write"), "Stop a verifier for good");

    ORG_CREATE = op("org.create", "POST", "/v1/orgs", Publisher("organizations:write"), "Make an organization");
    ORG_LIST = op("org.list", "GET", "/v1/orgs", SignedIn, "List the organizations that one is a member of");
    ORG_SHOW = op("org.show", "GET", "/v1/orgs/{org}", Organization("organization:read"), "Show an organization");
    ORG_UPDATE = op("org.update", "PATCH", "/v1/orgs/{org}", Organization("organization:write"), "Change an organization's name");

    ORG_API_LIST = op("org.api.list", "GET", "/v1/orgs/{org}/apis", Organization("organization:read"), "List the APIs that the organization uses");
    ORG_API_ENABLE = op("org.api.enable", "PUT", "/v1/orgs/{org}/apis/{api}", Organization("organization:write"), "Begin to use an API; its predefined roles appear");
    ORG_API_DISABLE = op("org.api.disable", "DELETE", "/v1/orgs/{org}/apis/{api}", Organization("organization:write"), "Stop using an API; every check for it is then denied");

    MEMBER_ADD = op("member.add", "POST", "/v1/orgs/{org}/members", Organization("members:write"), "Add a person to the organization");
    MEMBER_LIST = op("member.list", "GET", "/v1/orgs/{org}/members", Organization("organization:read"), "List the members");
    MEMBER_SHOW = op("member.show", "GET", "/v1/orgs/{org}/members/{user}", Organization("organization:read"), "Show a member with their roles and teams");
    MEMBER_DEACTIVATE = op("member.deactivate", "POST", "/v1/orgs/{org}/members/{user}/deactivate", Organization("members:write"), "Deactivate a membership; this organization's part of the person's tokens stops");
    MEMBER_ACTIVATE = op("member.activate", "POST", "/v1/orgs/{org}/members/{user}/activate", Organization("members:write"), "Reactivate a membership; nothing that was stopped comes back");

    SUCCESSION_LIST = op("succession.list", "GET", "/v1/orgs/{org}/successions", Organization("organization:read"), "List what leavers answered for and nobody took over yet");
    SUCCESSION_SHOW = op("succession.show", "GET", "/v1/orgs/{org}/successions/{succession}", Organization("organization:read"), "Show something that a leaver answered for");
    SUCCESSION_HAND_OVER = op("succession.hand_over", "POST", "/v1/orgs/{org}/successions/{succession}/hand-over", Organization("service_accounts:write"), "Give what a leaver answered for to a named successor");

    TEAM_CREATE = op("team.create", "POST", "/v1/orgs/{org}/teams", Organization("teams:write"), "Make a team");
    TEAM_LIST = op("team.list", "GET", "/v1/orgs/{org}/teams", Organization("organization:read"), "List the teams");
    TEAM_SHOW = op("team.show", "GET", "/v1/orgs/{org}/teams/{team}", Organization("organization:read"), "Show a team with its members");
    TEAM_MEMBER_ADD = op("team.member.add", "PUT", "/v1/orgs/{org}/teams/{team}/members/{user}", Organization("teams:write"), "Put a member into a team");
    TEAM_MEMBER_REMOVE = op("team.member.remove", "DELETE", "/v1/orgs/{org}/teams/{team}/members/{user}", Organization("teams:write"), "Take a member out of a team");
    TEAM_DELETE = op("team.delete", "DELETE", "/v1/orgs/{org}/teams/{team}", Organization("teams:write"), "Delete a team and the roles given to it");

    CONTEXT_CREATE = op("context.create", "POST", "/v1/orgs/{org}/contexts", Context("contexts:write"), "Register a context; whoever does administers it");
    CONTEXT_LIST = op("context.list", "GET", "/v1/orgs/{org}/contexts", Organization("organization:read"), "List the contexts");
    CONTEXT_SHOW = op("context.show", "GET", "/v1/orgs/{org}/contexts/{context}", Organization("organization:read"), "Show a context with its administrators");
    CONTEXT_UPDATE = op("context.update", "PATCH", "/v1/orgs/{org}/contexts/{context}", Context("contexts:write"), "Change a context's name or parent");
    CONTEXT_MOVE_PREVIEW = op("context.move.preview", "GET", "/v1/orgs/{org}/contexts/{context}/move-preview", Context("contexts:write"), "Show which rights would be gained if a context were moved");

    ROLE_CREATE = op("role.create", "POST", "/v1/orgs/{org}/roles", Organization("roles:write"), "Define a role");
    ROLE_LIST = op("role.list", "GET", "/v1/orgs/{org}/roles", Organization("organization:read"), "List the roles, predefined ones included");
    ROLE_SHOW = op("role.show", "GET", "/v1/orgs/{org}/roles/{role}", Organization("organization:read"), "Show a role with its permissions");
    ROLE_UPDATE = op("role.update", "PATCH", "/v1/orgs/{org}/roles/{role}", Organization("roles:write"), "Change a role's name or permissions");
    ROLE_DELETE = op("role.delete", "DELETE", "/v1/orgs/{org}/roles/{role}", Organization("roles:write"), "Delete a role that is given to nobody");

    ASSIGNMENT_CREATE = op("assignment.create", "POST", "/v1/orgs/{org}/assignments", Context("assignments:write"), "Give a role to a person or team, in the organization or in a context");
    ASSIGNMENT_LIST = op("assignment.list", "GET", "/v1/orgs/{org}/assignments", Organization("organization:read"), "List who has which role where");
    ASSIGNMENT_DELETE = op("assignment.delete", "DELETE", "/v1/orgs/{org}/assignments/{assignment}", Context("assignments:write"), "Take a role away");

    ORG_TOKEN_LIST = op("org.token.list", "GET", "/v1/orgs/{org}/tokens", Organization("tokens:read"), "List the tokens that are used here");
    ORG_TOKEN_SHOW = op("org.token.show", "GET", "/v1/orgs/{org}/tokens/{token}", Organization("tokens:read"), "Show this organization's part of a token");
    ORG_TOKEN_BLOCK = op("org.token.block", "POST", "/v1/orgs/{org}/tokens/{token}/block", Organization("tokens:write"), "Stop this organization's part of a token for now");
    ORG_TOKEN_UNBLOCK = op("org.token.unblock", "POST", "/v1/orgs/{org}/tokens/{token}/unblock", Organization("tokens:write"), "Let this organization's part of a token go on");
    ORG_TOKEN_REVOKE = op("org.token.revoke", "POST", "/v1/orgs/{org}/tokens/{token}/revoke", Organization("tokens:write"), "Stop this organization's part of a token for good");

    ORGANIZATION_KEY_CREATE = op("organization.key.create", "POST", "/v1/orgs/{org}/organization-keys", Organization("organization_keys:write"), "Make a key that the organization owns, or show what it could do");
    ORGANIZATION_KEY_LIST = op("organization.key.list", "GET", "/v1/orgs/{org}/organization-keys", Organization("organization_keys:read"), "List the keys that the organization owns, or only the unscoped ones");
    ORGANIZATION_KEY_SHOW = op("organization.key.show", "GET", "/v1/orgs/{org}/organization-keys/{key}", Organization("organization_keys:read"), "Show a key that the organization owns");
    ORGANIZATION_KEY_BLOCK = op("organization.key.block", "POST", "/v1/orgs/{org}/organization-keys/{key}/block", Organization("organization_keys:write"), "Stop an organization key for now");
    ORGANIZATION_KEY_UNBLOCK = op("organization.key.unblock", "POST", "/v1/orgs/{org}/organization-keys/{key}/unblock", Organization("organization_keys:write"), "Let an organization key go on");
    ORGANIZATION_KEY_REVOKE = op("organization.key.revoke", "POST", "/v1/orgs/{org}/organization-keys/{key}/revoke", Organization("organization_keys:write"), "Stop an organization key for good");

    SERVICE_ACCOUNT_CREATE = op("service.account.create", "POST", "/v1/orgs/{org}/service-accounts", Organization("service_accounts:write"), "Make a service account, which can do nothing yet");
    SERVICE_ACCOUNT_LIST = op("service.account.list", "GET", "/v1/orgs/{org}/service-accounts", Organization("organization:read"), "List the service accounts");
    SERVICE_ACCOUNT_SHOW = op("service.account.show", "GET", "/v1/orgs/{org}/service-accounts/{account}", Organization("organization:read"), "Show a service account with its roles");
    SERVICE_ACCOUNT_UPDATE = op("service.account.update", "PATCH", "/v1/orgs/{org}/service-accounts/{account}", Organization("service_accounts:write"), "Change a service account's name, or who answers for it");
    SERVICE_ACCOUNT_DEACTIVATE = op("service.account.deactivate", "POST", "/v1/orgs/{org}/service-accounts/{account}/deactivate", Organization("service_accounts:write"), "Stop a service account with all of its access keys");
    SERVICE_ACCOUNT_ACTIVATE = op("service.account.activate", "POST", "/v1/orgs/{org}/service-accounts/{account}/activate", Organization("service_accounts:write"), "Let a service account go on");
    ACCESS_KEY_CREATE = op("access.key.create", "POST", "/v1/orgs/{org}/access-keys", Organization("access_keys:write"), "Make an access key, a client id and a secret, for a service account");
    ACCESS_KEY_LIST = op("access.key.list", "GET", "/v1/orgs/{org}/access-keys", Organization("access_keys:read"), "List the access keys");
    ACCESS_KEY_SHOW = op("access.key.show", "GET", "/v1/orgs/{org}/access-keys/{access_key}", Organization("access_keys:read"), "Show an access key");
    ACCESS_KEY_BLOCK = op("access.key.block", "POST", "/v1/orgs/{org}/access-keys/{access_key}/block", Organization("access_keys:write"), "Stop an access key for now");
    ACCESS_KEY_UNBLOCK = op("access.key.unblock", "POST", "/v1/orgs/{org}/access-keys/{access_key}/unblock", Organization("access_keys:write"), "Let an access key go on");
    ACCESS_KEY_REGENERATE = op("access.key.regenerate", "POST", "/v1/orgs/{org}/access-keys/{access_key}/regenerate", Organization("access_keys:write"), "Give an access key a new secret and keep its client id");
    ACCESS_KEY_REVOKE = op("access.key.revoke", "POST", "/v1/orgs/{org}/access-keys/{access_key}/revoke", Organization("access_keys:write"), "Stop an access key for good");
    ACCESS_KEY_SIGN_IN = op("access.key.sign_in", "POST", "/v1/access-keys/sign-in", Public, "Trade client id and secret for a credential that counts for an hour");

    APPLICATION_CREATE = op("application.create", "POST", "/v1/orgs/{org}/applications", Organization("applications:write"), "Register an application, which can do nothing yet");
    APPLICATION_LIST = op("application.list", "GET", "/v1/orgs/{org}/applications", Organization("applications:read"), "List the applications that the organization has, or those that may act in one place");
    APPLICATION_OFFER_LIST = op("application.offer.list", "GET", "/v1/orgs/{org}/application-offers", Organization("applications:read"), "List the applications that the publisher offers to every organization");
    APPLICATION_SHOW = op("application.show", "GET", "/v1/orgs/{org}/applications/{application}", Context("applications:read"), "Show an application with the places that it may act in");
    APPLICATION_UPDATE = op("application.update", "PATCH", "/v1/orgs/{org}/applications/{application}", Organization("applications:write"), "Change an application's name or description, who answers for it, or whether others may install it");
    APPLICATION_INSTALL = op("application.install", "POST", "/v1/orgs/{org}/applications/{application}/install", Organization("applications:write"), "Install an application that the publisher offers");
    APPLICATION_REQUIRE = op("application.require", "PUT", "/v1/orgs/{org}/applications/{application}/required", Context("applications:write"), "Say what an application needs in every place, and ask for it where it is let in already");
    APPLICATION_ASK = op("application.ask", "POST", "/v1/orgs/{org}/applications/{application}/rights", Context("applications:write"), "Ask for rights of an application, each in its place");
    APPLICATION_RIGHT_LIST = op("application.right.list", "GET", "/v1/orgs/{org}/applications/{application}/rights", Context("applications:read"), "List the rights that an application has, asks for or was refused");
    APPLICATION_CONTEXT_ADD = op("application.context.add", "POST", "/v1/orgs/{org}/applications/{application}/contexts", Context("applications:write"), "Ask for what an application needs in further places");
    APPLICATION_CONTEXT_REMOVE = op("application.context.remove", "DELETE", "/v1/orgs/{org}/applications/{application}/contexts/{context}", Context("applications:write"), "Take all rights of an application in one place away, and take back what is asked for there");
    APPLICATION_BLOCK = op("application.block", "POST", "/v1/orgs/{org}/applications/{application}/block", Organization("applications:write"), "Stop an application in the organization for now, with all of its tokens");
    APPLICATION_UNBLOCK = op("application.unblock", "POST", "/v1/orgs/{org}/applications/{application}/unblock", Organization("applications:write"), "Let an application go on in the organization");
    APPLICATION_UNINSTALL = op("application.uninstall", "POST", "/v1/orgs/{org}/applications/{application}/uninstall", Organization("applications:write"), "Remove an application with its rights and tokens for good; where it is registered, everywhere");
    APPLICATION_SECRET_REGENERATE = op("application.secret.regenerate", "POST", "/v1/orgs/{org}/applications/{application}/secret/regenerate", Context("applications:write"), "Give an application a new client secret");
    APPLICATION_TOKEN_CREATE = op("application.token.create", "POST", "/v1/orgs/{org}/applications/{application}/tokens", Context("applications:write"), "Make a permanent token of an application, for its development");
    APPLICATION_TOKEN_LIST = op("application.token.list", "GET", "/v1/orgs/{org}/applications/{application}/tokens", Context("applications:read"), "List the permanent tokens of an application");
    APPLICATION_TOKEN_REVOKE = op("application.token.revoke", "POST", "/v1/orgs/{org}/applications/{application}/tokens/{token}/revoke", Context("applications:write"), "Stop a permanent token of an application for good");
    APPLICATION_OWN_SHOW = op("application.own.show", "GET", "/v1/applications/me", Application, "Show the application that asks, in the organization where it acts");
    APPLICATION_OWN_RIGHT_LIST = op("application.own.right.list", "GET", "/v1/applications/me/rights", Application, "List the rights of the application that asks");
    APPLICATION_OWN_ASK = op("application.own.ask", "POST", "/v1/applications/me/rights", Application, "Ask for rights of the application that asks, each in its place");
    APPLICATION_OWN_FILE = op("application.own.file", "POST", "/v1/applications/me/requests", Application, "Ask for what a denial of a check said was missing, for the application that asks");
    APPLICATION_SIGN_IN = op("application.sign_in", "POST", "/v1/applications/sign-in", Public, "Trade an application's client id and secret for a token that counts for an hour");

    CREDENTIAL_IMPORT_CREATE = op("credential.import.create", "POST", "/v1/orgs/{org}/credential-imports", Organization("credential_imports:write"), "Import keys that were made elsewhere by their hashes, or show what is wrong with them");
    CREDENTIAL_IMPORT_LIST = op("credential.import.list", "GET", "/v1/orgs/{org}/credential-imports", Organization("tokens:read"), "List the imports of keys that were made elsewhere");
    CREDENTIAL_IMPORT_SHOW = op("credential.import.show", "GET", "/v1/orgs/{org}/credential-imports/{import}", Organization("tokens:read"), "Show an import of keys that were made elsewhere");

    LEAK_REVOKE = op("leak.revoke", "POST", "/v1/leaks/revoke", Public, "Have secrets stopped that one has: everywhere and for good, without signing in");
    LEAK_GITHUB = op("leak.github", "POST", "/v1/leaks/github", Public, "Take an alert of GitHub's secret scanning, signed by GitHub");

    POLICY_LIST = op("policy.list", "GET", "/v1/orgs/{org}/policies", Organization("policies:read"), "List what the organization allows for each kind of credential");
    POLICY_SET = op("policy.set", "PUT", "/v1/orgs/{org}/policies/{kind}", Organization("policies:write"), "Change what the organization allows for a kind of credential");
    CONTEXT_POLICY_LIST = op("context.policy.list", "GET", "/v1/orgs/{org}/contexts/{context}/policies", Context("policies:read"), "List what a context says of each kind of credential, and what counts there");
    CONTEXT_POLICY_SHOW = op("context.policy.show", "GET", "/v1/orgs/{org}/contexts/{context}/policies/{kind}", Context("policies:read"), "Show what a context says of a kind of credential, and what counts there");
    CONTEXT_POLICY_SET = op("context.policy.set", "PUT", "/v1/orgs/{org}/contexts/{context}/policies/{kind}", Context("policies:write"), "Tighten, in a context, what the organization allows for a kind of credential");
    CONTEXT_POLICY_DELETE = op("context.policy.delete", "DELETE", "/v1/orgs/{org}/contexts/{context}/policies/{kind}", Context("policies:write"), "Take back what a context says of a kind of credential");
    CONTEXT_POLICY_DRY_RUN = question("context.policy.dry_run", "/v1/orgs/{org}/contexts/{context}/policies/{kind}/dry-run", Organization("records:read"), "Show which recorded calls a change of a context's policy would deny, and change nothing");
    POLICY_DRY_RUN = question("policy.dry_run", "/v1/orgs/{org}/policies/{kind}/dry-run", Organization("records:read"), "Show which recorded calls a change of policy would deny, and change nothing");

    REQUEST_LIST = op("request.list", "GET", "/v1/orgs/{org}/requests", Organization("organization:read"), "List the requests that one may see, newest first");
    REQUEST_SHOW = op("request.show", "GET", "/v1/orgs/{org}/requests/{request}", Organization("organization:read"), "Show a request with the lines that one may see, and who is asked");
    REQUEST_DECIDE = op("request.decide", "POST", "/v1/orgs/{org}/requests/{request}/decide", Context("tokens:approve"), "Grant or reject lines of a request, wholly or narrowed");
    REQUEST_UNGRANT = op("request.ungrant", "POST", "/v1/orgs/{org}/requests/{request}/ungrant", Context("tokens:approve"), "Take away lines of a request that were granted");

    RIGHTS_WHO_CAN = op("rights.who_can", "GET", "/v1/orgs/{org}/who-can", Organization("tokens:read"), "Show who and what can do something in a place, and by what");
    RIGHTS_WHAT_CAN = op("rights.what_can", "GET", "/v1/orgs/{org}/what-can", Organization("tokens:read"), "Show everything that a credential, a member or a service account can do, and by what");
    RIGHTS_UNUSED = op("rights.unused", "GET", "/v1/orgs/{org}/right-size", Organization("records:read"), "Show what credentials were granted and did not use");
    RIGHTS_SHRINK = op("rights.shrink", "POST", "/v1/orgs/{org}/right-size", Context("tokens:approve"), "Take away from a credential what it did not use");

    ACCESS_POLICY_CREATE = op("access_policy.create", "POST", "/v1/orgs/{org}/access-policies", Organization("policies:write"), "Make a ceiling that approvers can lay on what they grant");
    ACCESS_POLICY_LIST = op("access_policy.list", "GET", "/v1/orgs/{org}/access-policies", Organization("organization:read"), "List the access policies");
    ACCESS_POLICY_SHOW = op("access_policy.show", "GET", "/v1/orgs/{org}/access-policies/{access_policy}", Organization("organization:read"), "Show an access policy");
    ACCESS_POLICY_UPDATE = op("access_policy.update", "PATCH", "/v1/orgs/{org}/access-policies/{access_policy}", Organization("policies:write"), "Change an access policy, for every grant under it at once");
    ACCESS_POLICY_DELETE = op("access_policy.delete", "DELETE", "/v1/orgs/{org}/access-policies/{access_policy}", Organization("policies:write"), "Delete an access policy that no grant is under");

    INSTALLATION_LIMIT_CREATE = op("installation.limit.create", "POST", "/v1/limits", Publisher("installation_limits:write"), "Limit the calls in every organization");
    INSTALLATION_LIMIT_LIST = op("installation.limit.list", "GET", "/v1/limits", Publisher("installation_limits:read"), "List the limits that hold in every organization");
    INSTALLATION_LIMIT_SHOW = op("installation.limit.show", "GET", "/v1/limits/{limit}", Publisher("installation_limits:read"), "Show a limit that holds in every organization");
    INSTALLATION_LIMIT_UPDATE = op("installation.limit.update", "PATCH", "/v1/limits/{limit}", Publisher("installation_limits:write"), "Change the name, quota or window of a limit that holds in every organization");
    INSTALLATION_LIMIT_DELETE = op("installation.limit.delete", "DELETE", "/v1/limits/{limit}", Publisher("installation_limits:write"), "Delete a limit that holds in every organization");
    LIMIT_CREATE = op("limit.create", "POST", "/v1/orgs/{org}/limits", Organization("limits:write"), "Limit the calls in the organization, beside what holds in every one");
    LIMIT_LIST = op("limit.list", "GET", "/v1/orgs/{org}/limits", Organization("limits:read"), "List the limits on calls in the organization, those that hold in every one included");
    LIMIT_SHOW = op("limit.show", "GET", "/v1/orgs/{org}/limits/{limit}", Organization("limits:read"), "Show a limit on calls in the organization");
    LIMIT_UPDATE = op("limit.update", "PATCH", "/v1/orgs/{org}/limits/{limit}", Organization("limits:write"), "Change the name, quota or window of one of the organization's own limits");
    LIMIT_DELETE = op("limit.delete", "DELETE", "/v1/orgs/{org}/limits/{limit}", Organization("limits:write"), "Delete one of the organization's own limits");

    RECORD_LIST = op("record.list", "GET", "/v1/orgs/{org}/records", Organization("records:read"), "List access records, newest first");
    RECORD_HISTOGRAM = op("record.histogram", "GET", "/v1/orgs/{org}/records/histogram", Organization("records:read"), "Count access records by time and decision");
    RECORD_TOP = op("record.top", "GET", "/v1/orgs/{org}/records/top", Organization("records:read"), "Show what comes up most often in access records");
    RECORD_TAIL = op("record.tail", "GET", "/v1/orgs/{org}/records/tail", Organization("records:read"), "Follow access records as they are written");
    RECORD_SQL = question("record.sql", "/v1/orgs/{org}/records/sql", Organization("records:read"), "Ask the access records in SQL");
    RECORD_EXPORT = op("record.export", "GET", "/v1/orgs/{org}/records/export", Organization("records:read"), "Export access records as CSV, JSON Lines or Parquet");
    RECORD_RETENTION_SHOW = op("record.retention.show", "GET", "/v1/orgs/{org}/records/retention", Organization("records:read"), "Show how long access records are kept");
    RECORD_RETENTION_SET = op("record.retention.set", "PUT", "/v1/orgs/{org}/records/retention", Organization("policies:write"), "Change how long access records are kept, or hold them");
    RECORD_SHOW = op("record.show", "GET", "/v1/orgs/{org}/records/{record}", Organization("records:read"), "Show one access record");
    RECORD_PROOF = op("record.proof", "GET", "/v1/orgs/{org}/records/{record}/proof", Organization("records:read"), "Prove that an access record is as it was written");
    RECORD_CHECKPOINTS = op("record.checkpoints", "GET", "/v1/orgs/{org}/records/checkpoints", Organization("records:read"), "Show what was signed last about the access log, to be kept elsewhere");
    RECORD_STREAM_CREATE = op("record.stream.create", "POST", "/v1/orgs/{org}/record-streams", Organization("record_streams:write"), "Send access records on to a webhook or to syslog");
    RECORD_STREAM_LIST = op("record.stream.list", "GET", "/v1/orgs/{org}/record-streams", Organization("records:read"), "List where access records are sent");
    RECORD_STREAM_SHOW = op("record.stream.show", "GET", "/v1/orgs/{org}/record-streams/{stream}", Organization("records:read"), "Show a record stream and how far it has come");
    RECORD_STREAM_UPDATE = op("record.stream.update", "PATCH", "/v1/orgs/{org}/record-streams/{stream}", Organization("record_streams:write"), "Change where or how a record stream sends");
    RECORD_STREAM_DELETE = op("record.stream.delete", "DELETE", "/v1/orgs/{org}/record-streams/{stream}", Organization("record_streams:write"), "Delete a record stream");
    RECORD_STREAM_PAUSE = op("record.stream.pause", "POST", "/v1/orgs/{org}/record-streams/{stream}/pause", Organization("record_streams:write"), "Pause a record stream, which keeps its place");
    RECORD_STREAM_RESUME = op("record.stream.resume", "POST", "/v1/orgs/{org}/record-streams/{stream}/resume", Organization("record_streams:write"), "Let a paused record stream go on where it was");
    RECORD_STREAM_TEST = op("record.stream.test", "POST", "/v1/orgs/{org}/record-streams/{stream}/test", Organization("record_streams:write"), "Send one test event to a record stream's receiver now");
    RECORD_STREAM_ROTATE = op("record.stream.rotate", "POST", "/v1/orgs/{org}/record-streams/{stream}/rotate", Organization("record_streams:write"), "Give a record stream a new signing secret");
    RECORD_STREAM_REPLAY = op("record.stream.replay", "POST", "/v1/orgs/{org}/record-streams/{stream}/replay", Organization("record_streams:write"), "Send access records again, from a moment or a record on");
    ACTIVITY_LIST = op("activity.list", "GET", "/v1/orgs/{org}/activity", Organization("activity:read"), "List changes, newest first");

    NOTICE_SETTINGS_SHOW = op("notice_settings.show", "GET", "/v1/orgs/{org}/notice-settings", Organization("organization:read"), "Show how many days before a credential ends people are warned");
    NOTICE_SETTINGS_SET = op("notice_settings.set", "PUT", "/v1/orgs/{org}/notice-settings", Organization("organization:write"), "Change how many days before a credential ends people are warned");
    WEBHOOK_CREATE = op("webhook.create", "POST", "/v1/orgs/{org}/webhooks", Organization("webhooks:write"), "Have changes told to a program outside, by a signed webhook");
    WEBHOOK_LIST = op("webhook.list", "GET", "/v1/orgs/{org}/webhooks", Organization("webhooks:read"), "List webhooks");
    WEBHOOK_SHOW = op("webhook.show", "GET", "/v1/orgs/{org}/webhooks/{webhook}", Organization("webhooks:read"), "Show a webhook and what waits to be delivered");
    WEBHOOK_UPDATE = op("webhook.update", "PATCH", "/v1/orgs/{org}/webhooks/{webhook}", Organization("webhooks:write"), "Change where a webhook sends or which events");
    WEBHOOK_DELETE = op("webhook.delete", "DELETE", "/v1/orgs/{org}/webhooks/{webhook}", Organization("webhooks:write"), "Delete a webhook and what it has not delivered");
    WEBHOOK_PAUSE = op("webhook.pause", "POST", "/v1/orgs/{org}/webhooks/{webhook}/pause", Organization("webhooks:write"), "Pause a webhook, which keeps its place");
    WEBHOOK_RESUME = op("webhook.resume", "POST", "/v1/orgs/{org}/webhooks/{webhook}/resume", Organization("webhooks:write"), "Let a paused or disabled webhook go on where it was");
    WEBHOOK_TEST = op("webhook.test", "POST", "/v1/orgs/{org}/webhooks/{webhook}/test", Organization("webhooks:write"), "Send one test event to a webhook's receiver now");
    WEBHOOK_ROTATE = op("webhook.rotate", "POST", "/v1/orgs/{org}/webhooks/{webhook}/rotate", Organization("webhooks:write"), "Give a webhook a new signing secret");
    WEBHOOK_REPLAY = op("webhook.replay", "POST", "/v1/orgs/{org}/webhooks/{webhook}/replay", Organization("webhooks:write"), "Send again what a webhook could not deliver since a moment");
    WEBHOOK_DELIVERY_LIST = op("webhook.delivery.list", "GET", "/v1/orgs/{org}/webhooks/{webhook}/deliveries", Organization("webhooks:read"), "List the deliveries of a webhook, newest first");
    WEBHOOK_DELIVERY_REPLAY = op("webhook.delivery.replay", "POST", "/v1/orgs/{org}/webhooks/{webhook}/deliveries/{delivery}/replay", Organization("webhooks:write"), "Send one delivery again");

    SCIM_CONFIG = op("scim.config", "GET", "/scim/v2/orgs/{org}/ServiceProviderConfig", Provisioning("scim"), "SCIM: what of the protocol is there");
    SCIM_TYPE_LIST = op("scim.type.list", "GET", "/scim/v2/orgs/{org}/ResourceTypes", Provisioning("scim"), "SCIM: which types of resources there are");
    SCIM_TYPE_SHOW = op("scim.type.show", "GET", "/scim/v2/orgs/{org}/ResourceTypes/{type}", Provisioning("scim"), "SCIM: one type of resources");
    SCIM_SCHEMA_LIST = op("scim.schema.list", "GET", "/scim/v2/orgs/{org}/Schemas", Provisioning("scim"), "SCIM: which attributes are kept");
    SCIM_SCHEMA_SHOW = op("scim.schema.show", "GET", "/scim/v2/orgs/{org}/Schemas/{schema}", Provisioning("scim"), "SCIM: which attributes of one type are kept");
    SCIM_SEARCH = question("scim.search", "/scim/v2/orgs/{org}/.search", Provisioning("scim"), "SCIM: search people and teams");
    SCIM_USER_CREATE = op("scim.user.create", "POST", "/scim/v2/orgs/{org}/Users", Provisioning("scim"), "SCIM: make somebody a member, with an account where there is none");
    SCIM_USER_LIST = op("scim.user.list", "GET", "/scim/v2/orgs/{org}/Users", Provisioning("scim"), "SCIM: list or find members");
    SCIM_USER_SEARCH = question("scim.user.search", "/scim/v2/orgs/{org}/Users/.search", Provisioning("scim"), "SCIM: list or find members, asked in a body");
    SCIM_USER_SHOW = op("scim.user.show", "GET", "/scim/v2/orgs/{org}/Users/{user}", Provisioning("scim"), "SCIM: show a member");
    SCIM_USER_REPLACE = op("scim.user.replace", "PUT", "/scim/v2/orgs/{org}/Users/{user}", Provisioning("scim"), "SCIM: say anew what is known of a member; not active: they leave");
    SCIM_USER_UPDATE = op("scim.user.update", "PATCH", "/scim/v2/orgs/{org}/Users/{user}", Provisioning("scim"), "SCIM: change what is known of a member; not active: they leave");
    SCIM_USER_DELETE = op("scim.user.delete", "DELETE", "/scim/v2/orgs/{org}/Users/{user}", Provisioning("scim"), "SCIM: end a membership; the person leaves");
    SCIM_GROUP_CREATE = op("scim.group.create", "POST", "/scim/v2/orgs/{org}/Groups", Provisioning("scim"), "SCIM: make a team");
    SCIM_GROUP_LIST = op("scim.group.list", "GET", "/scim/v2/orgs/{org}/Groups", Provisioning("scim"), "SCIM: list or find teams");
    SCIM_GROUP_SEARCH = question("scim.group.search", "/scim/v2/orgs/{org}/Groups/.search", Provisioning("scim"), "SCIM: list or find teams, asked in a body");
    SCIM_GROUP_SHOW = op("scim.group.show", "GET", "/scim/v2/orgs/{org}/Groups/{team}", Provisioning("scim"), "SCIM: show a team");
    SCIM_GROUP_REPLACE = op("scim.group.replace", "PUT", "/scim/v2/orgs/{org}/Groups/{team}", Provisioning("scim"), "SCIM: say anew what a team is called and who is in it");
    SCIM_GROUP_UPDATE = op("scim.group.update", "PATCH", "/scim/v2/orgs/{org}/Groups/{team}", Provisioning("scim"), "SCIM: change what a team is called and who is in it");
    SCIM_GROUP_DELETE = op("scim.group.delete", "DELETE", "/scim/v2/orgs/{org}/Groups/{team}", Provisioning("scim"), "SCIM: delete a team that SCIM made");

    VERIFY = question("verify.one", "/v1/verify", Verifier, "Decide whether a credential may make a call");
    VERIFY_BATCH = question("verify.batch", "/v1/verify/batch", Verifier, "Decide up to 1,000 calls");

    AUTHZEN_CONFIGURATION = op("authzen.configuration", "GET", "/.well-known/authzen-configuration", Public, "AuthZEN: which of its calls are here");
    AUTHZEN_EVALUATION = question("authzen.evaluation", "/access/v1/evaluation", Verifier, "AuthZEN: decide whether a credential may make a call");
    AUTHZEN_EVALUATIONS = question("authzen.evaluations", "/access/v1/evaluations", Verifier, "AuthZEN: decide up to 1,000 calls");
    AUTHZEN_REQUEST_FILE = op("authzen.request.file", "POST", "/access/v1/requests", Holder, "AuthZEN: ask for what a denial said was missing");
    AUTHZEN_REQUEST_SHOW = op("authzen.request.show", "GET", "/access/v1/requests/{task}", Holder, "AuthZEN: show what became of an access request, or wait for it");
    AUTHZEN_REQUEST_CANCEL = op("authzen.request.cancel", "POST", "/access/v1/requests/{task}/cancel", Holder, "AuthZEN: take an access request back as far as it is not decided");

    METRICS = op("system.metrics", "GET", "/metrics", Publisher("system:read"), "The server's metrics, for Prometheus");
    HEALTH = op("system.health", "GET", "/healthz", Public, "Whether the process is alive");
    READY = op("system.ready", "GET", "/readyz", Public, "Whether checks can be answered");
    OPENAPI = op("system.openapi", "GET", "/openapi.json", Public, "This API as an OpenAPI 3.1 document");
}

/// The operation with this id.
pub fn find(id: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.id == id).copied()
}

/// Whether the table's permissions exist and are checked where they say.
pub fn is_consistent(operation: &Operation) -> bool {
    let known = |name: &str, reach: Reach| permissions::find(name).is_some_and(|found| found.reach == reach);
    match operation.guard {
        Guard::Public | Guard::Verifier | Guard::Application | Guard::Holder => operation.scope.is_none(),
        Guard::SignedIn => operation.scope.is_none_or(|name| known(name, Reach::Organization)),
        Guard::Publisher(name) => known(name, Reach::Publisher),
        Guard::Organization(name) | Guard::Context(name) | Guard::Provisioning(name) => {
            known(name, Reach::Organization)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (place, operation) in OPERATIONS.iter().enumerate() {
            assert!(is_consistent(operation), "{}", operation.id);
            let rest = &OPERATIONS[..place];
            assert!(rest.iter().all(|other| other.id != operation.id), "{} stands twice", operation.id);
            assert!(
                rest.iter().all(|other| (other.method, other.path) != (operation.method, operation.path)),
                "{} {} stands twice",
                operation.method,
                operation.path
            );
        }
    }

    #[test]
    fn every_permission_is_used() {
        for permission in permissions::OWN_PERMISSIONS {
            let used = OPERATIONS.iter().any(|operation| operation.scope == Some(permission.name));
            assert!(used, "{} guards nothing", permission.name);
        }
    }
}
