import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parsePartitionTable, SECTOR_BYTES } from '@vic/oci';
import { run } from '@vic/process';
import { readTar } from '@vic/tar';
import type { TarHeader } from '@vic/tar';
import { writeFile } from 'node:fs/promises';
import { exportDisk } from './local-hosts.ts';

/** Everything about one path that a container can see. */
export interface TreeEntry {
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  /** Link target, device numbers, or digest of the content. */
  readonly content: string;
  /** Names and hexadecimal values. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** The other names of the same inode. */
  readonly links: readonly string[];
}

const WALK = `
import hashlib, json, os, stat, sys
root, out, inodes = sys.argv[1].encode(), {}, {}
names = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFCHR: "character-device", stat.S_IFBLK: "block-device"}
def visit(path):
    full = os.path.join(root, path)
    s = os.lstat(full)
    kind = names[stat.S_IFMT(s.st_mode)]
    content = ""
    if kind == "file": content = hashlib.sha256(open(full, "rb").read()).hexdigest()
    if kind == "symlink": content = os.readlink(full).decode("latin1")
    if kind.endswith("device"): content = f"{os.major(s.st_rdev)}:{os.minor(s.st_rdev)}"
    xattrs = {n: os.getxattr(full, n, follow_symlinks=False).hex() for n in os.listxattr(full, follow_symlinks=False)}
    mode = 0o777 if kind == "symlink" else stat.S_IMODE(s.st_mode)
    out[path.decode("latin1")] = dict(type=kind, mode=mode, uid=s.st_uid, gid=s.st_gid, mtime=int(s.st_mtime), content=content, xattrs=xattrs)
    if kind != "directory": inodes.setdefault(s.st_ino, []).append(path.decode("latin1"))
    else:
        for name in os.listdir(full): visit(os.path.join(path, name))
visit(b"")
for paths in inodes.values():
    for p in paths: out[p]["links"] = sorted(q for q in paths if q != p)
json.dump(out, sys.stdout)
`;

/** The tree below a directory of this machine. */
export async function treeOfDirectory(root: string): Promise<Map<string, TreeEntry>> {
  const { stdout } = await run('python3', ['-c', WALK, root]);
  const found = Object.entries(JSON.parse(stdout) as Record<string, Omit<TreeEntry, 'links'> & { links?: string[] }>);
  return new Map(found.map(([path, entry]) => [path, { ...entry, links: entry.links ?? [] }]));
}

interface Node {
  readonly inode: Omit<TreeEntry, 'links'>;
}

/** The tree an overlay mount of a disk's layer partitions shows. */
export async function treeOfDisk(
  diskPath: string,
  spool: string,
): Promise<{ readonly tree: Map<string, TreeEntry>; readonly layers: number }> {
  const { client, stop } = await exportDisk(diskPath, ['--read-only']);
  const merged = new Map<string, Node>();
  try {
    const partitions = parsePartitionTable(await client.read(0, 34 * SECTOR_BYTES)).slice(1);
    for (const [index, { firstSector, lastSector }] of partitions.entries()) {
      const path = join(spool, `layer${index}.sqfs`);
      await writeFile(
        path,
        await client.read(firstSector * SECTOR_BYTES, (lastSector - firstSector + 1) * SECTOR_BYTES),
      );
      await stack(merged, path);
    }
    return { tree: withLinks(merged), layers: partitions.length };
  } finally {
    await stop();
  }
}

async function stack(merged: Map<string, Node>, squashfs: string): Promise<void> {
  const child = spawn('sqfs2tar', ['--root-becomes', '.', squashfs], { stdio: ['ignore', 'pipe', 'inherit'] });
  const own = new Map<string, Node>();
  for await (const { content, ...header } of readTar(child.stdout as AsyncIterable<Buffer>)) {
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk);
    hide(merged, header, own);
    if (isWhiteout(header)) continue;
    const linked = header.type === 'link' ? own.get(header.linkTarget) : undefined;
    const node = linked ?? { inode: inodeOf(header, hash.digest('hex')) };
    own.set(header.path, node);
    merged.set(header.path, node);
  }
}

function isWhiteout({ type, deviceMajor, deviceMinor }: TarHeader): boolean {
  return type === 'character-device' && deviceMajor === 0 && deviceMinor === 0;
}

/** Takes away what an entry of an upper layer hides. */
function hide(merged: Map<string, Node>, header: TarHeader, own: ReadonlyMap<string, Node>): void {
  const isOpaque = header.xattrs.get('trusted.overlay.opaque') === 'y';
  const below = merged.get(header.path)?.inode.type;
  if (header.type === 'directory' && !isOpaque && (below === undefined || below === 'directory')) return;
  for (const path of merged.keys()) {
    // An opaque directory hides what the layers below have in it, not what this layer has brought already.
    const isInside = path.startsWith(`${header.path}/`) && !own.has(path);
    if (isInside || (path === header.path && !isOpaque)) merged.delete(path);
  }
}

function inodeOf(header: TarHeader, digest: string): Node['inode'] {
  const xattrs = [...header.xattrs].filter(([name]) => !name.startsWith('trusted.overlay.'));
  const contents: Readonly<Record<string, string>> = { file: digest, symlink: header.linkTarget };
  const device = header.type.endsWith('device') ? `${header.deviceMajor}:${header.deviceMinor}` : '';
  return {
    type: header.type,
    mode: header.type === 'symlink' ? 0o777 : header.mode,
    uid: header.uid,
    gid: header.gid,
    mtime: header.mtimeSeconds,
    content: contents[header.type] ?? device,
    xattrs: Object.fromEntries(xattrs.map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('hex')])),
  };
}

function withLinks(merged: Map<string, Node>): Map<string, TreeEntry> {
  const paths = new Map<object, string[]>();
  for (const [path, { inode }] of merged) paths.getOrInsertComputed(inode, () => []).push(path);
  return new Map(
    [...merged].map(([path, { inode }]) => {
      const others = (paths.get(inode) ?? []).filter((other) => other !== path).toSorted();
      return [path, { ...inode, links: others }];
    }),
  );
}
