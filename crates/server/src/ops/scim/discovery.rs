//! What of the protocol there is, and which attributes are kept: the same in every organization.

use crate::db::Tx;
use crate::ops::{Act, Query};
use crate::scim::Resource;
use crate::scim::schema;
use serde_json::Value;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Show what of the protocol there is.
#[derive(Debug)]
pub struct ShowConfiguration {
    /// The organization.
    pub org: String,
}

/// List the types of resources.
#[derive(Debug)]
pub struct ListTypes {
    /// The organization.
    pub org: String,
}

/// Show one type of resources.
#[derive(Debug)]
pub struct ShowType {
    /// The organization.
    pub org: String,
    /// Its name.
    pub name: String,
}

/// List the schemas.
#[derive(Debug)]
pub struct ListSchemas {
    /// The organization.
    pub org: String,
}

/// Show one schema.
#[derive(Debug)]
pub struct ShowSchema {
    /// The organization.
    pub org: String,
    /// Its URI.
    pub schema: String,
}

impl Query for ShowConfiguration {
    const OPERATION: &'static Operation = operations::SCIM_CONFIG;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (_, base) = super::allowed(act, Self::OPERATION, &self.org).await?;
        Ok(schema::configuration(&base))
    }
}

impl Query for ListTypes {
    const OPERATION: &'static Operation = operations::SCIM_TYPE_LIST;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (_, base) = super::allowed(act, Self::OPERATION, &self.org).await?;
        let types = Resource::ALL.map(|resource| schema::resource_type(resource, &base));
        Ok(schema::list(types.len(), 1, &types))
    }
}

impl Query for ShowType {
    const OPERATION: &'static Operation = operations::SCIM_TYPE_SHOW;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (_, base) = super::allowed(act, Self::OPERATION, &self.org).await?;
        let found = Resource::ALL.into_iter().find(|resource| resource.name() == self.name);
        found.map(|resource| schema::resource_type(resource, &base)).ok_or_else(|| Problem::not_found("resource type"))
    }
}

impl Query for ListSchemas {
    const OPERATION: &'static Operation = operations::SCIM_SCHEMA_LIST;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (_, base) = super::allowed(act, Self::OPERATION, &self.org).await?;
        let schemas = Resource::ALL.map(|resource| schema::document(resource, &base));
        Ok(schema::list(schemas.len(), 1, &schemas))
    }
}

impl Query for ShowSchema {
    const OPERATION: &'static Operation = operations::SCIM_SCHEMA_SHOW;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (_, base) = super::allowed(act, Self::OPERATION, &self.org).await?;
        let found = Resource::ALL.into_iter().find(|resource| resource.schema() == self.schema);
        found.map(|resource| schema::document(resource, &base)).ok_or_else(|| Problem::not_found("schema"))
    }
}
