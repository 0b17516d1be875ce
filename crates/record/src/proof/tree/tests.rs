use super::*;
use proptest::prelude::*;

/// The definition of RFC 6962 §2.1, as it is written.
fn defined_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(defined_split(leaves.len()));
            node_hash(&defined_root(left), &defined_root(right))
        }
    }
}

fn defined_split(leaves: usize) -> usize {
    let mut at = 1;
    while at * 2 < leaves {
        at *= 2;
    }
    at
}

/// PATH(m, D\[n\]) of §2.1.1.
fn defined_path(index: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let at = defined_split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, sibling) = if index < at {
        (defined_path(index, left), defined_root(right))
    } else {
        (defined_path(index - at, right), defined_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF(m, D\[n\], b) of §2.1.2.
fn defined_subproof(old: usize, leaves: &[TreeHash], whole: bool) -> Vec<TreeHash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![defined_root(leaves)] };
    }
    let at = defined_split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, sibling) = if old <= at {
        (defined_subproof(old, left, whole), defined_root(right))
    } else {
        (defined_subproof(old - at, right, false), defined_root(left))
    };
    path.push(sibling);
    path
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hash(text: &str) -> TreeHash {
    TreeHash(hex(text).try_into().unwrap())
}

/// The leaves and roots that implementations of Certificate Transparency share as their test vectors.
const CT_LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const CT_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn known_roots() {
    assert_eq!(root(&[]), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    let mut frontier = Frontier::new();
    for (leaf, expected) in CT_LEAVES.into_iter().zip(CT_ROOTS) {
        frontier.push(leaf_hash(&hex(leaf)));
        assert_eq!(frontier.root(), hash(expected));
    }
}

#[test]
fn known_nodes() {
    assert_eq!(leaf_hash(b"L123456"), hash("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"));
    let [left, right] = ["N123", "N456"].map(str::as_bytes);
    let node = sha256(&[&[1], left, right].concat());
    assert_eq!(node, hash("aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"));
    let [left, right] = [leaf_hash(left), leaf_hash(right)];
    assert_eq!(node_hash(&left, &right), sha256(&[&[1][..], &left.0, &right.0].concat()));
}

#[test]
fn known_proofs() {
    let leaves: Vec<TreeHash> = CT_LEAVES.iter().map(|leaf| leaf_hash(&hex(leaf))).collect();
    let inclusion_of_5 = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(inclusion(5, &leaves).unwrap(), inclusion_of_5.map(hash));
    let from_6_to_8 = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(consistency(6, &leaves).unwrap(), from_6_to_8.map(hash));
    let from_2_to_5 = [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ];
    assert_eq!(consistency(2, &leaves[..5]).unwrap(), from_2_to_5.map(hash));
    assert!(verify_consistency(6, 8, &from_6_to_8.map(hash), hash(CT_ROOTS[5]), hash(CT_ROOTS[7])));
    assert!(!verify_consistency(6, 8, &from_6_to_8.map(hash), hash(CT_ROOTS[4]), hash(CT_ROOTS[7])));
    assert!(verify_inclusion(5, 8, leaves[5], &inclusion_of_5.map(hash), hash(CT_ROOTS[7])));
}

fn leaves(count: usize) -> Vec<TreeHash> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

#[test]
fn every_small_tree_agrees_with_the_definition() {
    for count in 0..70 {
        let leaves = leaves(count);
        assert_eq!(root(&leaves), defined_root(&leaves));
        for index in 0..count {
            assert_eq!(inclusion(index, &leaves).unwrap(), defined_path(index, &leaves), "{index} of {count}");
        }
        for old in 1..=count {
            assert_eq!(consistency(old, &leaves).unwrap(), defined_subproof(old, &leaves, true), "{old} of {count}");
        }
        assert_eq!(inclusion(count, &leaves), None);
        assert_eq!(consistency(count + 1, &leaves), None);
    }
}

#[test]
fn blocks_are_leaves_of_a_smaller_tree() {
    let (mut frontier, mut blocks) = (Frontier::new(), Vec::new());
    let leaves = leaves(5_000);
    for (number, leaf) in leaves.iter().enumerate() {
        blocks.extend(frontier.push(*leaf));
        assert_eq!(blocks.len(), (number + 1) / 1_024);
        if number % 97 == 0 || number > 4_990 {
            let mut all = blocks.clone();
            all.extend(frontier.last_part());
            assert_eq!(root(&all), frontier.root(), "{number}");
        }
    }
    assert_eq!(blocks[1], root(&leaves[1_024..2_048]));
}

#[test]
fn hashes_have_one_spelling() {
    let text = sha256(b"").to_string();
    assert_eq!(TreeHash::parse(&text), Some(sha256(b"")));
    let changed = text.replace("FU=", "FV=");
    assert_ne!(changed, text);
    for other in ["", &text[1..], &format!("{text}="), &changed, &"A".repeat(44), &"é".repeat(22)] {
        assert_eq!(TreeHash::parse(other), None, "{other}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inclusion_is_proven_for_what_is_there_only(count in 1..300_usize, index: prop::sample::Index, other: prop::sample::Index, flip in 0..256_usize) {
        let leaves = leaves(count);
        let (index, other, root) = (index.index(count), other.index(count), root(&leaves));
        let path = inclusion(index, &leaves).unwrap();
        let holds = |index: usize, leaf: usize, path: &[TreeHash]| {
            verify_inclusion(index as u64, count as u64, leaves[leaf], path, root)
        };
        prop_assert!(holds(index, index, &path));
        prop_assert_eq!(holds(index, other, &path), index == other);
        prop_assert_eq!(holds(other, index, &path), index == other);
        prop_assert!(!holds(index, index, &[&path[..], &[root]].concat()));
        prop_assert!(path.is_empty() || !holds(index, index, &path[1..]));
        for at in 0..path.len() {
            let mut changed = path.clone();
            changed[at].0[flip / 8] ^= 1 << (flip % 8);
            prop_assert!(!holds(index, index, &changed));
        }
    }

    #[test]
    fn consistency_is_proven_for_beginnings_only(count in 1..300_usize, old: prop::sample::Index, flip in 0..256_usize) {
        let leaves = leaves(count);
        let old = old.index(count) + 1;
        let (old_root, new_root) = (root(&leaves[..old]), root(&leaves));
        let path = consistency(old, &leaves).unwrap();
        let holds = |old_root, path: &[TreeHash]| verify_consistency(old as u64, count as u64, path, old_root, new_root);
        prop_assert!(holds(old_root, &path));
        let mut another = leaves[..old].to_vec();
        another[old / 2].0[flip / 8] ^= 1;
        prop_assert!(!holds(root(&another), &path));
        prop_assert!(!holds(old_root, &[&path[..], &[new_root]].concat()));
        for at in 0..path.len() {
            let mut changed = path.clone();
            changed[at].0[flip / 8] ^= 1 << (flip % 8);
            prop_assert!(!holds(old_root, &changed));
        }
    }

    #[test]
    fn hostile_proofs_are_refused(index: u64, size: u64, bytes in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let path: Vec<TreeHash> = bytes.into_iter().map(TreeHash).collect();
        let any = sha256(b"any");
        prop_assert!(!verify_inclusion(index, size, any, &path, sha256(b"other")));
        prop_assert!(!verify_consistency(index, size, &path, any, sha256(b"other")));
    }
}
