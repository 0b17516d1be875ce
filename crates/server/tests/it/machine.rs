//! Commands at random against a small model: tokens, requests, roles and policies change as people would change them, and
//! every success has to be one that the model allows. A check is allowed exactly where the model says so: while the token
//! is let go on, its owner has the right, the policy admits it, and somebody granted it who could at that moment.

use crate::support::{Client, Reply, Server};
use crate::town::{Town, text};
use serde_json::{Value, json};

/// Commands of one walk.
const STEPS: usize = 500;

/// Who acts. The administrator of everything, the administrator of the house, and somebody who may use its doors.
const ADMIN: usize = 0;
const KEEPER: usize = 1;
const OWNER: usize = 2;

const HOUSE: &str = "house:key:main";
const ROOM: &str = "room:key:hall";

/// Numbers that come again with every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((number ^ (number >> 31)) % sides as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Waits,
    Granted,
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Active,
    Blocked,
    Revoked,
}

#[derive(Debug)]
struct Token {
    id: String,
    secret: String,
    owner: usize,
    place: &'static str,
    permission: &'static str,
    request: Option<String>,
    line: Line,
    part: Part,
}

/// What is true, as far as it matters.
struct Model {
    admission: &'static str,
    read_only: bool,
    four_eyes: bool,
    /// The assignment that gives each of them their role in the house; the administrator needs none.
    roles: [Option<String>; 3],
    tokens: Vec<Token>,
}

impl Model {
    fn has_rights(&self, who: usize) -> bool {
        who == ADMIN || self.roles[who].is_some()
    }

    fn answers(&self, who: usize) -> bool {
        who == ADMIN || (who == KEEPER && self.roles[KEEPER].is_some())
    }

    fn admits(&self, permission: &str) -> bool {
        self.admission != "deny" && (!self.read_only || permission == "doors:read")
    }

    /// Whether somebody may decide what somebody asked for.
    fn may_decide(&self, who: usize, asked_by: usize) -> bool {
        self.answers(who) && (who != asked_by || !self.four_eyes)
    }

    fn allows(&self, token: &Token, place: &str, permission: &str) -> bool {
        let covered = (token.place == HOUSE || token.place == place)
            && (token.permission == "doors:write" || token.permission == permission);
        token.part == Part::Active
            && token.line == Line::Granted
            && covered
            && self.admits(permission)
            && self.has_rights(token.owner)
    }
}

struct Walk {
    town: Town,
    gate: Client,
    people: [Client; 3],
    ids: [String; 3],
    doors: String,
    model: Model,
    dice: Dice,
    granted: usize,
    denied: usize,
    decided: usize,
}

impl Walk {
    async fn begin(server: &Server, seed: u64) -> Self {
        let town = Town::found(server).await;
        let gate = server.verifier(&town.root, "town").await;
        let keeper = town.member(server, "keeper", "member").await;
        let owner = town.member(server, "owner", "member").await;
        let doors = town.doors_role().await;
        let roles = [
            None,
            Some(town.give("context-administrator", &keeper.id).await),
            Some(town.give(&doors, &owner.id).await),
        ];
        let people = [town.admin.client.clone(), keeper.client, owner.client];
        let ids = [town.admin.id.clone(), keeper.id, owner.id];
        let model = Model { admission: "allow", read_only: false, four_eyes: false, roles, tokens: Vec::new() };
        Self { town, gate, people, ids, doors, model, dice: Dice(seed), granted: 0, denied: 0, decided: 0 }
    }

    fn some_token(&mut self) -> Option<usize> {
        let count = self.model.tokens.len();
        // Mostly a young one: of the old most are over.
        (count > 0).then(|| count - 1 - self.dice.roll(count.min(6)))
    }

