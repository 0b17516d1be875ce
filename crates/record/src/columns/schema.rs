//! The columns of a file: their names, their types, their order. Files are read by other programs, so the types are
//! those that every engine knows: UTF-8 text, integers, and a timestamp in microseconds, UTC.
//!
//! In memory, texts are views: comparing and selecting them copies no bytes. On disk they are plain texts.

use crate::column::Column;
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};

/// A column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Time,
    Sequence,
    /// The tag of the journal that wrote the record; with time and sequence it makes the record's id.
    Journal,
    Alternative,
    Decision,
    RuleVersion,
    CatalogueVersion,
    /// How many checks the record stands for.
    Count,
    Text(Column),
}

/// How many columns a file has.
pub(crate) const COUNT: usize = 24;

impl Field {
    /// All of them, in the order of the file.
    pub(crate) const ALL: [Self; COUNT] = [
        Self::Time,
        Self::Sequence,
        Self::Journal,
        Self::Text(Column::Api),
        Self::Text(Column::Organization),
        Self::Alternative,
        Self::Text(Column::Permission),
        Self::Text(Column::ContextId),
        Self::Text(Column::Level),
        Self::Decision,
        Self::Text(Column::Reason),
        Self::Text(Column::Credential),
        Self::Text(Column::Kind),
        Self::Text(Column::Principal),
        Self::Text(Column::ActedFor),
        Self::Text(Column::Method),
        Self::Text(Column::Endpoint),
        Self::Text(Column::Path),
        Self::Text(Column::Address),
        Self::Text(Column::UserAgent),
        Self::Text(Column::RequestId),
        Self::RuleVersion,
        Self::CatalogueVersion,
        Self::Count,
    ];

    /// The name of the column.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Sequence => "sequence",
            Self::Journal => "journal",
            Self::Alternative => "alternative",
            Self::Decision => "decision",
            Self::RuleVersion => "rule_version",
            Self::CatalogueVersion => "catalogue_version",
            Self::Count => "count",
            Self::Text(column) => column.name(),
        }
    }

    /// The place of the column in a file.
    pub(crate) fn position(self) -> usize {
        // Every field is in the table: a test says so.
        Self::ALL.iter().position(|field| *field == self).unwrap_or(COUNT)
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Sequence | Self::CatalogueVersion | Self::Count => DataType::UInt64,
            Self::Journal | Self::Alternative => DataType::UInt16,
            Self::RuleVersion => DataType::UInt32,
            Self::Decision | Self::Text(_) => DataType::Utf8View,
        }
    }

    fn nullable(self) -> bool {
        match self {
            Self::Text(column) => column != Column::Reason,
            field => field == Self::Alternative,
        }
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |field: Field| ArrowField::new(field.name(), field.data_type(), field.nullable());
    Arc::new(Schema::new(Field::ALL.map(field).to_vec()))
});

/// The schema of all files, as it is in memory.
pub(crate) fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column;

    #[test]
    fn every_column_has_its_place() {
        for (position, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field.position(), position);
        }
        assert_eq!(Field::ALL.iter().filter(|field| matches!(field, Field::Text(_))).count(), column::COUNT);
    }

    #[test]
    fn files_have_the_columns_of_exports_with_the_journal_in_place_of_the_id() {
        let mut names: Vec<&str> = Field::ALL.map(Field::name).to_vec();
        names.retain(|name| *name != "journal");
        names.insert(0, "id");
        assert_eq!(names, crate::export::COLUMNS);
    }
}
