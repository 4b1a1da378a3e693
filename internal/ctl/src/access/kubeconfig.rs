//! Kubeconfigs as kubectl finds and merges them, and what flags change in them.
//!
//! Flags are written into the kubeconfig before it is used, so that every way of authentication works with them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster, NamedContext,
};
use serde_json::json;

use super::Access;
use crate::CtlError;
use crate::debug::plain;

/// Name of what is made of flags alone.
const FLAGS: &str = "flags";

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// All files together.
    Read(Box<Kubeconfig>),
    /// There is no file at these places.
    Nowhere(Vec<PathBuf>),
}

/// The file that is named, else all that `KUBECONFIG` lists, else `~/.kube/config`. Files that are listed may be missing.
pub(super) fn found(
    named: Option<&Path>,
    listed: Option<&OsStr>,
    home: Option<&Path>,
) -> Result<Found, KubeconfigError> {
    if let Some(path) = named {
        return read(path).map(|kubeconfig| Found::Read(Box::new(kubeconfig)));
    }
    let listed = listed.map(|list| std::env::split_paths(list).collect::<Vec<_>>()).unwrap_or_default();
    let mut paths: Vec<PathBuf> = listed.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    if paths.is_empty() {
        paths.extend(home.map(|home| home.join(".kube/config")));
    }
    let files: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    if files.is_empty() {
        return Ok(Found::Nowhere(paths));
    }
    let merged = files.into_iter().try_fold(Kubeconfig::default(), |all, path| all.merge(read(path)?))?;
    Ok(Found::Read(Box::new(merged)))
}

fn read(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    let mut kubeconfig = Kubeconfig::read_from(path)?;
    // `kubectl config unset current-context` leaves an empty text, which says nothing.
    kubeconfig.current_context = kubeconfig.current_context.filter(|name| !name.is_empty());
    Ok(kubeconfig)
}

/// There is nothing that says which cluster is meant.
pub(super) fn nowhere(looked: &[PathBuf]) -> CtlError {
    let places: Vec<String> = looked.iter().map(|path| plain(&path.to_string_lossy())).collect();
    let places = if places.is_empty() { "there is no home directory".to_owned() } else { places.join(", ") };
    CtlError::Argument(format!(
        "there is no kubeconfig ({places}), and this does not run in a pod: name one by --kubeconfig or the environment \
         variable KUBECONFIG"
    ))
}

/// The kubeconfig with what the flags say in its place; its current context is the one that is meant.
pub(super) fn overridden(mut from: Kubeconfig, access: &Access) -> Result<Kubeconfig, CtlError> {
    let chosen = access.context.clone().or_else(|| from.current_context.clone());
    let Some(name) = chosen.or_else(|| access.server.is_some().then(|| FLAGS.to_owned())) else {
        return Ok(from);
    };
    if access.context.is_none() && from.current_context.is_none() {
        let context =
            Context { cluster: FLAGS.to_owned(), user: Some(FLAGS.to_owned()), ..Context::default() };
        from.contexts.push(NamedContext {
            name: FLAGS.to_owned(),
            context: Some(context),
            ..NamedContext::default()
        });
    }
    from.current_context = Some(name.clone());
    let named = from.contexts.iter_mut().find(|context| context.name == name);
    // One that does not exist is refused by who reads it.
    let Some(context) = named.and_then(|named| named.context.as_mut()) else { return Ok(from) };
    if let Some(cluster) = &access.cluster {
        cluster.clone_into(&mut context.cluster);
    }
    if let Some(user) = &access.user {
        known_user(&from.auth_infos, user)?;
        context.user = Some(user.clone());
    }
    let cluster = context.cluster.clone();
    let user = context.user.get_or_insert_with(|| FLAGS.to_owned()).clone();
    if let Some(cluster) = cluster_named(&mut from.clusters, &cluster, access.server.is_some()) {
        with_cluster(cluster, access);
    }
    with_user(user_named(&mut from.auth_infos, &user), access);
    Ok(from)
}

fn known_user(users: &[NamedAuthInfo], name: &str) -> Result<(), CtlError> {
    if users.iter().any(|user| user.name == name) {
        return Ok(());
    }
    let names: Vec<String> = users.iter().map(|user| plain(&user.name)).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(CtlError::Argument(format!("--user {} is not in the kubeconfig, which has: {names}", plain(name))))
}