    /// Mostly one that waits; sometimes one that is over, which nothing may move.
    fn some_request(&mut self) -> Option<usize> {
        let tokens = self.model.tokens.iter().enumerate();
        let all: Vec<(usize, Line)> =
            tokens.filter(|(_, token)| token.request.is_some()).map(|(place, token)| (place, token.line)).collect();
        let waiting: Vec<usize> =
            all.iter().filter(|(_, line)| *line == Line::Waits).map(|(place, _)| *place).collect();
        if !waiting.is_empty() && self.dice.roll(4) > 0 {
            return Some(self.dice.of(&waiting));
        }
        let young = &all[all.len().saturating_sub(6)..];
        (!young.is_empty()).then(|| self.dice.of(young).0)
    }

    async fn create(&mut self, server: &Server) {
        let owner = self.dice.of(&[ADMIN, KEEPER, OWNER, OWNER]);
        let (place, permission) = (self.dice.of(&[HOUSE, ROOM]), self.dice.of(&["doors:read", "doors:write"]));
        let body = json!({"name": "some", "expires_at": server.in_days(10), "reason": "test",
            "grants": [{"organization": "octo", "api": "town", "scopes": [format!("{place}:{permission}")]}]});
        let reply = self.people[owner].post("/v1/me/tokens", body).await;
        let model = &mut self.model;
        if reply.status != 201 {
            assert!(!model.admits(permission) || !model.has_rights(owner), "refused for nothing: {}", reply.body);
            return;
        }
        assert!(model.admits(permission) && model.has_rights(owner), "{}", reply.body);
        let line = match reply["grants"][0]["state"].as_str().unwrap() {
            "granted" => Line::Granted,
            "requested" => Line::Waits,
            other => panic!("{other}"),
        };
        let by_themself = model.may_decide(owner, owner);
        assert_eq!(line == Line::Granted, model.admission == "allow" || by_themself, "{}", reply.body);
        let request = reply["requests"][0].as_str().map(str::to_owned);
        assert_eq!(request.is_some(), line == Line::Waits);
        let (id, secret) = (text(&reply.body, "id"), text(&reply.body, "token"));
        model.tokens.push(Token { id, secret, owner, place, permission, request, line, part: Part::Active });
    }

    /// Whoever it is tries to decide, take away, or take back.
    async fn on_request(&mut self) {
        let Some(place) = self.some_request() else { return };
        let (who, verb) = (self.dice.roll(3), self.dice.of(&[0, 0, 1, 2, 3]));
        let token = &self.model.tokens[place];
        let Some(request) = token.request.clone() else { return };
        let path = format!("/v1/orgs/octo/requests/{request}");
        let (owner, line, permission) = (token.owner, token.line, token.permission);
        let client = &self.people[who];
        let (reply, legal, becomes): (Reply, bool, Line) = match verb {
            0 => {
                let reply = client.post(&format!("{path}/decide"), json!({"approve_all": true})).await;
                let may = self.model.may_decide(who, owner) && self.model.admits(permission);
                (reply, line == Line::Waits && may && self.model.has_rights(who), Line::Granted)
            }
            1 => {
                let reply = client.post(&format!("{path}/decide"), json!({"reject_all": true, "comment": "no"})).await;
                (reply, line == Line::Waits && self.model.may_decide(who, owner), Line::Over)
            }
            2 => {
                let reply = client.post(&format!("{path}/ungrant"), json!({"reason": "test"})).await;
                (reply, line == Line::Granted && self.model.answers(who), Line::Over)
            }
            _ => {
                let reply = client.post(&format!("/v1/me/requests/{request}/withdraw"), json!({})).await;
                (reply, line == Line::Waits && who == owner, Line::Over)
            }
        };
        let done = reply.status == 200;
        assert_eq!(done, legal, "verb {verb} by {who} on a line of {owner} that is {line:?}: {}", reply.body);
        if done {
            self.decided += 1;
            self.model.tokens[place].line = becomes;
        }
    }

