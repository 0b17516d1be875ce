//! The permissions of Tegata's own API: the second of the two tables that drive every face. Its own catalogue, role
//! forms, consent texts and docs read this table.

use crate::level::Level;

/// The key of Tegata's own API in its own catalogue.
pub const OWN_API: &str = "tegata";

/// How much harm the permission can do in the wrong hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// Seeing what members see anyway.
    Low,
    /// Seeing what few see, or changing one's own things.
    Medium,
    /// Changing what others may do.
    High,
}

/// Where the permission is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In an organization or one of its contexts.
    Organization,
    /// In the publisher's organization: it is about the whole installation.
    Publisher,
}

/// One permission of Tegata's own API.
#[derive(Debug, Clone, Copy)]
pub struct OwnPermission {
    /// Its name in scopes.
    pub name: &'static str,
    /// Its level.
    pub level: Level,
    /// Where it is checked.
    pub reach: Reach,
    /// How much harm it can do.
    pub risk: Risk,
    /// What it allows, for people, in English.
    pub en: &'static str,
    /// The same in Japanese.
    pub ja: &'static str,
}

const fn permission(
    name: &'static str,
    level: Level,
    reach: Reach,
    risk: Risk,
    en: &'static str,
    ja: &'static str,
) -> OwnPermission {
    OwnPermission { name, level, reach, risk, en, ja }
}

use Level::{Admin, Read, Write};
use Reach::{Organization, Publisher};
use Risk::{High, Low, Medium};

