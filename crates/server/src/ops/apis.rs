//! Protected APIs: importing their catalogues, and looking at them. They are the publisher's, and so is the activity
//! about them; whoever is in an organization that uses an API may look at it.

pub mod document;
pub mod import;
pub mod in_use;
pub mod look;
pub mod plan;
pub mod types;
pub mod view;
