//! The images that every node has, imported once for all of them.
//!
//! Importing unpacks layers, which costs seconds a node. So one containerd imports into a directory of the cache, and a
//! node's containerd starts from hard links to it: contents and layers are never written again; the databases are copied.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::command::Call;
use crate::error::{Error, Result};
use crate::image::{pause_image, toolbox_image};
use crate::layout::{Layout, remove_tree, temporary};
use crate::programs::Programs;
use crate::progress::Progress;

/// What the toolbox is made from, besides the packages: another definition makes another image.
const TOOLBOX_SOURCES: [&str; 2] =
    [include_str!("../image/toolbox.rs"), include_str!("../image/identity_server.pl")];
/// The packages whose files it holds, and the library they share.
const TOOLBOX_PACKAGES: [&str; 6] = ["busybox-static", "curl", "iperf3", "libc6", "perl-base", "restic"];

/// Starts a containerd, imports the archives and ends it. It is killed with the shell in any case.
const IMPORT: &str = r#"
cd "$1"; shift
containerd --config config.toml >containerd.log 2>&1 &
daemon=$!
trap 'kill $daemon 2>/dev/null; wait $daemon 2>/dev/null || true' EXIT
n=0
until ctr --address run/containerd.sock version >/dev/null 2>&1; do
  kill -0 $daemon || { tail -n 3 containerd.log >&2; exit 1; }
  n=$((n + 1)); [ $n -lt 600 ] || { echo "containerd does not answer" >&2; exit 1; }
  sleep 0.05
done
for archive in "$@"; do ctr --address run/containerd.sock -n k8s.io images import "$archive"; done
"#;

/// The directory of a containerd that has the images of every node.
///
/// # Errors
/// [`Error::Image`] when an image cannot be made, [`Error::Command`] when containerd does not take it.
pub(super) async fn template(layout: &Layout, programs: &Programs, progress: &Progress) -> Result<PathBuf> {
    let pause = std::fs::read(&programs.pause).map_err(Error::file("read", &programs.pause))?;
    let versions = Call::new("dpkg-query", ["--show"]).arguments(TOOLBOX_PACKAGES).run().await?;
    let mut hash = Sha256::new();
    hash.update(&pause);
    hash.update(versions);
    hash.update(TOOLBOX_SOURCES.concat());
    hash.update(IMPORT);
    let key: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let directory = layout.cache().join(format!("node-{key}"));
    if directory.exists() {
        return Ok(directory.join("root"));
    }
    progress.say("images", "making pause and toolbox");
    let temporary = temporary(layout.cache(), &format!("node-{key}"))?;
    let made = make(programs, &temporary).await;
    if let Err(error) = made {
        remove_tree(&temporary)?;
        return Err(error);
    }
    match std::fs::rename(&temporary, &directory) {
        Err(_) if directory.exists() => remove_tree(&temporary)?,
        renamed => renamed.map_err(Error::file("install", &directory))?,
    }
    Ok(directory.join("root"))
}

async fn make(programs: &Programs, directory: &Path) -> Result<()> {
    remove_tree(directory)?;
    let run = directory.join("run");
    std::fs::create_dir_all(&run).map_err(Error::file("make", &run))?;
    let archives = [directory.join("pause.tar"), directory.join("toolbox.tar")];
    let pause = programs.pause.clone();
    let (first, second) = (archives[0].clone(), archives[1].clone());
    let written = tokio::task::spawn_blocking(move || {
        pause_image(&pause)?.write(&first)?;
        toolbox_image()?.write(&second)?;
        Ok::<(), crate::image::Error>(())
    });
    written
        .await
        .map_err(|e| Error::file("write", directory)(std::io::Error::other(e)))?
        .map_err(Error::Image)?;
    let config = directory.join("config.toml");
    let text = format!(
        "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/run/state\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n[grpc]\n  address = \"{0}/run/containerd.sock\"\n",
        directory.display()
    );
    std::fs::write(&config, text).map_err(Error::file("write", &config))?;
    let mut arguments: Vec<String> =
        ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc", IMPORT, "import"]
            .map(Into::into)
            .into();
    arguments.push(directory.display().to_string());
    arguments.extend(archives.iter().map(|a| a.display().to_string()));
    Call::new("unshare", arguments).run().await?;
    remove_tree(&run)
}

/// Gives a node its own containerd directory with everything that the template holds. The directory appears only when it
/// is complete: one that still shared its databases with the template would spoil those of every later node.
///
/// # Errors
/// [`Error::Command`] when files cannot be copied.
pub(super) async fn clone(template: &Path, target: &Path) -> Result<()> {
    if target.exists() {
        return Ok(());
    }
    let temporary = target.with_extension("new");
    remove_tree(&temporary)?;
    std::fs::create_dir_all(&temporary).map_err(Error::file("make", &temporary))?;
    let (source, copy) = (format!("{}/.", template.display()), temporary.display().to_string());
    let linked = Call::new("cp", ["-a", "--link", source.as_str(), copy.as_str()]).run().await;
    if linked.is_err() {
        // Another file system than the cache's: links cannot reach there.
        Call::new("cp", ["-a", "--reflink=auto", source.as_str(), copy.as_str()]).run().await?;
    }
    // Databases are written in place: each node needs its own.
    let own = r#"find "$1" -name '*.db' -exec sh -ec 'for f; do cp -p "$f" "$f.own"; mv "$f.own" "$f"; done' _ {} +"#;
    Call::new("sh", ["-ec", own, "own", &copy]).run().await?;
    std::fs::rename(&temporary, target).map_err(Error::file("install", target))
}