/// Every permission of Tegata's own API. Rows are appended, never removed: roles of running installations name them.
#[rustfmt::skip]
pub const OWN_PERMISSIONS: &[OwnPermission] = &[
    permission("organization:read", Read, Organization, Low, "See the organization, its members, teams, roles and contexts", "組織とメンバー、チーム、ロール、コンテキストの閲覧"),
    permission("organization:write", Admin, Organization, High, "Change the organization and the APIs it uses", "組織と利用するAPIの変更"),
    permission("members:write", Admin, Organization, High, "Add members, deactivate and reactivate them", "メンバーの追加、停止、再開"),
    permission("teams:write", Admin, Organization, High, "Make teams and change who is in them", "チームの作成と構成員の変更"),
    permission("contexts:write", Write, Organization, Medium, "Register contexts, which one then administers, and rename them", "コンテキストの登録(登録者が管理者になる)と名称変更"),
    permission("roles:write", Admin, Organization, High, "Define roles", "ロールの定義"),
    permission("assignments:write", Admin, Organization, High, "Give and take roles", "ロールの割り当てと解除"),
    permission("own_tokens:read", Read, Organization, Low, "See one's own tokens", "自分のトークンの閲覧"),
    permission("own_tokens:write", Write, Organization, Medium, "Make, regenerate and revoke one's own tokens", "自分のトークンの作成、再生成、取り消し"),
    permission("tokens:read", Read, Organization, Medium, "See every token that is used in the organization", "組織で使われる全トークンの閲覧"),
    permission("tokens:write", Admin, Organization, High, "Block, unblock and revoke tokens in the organization", "組織でのトークンの停止、再開、取り消し"),
    permission("tokens:approve", Admin, Organization, High, "Decide requests for tokens that are used in a place", "その場で使われるトークンの申請の承認・却下"),
    permission("policies:read", Read, Organization, Low, "See what the organization allows for each kind of credential", "クレデンシャル種別ごとのポリシーの閲覧"),
    permission("policies:write", Admin, Organization, High, "Change what the organization allows for each kind of credential", "クレデンシャル種別ごとのポリシーの変更"),
    permission("records:read", Read, Organization, Medium, "See and export the access records", "アクセス記録の閲覧とエクスポート"),
    permission("activity:read", Read, Organization, Medium, "See what was changed by whom", "変更履歴の閲覧"),
    permission("organizations:write", Admin, Publisher, High, "Make organizations", "組織の作成"),
    permission("users:read", Read, Publisher, Medium, "See every account of the installation", "全アカウントの閲覧"),
    permission("users:write", Admin, Publisher, High, "Make accounts, deactivate and reactivate them", "アカウントの作成、停止、再開"),
    permission("apis:write", Admin, Publisher, High, "Import catalogues of protected APIs", "APIカタログの取り込み"),
    permission("verifiers:read", Read, Publisher, Medium, "See the verifiers", "検証者の閲覧"),
    permission("verifiers:write", Admin, Publisher, High, "Make, renew and stop verifiers", "検証者の作成、更新、停止"),
    permission("system:read", Read, Publisher, Low, "See the server's metrics", "サーバーの指標の閲覧"),
    permission("limits:read", Read, Organization, Low, "See the limits on calls in the organization", "組織での呼び出し制限の閲覧"),
    permission("limits:write", Admin, Organization, High, "Limit calls in the organization", "組織での呼び出し制限の設定"),
    permission("installation_limits:read", Read, Publisher, Low, "See the limits on calls in every organization", "全組織に適用される呼び出し制限の閲覧"),
    permission("installation_limits:write", Admin, Publisher, High, "Limit calls in every organization", "全組織に適用される呼び出し制限の設定"),
    permission("record_streams:write", Admin, Organization, High, "Send the access records on to other systems, which then see every call, and change where to", "アクセス記録の外部システムへの継続的な送信と送信先の変更"),
    permission("webhooks:read", Read, Organization, Medium, "See webhooks and their deliveries", "Webhookと配信状況の閲覧"),
    permission("webhooks:write", Admin, Organization, High, "Have other systems told of every change in the organization, and change where to", "組織での変更の外部システムへの通知(Webhook)と通知先の変更"),
    permission("organization_keys:read", Read, Organization, Medium, "See the keys that the organization owns, and their risks", "組織が所有するキーとそのリスクの閲覧"),
    permission("organization_keys:write", Admin, Organization, High, "Make, block and revoke keys that the organization owns", "組織が所有するキーの作成、停止、取り消し"),
    permission("service_accounts:write", Admin, Organization, High, "Make service accounts, change who answers for them, deactivate and reactivate them", "サービスアカウントの作成、責任者の変更、停止、再開"),
    permission("access_keys:read", Read, Organization, Medium, "See the access keys of service accounts", "サービスアカウントのアクセスキーの閲覧"),
    permission("access_keys:write", Admin, Organization, High, "Make access keys for service accounts, give them new secrets, block and revoke them", "アクセスキーの作成、再生成、停止、取り消し"),
    permission("applications:read", Read, Organization, Low, "See the applications and what each may do where", "アプリケーションと許可された権限の閲覧"),
    permission("applications:write", Admin, Organization, High, "Register and install applications, ask for their rights, make their tokens, block and remove them", "アプリケーションの登録・導入、権限の申請、トークンの発行、停止、削除"),
    permission("scim", Admin, Organization, High, "Manage members and its own teams over SCIM, as an identity provider; organization keys only", "IDプロバイダーとしてSCIMでメンバーと自身の作成したチームを管理(組織キー専用)"),
    permission("credential_imports:write", Admin, Organization, High, "Import keys that were made elsewhere, for any member or service account", "他所で作られたキーの取り込み(任意のメンバー・サービスアカウント宛て)"),
];

/// The permission of this name.
pub fn find(name: &str) -> Option<&'static OwnPermission> {
    OWN_PERMISSIONS.iter().find(|permission| permission.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        for (place, permission) in OWN_PERMISSIONS.iter().enumerate() {
            assert_eq!(crate::name::check_permission(permission.name), Ok(()));
            assert!(OWN_PERMISSIONS[..place].iter().all(|other| other.name != permission.name));
            assert!(!permission.en.is_empty() && !permission.ja.is_empty());
        }
    }
}
