//! Builds Kubernetes, etcd, CoreDNS, kubectl, helm and the volume provisioner from Go modules, once for each set of inputs.
//!
//! The cache's key is the hash of the module files, the source and the link flags. The Go release is not part of it: a
//! newer compiler gives the same programs, and a rebuild of ten minutes after each update of Go would buy nothing.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::command::Call;
use crate::error::{Error, Result};
use crate::layout::{Layout, remove_tree, temporary};
use crate::progress::Progress;

const SOURCES: [&str; 3] = ["go.mod", "go.sum", "main.go"];
/// The names that the one binary of `main.go` goes by.
const NAMES: [&str; 8] = [
    "coredns",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
];
/// Needed for the build cache, the module cache and the result, in MiB.
const BUILD_SPACE: u64 = 6 * 1024;

/// One program to build: its file name, its Go package and its link flags.
struct Program {
    name: &'static str,
    package: &'static str,
    version: String,
}

/// The directory with the binaries, built first when the cache lacks them.
///
/// # Errors
/// [`Error::Machine`] without Go or disk space, [`Error::Command`] when the build fails.
pub(crate) async fn binaries(layout: &Layout, progress: &Progress) -> Result<PathBuf> {
    let source = source_directory()?;
    let key = key(&source)?;
    let directory = layout.cache().join(format!("kubernetes-{key}"));
    let bin = directory.join("bin");
    if bin.join("kubelet").exists() {
        return Ok(bin);
    }
    crate::preflight::needs_program("go", "golang-go (or a Go release from go.dev)")?;
    crate::preflight::needs_space(layout.cache(), BUILD_SPACE)?;
    let temporary = temporary(layout.cache(), &format!("kubernetes-{key}"))?;
    let built = build(&source, &temporary, progress).await;
    if let Err(error) = built {
        remove_tree(&temporary)?;
        return Err(error);
    }
    match std::fs::rename(&temporary, &directory) {
        // Another build of the same inputs was faster; its result is as good.
        Err(_) if bin.join("kubelet").exists() => remove_tree(&temporary)?,
        renamed => renamed.map_err(Error::file("install", &directory))?,
    }
    Ok(bin)
}

async fn build(source: &Path, target: &Path, progress: &Progress) -> Result<()> {
    remove_tree(target)?;
    let bin = target.join("bin");
    std::fs::create_dir_all(&bin).map_err(Error::file("make", &bin))?;
    for program in programs(&module_versions(source)?) {
        progress.say("kubernetes", &format!("building {} {} (minutes, once)", program.name, program.version));
        let flags = format!("-s -w {}", link_flags(&program));
        Call::new("go", ["build", "-C"])
            .arguments([
                &source.display().to_string(),
                "-trimpath",
                "-buildvcs=false",
                "-ldflags",
                &flags,
                "-o",
            ])
            .arguments([&bin.join(program.name).display().to_string(), program.package])
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=readonly")
            .run()
            .await?;
    }
    for name in NAMES {
        std::os::unix::fs::symlink("kubernetes", bin.join(name))
            .map_err(Error::file("link", bin.join(name)))?;
    }
    Ok(())
}

fn programs(versions: &impl Fn(&str) -> String) -> [Program; 3] {
    [
        Program { name: "kubernetes", package: ".", version: versions("k8s.io/kubernetes") },
        Program { name: "helm", package: "helm.sh/helm/v3/cmd/helm", version: versions("helm.sh/helm/v3") },
        Program {
            name: "local-path-provisioner",
            package: "github.com/rancher/local-path-provisioner",
            version: versions("github.com/rancher/local-path-provisioner"),
        },
    ]
}

fn link_flags(program: &Program) -> String {
    let version = &program.version;
    match program.name {
        "kubernetes" => {
            let base = "k8s.io/component-base/version";
            let mut numbers = version.trim_start_matches('v').split('.');
            let (major, minor) = (numbers.next().unwrap_or("1"), numbers.next().unwrap_or(""));
            format!("-X {base}.gitVersion={version} -X {base}.gitMajor={major} -X {base}.gitMinor={minor}")
        }
        "helm" => format!("-X helm.sh/helm/v3/internal/version.version={version}"),
        _ => format!("-X main.VERSION={version}"),
    }
}

/// Looks versions up in `go.mod`, the one place that pins them.
fn module_versions(source: &Path) -> Result<impl Fn(&str) -> String + use<>> {
    let path = source.join("go.mod");
    let text = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    Ok(move |module: &str| {
        text.lines()
            .filter_map(|line| line.trim().strip_prefix(module)?.strip_prefix(' '))
            .find_map(|rest| rest.split_whitespace().next())
            .unwrap_or("unknown")
            .to_owned()
    })
}

/// The Go module stands beside this crate in the checkout that the binary was compiled from.
fn source_directory() -> Result<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("kubernetes");
    if directory.join("go.mod").exists() {
        return Ok(directory);
    }
    Err(Error::Machine {
        problem: format!("the Go module {} is gone", directory.display()),
        fix: "run `make build` in the checkout that you use now".into(),
    })
}

fn key(source: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for name in SOURCES {
        let path = source.join(name);
        hash.update(std::fs::read(&path).map_err(Error::file("read", &path))?);
    }
    for program in programs(&module_versions(source)?) {
        hash.update(link_flags(&program));
    }
    hash.update(NAMES.join(","));
    hash.update(std::env::consts::ARCH);
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_module_file() {
        let versions = module_versions(&source_directory().unwrap()).unwrap();
        for program in programs(&versions) {
            assert!(program.version.starts_with('v'), "{} {}", program.name, program.version);
        }
        assert!(link_flags(&programs(&versions)[0]).contains("gitMinor=34"));
    }
}
