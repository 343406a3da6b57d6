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
/// The layer below all others: what every container needs a place for, so that no image has to be written to for it.
const BASE: &str = "/b";
const BASE_DIRECTORIES: [&str; 4] = ["dev", "etc", "proc", "sys"];
const BASE_FILES: [&str; 3] = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// The container's disk, with its read-only layers mounted.
pub struct Layers {
    scratch: PathBuf,
    /// The top layer first.
    lower: Vec<PathBuf>,
}

/// Makes the layer below all others.
pub fn prepare() -> std::io::Result<()> {
    let base = Path::new(BASE);
    for name in BASE_DIRECTORIES {
        fs::create_dir_all(base.join(name))?;
    }
    BASE_FILES.iter().try_for_each(|name| fs::write(base.join(name), ""))
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
    // Inode tables read as zeros already: the disk is thin.
    mount_on(&scratch, Path::new(SCRATCH), "ext4", 0, "discard,noinit_itable")?;
    let (upper, work) = (Path::new(SCRATCH).join("upper"), Path::new(SCRATCH).join("work"));
    if !work.exists() {
        create_upper(&upper, &lower[0])
            .and_then(|()| fs::create_dir(&work))
            .map_err(|error| fail(&format!("cannot prepare the upper directory: {error}")))?;
    }
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
    let mut lower = vec![PathBuf::from(BASE)];
    for (position, layer) in layers.iter().enumerate() {
        let target = PathBuf::from(format!("{LAYERS}/{}", position + 1));
        mount_on(layer, &target, "squashfs", libc::MS_RDONLY, "")?;
        lower.insert(0, target);
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
    match fs::create_dir(upper) {
        // A machine that was killed before the work directory was made; nothing has been written above yet.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    let (wanted, made) = (fs::metadata(top)?, fs::metadata(upper)?);
    if (wanted.uid(), wanted.gid()) != (made.uid(), made.gid()) {
        lchown(upper, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    if wanted.mode() != made.mode() {
        fs::set_permissions(upper, fs::Permissions::from_mode(wanted.mode() & 0o7777))?;
    }
    sys::copy_attributes(top, upper)
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

/// The devices of a disk's partitions, once all of them are there.
fn partitions_of(disk: &str) -> Option<Vec<PathBuf>> {
    let device = File::open(format!("/dev/{disk}")).ok()?;
    let table = read_table(&device).ok()??;
    let path = |number: usize| PathBuf::from(format!("/dev/{disk}{number}"));
    let missing = || (1..=table.partitions.len()).any(|number| !path(number).exists());
    if missing() {
        // In a clone it has taken the place of the template's, about which the kernel knows what it knew.
        announce(disk, &device, &table);
    }
    (!missing()).then(|| (1..=table.partitions.len()).map(path).collect())
}

/// Tells the kernel what is on a disk; by itself it would examine the whole device for it.
fn announce(disk: &str, device: &File, table: &Table) {
    if sectors_of(disk).is_none_or(|sectors| sectors < table.sectors) {
        let _ = fs::write(format!("/sys/block/{disk}/device/rescan"), "1");
    }
    for (position, &(first, last)) in table.partitions.iter().enumerate() {
        let bytes = (last + 1).saturating_sub(first).saturating_mul(SECTOR);
        // One that is there already is refused.
        let _ = sys::add_partition(device, position as i32 + 1, first.saturating_mul(SECTOR), bytes);
    }
}

fn sectors_of(disk: &str) -> Option<u64> {
    fs::read_to_string(format!("/sys/block/{disk}/size")).ok()?.trim().parse().ok()
}

/// What a GPT says of its disk.
struct Table {
    sectors: u64,
    /// First and last sector of each entry used.
    partitions: Vec<(u64, u64)>,
}

/// `None` when there is none.
fn read_table(disk: &impl FileExt) -> std::io::Result<Option<Table>> {
    let mut header = [0; 92];
    disk.read_exact_at(&mut header, SECTOR)?;
    // The backup is in the last sector.
    let (backup, first_block) = (long_at(&header, 32), long_at(&header, 72));
    let (count, size) = (long_at(&header, 80) as u32 as usize, long_at(&header, 80) >> 32);
    if !header.starts_with(b"EFI PART") || !(128..=4096).contains(&size) || first_block < 2 {
        return Ok(None);
    }
    let mut partitions = Vec::new();
    while partitions.len() < count.min(MAX_PARTITIONS) {
        let mut entry = [0; 48];
        disk.read_exact_at(&mut entry, first_block.saturating_mul(SECTOR) + partitions.len() as u64 * size)?;
        if entry.starts_with(&[0; 16]) {
            break;
        }
        partitions.push((long_at(&entry, 32), long_at(&entry, 40)));
    }
    Ok(Some(Table { sectors: backup.saturating_add(1), partitions }))
}

fn long_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn fail(text: &str) -> StartFailure {
    StartFailure::new("mount", text)
}
