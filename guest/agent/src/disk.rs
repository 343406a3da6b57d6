//! The container's disk: unit 0, its layers and its read-write file system, put together as an overlay.

use crate::message::StartFailure;
use crate::sys;
use std::fs::{self, File};
use std::os::unix::fs::{lchown, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a hot-added disk may take to appear.
const APPEAR_MS: u64 = 15_000;
/// When to ask the controllers to look again.
const RESCAN_MS: u64 = 300;
const SECTOR: u64 = 512;
const MAX_PARTITIONS: usize = 128;

/// Where the container's root is put together.
pub const ROOT: &str = "/r";
const SCRATCH: &str = "/u";
const LAYERS: &str = "/l";

/// The container's disk, with its read-only layers mounted.
pub struct Layers {
    scratch: PathBuf,
    /// The top layer first.
    lower: Vec<PathBuf>,
}

/// Mounts the layers of a disk that is there already; what goes wrong is left to [`mount_root`] to report.
pub fn mount_layers_early() -> Option<Layers> {
    mount_layers(&find_disk().and_then(|disk| partitions_of(&disk))?).ok()
}

/// Mounts the container's root file system, read-write, on [`ROOT`].
pub fn mount_root(early: Option<Layers>) -> Result<(), StartFailure> {
    let Layers { scratch, lower } = match early {
        Some(layers) => layers,
        None => mount_layers(&find_partitions()?)?,
    };
    mount_on(&scratch, Path::new(SCRATCH), "ext4", 0, "discard")?;
    let (upper, work) = (Path::new(SCRATCH).join("upper"), Path::new(SCRATCH).join("work"));
    if !upper.exists() {
        create_upper(&upper, &lower[0])
            .map_err(|error| fail(&format!("cannot prepare the upper directory: {error}")))?;
    }
    fs::create_dir_all(&work).map_err(|error| fail(&format!("cannot create the work directory: {error}")))?;
    let lower: Vec<String> = lower.iter().map(|path| path.display().to_string()).collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={},index=off,redirect_dir=off,metacopy=off",
        lower.join(":"),
        upper.display(),
        work.display()
    );
    mount_on(Path::new("overlay"), Path::new(ROOT), "overlay", 0, &options)
}

fn mount_layers(partitions: &[PathBuf]) -> Result<Layers, StartFailure> {
    let (scratch, layers) = partitions.split_first().ok_or_else(|| fail("the container's disk has no partitions"))?;
    let mut lower: Vec<PathBuf> = Vec::new();
    for (position, layer) in layers.iter().enumerate() {
        let target = PathBuf::from(format!("{LAYERS}/{}", position + 1));
        mount_on(layer, &target, "squashfs", libc::MS_RDONLY, "")?;
        lower.insert(0, target);
    }
    if lower.is_empty() {
        let empty = PathBuf::from(format!("{LAYERS}/0"));
        fs::create_dir_all(&empty).map_err(|error| fail(&format!("cannot create {}: {error}", empty.display())))?;
        lower.push(empty);
    }
    Ok(Layers { scratch: scratch.clone(), lower })
}

/// Takes the container's file systems down, as far as possible, and writes everything out.
pub fn unmount_root() {
    sys::sync();
    let _ = sys::unmount(Path::new(ROOT), libc::MNT_DETACH);
    let _ = sys::unmount(Path::new(SCRATCH), 0).or_else(|_| sys::unmount(Path::new(SCRATCH), libc::MNT_DETACH));
    sys::sync();
}

/// The merged root shows the upper directory's own attributes, so they must be those of the top layer.
fn create_upper(upper: &Path, top: &Path) -> std::io::Result<()> {
    // Built beside and renamed, so that a machine killed meanwhile does not leave half of it.
    let fresh = upper.with_file_name("upper.new");
    fs::create_dir_all(&fresh)?;
    let metadata = fs::metadata(top)?;
    lchown(&fresh, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    sys::copy_attributes(top, &fresh)?;
    fs::rename(&fresh, upper)
}

fn mount_on(source: &Path, target: &Path, kind: &str, flags: u64, options: &str) -> Result<(), StartFailure> {
    let source = source.display().to_string();
    fs::create_dir_all(target)
        .and_then(|()| sys::mount(&source, target, kind, flags, options))
        .map_err(|error| fail(&format!("cannot mount {source} ({kind}) on {}: {error}", target.display())))
}

/// The partitions' devices, in the order of the table, once the kernel has made all of them.
fn find_partitions() -> Result<Vec<PathBuf>, StartFailure> {
    let started = sys::monotonic_ms();
    let mut rescanned = false;
    loop {
        if let Some(partitions) = find_disk().and_then(|disk| partitions_of(&disk)) {
            return Ok(partitions);
        }
        let waited = sys::monotonic_ms() - started;
        if waited > RESCAN_MS && !rescanned {
            rescan();
            rescanned = true;
        }
        if waited > APPEAR_MS {
            return Err(fail("the container's disk did not appear"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The name of the disk with SCSI address x:0:0:0.
fn find_disk() -> Option<String> {
    fs::read_dir("/sys/block").ok()?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let address = fs::read_link(entry.path().join("device")).ok()?;
        let address = address.file_name()?.to_str()?;
        (name.starts_with("sd") && address.ends_with(":0:0:0")).then_some(name)
    })
}

fn rescan() {
    for host in fs::read_dir("/sys/class/scsi_host").into_iter().flatten().flatten() {
        let _ = fs::write(host.path().join("scan"), "- - -");
    }
}

fn partitions_of(disk: &str) -> Option<Vec<PathBuf>> {
    let table = File::open(format!("/dev/{disk}")).ok()?;
    let count = count_partitions(&table).ok()??;
    let partitions: Vec<PathBuf> = (1..=count).map(|number| PathBuf::from(format!("/dev/{disk}{number}"))).collect();
    partitions.iter().all(|path| path.exists()).then_some(partitions)
}

/// How many entries, from the first on, a GPT has; `None` when it is not one.
fn count_partitions(disk: &impl FileExt) -> std::io::Result<Option<usize>> {
    let mut header = [0; 92];
    disk.read_exact_at(&mut header, SECTOR)?;
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (first_block, count, size) = (u64::from(number(72)), number(80) as usize, u64::from(number(84)));
    if !header.starts_with(b"EFI PART") || !(128..=4096).contains(&size) || first_block < 2 {
        return Ok(None);
    }
    let mut used = 0;
    while used < count.min(MAX_PARTITIONS) {
        let mut kind = [0; 16];
        disk.read_exact_at(&mut kind, first_block * SECTOR + used as u64 * size)?;
        if kind == [0; 16] {
            break;
        }
        used += 1;
    }
    Ok(Some(used))
}

fn fail(text: &str) -> StartFailure {
    StartFailure::new("mount", text)
}