    async fn on_token(&mut self) {
        let Some(place) = self.some_token() else { return };
        let (verb, from, to) = self.dice.of(&[
            ("block", Part::Active, Part::Blocked),
            ("unblock", Part::Blocked, Part::Active),
            ("unblock", Part::Blocked, Part::Active),
            ("revoke", Part::Active, Part::Revoked),
        ]);
        let token = &mut self.model.tokens[place];
        let path = format!("/v1/orgs/octo/tokens/{}/{verb}", token.id);
        let reply = self.town.admin.client.post(&path, json!({})).await;
        let legal = token.part == from || (verb == "revoke" && token.part == Part::Blocked);
        assert_eq!(reply.status == 200, legal, "{verb} of {:?}: {}", token.part, reply.body);
        if legal {
            token.part = to;
            if to == Part::Revoked && token.line == Line::Waits {
                token.line = Line::Over;
            }
        }
    }

    async fn on_policy(&mut self) {
        let model = &mut self.model;
        model.admission = self.dice.of(&["allow", "approval", "approval", "approval", "deny"]);
        model.read_only = self.dice.roll(4) == 0;
        model.four_eyes = self.dice.roll(2) == 0;
        let level = if model.read_only { "read_only" } else { "all" };
        let body = json!({"admission": model.admission, "level": level, "max_lifetime_days": 365,
            "four_eyes": model.four_eyes, "reason": "test"});
        self.town.admin.client.put("/v1/orgs/octo/policies/personal_token", body).await.status(200);
    }

    async fn on_role(&mut self) {
        let who = self.dice.of(&[KEEPER, OWNER]);
        if let Some(assignment) = self.model.roles[who].take() {
            self.town.admin.client.delete(&format!("/v1/orgs/octo/assignments/{assignment}")).await.status(200);
        } else {
            let role = if who == KEEPER { "context-administrator" } else { &self.doors };
            self.model.roles[who] = Some(self.town.give(role, &self.ids[who]).await);
        }
    }

    /// Asks about every young token in every place: the answer is that of the model.
    async fn check(&mut self) {
        let first = self.model.tokens.len().saturating_sub(6);
        let mut checks: Vec<Value> = Vec::new();
        let mut expected = Vec::new();
        for token in &self.model.tokens[first..] {
            for (place, permission) in
                [HOUSE, ROOM].into_iter().flat_map(|place| [(place, "doors:read"), (place, "doors:write")])
            {
                checks.push(json!({"token": token.secret, "api": "town", "permission": permission, "context": place}));
                expected.push((token, place, permission, self.model.allows(token, place, permission)));
            }
        }
        if checks.is_empty() {
            return;
        }
        let reply = self.gate.post("/v1/verify/batch", json!({"checks": checks})).await;
        for (answer, (token, place, permission, allowed)) in
            reply.status(200)["results"].as_array().unwrap().iter().zip(expected)
        {
            assert_eq!(answer["allowed"], allowed, "{permission} in {place} with {token:?}: {answer}");
            self.granted += usize::from(allowed);
            self.denied += usize::from(!allowed);
        }
    }

    async fn go(mut self, server: &Server) {
        for _ in 0..STEPS {
            match self.dice.roll(20) {
                0..=4 => self.create(server).await,
                5..=13 => self.on_request().await,
                14..=15 => self.on_token().await,
                16..=17 => self.on_policy().await,
                _ => self.on_role().await,
            }
            self.check().await;
        }
        assert!(self.granted > 300 && self.denied > 300, "{} granted, {} denied", self.granted, self.denied);
        assert!(self.decided > 20, "only {} decisions", self.decided);
    }
}

/// The seed of a walk: this one, unless `TEGATA_TEST_SEED` names another.
fn seed(usual: u64) -> u64 {
    std::env::var("TEGATA_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

both_databases! {
    async fn nothing_is_allowed_that_nobody_could_grant(server: Server) {
        Walk::begin(&server, seed(1)).await.go(&server).await;
    }

    async fn nothing_is_allowed_on_another_way_either(server: Server) {
        Walk::begin(&server, seed(20_261_122)).await.go(&server).await;
    }
}