/// The cluster of that name; without one it is made if flags say where it is.
fn cluster_named<'a>(clusters: &'a mut Vec<NamedCluster>, name: &str, make: bool) -> Option<&'a mut Cluster> {
    let known = clusters.iter().position(|cluster| cluster.name == name);
    let at = known.or_else(|| {
        make.then(|| {
            clusters.push(NamedCluster { name: name.to_owned(), ..NamedCluster::default() });
            clusters.len() - 1
        })
    })?;
    clusters.get_mut(at).map(|named| named.cluster.get_or_insert_default())
}

fn user_named<'a>(users: &'a mut Vec<NamedAuthInfo>, name: &str) -> &'a mut AuthInfo {
    let at = users.iter().position(|user| user.name == name).unwrap_or_else(|| {
        users.push(NamedAuthInfo { name: name.to_owned(), ..NamedAuthInfo::default() });
        users.len() - 1
    });
    users[at].auth_info.get_or_insert_default()
}

fn with_cluster(cluster: &mut Cluster, access: &Access) {
    if access.server.is_some() {
        cluster.server.clone_from(&access.server);
    }
    if access.tls_server_name.is_some() {
        cluster.tls_server_name.clone_from(&access.tls_server_name);
    }
    if access.certificate_authority.is_some() || access.insecure_skip_tls_verify {
        cluster.certificate_authority.clone_from(&access.certificate_authority);
        cluster.certificate_authority_data = None;
        cluster.insecure_skip_tls_verify = Some(access.insecure_skip_tls_verify);
    }
}

