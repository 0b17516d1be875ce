//! The rules of the house, over the repository itself. A failure names the place and what to do about it.

use std::sync::LazyLock;

use tegata_tidy::{Tree, assert_none, borders, lengths, manners, prose, tenancy};

static TREE: LazyLock<Tree> = LazyLock::new(Tree::of_this_repository);

#[test]
fn the_tree_is_read() {
    assert!(TREE.exists("tools/tidy/tests/repository.rs") && TREE.exists("Cargo.toml"));
}

#[test]
fn core_is_pure() {
    assert_none(&borders::core_is_pure(&TREE));
}

#[test]
fn crates_depend_downwards() {
    assert_none(&borders::crates_depend_downwards(&TREE));
}

#[test]
fn sql_stays_in_db() {
    assert_none(&borders::sql_stays_in_db(&TREE));
}

#[test]
fn doors_do_not_touch_the_database() {
    assert_none(&borders::doors_do_not_touch_the_database(&TREE));
}

#[test]
fn nothing_imports_a_door() {
    assert_none(&borders::nothing_imports_a_door(&TREE));
}

#[test]
fn only_local_commands_open_the_database() {
    assert_none(&borders::only_local_commands_open_the_database(&TREE));
}

#[test]
fn secrets_are_hashed_in_authn_only() {
    assert_none(&borders::secrets_are_hashed_in_authn_only(&TREE));
}

#[test]
fn files_stay_short() {
    assert_none(&lengths::files_stay_short(&TREE));
}

#[test]
fn nothing_unfinished_is_left() {
    assert_none(&manners::nothing_unfinished_is_left(&TREE));
}

#[test]
fn unsafe_has_one_room() {
    assert_none(&manners::unsafe_has_one_room(&TREE));
}

#[test]
fn lint_exceptions_give_a_reason() {
    assert_none(&manners::lint_exceptions_give_a_reason(&TREE));
}

#[test]
fn no_mod_rs() {
    assert_none(&manners::no_mod_rs(&TREE));
}

#[test]
fn every_table_is_a_tenants_or_shared() {
    assert_none(&tenancy::every_table_is_a_tenants_or_shared(&TREE));
}

#[test]
fn tenant_statements_name_the_organization() {
    assert_none(&tenancy::tenant_statements_name_the_organization(&TREE));
}

#[test]
fn links_resolve() {
    assert_none(&prose::links_resolve(&TREE));
}

#[test]
fn architecture_agrees() {
    assert_none(&prose::architecture_agrees(&TREE));
}
