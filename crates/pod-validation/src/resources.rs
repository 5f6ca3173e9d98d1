//! Requests and limits.
//!
//! Mirrors `validation.go: validateResourceRequirements`.

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_model::quantity::Amount;

use crate::field::{FieldErrors, FieldPath};
use crate::names;

/// Reads an amount that may not be negative; `None` if it cannot be read, which is then an error.
pub(crate) fn of_quantity(quantity: &Quantity, path: &FieldPath, errors: &mut FieldErrors) -> Option<Amount> {
    match Amount::parse(&quantity.0) {
        Err(_) => {
            let rule = "must be a number with an optional suffix, such as 100m, 2, 1.5Gi or 2e3";
            errors.invalid(path, &quantity.0, rule);
            None
        }
        Ok(amount) if amount < Amount::default() => {
            errors.invalid(path, &quantity.0, "must be greater than or equal to 0");
            None
        }
        Ok(amount) => Some(amount),
    }
}

/// Checks what a container asks for.
pub(crate) fn of_container(resources: &ResourceRequirements, path: &FieldPath, errors: &mut FieldErrors) {
    check(resources, path, errors, |resource, path, errors| {
        let known = ["cpu", "memory", "ephemeral-storage"].contains(&resource) || is_huge_page(resource);
        if !resource.contains('/') && !known {
            errors.invalid(path, resource, "must be a standard resource for containers");
        }
    });
    for (index, claim) in resources.claims.iter().flatten().enumerate() {
        // Pods that may not have claims cannot hand any on.
        errors.not_found(&path.child("claims").index(index), &claim.name);
    }
}

/// Checks what a pod as a whole asks for.
pub(crate) fn of_pod(resources: &ResourceRequirements, path: &FieldPath, errors: &mut FieldErrors) {
    if resources.claims.is_some() {
        errors.forbidden(&path.child("claims"), "claims may not be set for Resources at pod-level");
    }
    check(resources, path, errors, |resource, path, errors| {
        if !matches!(resource, "cpu" | "memory") && !is_huge_page(resource) {
            errors.unsupported(path, resource, &["cpu", "hugepages-", "memory"]);
        }
    });
}

fn is_huge_page(resource: &str) -> bool {
    resource.starts_with("hugepages-")
}

fn check(
    resources: &ResourceRequirements,
    path: &FieldPath,
    errors: &mut FieldErrors,
    name_rule: fn(&str, &FieldPath, &mut FieldErrors),
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let named = |resource: &str, quantity: &Quantity, path: &FieldPath, errors: &mut FieldErrors| {
        let path = path.key(resource);
        errors.invalid_for(&path, resource, names::qualified(resource));
        name_rule(resource, &path, errors);
        let amount = of_quantity(quantity, &path, errors)?;
        if resource.contains('/') && amount.milli_value() % 1000 != 0 {
            errors.invalid(&path, &quantity.0, "must be an integer");
        }
        Some(amount)
    };
    for (resource, limit) in resources.limits.iter().flatten() {
        named(resource, limit, &limits_path, errors);
    }
    for (resource, request) in resources.requests.iter().flatten() {
        let amount = named(resource, request, &requests_path, errors);
        // Of these the node has exactly as much as it promised, so nobody may use more than asked for.
        let exact = is_huge_page(resource) || resource.contains('/');
        let Some(limit) = resources.limits.as_ref().and_then(|limits| limits.get(resource)) else {
            if exact {
                errors.required(&limits_path, "Limit must be set for non overcommitable resources");
            }
            continue;
        };
        let (Some(amount), Ok(most)) = (amount, Amount::parse(&limit.0)) else { continue };
        if exact && amount != most {
            let rule = format!("must be equal to {resource} limit of {}", limit.0);
            errors.invalid(&requests_path, &request.0, rule);
        } else if amount > most {
            let rule = format!("must be less than or equal to {resource} limit of {}", limit.0);
            errors.invalid(&requests_path, &request.0, rule);
        }
    }
    let mentions = |wanted: fn(&str) -> bool| {
        resources.limits.iter().chain(&resources.requests).flatten().any(|(resource, _)| wanted(resource))
    };
    if mentions(is_huge_page) && !mentions(|resource| matches!(resource, "cpu" | "memory")) {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
}