/// A user with what the flags say of them.
pub(super) fn with_user(user: &mut AuthInfo, access: &Access) {
    if let Some(token) = &access.token {
        // A token by itself is a user; of several credentials another one might be taken.
        let certificate = (user.client_certificate.take(), user.client_certificate_data.take());
        let key = (user.client_key.take(), user.client_key_data.take());
        let impersonation =
            (user.impersonate.take(), user.impersonate_groups.take(), user.impersonate_uid.take());
        *user = serde_json::from_value(json!({"token": token.expose()})).unwrap_or_default();
        (user.client_certificate, user.client_certificate_data) = certificate;
        (user.client_key, user.client_key_data) = key;
        (user.impersonate, user.impersonate_groups, user.impersonate_uid) = impersonation;
    }
    if access.client_certificate.is_some() {
        user.client_certificate.clone_from(&access.client_certificate);
        user.client_certificate_data = None;
    }
    if access.client_key.is_some() {
        user.client_key.clone_from(&access.client_key);
        user.client_key_data = None;
    }
    if access.impersonate.is_some() {
        user.impersonate.clone_from(&access.impersonate);
    }
    if access.impersonate_uid.is_some() {
        user.impersonate_uid.clone_from(&access.impersonate_uid);
    }
    if !access.impersonate_groups.is_empty() {
        user.impersonate_groups = Some(access.impersonate_groups.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(directory: &Path, name: &str, current: &str, entries: &str) -> PathBuf {
        let path = directory.join(name);
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": current,
            "clusters": [{"name": entries, "cluster": {"server": format!("https://{entries}.example.org"), "certificate-authority-data": "QQ=="}}],
            "users": [{"name": entries, "user": {"tokenFile": "token"}}],
            "contexts": [{"name": entries, "context": {"cluster": entries, "user": entries}}],
        });
        fs::write(&path, text.to_string()).unwrap();
        path
    }

    fn merged(listed: &[&Path]) -> Kubeconfig {
        let listed = std::env::join_paths(listed).unwrap();
        match found(None, Some(&listed), None).unwrap() {
            Found::Read(kubeconfig) => *kubeconfig,
            Found::Nowhere(looked) => panic!("{looked:?}"),
        }
    }

    #[test]
    fn all_listed_files_count_and_missing_ones_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let first = file(directory.path(), "first", "", "rome");
        let second = file(directory.path(), "second", "milan", "milan");
        let all = merged(&[&first, &directory.path().join("missing"), &second]);
        assert_eq!(all.current_context.as_deref(), Some("milan"));
        let names: Vec<&str> = all.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        assert_eq!(names, ["rome", "milan"]);
        // A file beside a kubeconfig is found from anywhere.
        let token = all.auth_infos[0].auth_info.as_ref().unwrap().token_file.clone();
        assert_eq!(token, Some(directory.path().join("token").to_string_lossy().into_owned()));
        // The one that is named by a flag has to exist, and counts alone.
        let listed = OsStr::new("elsewhere");
        assert!(found(Some(&directory.path().join("missing")), Some(listed), None).is_err());
        assert!(matches!(found(Some(&first), Some(listed), None), Ok(Found::Read(_))));
    }

    #[test]
    fn without_a_file_it_is_said_where_one_was_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let looked = |listed: Option<&OsStr>| match found(None, listed, Some(directory.path())).unwrap() {
            Found::Nowhere(looked) => looked,
            Found::Read(_) => panic!("found"),
        };
        assert_eq!(looked(Some(missing.as_os_str())), std::slice::from_ref(&missing));
        let usual = directory.path().join(".kube/config");
        assert_eq!(looked(None), std::slice::from_ref(&usual));
        assert_eq!(looked(Some(OsStr::new(""))), std::slice::from_ref(&usual));
        let error = nowhere(&[usual]).to_string();
        assert!(error.contains(".kube/config), and this does not run in a pod"), "{error}");
    }

    fn chosen(access: &Access) -> (Cluster, AuthInfo) {
        let directory = tempfile::tempdir().unwrap();
        let files =
            [file(directory.path(), "a", "rome", "rome"), file(directory.path(), "b", "milan", "milan")];
        let all = merged(&[&files[0], &files[1]]);
        picked(overridden(all, access).unwrap())
    }

    fn picked(from: Kubeconfig) -> (Cluster, AuthInfo) {
        let name = from.current_context.unwrap();
        let context =
            from.contexts.into_iter().find(|context| context.name == name).unwrap().context.unwrap();
        let cluster = from.clusters.into_iter().find(|cluster| cluster.name == context.cluster).unwrap();
        let user =
            from.auth_infos.into_iter().find(|user| Some(&user.name) == context.user.as_ref()).unwrap();
        (cluster.cluster.unwrap(), user.auth_info.unwrap())
    }

    #[test]
    fn flags_choose_and_change_what_is_in_the_files() {
        let (cluster, _) = chosen(&Access::default());
        assert_eq!(cluster.server.as_deref(), Some("https://rome.example.org"));
        let access = Access { context: Some("milan".into()), user: Some("rome".into()), ..Access::default() };
        assert_eq!(chosen(&access).0.server.as_deref(), Some("https://milan.example.org"));
        let access = Access {
            cluster: Some("milan".into()),
            token: Some("abc".parse().unwrap()),
            impersonate: Some("jane".into()),
            impersonate_groups: vec!["a".into(), "b".into()],
            insecure_skip_tls_verify: true,
            tls_server_name: Some("api".into()),
            ..Access::default()
        };
        let (cluster, user) = chosen(&access);
        assert_eq!(cluster.server.as_deref(), Some("https://milan.example.org"));
        assert_eq!(
            (cluster.certificate_authority_data, cluster.insecure_skip_tls_verify),
            (None, Some(true))
        );
        assert_eq!(cluster.tls_server_name.as_deref(), Some("api"));
        assert!(user.token.is_some() && user.token_file.is_none());
        assert_eq!(user.impersonate.as_deref(), Some("jane"));
        assert_eq!(user.impersonate_groups, Some(vec!["a".into(), "b".into()]));
        assert!(!format!("{access:?}").contains("abc"));
    }

    #[test]
    fn a_server_needs_no_kubeconfig() {
        let access = Access {
            server: Some("https://api.example.org".into()),
            certificate_authority: Some("ca.pem".into()),
            client_certificate: Some("me.pem".into()),
            client_key: Some("me.key".into()),
            ..Access::default()
        };
        let (cluster, user) = picked(overridden(Kubeconfig::default(), &access).unwrap());
        assert_eq!(cluster.server.as_deref(), Some("https://api.example.org"));
        assert_eq!(cluster.certificate_authority.as_deref(), Some("ca.pem"));
        assert_eq!(user.client_certificate.as_deref(), Some("me.pem"));
        assert_eq!(user.client_key.as_deref(), Some("me.key"));
    }

    #[test]
    fn a_user_that_is_not_there_is_refused() {
        let access =
            Access { server: Some("https://a.b".into()), user: Some("jane".into()), ..Access::default() };
        let error = overridden(Kubeconfig::default(), &access).unwrap_err().to_string();
        assert_eq!(error, "--user jane is not in the kubeconfig, which has: none");
    }
}
