//! The command line as a whole.

use super::*;
use clap::CommandFactory as _;
use tegata_core::operations::{Guard, OPERATIONS, Operation};

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

fn every_help(command: &mut clap::Command, path: &str, helps: &mut Vec<(String, String)>) {
    helps.push((path.to_owned(), command.render_long_help().to_string()));
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        if let Some(below) = command.find_subcommand_mut(&name) {
            every_help(below, &format!("{path} {name}"), helps);
        }
    }
}

#[test]
fn no_secret_is_an_argument() {
    let mut helps = Vec::new();
    let mut command = Cli::command();
    command.build();
    every_help(&mut command, "tegata", &mut helps);
    assert!(helps.len() > 60);
    for (path, help) in helps {
        for line in help.lines().map(str::trim_start) {
            let takes = |flag: &str| line.starts_with(&format!("{flag} <"));
            assert!(!["--token", "--password", "--secret", "--client-secret"].into_iter().any(takes), "{path}: {line}");
        }
    }
}

#[test]
fn help_tells_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    for exit in Exit::ALL {
        assert!(help.contains(exit.meaning()), "{exit:?}");
    }
}

#[test]
fn every_operation_has_a_command() {
    let sources = [
        include_str!("access_key.rs"),
        include_str!("access_policy.rs"),
        include_str!("account.rs"),
        include_str!("activity.rs"),
        include_str!("assignment.rs"),
        include_str!("catalogue.rs"),
        include_str!("context.rs"),
        include_str!("credential.rs"),
        include_str!("inbox.rs"),
        include_str!("leak.rs"),
        include_str!("init.rs"),
        include_str!("member.rs"),
        include_str!("org.rs"),
        include_str!("organization_key.rs"),
        include_str!("policy.rs"),
        include_str!("policy/context.rs"),
        include_str!("record.rs"),
        include_str!("record/ask.rs"),
        include_str!("record/follow.rs"),
        include_str!("record/stream.rs"),
        include_str!("request.rs"),
        include_str!("request/wait.rs"),
        include_str!("rights.rs"),
        include_str!("role.rs"),
        include_str!("limit.rs"),
        include_str!("service_account.rs"),
        include_str!("application.rs"),
        include_str!("application/token.rs"),
        include_str!("session.rs"),
        include_str!("succession.rs"),
        include_str!("team.rs"),
        include_str!("token.rs"),
        include_str!("user.rs"),
        include_str!("verifier.rs"),
        include_str!("verify.rs"),
        include_str!("webhook.rs"),
    ]
    .concat();
    // For machines only. May only shrink.
    let without = ["leak.github", "verify.batch", "system.metrics", "system.health", "system.ready", "system.openapi"];
    // Nor is a command line an identity provider, an application, or a gateway that speaks AuthZEN.
    let by_hand = |operation: &&&Operation| {
        let by_gateways = operation.id.starts_with("authzen.");
        !without.contains(&operation.id)
            && !by_gateways
            && !matches!(operation.guard, Guard::Provisioning(_) | Guard::Application)
    };
    for operation in OPERATIONS.iter().filter(by_hand) {
        let name = match operation.id {
            "setup.complete" => "SETUP".to_owned(),
            "verify.one" => "VERIFY".to_owned(),
            id => id.replace('.', "_").to_uppercase(),
        };
        let ends = |rest: &str| !rest.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_');
        let called = sources.split(&format!("operations::{name}")).skip(1).any(ends);
        assert!(called, "{name} has no command");
    }
}

#[test]
fn completions_know_every_noun() {
    let mut script = Vec::new();
    clap_complete::generate(clap_complete::Shell::Bash, &mut Cli::command(), "tegata", &mut script);
    let script = String::from_utf8(script).unwrap();
    for command in Cli::command().get_subcommands() {
        assert!(script.contains(command.get_name()));
    }
}
