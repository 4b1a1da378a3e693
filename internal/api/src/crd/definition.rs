//! The definitions of all kinds.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, CustomResourceSubresourceStatus,
    CustomResourceSubresources, CustomResourceValidation,
};
use kube::core::ObjectMeta;

use super::schema;
use crate::{Column, Error, KINDS, KindDescription};

/// The definitions of all kinds of Liqo, in the order of [`KINDS`].
///
/// # Errors
/// A schema attribute in the model, or another version of k8s-openapi, gives a schema that no definition can hold. That
/// depends on the code alone.
pub fn crds() -> Result<Vec<CustomResourceDefinition>, Error> {
    KINDS.iter().map(definition).collect()
}

fn definition(described: &KindDescription) -> Result<CustomResourceDefinition, Error> {
    let kind = described.kind;
    let scope = if kind.is_cluster_scoped() { "Cluster" } else { "Namespaced" };
    Ok(CustomResourceDefinition {
        metadata: ObjectMeta { name: Some(described.definition_name()), ..ObjectMeta::default() },
        spec: CustomResourceDefinitionSpec {
            group: kind.group().to_owned(),
            names: names(described),
            scope: scope.to_owned(),
            versions: vec![version(described)?],
            ..CustomResourceDefinitionSpec::default()
        },
        status: None,
    })
}

fn names(described: &KindDescription) -> CustomResourceDefinitionNames {
    CustomResourceDefinitionNames {
        kind: described.kind.as_str().to_owned(),
        list_kind: Some(format!("{}List", described.kind)),
        plural: described.kind.plural().to_owned(),
        singular: Some(described.singular.to_owned()),
        short_names: texts(described.short_names),
        categories: texts(described.categories),
    }
}

/// A list, or nothing where the list is empty, as the API server keeps it.
fn texts(of: &[&str]) -> Option<Vec<String>> {
    (!of.is_empty()).then(|| of.iter().map(|text| (*text).to_owned()).collect())
}

fn version(described: &KindDescription) -> Result<CustomResourceDefinitionVersion, Error> {
    let subresources = CustomResourceSubresources {
        scale: None,
        status: Some(CustomResourceSubresourceStatus(serde_json::Map::new().into())),
    };
    let columns: Vec<_> = described.columns.iter().map(column).collect();
    Ok(CustomResourceDefinitionVersion {
        name: described.kind.version().to_owned(),
        served: true,
        storage: true,
        schema: Some(CustomResourceValidation { open_api_v3_schema: Some(schema::of(described)?) }),
        subresources: described.has_status().then_some(subresources),
        additional_printer_columns: (!columns.is_empty()).then_some(columns),
        ..CustomResourceDefinitionVersion::default()
    })
}

fn column(column: &Column) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        name: column.name.to_owned(),
        json_path: column.json_path.to_owned(),
        type_: column.column_type.to_owned(),
        priority: (column.priority != 0).then_some(column.priority),
        ..CustomResourceColumnDefinition::default()
    }
}
